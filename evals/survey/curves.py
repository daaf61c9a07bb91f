"""How the half-width goes with the rows that are judged, with predictions and without."""

from collections.abc import Sequence

import numpy as np

from ...memory.records import Record
from .quick_head import predict_quickly
from .simulation import EXPLAINED, MeanRow, Setting, population
from .trials import Look, figures
from .whole import Judged

SIZES = (50, 100, 200, 400, 800)
SHARE = 0.2
ROWS = 20_000
MOST_DRAWS = 20


class Curve(Record):
    """Mean half-widths of A(s)'s interval at each number of judged rows. real: not simulated."""

    name: str
    real: bool
    sampled: list[int]
    survey: list[float]
    classical: list[float]


def draws(repeats: int) -> int:
    return min(repeats, MOST_DRAWS)


def simulated(seed: int, repeats: int) -> list[Curve]:
    """A curve for each R²."""
    found = []
    for r2 in EXPLAINED:
        x, scores = population(Setting(ROWS, r2, (SHARE,)), seed)
        look = figures(MeanRow(x), scores, seed, predict_quickly)
        found.append(_curve(f"simulated, R² {r2:g}", False, look, ROWS, seed, repeats))
    return found


def real(judged: Judged, seed: int, repeats: int) -> Curve:
    """Of the first subgoal of a data set."""
    scores = judged.scores[:, :1]
    look = figures(judged.features, scores, seed)
    name = f"{judged.name}, {judged.subgoals[0].name}"
    return _curve(name, True, look, len(scores), seed, repeats)


def _curve(name: str, real: bool, look: Look, rows: int, seed: int, repeats: int) -> Curve:
    draw = np.random.default_rng([seed, *name.encode()])
    sizes = [size for size in SIZES if size < rows]
    told = [
        [look(draw.choice(rows, size, replace=False))[0][0] for _ in range(repeats)]
        for size in sizes
    ]
    return Curve(
        name=name,
        real=real,
        sampled=sizes,
        survey=_means([[one.half_width for one in own] for own in told]),
        classical=_means([[one.classical for one in own] for own in told]),
    )


def _means(values: Sequence[Sequence[float]]) -> list[float]:
    return [float(np.mean(own)) for own in values]
