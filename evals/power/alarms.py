"""Does `goalcover check` keep its promise? Pairs of samples are drawn from scored rows, with and
without a loss: how often does it say that something fell?

Samples are bootstrap samples of whole rows, so what subgoals have in common stays.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...memory.errors import UserError
from ...memory.records import Record, Spent, Subgoal
from ...tools.coverage import share_interval
from ...tools.datasets import DataSource
from ...tools.judge import Mode
from ...tools.regression import ALPHA, level_of
from ...tools.rubric import ANCHORS
from ...tools.settings import ModelConfig
from ...tools.text import many, percent
from ..exhibit import Exhibit, Table
from ..intervals import Rate
from .doses import fallen
from .resampled import Drawer, usual
from .user_rows import COPIES, Progress, score_distinct

PAIRS = ((50, 50), (200, 200), (1_000, 1_000), (1_000, 200), (1_000, 50), (50, 1_000))
"""Rows before and after."""

LOST = (0.25, 0.5, 0.75, 1.0)
"""Parts of the supporting rows that the source loses, for detection."""

SIZES = (200, 500, 1_000, 5_000)
"""Rows before and after, for detection."""


class Alarms(Record):
    """alarms: share of comparisons of unchanged sources that say something fell; usual: the same
    with Welch's t test and Fisher's test by mid-p, at the same level of each."""

    before: int
    after: int
    subgoals: int
    alarms: Rate
    usual: Rate


class Detection(Record):
    """A loss of one subgoal. lost: part of its supporting rows; fall: of A(s) in the source. rates:
    share of comparisons that say it fell, by rows before and after. others: that only others fell,
    at most over the sizes."""

    subgoal_id: str
    name: str
    lost: float
    fall: float
    rates: dict[int, Rate]
    others: float


class CheckFound(Exhibit):
    """What `goalcover eval check` prints and writes. scores: whose they are, if not the judge's."""

    judge: str
    data: str
    scores: str
    rows: int
    draws: int
    seed: int
    alarms: list[Alarms]
    detections: list[Detection]
    notes: list[str]

    def tables(self) -> list[Table]:
        sizes = list(self.detections[0].rates) if self.detections else []
        return [
            Table(
                title="False alarms: comparisons of unchanged sources in which something “fell”",
                columns=["rows before, after", "subgoals", "goalcover check", "Welch, mid-p"],
                rows=[
                    [f"{a.before:,}, {a.after:,}", str(a.subgoals), _fine(a.alarms), _fine(a.usual)]
                    for a in self.alarms
                ],
            ),
            Table(
                title="Detection: the subgoal that lost supporting rows “fell”",
                columns=["subgoal", "lost", "fall of A(s)", *(f"{size:,} rows" for size in sizes)],
                rows=[
                    [
                        d.name,
                        percent(d.lost),
                        f"{d.fall:.3f}",
                        *(percent(d.rates[n].value or 0) for n in sizes),
                    ]
                    for d in self.detections
                ],
            ),
        ]

    def lines(self) -> list[str]:
        others = max((d.others for d in self.detections), default=0)
        whose = f"Scores: {self.scores}." if self.scores else f"Judge: {self.judge}."
        return [
            f"{whose} {self.rows:,} distinct rows of {self.data} that have all their scores. "
            f"{COPIES}",
            f"{self.draws:,} pairs of bootstrap samples a line, seed {self.seed}; intervals: 95 %, "
            "Wilson (those of detections are in the JSON). "
            f"At most {percent(ALPHA)} of comparisons may be false alarms.",
            "Welch, mid-p: Welch's t test for A(s) and Fisher's test by mid-p for the share, with "
            "the same Bonferroni levels: what is usually taken.",
            "A loss makes the source lose that part of the subgoal's supporting rows (A >= 0.6); "
            "only others fell in at most "
            f"{percent(others, 1)} of the comparisons.",
            *self.notes,
        ]

    def headline(self) -> str:
        worst = max(self.alarms, key=lambda a: a.alarms.value or 0)
        return (
            f"The highest of {many(len(self.alarms), 'measured rate')} of false alarms of "
            f"`goalcover check` is {_fine(worst.alarms)}, for {worst.before:,} and "
            f"{worst.after:,} rows and {many(worst.subgoals, 'subgoal')}."
        )


