"""Analyzer: f_analyze of the paper (Eq. 8). From explanations of low rows to named gaps.

The explanations are sorted (does the row call for the capability at all?) and clustered, each
cluster of one kind is named against what lies near it, near-identical gaps become one, and a pass
of its own says which gap each row shows.
"""

import asyncio
import random

import numpy as np

from ..memory.records import Analysis, Evidence, Gap, GapKind, LowRow, Stability, Subgoal
from ..memory.vectors import VectorStore
from ..tools.clustering import find_clusters, split_by, stability, with_words
from ..tools.coverage import share_interval
from ..tools.embeddings import Embedder
from ..tools.model import Door
from .applicability import sort_kinds
from .assignment import NamedGap, assign
from .gap_drafts import BY_RULES, Draft, merge, name_clusters
from .gap_list import list_gaps

ANALYSED = 300
"""Low rows of a subgoal whose explanations are clustered: a seeded sample of all."""

EVIDENCE = 3
"""Typical rows of a gap."""

HOW = (
    "Explanations were embedded, clustered and parted by kind, clusters named, those that say the "
    "same merged, and each row was then given the gap that its explanation shows."
)

HOW_LISTED = (
    "Clustering was off: all explanations were read at once and gaps listed, those that say the "
    "same merged, and each row was then given the gap that its explanation shows."
)

LEAST = 0.02
"""A gap that fewer of the analysed rows show is none."""


def pick(rows: list[tuple[int, float]], subgoal: Subgoal, seed: int) -> list[tuple[int, float]]:
    """The low rows to analyse: all, or a seeded sample of ANALYSED, in row order."""
    if len(rows) <= ANALYSED:
        return rows
    return sorted(random.Random(f"{seed} {subgoal.id}").sample(rows, ANALYSED))


async def analyze(
    door: Door,
    vectors: VectorStore,
    embedder: Embedder,
    subgoal: Subgoal,
    rows: list[LowRow],
    low: int,
    tau: float,
    seed: int,
    clustering: bool = True,
) -> tuple[list[Gap], Analysis]:
    """Gaps_s from the explanations of `rows`, a sample of all `low` rows below `tau`, the most
    prevalent first; and how they were found. clustering: False has one call read all of them, as
    the paper does."""
    if not rows:
        return [], Analysis(
            subgoal_id=subgoal.id, low=low, analysed=0, absent=0, clusters=0, unassigned=0
        )
    found = await vectors.embed("explanations", [r.explanation for r in rows], embedder.encode)
    kinds, by_rule = await sort_kinds(door, subgoal, rows)
    seeds = subsamples = None
    if clustering:
        texts = [row.explanation for row in rows]
        labels, seeds, subsamples = await asyncio.to_thread(_cluster, found, texts, kinds, seed)
        drafts = await name_clusters(door, embedder, subgoal, rows, found, kinds, labels)
    else:
        drafts = await list_gaps(door, embedder, subgoal, rows, found, kinds)
    drafts, clusters = await merge(embedder, drafts), len(drafts)
    shown, missed = await _assign(door, subgoal, rows, found, kinds, drafts)
    gaps = _gaps(subgoal, rows, found, shown, drafts, low, tau)
    told = [f"Kinds told by {door.model.name}.", HOW if clustering else HOW_LISTED]
    told += [f"{by_rule} of the kinds told by {BY_RULES}."] if by_rule else []
    told += [f"{missed} rows assigned to the nearest cluster: no usable reply."] if missed else []
    return gaps, Analysis(
        subgoal_id=subgoal.id,
        low=low,
        analysed=len(rows),
        absent=kinds.count("absent"),
        clusters=clusters,
        unassigned=len(rows) - sum(gap.rows for gap in gaps),
        seeds=seeds,
        subsamples=subsamples,
        how=told,
    )


