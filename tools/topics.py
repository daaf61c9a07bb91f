"""What the rows are about: topics of a seeded sample, for questions and for the heat map."""

import random
from dataclasses import dataclass

from ..memory.records import Sample
from ..memory.vectors import VectorStore
from .clustering import cluster, distinguishing_terms
from .datasets import Table
from .embeddings import Embedder
from .text import last_turn, listed

SAMPLED = 500
"""Rows looked at."""

SEEN = 600
"""Characters of a row that are embedded: half of them input, half output."""


@dataclass(frozen=True)
class Topic:
    """A cluster of rows, named by the words that tell it apart."""

    name: str
    share: float
    rows: tuple[int, ...]


async def find_topics(
    table: Table, vectors: VectorStore, embedder: Embedder, seed: int
) -> list[Topic]:
    """Topics of at most SAMPLED rows, the largest first. Shares are of the sampled rows."""
    texts = sampled_texts(table, seed)
    if not texts:
        return []
    found = await vectors.embed("rows", list(texts.values()), embedder.encode)
    labels = cluster(found, seed)
    names = distinguishing_terms(list(texts.values()), labels)
    topics = []
    for label, terms in enumerate(names):
        rows = tuple(row for row, own in zip(texts, labels, strict=True) if own == label)
        topics.append(Topic(listed(terms) or "mixed", len(rows) / len(texts), rows))
    return topics


def sampled_samples(table: Table, seed: int) -> list[Sample]:
    """A seeded sample of SAMPLED rows with an output, in row order."""
    picked = random.Random(seed).sample(range(len(table)), min(SAMPLED, len(table)))
    samples = (table.sample(index) for index in sorted(picked))
    return [sample for sample in samples if sample]


def sampled_texts(table: Table, seed: int) -> dict[int, str]:
    """Row index → text to embed, of the sampled rows."""
    return {sample.index: embedded_text(sample) for sample in sampled_samples(table, seed)}


def embedded_text(sample: Sample) -> str:
    """What stands for a row when it is embedded: the starts of its last turn and of its output."""
    half = SEEN // 2
    return f"{last_turn(sample.input)[:half]}\n{sample.output[:half]}"
