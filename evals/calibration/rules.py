"""The rules that `calibration` compares: a number for a row and subgoal, and cuts to anchors."""

from asyncio import gather
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...tools.embedded_judge import CUTS, STATED, matches_of
from ...tools.embeddings import Embedder
from ...tools.rubric import ANCHORS
from ...tools.text import passages, stem, words
from ..labels import LabelledDomain

SHARED, PREVIOUS_CUTS = 0.3, (0.27, 0.32, 0.38, 0.44, 0.52)
"""The former rule: cosine of the best passage, and so much for holding all the subgoal's words."""


@dataclass(frozen=True)
class Measured:
    """What the rules need of a domain's rows; every array has shape (n, k), rows by subgoals."""

    domain: LabelledDomain
    topic: np.ndarray
    evidence: np.ndarray
    most: np.ndarray
    previous: np.ndarray
    cosine: np.ndarray


@dataclass(frozen=True)
class Parameters:
    """Weight of the evidence, and the values at which the next anchor begins."""

    stated: float
    cuts: tuple[float, ...]

    def anchors(self, values: np.ndarray) -> np.ndarray:
        return np.array(ANCHORS)[(values[..., None] >= np.array(self.cuts)).sum(axis=-1)]


SHIPPED = Parameters(STATED, CUTS)


async def measure(domain: LabelledDomain, embedder: Embedder) -> Measured:
    """Reads every row once for all rules."""
    texts = [(sample.input, sample.output) for sample in domain.samples]
    rows = await gather(*(matches_of(embedder, *text, domain.subgoals) for text in texts))
    before = await gather(*(_former(domain, *text, embedder) for text in texts))
    previous, cosine = zip(*before, strict=True)
    topic = np.array([[match.topic for match in row] for row in rows])
    evidence = np.array([[match.evidence for match in row] for row in rows])
    most = np.array([[match.most for match in row] for row in rows])
    return Measured(domain, topic, evidence, most, np.array(previous), np.array(cosine))


async def _former(
    domain: LabelledDomain, text_in: str, text_out: str, embedder: Embedder
) -> tuple[list[float], list[float]]:
    """The values of the former rule, and plain cosines of the whole row: one for each subgoal."""
    texts = [*passages(text_in), *passages(text_out)] or [" "]
    whole = f"{text_in} {text_out}"
    aims = [t for s in domain.subgoals for t in (s.name, s.description, s.text)]
    vectors = await embedder.encode([*texts, whole, *aims])
    of_texts, of_whole, of_aims = np.split(vectors, [len(texts), len(texts) + 1])
    of_aims = of_aims.reshape(len(domain.subgoals), 3, -1)
    held = {stem(word) for word in words(whole)}
    previous = []
    for subgoal, aim in zip(domain.subgoals, of_aims, strict=True):
        named = words(subgoal.text)
        share = sum(stem(word) in held for word in named) / max(1, len(named))
        previous.append(float((of_texts @ aim[:2].T).max()) + SHARED * share)
    return previous, [float(own) for own in of_aims[:, 2] @ of_whole[0]]


def fit(measured: Sequence[Measured], evidence: bool = True) -> Parameters:
    """Weight by least squares within subgoals, then the cuts that give the anchors the frequencies
    they have in the labels; every subgoal counts the same. evidence: without it, its weight is 0.
    """
    weight = _weight(measured) if evidence else 0.0
    values = [one.topic + weight * one.evidence for one in measured]
    return Parameters(weight, cuts_of(values, [one.domain.labels for one in measured]))


def _weight(measured: Sequence[Measured]) -> float:
    """Of the evidence, for a weight of 1 of the topic. Not negative; 0 where nothing is stated."""
    from sklearn.linear_model import LinearRegression

    columns, wanted, counts = [], [], []
    for topic, evidence, labels in _columns(measured, "topic", "evidence"):
        columns.append(np.column_stack([topic - topic.mean(), evidence - evidence.mean()]))
        wanted.append(labels - labels.mean())
        counts.append(np.full(len(labels), 1 / len(labels)))
    line = LinearRegression(fit_intercept=False, positive=True)
    line.fit(np.vstack(columns), np.concatenate(wanted), np.concatenate(counts))
    of_topic, of_evidence = map(float, line.coef_)
    return of_evidence / of_topic if of_topic else 0.0


def _columns(measured: Sequence[Measured], *names: str) -> Iterator[tuple[np.ndarray, ...]]:
    """Of each subgoal: the named values and the labels of the rows that have one."""
    for one in measured:
        for place in range(len(one.domain.subgoals)):
            labels = one.domain.labels[:, place]
            there = ~np.isnan(labels)
            if there.any():
                yield *(getattr(one, name)[there, place] for name in names), labels[there]


def cuts_of(values: Sequence[np.ndarray], labels: Sequence[np.ndarray]) -> tuple[float, ...]:
    """Quantiles of the values that leave as large a share below each anchor as the labels do.

    values, labels: arrays of shape (n, k), a column for each subgoal; each column weighs the same.
    """
    found, wanted, weights = [], [], []
    for value, label in zip(values, labels, strict=True):
        for own, theirs in zip(value.T, label.T, strict=True):
            there = ~np.isnan(theirs)
            found.append(own[there])
            wanted.append(theirs[there])
            weights.append(np.full(there.sum(), 1 / max(1, there.sum())))
    flat, theirs, weight = (np.concatenate(parts) for parts in (found, wanted, weights))
    order = np.argsort(flat, kind="stable")
    below = np.cumsum(weight[order]) / weight.sum()
    middles = (np.array(ANCHORS[:-1]) + np.array(ANCHORS[1:])) / 2
    shares = [weight[theirs < middle].sum() / weight.sum() for middle in middles]
    places = [
        min(int(np.searchsorted(below, share + 1e-9, "right")), len(flat) - 1) for share in shares
    ]
    return tuple(float(flat[order[place]]) for place in places)