def _fine(rate: Rate) -> str:
    low, high = rate.interval or (0.0, 0.0)
    return f"{percent(rate.value or 0, 2)} ({100 * low:.2f}–{percent(high, 2)})"


async def run(
    config: ModelConfig,
    source: DataSource,
    subgoals_file: Path,
    subgoals: list[Subgoal],
    mode: Mode,
    scores: Path | None,
    draws: int,
    on_progress: Progress,
) -> tuple[CheckFound, Spent]:
    """Judges the rows, or takes the given `scores` of them, and compares `draws` pairs of samples
    a setting. Raises UserError where fewer than two rows have all scores."""
    own = await score_distinct(
        config, source, subgoals_file, subgoals, mode, scores, "eval-check", on_progress,
        ask_judge=scores is None,
    )  # fmt: skip
    complete = own.values[~np.isnan(own.values).any(axis=1)]
    places = np.rint(complete * (len(ANCHORS) - 1)).astype(int)
    if len(places) < 2:
        raise UserError(f"fewer than two rows of {source.path} have scores for all subgoals.")
    drawer = Drawer(places)
    found = CheckFound(
        judge=own.judge,
        data=Path(source.path).name,
        scores=scores.name if scores else "",
        rows=len(places),
        draws=draws,
        seed=config.seed,
        alarms=alarms(drawer, len(subgoals), draws, config.seed),
        detections=detections(drawer, subgoals, draws, config.seed),
        notes=own.notes,
    )
    return found, own.spent


def alarms(drawer: Drawer, subgoals: int, draws: int, seed: int) -> list[Alarms]:
    """Of unchanged sources: some of the subgoals, and all."""
    counts = sorted({count for count in (1, 2, 4, 8) if count < subgoals} | {subgoals})
    found = []
    for before, after in PAIRS:
        rng = np.random.default_rng([seed, before, after])
        old, new = drawer.draw(before, draws, rng), drawer.draw(after, draws, rng)
        for count in counts:
            picked = rng.permutation(subgoals)[:count]
            pair, level = (old[:, picked], new[:, picked]), level_of(2 * count)
            found.append(
                Alarms(
                    before=before,
                    after=after,
                    subgoals=count,
                    alarms=_rate(np.any(fallen(*pair, level), axis=1)),
                    usual=_rate(np.any(usual(*pair, level), axis=1)),
                )
            )
    return found


def detections(
    drawer: Drawer, subgoals: Sequence[Subgoal], draws: int, seed: int
) -> list[Detection]:
    """Of each loss of each subgoal that some row supports."""
    found = []
    level = level_of(2 * len(subgoals))
    for place, subgoal in enumerate(subgoals):
        for lost in LOST:
            weights = drawer.without(place, lost)
            if weights is None:
                continue
            rng = np.random.default_rng([seed, place, round(100 * lost)])
            said_fell = {
                size: fallen(
                    drawer.draw(size, draws, rng), drawer.draw(size, draws, rng, weights), level
                )
                for size in SIZES
            }
            only = [fell[~fell[:, place]].any(axis=1).sum() / draws for fell in said_fell.values()]
            found.append(
                Detection(
                    subgoal_id=subgoal.id,
                    name=subgoal.name,
                    lost=lost,
                    fall=drawer.mean(place, drawer.weights) - drawer.mean(place, weights),
                    rates={size: _rate(fell[:, place]) for size, fell in said_fell.items()},
                    others=float(max(only)),
                )
            )
    return found


def _rate(hits: np.ndarray) -> Rate:
    return Rate(
        value=float(hits.mean()), interval=share_interval(int(hits.sum()), len(hits)), of=len(hits)
    )
