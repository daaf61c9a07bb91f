"""Rows without a language model: questions and passages of two of the user's own texts."""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np

from ..memory.records import Source, Subgoal
from ..tools.embeddings import Embedder
from ..tools.text import last_turn, passages, shorten, words

LEAST_WORDS, NEAR = 5, 0.32
"""A passage needs so many content words, and this similarity to the subgoal."""

SOURCES = 12
"""Exemplars to extract from: each pair of them makes one row."""


@dataclass(frozen=True)
class Extract:
    input: str
    output: str
    sources: tuple[str, ...]


async def extract(
    subgoal: Subgoal,
    exemplars: Sequence[Source],
    documents: Sequence[Source],
    tried: Set[str],
    count: int,
    embedder: Embedder,
) -> list[Extract]:
    """At most `count` rows, those with the passages nearest to the subgoal first.

    A row asks what two sources ask and answers with passages of each: a part of one row alone would
    be a copy. No pair of sources comes twice; outputs in `tried` are passed over.
    """
    by_text: dict[str, Source] = {}  # rows of real data repeat each other's sentences
    for source in (*documents, *exemplars):
        for passage in passages(source.output):
            if len(words(passage)) >= LEAST_WORDS:
                by_text.setdefault(passage, source)
    texts = list(by_text)
    if not texts:
        return []
    vectors = await embedder.encode([*texts, subgoal.text])
    nearness = vectors[:-1] @ vectors[-1]
    likely = [int(i) for i in np.argsort(-nearness, kind="stable") if nearness[i] >= NEAR]
    rows: list[Extract] = []
    used: set[frozenset[str]] = set()
    for seed in likely:
        source = by_text[texts[seed]]
        near = sorted(likely, key=lambda i: -float(vectors[i] @ vectors[seed] + nearness[i]))
        for other in (i for i in near if by_text[texts[i]].id != source.id):
            pair = frozenset((source.id, by_text[texts[other]].id))
            if pair in used:
                continue
            used.add(pair)
            row = _row([(by_text[texts[i]], texts[i]) for i in (seed, other)])
            if row.output not in tried:
                rows.append(row)
            break
        if len(rows) == count:
            break
    return rows


def _row(chosen: list[tuple[Source, str]]) -> Extract:
    return Extract(
        input=" ".join(dict.fromkeys(_question(source, passage) for source, passage in chosen)),
        output=" ".join(_answer(source, passage) for source, passage in chosen),
        sources=tuple(source.id for source, _ in chosen),
    )


def _answer(source: Source, passage: str) -> str:
    """The passage, after the one that a row's answer opens with: that speaks to the question."""
    opening = passages(source.output)[:1] if source.input else []
    return " ".join(dict.fromkeys([*opening, passage]))


def _question(source: Source, passage: str) -> str:
    """What the source itself asks; a document asks nothing, so what the passage begins with."""
    return last_turn(source.input) or f"What does this mean: “{shorten(passage, 80)}”?"
