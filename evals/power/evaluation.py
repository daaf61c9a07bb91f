"""The smallest loss that would be noticed on the user's own rows: power against dose.

Rows that support a subgoal are removed at random in growing doses (`doses.py`). With the judge's
own scores this is the sampling power of the figures; where other scores (`support`) say which rows
support, the judge's errors are in it too.
"""

from pathlib import Path

import numpy as np

from ...memory.records import Spent, Subgoal
from ...memory.scores import SUPPORTING
from ...tools.datasets import DataSource
from ...tools.judge import Mode
from ...tools.regression import level_of
from ...tools.settings import ModelConfig
from .doses import Dose, binned, fresh_sample, means, same_file, shares, smallest
from .found import Curve, Point, PowerFound, Setting, SmallestLoss, SubgoalPower
from .user_rows import Progress, score_distinct


async def run(
    config: ModelConfig,
    source: DataSource,
    subgoals_file: Path,
    subgoals: list[Subgoal],
    mode: Mode,
    support: Path | None,
    draws: int,
    on_progress: Progress,
) -> tuple[PowerFound, Spent]:
    """Judges the rows once and removes doses of them, `draws` times each.

    support: scores, or labelled rows, that say which rows support. Raises UserError as
    `score_distinct` does.
    """
    own = await score_distinct(
        config, source, subgoals_file, subgoals, mode, support, "eval-power", on_progress
    )
    values, chosen = own.values, own.given
    found = PowerFound(
        judge=own.judge,
        data=Path(source.path).name,
        support=support.name if support else "",
        rows=own.rows,
        distinct=len(values),
        labelled=int((~np.isnan(chosen)).any(axis=1).sum()),
        missing=own.missing,
        draws=draws,
        seed=config.seed,
        subgoals=[
            power_of(subgoal, values[:, i], chosen[:, i], len(subgoals), draws, [config.seed, i])
            for i, subgoal in enumerate(subgoals)
        ],
        notes=own.notes,
    )
    return found, own.spent


def power_of(
    subgoal: Subgoal,
    values: np.ndarray,
    chosen: np.ndarray,
    subgoals: int,
    draws: int,
    seed: list[int],
) -> SubgoalPower:
    """Curves of one of so many subgoals. values: by the judge, (n,); chosen: what says which rows
    support, (n,). Rows without a value of either are left out."""
    known = ~(np.isnan(values) | np.isnan(chosen))
    every = binned(values[known])
    target = binned(values[known & (chosen >= SUPPORTING)])
    rng = np.random.default_rng(seed)
    curves: list[tuple[Setting, list[Dose]]] = [
        ("check", []), ("removal, A(s)", []), ("removal, share", [])
    ]  # fmt: skip
    if target.sum():
        level = level_of(2 * subgoals)
        curves = [
            ("check", fresh_sample(every, target, level, draws, rng)),
            ("removal, A(s)", same_file(every, target, means, draws, rng)),
            ("removal, share", same_file(every, target, shares, draws, rng)),
        ]
    supporting = int(target.sum())
    return SubgoalPower(
        subgoal_id=subgoal.id,
        name=subgoal.name,
        judged=int(known.sum()),
        supporting=supporting,
        agreed=int((values[known & (chosen >= SUPPORTING)] >= SUPPORTING).sum()),
        mean=float(values[known].mean()) if known.any() else None,
        share=float((values[known] >= SUPPORTING).mean()) if known.any() else None,
        curves=[_curve(setting, doses, supporting, draws, rng) for setting, doses in curves],
    )


def _curve(
    setting: Setting, doses: list[Dose], supporting: int, draws: int, rng: np.random.Generator
) -> Curve:
    loss = smallest(doses, draws, rng)
    return Curve(
        setting=setting,
        points=[
            Point(rows=dose.rows, part=dose.rows / supporting, power=dose.noticed / draws,
                  fall=dose.fall, share_fall=dose.share_fall)
            for dose in doses
        ],
        smallest=loss and SmallestLoss(
            rows=loss.rows, interval=loss.interval, part=loss.rows / supporting, fall=loss.fall,
            share_fall=loss.share_fall,
        ),
    )  # fmt: skip