def _cluster(
    vectors: np.ndarray, texts: list[str], kinds: list[GapKind], seed: int
) -> tuple[np.ndarray, Stability | None, Stability | None]:
    """Labels (n,), -1 in no cluster, each cluster of one kind; and their stability.

    All rows are clustered, and clusters parted by kind after it: clustering each kind by itself
    finds fewer planted gaps (see docs/gaps.md).
    """
    joined = with_words(vectors, texts)
    whole = find_clusters(joined, seed)
    held = np.array(kinds)
    labels = split_by(whole, held)
    for kind in dict.fromkeys(kinds):
        of_kind = [k for k in range(labels.max() + 1) if _most(held[labels == k]) == kind]
        # A few rows of another kind than their cluster's go to no cluster: assignment finds them
        # a gap. Where no cluster is of their kind, they are one.
        own = held == kind
        labels[own & ~np.isin(labels, of_kind)] = -1 if of_kind else labels.max() + 1
    return labels, *stability(joined, whole, seed)


def _most(kinds: np.ndarray) -> str:
    """The most frequent one; "absent" where both are."""
    return "weak" if 2 * np.count_nonzero(kinds == "weak") > len(kinds) else "absent"


async def _assign(
    door: Door,
    subgoal: Subgoal,
    rows: list[LowRow],
    vectors: np.ndarray,
    kinds: list[GapKind],
    drafts: list[Draft],
) -> tuple[list[int | None], int]:
    """The draft that each row shows, and how many rows got the nearest one for want of a reply."""
    shown: list[int | None] = [None] * len(rows)
    missed = 0
    for kind in ("absent", "weak"):
        named = {f"gap{i}": d for i, d in enumerate(drafts) if d.kind == kind}
        mine = [i for i, own in enumerate(kinds) if own == kind]
        if not named or not mine:
            continue
        gaps = [
            NamedGap(id=k, name=d.name, description=d.text, typical=tuple(d.typical))
            for k, d in named.items()
        ]
        told = await assign(door, subgoal, gaps, [rows[i] for i in mine])
        for i in mine:
            if rows[i].row in told:
                gap = told[rows[i].row]
            else:
                missed += 1
                gap = max(named, key=lambda k: float(vectors[i] @ named[k].centre))
            shown[i] = int(gap.removeprefix("gap")) if gap else None
    return shown, missed


def _gaps(
    subgoal: Subgoal,
    rows: list[LowRow],
    vectors: np.ndarray,
    shown: list[int | None],
    drafts: list[Draft],
    low: int,
    tau: float,
) -> list[Gap]:
    """Drafts with their figures, the most prevalent first; those that too few rows show go."""
    whole = sum(tau - row.score for row in rows)
    gaps = []
    by_size = sorted(range(len(drafts)), key=lambda number: -shown.count(number))
    for number in by_size:
        members = [i for i, own in enumerate(shown) if own == number]
        if not members or len(members) < LEAST * len(rows):
            continue
        draft, share = drafts[number], share_interval(len(members), len(rows))
        assert share, "rows were analysed"
        typical = np.argsort(-(vectors[members] @ draft.centre), kind="stable")
        gaps.append(
            Gap(
                id=f"{subgoal.id}-gap{len(gaps) + 1}",
                subgoal_id=subgoal.id,
                kind=draft.kind,
                name=draft.name,
                claims=draft.claims,
                prevalence=len(members) / len(rows),
                interval=share,
                shortfall=sum(tau - rows[i].score for i in members) / whole,
                rows=len(members),
                analysed=len(rows),
                low=low,
                members=[rows[i].row for i in members],
                evidence=_evidence([rows[members[i]] for i in typical]),
                origin=draft.origin,
            )
        )
    return gaps


def _evidence(rows: list[LowRow]) -> list[Evidence]:
    """The first rows that differ in what they say."""
    distinct: dict[str, LowRow] = {}
    for row in rows:
        distinct.setdefault(row.excerpt, row)
    return [
        Evidence(
            row=row.row,
            sample_id=row.sample_id,
            score=row.score,
            explanation=row.explanation,
            excerpt=row.excerpt,
        )
        for row in list(distinct.values())[:EVIDENCE]
    ]
