"""Judges, strong to useless, as the prediction of what experts say: SummEval's ratings of 1,200
summaries by three experts, and by LLMs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...memory.errors import UserError
from ...memory.records import Record
from ...tools.survey.estimator import estimate
from ..intervals import Rate
from .trials import holds, rate, ratio

FILE = "summeval_judged.jsonl"
SKILLS = ("coherence", "consistency", "fluency", "relevance")
SIZES = (100, 200, 400)
"""Rows of a sample; at most half of them all."""

LEAST, MOST = 1, 5
"""The scale of the ratings."""

SHUFFLED = "the best, its ratings shuffled"


class Proxy(Record):
    """A judge's ratings as predictions of the experts' mean, over the skills, at one sample size.
    coverage: of the four skills together; lowest: of one. ratio: to the classical width, mean over
    the skills, and the largest. r2: mean."""

    judge: str
    sampled: int
    rows: int
    coverage: Rate
    lowest: Rate
    ratio: float
    largest: float
    r2: float


def run(path: Path, repeats: int, seed: int) -> list[Proxy]:
    """Every judge of the file, the best first, and one that knows nothing. Raises UserError where
    the file is not one of such ratings."""
    truth, judges = read(path)
    sizes = [size for size in SIZES if 2 * size <= len(truth)]
    found = {
        name: [proxy(name, truth, ratings, size, repeats, seed) for size in sizes]
        for name, ratings in judges.items()
    }
    names = sorted(found, key=lambda name: -np.mean([one.r2 for one in found[name]]))
    shuffled = np.random.default_rng(seed).permutation(judges[names[0]])
    found[SHUFFLED] = [proxy(SHUFFLED, truth, shuffled, size, repeats, seed) for size in sizes]
    return [one for name in [*names, SHUFFLED] for one in found[name]]


def read(path: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The experts' mean and each judge's ratings, (rows, skills), scaled to [0, 1]; NaN where a
    rating is missing or off the scale."""
    try:
        with path.open(encoding="utf-8") as file:
            rows: list[dict[str, Any]] = [json.loads(line) for line in file]
        experts = np.stack([
            scaled([row["expert_annotations"][number] for row in rows])
            for number in range(len(rows[0]["expert_annotations"]))
        ])  # fmt: skip
        judges = {
            name: scaled([row["judge"].get(name, {}) for row in rows])
            for name in sorted(rows[0]["judge"])
        }
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise UserError(
            f"{path}: not the ratings of summaries (SummEval with expert_annotations and judge)."
        ) from error
    return experts.mean(axis=0), judges


def scaled(ratings: Sequence[dict[str, float]]) -> np.ndarray:
    values = np.array([[own.get(skill) for skill in SKILLS] for own in ratings], dtype=float)
    off = (values < LEAST) | (values > MOST)
    return np.where(off, np.nan, (values - LEAST) / (MOST - LEAST))


def proxy(
    name: str, truth: np.ndarray, ratings: np.ndarray, size: int, repeats: int, seed: int
) -> Proxy:
    """Samples of `size` of the rows that have a rating."""
    hits: list[list[bool]] = []
    ratios, r2s, rows = [], [], 0
    for place in range(len(SKILLS)):
        known = ~np.isnan(truth[:, place]) & ~np.isnan(ratings[:, place])
        labels, given = truth[known, place], ratings[known, place]
        rows = max(rows, len(labels))
        draw = np.random.default_rng([seed, place, size])
        told = []
        for _ in range(repeats):
            at = draw.choice(len(labels), size, replace=False)
            told.append(estimate(labels[at], given[at], float(given.mean()), len(labels)))
        hits.append([holds(one, float(labels.mean())) for one in told])
        ratios.append(ratio([one.half_width for one in told], [one.classical for one in told]))
        r2s.append(np.mean([one.r2 or 0.0 for one in told]))
    lowest = min(hits, key=sum)
    return Proxy(
        judge=name,
        sampled=size,
        rows=rows,
        coverage=rate([hit for own in hits for hit in own]),
        lowest=rate(lowest),
        ratio=float(np.mean(ratios)),
        largest=float(max(ratios)),
        r2=float(np.mean(r2s)),
    )
