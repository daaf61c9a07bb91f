"""Simulated populations, in which the truth is known: how often do a survey's intervals hold it?

Features and noise are normal or skewed (exponential, centred); the latent score is their sum, with
R² from the features, and anchors are cut from it so that a wanted share of the rows supports. The
third shape has two anchors only, far apart: few rows may decide what the mean is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Literal

import numpy as np

from ...memory.records import Record
from ...memory.scores import SUPPORTING
from ...tools.rubric import ANCHORS
from ...tools.survey.covered import FEW
from .quick_head import difference, predict_quickly
from .trials import Summary, Trial, figures, summary, surveyed, with_support

Shape = Literal["normal", "skewed", "two anchors"]

ROWS = (300, 2_000, 20_000, 1_000_000)
EXPLAINED = (0.0, 0.3, 0.7)
SHARES = (0.01, 0.05, 0.2, 0.5, 0.8)
SHAPES: tuple[Shape, ...] = ("normal", "skewed")

APART_ROWS, APART_SHARES = (2_000, 20_000), (0.05, 0.2, 0.8, 0.95)
"""Of the shape with two anchors."""

PRECISION, FINER = 0.03, 0.01
"""At FINER the rare subgoals, too, have FEW supporting rows in the sample and more."""

FINER_ROWS, FINER_SHARES = 20_000, (0.01, 0.05)

JOINT = (0.05, 0.2, 0.5, 0.8)
"""Shares of the subgoals of a survey of several: it stops when the last is narrow enough."""

AGAIN, LOWEST = 4, 12
"""The LOWEST cells are repeated with AGAIN times the surveys and fresh seeds: of so many cells the
lowest is low by chance."""

FEATURES = 12

STRONG = 0.8

STEP = 0.3
"""Standard deviations of the latent score from one anchor to the next."""

MOST = 10_000
"""Rows that are drawn of a larger population, many more than a survey at these precisions takes."""


@dataclass(frozen=True)
class Setting:
    """A population of so many rows, with a subgoal for each share."""

    rows: int
    r2: float
    shares: tuple[float, ...]
    shape: Shape = "normal"
    precision: float = PRECISION


class Cell(Record):
    """Surveys of one subgoal of one population. share: of its rows, wanted; together: subgoals of
    the survey. found: of the repeats; again: of AGAIN times as many with fresh seeds, for the
    lowest cells. difference: the largest between the head and its closed form."""

    rows: int
    r2: float
    share: float
    shape: Shape
    precision: float
    together: int
    found: Summary
    again: Summary | None = None
    difference: float

    @property
    def best(self) -> Summary:
        """Without the luck of the draw that made a cell one of the lowest."""
        return self.again or self.found

    @property
    def sure(self) -> bool:
        """FEW supporting rows in the sample and more."""
        return self.best.supporting >= FEW


class MeanRow:
    """Features of a population by the ones that are sampled, and the mean row, which the mean
    prediction of a linear head is made of. Satisfies `head.Features`."""

    def __init__(self, x: np.ndarray) -> None:
        self._x, self._mean = x, x.mean(axis=0, keepdims=True)

    def __len__(self) -> int:
        return len(self._x)

    def take(self, at: np.ndarray) -> np.ndarray:
        return self._x[at]

    def times(self, weights: np.ndarray) -> np.ndarray:
        return self._mean @ weights


def population(setting: Setting, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features (m, p) and scores (m, k), on the anchors."""
    draw = np.random.default_rng([seed, setting.rows, round(100 * setting.r2)])
    size = (setting.rows, FEATURES)
    skewed = setting.shape == "skewed"
    x = draw.standard_exponential(size) - 1 if skewed else draw.standard_normal(size)
    scores = np.empty((setting.rows, len(setting.shares)))
    for j, share in enumerate(setting.shares):
        slope = draw.standard_normal(FEATURES)
        noise = draw.standard_exponential(setting.rows) - 1 if skewed else None
        noise = draw.standard_normal(setting.rows) if noise is None else noise
        signal = x @ (slope / np.linalg.norm(slope))
        latent = setting.r2**0.5 * signal + (1 - setting.r2) ** 0.5 * noise
        two = setting.shape == "two anchors"
        scores[:, j] = divided(latent, share) if two else anchored(latent, share)
    return x, scores


