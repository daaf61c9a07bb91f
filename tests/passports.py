"""Judges with known faults, for tests of the passport."""

from itertools import product

import numpy as np

from goalcover.evals.intervals import Rate
from goalcover.evals.labels import LabelledDomain
from goalcover.evals.passport.evaluation import Passport
from goalcover.evals.passport.records import Entry
from goalcover.evals.passport.retest import BASE, Judged, Pass
from goalcover.memory.records import Sample, Subgoal

RETESTED = [Pass(BASE), Pass("retest 2", variant="retest 2")]
FLIP = 0.3


def domain(labels: np.ndarray, name: str = "rows") -> LabelledDomain:
    samples = [
        Sample(index=i, id=f"r{i}", input=f"question {i}", output=f"answer {i}")
        for i in range(len(labels))
    ]
    subgoals = [
        Subgoal(id=f"s{place}", name=f"Skill {place}", description=f"Shows skill {place}.")
        for place in range(labels.shape[1])
    ]
    return LabelledDomain(name, samples, subgoals, labels)


def labels_of(rows: int, subgoals: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 6, (rows, subgoals)) / 5


def shaken(labels: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Each label moves to a neighbouring anchor with probability FLIP, and stays on the scale."""
    steps = draw.choice([-1, 0, 1], labels.shape, p=[FLIP / 2, 1 - FLIP, FLIP / 2])
    return np.clip(np.rint(labels * 5) + steps, 0, 5) / 5


def expected_flips() -> float:
    """The chance that two draws of `shaken` differ, labels evenly spread."""
    steps = {-1: FLIP / 2, 0: 1 - FLIP, 1: FLIP / 2}
    return sum(
        steps[a] * steps[b] / 6
        for label, a, b in product(range(6), steps, steps)
        if min(5, max(0, label + a)) != min(5, max(0, label + b))
    )


def twice(labels: np.ndarray, seed: int = 0) -> Judged:
    draw = np.random.default_rng(seed)
    values = {name: [shaken(labels, draw)] for name in (BASE, "retest 2")}
    return Judged("noisy", "noisy", values)


def only(found: Passport, judge: str, subgoal: str = "") -> Entry:
    (entry,) = [e for e in found.entries if (e.judge, e.subgoal) == (judge, subgoal)]
    return entry


def holds(figure: Rate, value: float) -> bool:
    assert figure.interval is not None
    return figure.interval[0] <= value <= figure.interval[1]
