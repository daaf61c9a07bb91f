"""The gaps that a run delivers, on sets whose gaps are planted: kinds, clusters, names, merging and
assignment, end to end.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...agents.analyzer import analyze
from ...memory.records import Analysis, Gap, LowRow, Quote, Record
from ...memory.vectors import VectorStore
from ...tools.embeddings import Embedder
from ...tools.model import Door
from ...tools.text import excerpt, last_turn, shorten
from ..intervals import Rate, mean, ratio
from .planted import LOW, PlantedSet

AT_ONCE = 8
"""Sets under way."""


class Delivery(Record):
    """What is delivered on the sets of one family.

    gaps, planted, clusters: a set's mean number. unassigned: share of the rows that are in no gap.
    bare: claims without a quote; untrue: quotes that do not stand in their row. by_rules: sets in
    which something was told by rules, for want of a usable reply. seeds, subsamples: stability.
    """

    family: str
    sets: int
    gaps: Rate
    planted: Rate
    clusters: Rate
    unassigned: Rate
    claims: int
    bare: int
    quotes: int
    untrue: int
    by_rules: int
    seeds: Rate
    subsamples: Rate


@dataclass(frozen=True)
class Outcome:
    """Of one set. labels: the delivered gap of each row, -1 for none, shape (n,)."""

    rows: tuple[LowRow, ...]
    gaps: tuple[Gap, ...]
    analysis: Analysis
    labels: np.ndarray


def low_rows(planted: PlantedSet) -> tuple[LowRow, ...]:
    """The rows as a run gives them to the analyzer; a row's index is its place in the set."""
    return tuple(
        LowRow(
            row=place,
            sample_id=row.id,
            score=row.score,
            explanation=row.explanation,
            topic=shorten(last_turn(row.input), 400),
            excerpt=excerpt(row.input, row.output),
        )
        for place, row in enumerate(planted.rows)
    )


async def deliver(
    door: Door,
    vectors: VectorStore,
    embedder: Embedder,
    sets: Sequence[PlantedSet],
    seed: int,
    on_done: Callable[[], None] = lambda: None,
    clustering: bool = True,
) -> list[Outcome]:
    """The gaps of each set, in their order. `on_done` is called after each. clustering: as in a
    run."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(planted: PlantedSet) -> Outcome:
        rows = low_rows(planted)
        async with turns:
            gaps, analysis = await analyze(
                door,
                vectors,
                embedder,
                planted.subgoal,
                list(rows),
                len(rows),
                LOW,
                seed,
                clustering,
            )
        labels = np.full(len(rows), -1)
        for place, gap in enumerate(gaps):
            labels[gap.members] = place
        on_done()
        return Outcome(rows, tuple(gaps), analysis, labels)

    return list(await asyncio.gather(*map(one, sets)))


def delivery(sets: Sequence[PlantedSet], outcomes: Sequence[Outcome], seed: int) -> Delivery:
    """Figures of the outcomes on sets of one family."""
    claims = [claim for own in outcomes for gap in own.gaps for claim in gap.claims]
    quotes = [(own, q) for own in outcomes for g in own.gaps for c in g.claims for q in c.quotes]
    found = [own.analysis for own in outcomes]
    return Delivery(
        family=sets[0].family,
        sets=len(sets),
        gaps=mean((len(own.gaps) for own in outcomes), seed),
        planted=mean((len(planted.names) for planted in sets), seed),
        clusters=mean((one.clusters for one in found), seed),
        unassigned=ratio([one.unassigned for one in found], [one.analysed for one in found], seed),
        claims=len(claims),
        bare=sum(not claim.quotes for claim in claims),
        quotes=len(quotes),
        untrue=sum(not stands(quote, own.rows) for own, quote in quotes),
        by_rules=sum(map(_by_rules, outcomes)),
        seeds=mean((one.seeds.mean for one in found if one.seeds), seed),
        subsamples=mean((one.subsamples.mean for one in found if one.subsamples), seed),
    )


def stands(quote: Quote, rows: Sequence[LowRow]) -> bool:
    """Whether the quote stands, letter by letter but for line ends, where it says that it does."""
    if not 0 <= quote.row < len(rows):
        return False
    row = rows[quote.row]
    text = row.explanation if quote.source == "explanation" else row.excerpt
    return bool(quote.text.strip()) and quote.text in " ".join(text.split())


def _by_rules(own: Outcome) -> bool:
    told = [*own.analysis.how, *(gap.origin for gap in own.gaps)]
    return any("no usable reply" in line for line in told)