def divided(latent: np.ndarray, share: float) -> np.ndarray:
    """A strong score for that share of the rows, none for the others."""
    return np.where(latent >= np.quantile(latent, 1 - share), STRONG, 0.0)


def anchored(latent: np.ndarray, share: float) -> np.ndarray:
    """Anchors by steps of the latent score; that share of the rows supports."""
    cut = np.quantile(latent, 1 - share)
    last = len(ANCHORS) - 1
    steps = np.floor((latent - cut) / STEP) + round(SUPPORTING * last)
    return np.clip(steps, 0, last) / last


def settings(
    rows: Sequence[int] = ROWS, shares: Sequence[float] = SHARES, finer: bool = True
) -> list[Setting]:
    """Of the cells, each with its subgoal alone; then the finer ones, then several together."""
    grid = [
        Setting(n, r2, (share,), shape)
        for n, r2, share, shape in product(rows, EXPLAINED, shares, SHAPES)
    ]
    if not finer:
        return grid
    grid += [
        Setting(n, r2, (share,), "two anchors")
        for n, r2, share in product(APART_ROWS, EXPLAINED, APART_SHARES)
    ]
    grid += [
        Setting(FINER_ROWS, r2, (share,), shape, FINER)
        for r2, share, shape in product(EXPLAINED, FINER_SHARES, SHAPES)
    ]
    return grid + [
        Setting(FINER_ROWS, r2, JOINT, shape) for r2, shape in product(EXPLAINED, SHAPES)
    ]


def run(
    wanted: Sequence[Setting],
    repeats: int,
    seed: int,
    workers: int,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> list[Cell]:
    """A cell for each setting and subgoal. tell: settings that are done, and all."""
    total = len(wanted) + LOWEST
    done = 0
    found: list[list[Cell]] = []
    for cells in _each(wanted, repeats, [seed, 0], workers):
        found.append(cells)
        tell(done := done + 1, total)
    lowest = sorted(
        (i for i in range(len(wanted)) if any(cell.sure for cell in found[i])),
        key=lambda i: min(cell.found.lowest for cell in found[i] if cell.sure),
    )[:LOWEST]
    repeated = _each([wanted[i] for i in lowest], AGAIN * repeats, [seed, 1], workers)
    for i, cells in zip(lowest, repeated, strict=True):
        found[i] = [
            old.model_copy(update={"again": new.found})
            for old, new in zip(found[i], cells, strict=True)
        ]
        tell(done := done + 1, total)
    tell(total, total)
    return list(chain.from_iterable(found))


def _each(
    wanted: Sequence[Setting], repeats: int, seed: list[int], workers: int
) -> Iterator[list[Cell]]:
    from joblib import Parallel, delayed

    jobs = [delayed(cells_of)(one, repeats, [*seed, i]) for i, one in enumerate(wanted)]
    yield from Parallel(n_jobs=workers, return_as="generator")(jobs)  # pyright: ignore


def cells_of(setting: Setting, repeats: int, seed: list[int]) -> list[Cell]:
    """A cell for each subgoal. seed: that of the population first, then that of the samples."""
    x, scores = population(setting, seed[0])
    features = MeanRow(x)
    look = figures(features, scores, seed[0], predict_quickly)
    truth = with_support(scores).mean(axis=0)
    draw = np.random.default_rng(seed)
    trials: list[list[Trial]] = []
    apart = 0.0
    for number in range(repeats):
        order = draw.choice(setting.rows, min(setting.rows, MOST), replace=False)
        if not number:
            at = order[:100]
            apart = difference(features, at, with_support(scores[at]), seed[0])
        trials.append(surveyed(look, order, scores, truth, setting.precision))
    return [
        Cell(
            rows=setting.rows,
            r2=setting.r2,
            share=share,
            shape=setting.shape,
            precision=setting.precision,
            together=len(setting.shares),
            found=summary([own[j] for own in trials]),
            difference=apart,
        )
        for j, share in enumerate(setting.shares)
    ]
