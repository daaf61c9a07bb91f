"""Gaps before their rows are counted: clusters with names, near-identical ones merged."""

import asyncio
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from ..memory.errors import ReplyFailure
from ..memory.records import Claim, GapKind, LowRow, Subgoal
from ..tools.clustering import central, merge_similar
from ..tools.embedded_model import EmbeddedModel
from ..tools.embeddings import Embedder
from ..tools.model import Ask, Door, R
from ..tools.topics import topic_names
from .gap_names import NameGapAsk

SHOWN, CONTRAST, CLAIMS = 10, 5, 4
"""Rows of a cluster, and near it, that a name is made from; claims of a gap."""

SAME = 0.9
"""Gaps whose names and descriptions are so similar (cosine) say the same. What rules write is in
much the same words for every gap: there the means of the explanations' vectors are compared."""

BY_RULES = "text rules, because there was no usable reply"


@dataclass
class Draft:
    """A gap before its rows are counted. centre: mean vector of its cluster's explanations.

    by_rules: no chat model wrote its name and claims.
    """

    kind: GapKind
    name: str
    claims: list[Claim]
    centre: np.ndarray
    typical: list[str]
    origin: str
    size: int
    by_rules: bool

    @property
    def text(self) -> str:
        return " ".join([self.name, *(claim.text for claim in self.claims)])


async def written(door: Door, embedder: Embedder, ask: Ask[R]) -> tuple[R, str, bool]:
    """The reply, who gave it, and whether rules did: so too where the model's cannot be used."""
    try:
        return await door.ask(ask), door.model.name, isinstance(door.model, EmbeddedModel)
    except ReplyFailure:
        return await ask.embedded(embedder), BY_RULES, True


async def name_clusters(
    door: Door,
    embedder: Embedder,
    subgoal: Subgoal,
    rows: list[LowRow],
    vectors: np.ndarray,
    kinds: list[GapKind],
    labels: np.ndarray,
) -> list[Draft]:
    """A draft for each cluster."""
    topics = topic_names([row.topic for row in rows], labels)

    async def draft(label: int) -> Draft:
        members = np.flatnonzero(labels == label)
        centre = vectors[members].mean(axis=0)
        typical = [int(members[i]) for i in central(vectors[members], SHOWN)]
        others = np.flatnonzero(labels != label)
        near = others[np.argsort(-(vectors[others] @ centre), kind="stable")][:CONTRAST]
        ask = NameGapAsk(
            subgoal=subgoal,
            kind=kinds[members[0]],
            members=tuple(rows[i] for i in typical),
            others=tuple(rows[i] for i in near),
            topic=topics[label] if len(topics) > 1 else "",
        )
        reply, origin, by_rules = await written(door, embedder, ask)
        return Draft(
            kind=ask.kind,
            name=reply.name.strip(),
            claims=[claim for claim in ask.claims_of(reply) if claim.quotes],
            centre=centre,
            typical=[rows[i].explanation for i in typical],
            origin=origin,
            size=len(members),
            by_rules=by_rules,
        )

    return list(await asyncio.gather(*map(draft, range(len(topics)))))


async def merge(embedder: Embedder, drafts: list[Draft]) -> list[Draft]:
    """One draft for those of a kind that say the same; the largest cluster gives the name."""
    merged = []
    for kind in ("absent", "weak"):
        own = sorted((d for d in drafts if d.kind == kind), key=lambda draft: -draft.size)
        if not own:
            continue
        written = await embedder.encode([draft.text for draft in own])
        said = [d.centre if d.by_rules else text for d, text in zip(own, written, strict=True)]
        # Gaps of one name are one, whatever their descriptions say.
        first = {draft.name.casefold(): i for i, draft in reversed(list(enumerate(own)))}
        said = np.stack([said[first[draft.name.casefold()]] for draft in own])
        for group in merge_similar(said, np.arange(len(said)), SAME):
            first_draft, *others = [own[i] for i in group]
            claims = {c.text: c for draft in (first_draft, *others) for c in draft.claims}
            first_draft.claims = list(claims.values())[:CLAIMS]
            sizes = [own[i].size for i in group]
            first_draft.centre = np.average([own[i].centre for i in group], axis=0, weights=sizes)
            in_turn = zip_longest(*(own[i].typical for i in group))
            first_draft.typical = [text for some in in_turn for text in some if text][:SHOWN]
            merged.append(first_draft)
    return merged
