"""What the rows are about: topics of a seeded sample, for questions and for the heat map."""

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..memory.records import Example, Sample
from ..memory.vectors import VectorStore
from .clustering import cluster, distinguishing_terms, root
from .datasets import Table
from .embeddings import Embedder
from .text import last_turn, listed, shorten, words

SAMPLED = 500
"""Rows looked at."""

SEEN = 600
"""Characters of a row that are embedded: half of them input, half output."""

_GENERIC = """
act amend amended array associated association average back based best better big bit change char
code common compared conclusion console const create data day days def definitions difference
effect effects elevated eye feel find findings float following found func function given group
groups healthy high higher include increase increased input inserting int item items kind know len
let level levels like log long lot low lower main make mean means method month months need new
node null number numbers object old order output patient patients place please print problem
purposes range rate related result results return role second section self set short significant
significantly simple sort start std string study sure term terms thing things think time times
today true type use used useful value values var variable void want way week weeks width work
world year years
"""
GENERIC = frozenset(_GENERIC.split())
"""Words that name no topic: of any talk, of code in every language, of every study or statute."""

PHRASE = 0.4
"""A word is named with its neighbour where so many of the texts that hold it have both."""


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
    topics = []
    for label, name in enumerate(topic_names(list(texts.values()), labels)):
        rows = tuple(row for row, own in zip(texts, labels, strict=True) if own == label)
        topics.append(Topic(name or "mixed", len(rows) / len(texts), rows))
    return topics


def topic_names(texts: Sequence[str], labels: np.ndarray) -> list[str]:
    """For each label 0, 1, … what sets its texts apart, as "cancer, blood pressure and sleep";
    empty where nothing does. Label -1 is no cluster."""
    names = []
    for label, terms in enumerate(distinguishing_terms(texts, labels, without=GENERIC)):
        own = [text for text, other in zip(texts, labels, strict=True) if other == label]
        names.append(listed(_without_repeats([_phrase(term, own) for term in terms])))
    return names


def _without_repeats(phrases: list[str]) -> list[str]:
    """Each word once, in a pair rather than alone: "breast cancer" says "cancer"."""
    kept: list[str] = []
    said: set[str] = set()
    for phrase in sorted(phrases, key=lambda phrase: " " not in phrase):
        roots = {root(word) for word in phrase.split()}
        if not roots & said:
            kept.append(phrase)
            said |= roots
    return sorted(kept, key=phrases.index)


def _phrase(term: str, texts: list[str]) -> str:
    """The term with the word that mostly stands beside it: "blood pressure" for "pressure"."""
    pair = re.compile(rf"(?:\b([^\W\d_]{{3,}}) )?\b{re.escape(term)}\b(?: ([^\W\d_]{{3,}})\b)?")
    beside: Counter[str] = Counter()
    seen = 0
    for match in (pair.search(text.lower()) for text in texts):
        if match is None:
            continue
        seen += 1
        before, after = (w if w and words(w) and w not in GENERIC else None for w in match.groups())
        beside.update(filter(None, [before and f"{before} {term}", after and f"{term} {after}"]))
    phrase, count = max(beside.items(), key=lambda item: (item[1], item[0]), default=(term, 0))
    return phrase if count >= max(3, PHRASE * seen) else term


def sampled_samples(table: Table, seed: int) -> list[Sample]:
    """A seeded sample of SAMPLED rows with an output, in row order."""
    picked = random.Random(seed).sample(range(len(table)), min(SAMPLED, len(table)))
    samples = (table.sample(index) for index in sorted(picked))
    return [sample for sample in samples if sample]


async def embedded_rows(
    table: Table, vectors: VectorStore, embedder: Embedder, seed: int
) -> tuple[list[Sample], np.ndarray]:
    """The sampled rows with their vectors, shape (n, d); kept ones are not encoded again."""
    samples = sampled_samples(table, seed)
    texts = [embedded_text(sample) for sample in samples]
    return samples, await vectors.embed("rows", texts, embedder.encode)


def sampled_texts(table: Table, seed: int) -> dict[int, str]:
    """Row index → text to embed, of the sampled rows."""
    return {sample.index: embedded_text(sample) for sample in sampled_samples(table, seed)}


def embedded_text(sample: Sample) -> str:
    """What stands for a row when it is embedded: the starts of its last turn and of its output."""
    half = SEEN // 2
    return f"{last_turn(sample.input)[:half]}\n{sample.output[:half]}"


def as_example(sample: Sample) -> Example:
    """A row as a reader is shown it, shortened."""
    return Example(input=shorten(last_turn(sample.input), 200), output=shorten(sample.output, 300))
