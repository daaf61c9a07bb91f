"""Controlled corruption (Section 4 of the paper): rows that support a subgoal are removed; does
A(s) fall for that subgoal, and stay for the others?

The judge sees each row of a pool once; every sample, removal, resample and random removal is
arithmetic on those judgements.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path

import numpy as np

from ...memory.records import Spent
from ...tools.judge import MOST_SUBGOALS, Mode
from ...tools.scorer import ScoreProgress
from ...tools.settings import ModelConfig
from ..exhibit import Exhibit, Table
from ..judging import judge_rows, open_judges
from ..statistics import Separation, separation
from . import figures, lines, tables
from .changes import Change, Measured, change_of, measure
from .pools import Pool
from .records import (
    DomainResult,
    Paper,
    RemovalResult,
    Removed,
    SetResult,
    read_paper,
)
from .sampling import strategic
from .separations import Group, Kind, Rows, Trial, group_of


class Corruption(Exhibit):
    """What `goalcover eval corruption` shows and writes.

    paper: its figures for the removals that were made; paper_statistics: of these, by our rules.
    draws: random removals for each removal and set. seeds: of the strategic samples.
    """

    judge: str
    tau: float
    seed: int
    seeds: list[int]
    draws: int
    domains: list[DomainResult]
    groups: list[Group]
    paper: Paper
    paper_statistics: Separation

    def headline(self) -> str:
        return lines.headline(self.groups, self.judge)

    def tables(self) -> list[Table]:
        return [
            tables.summary(self.groups, self.paper, self.paper_statistics),
            *tables.by_pattern(self.domains, self.paper),
            *tables.by_tag(self.domains),
            tables.taken(self.domains, self.paper),
        ]

    def lines(self) -> list[str]:
        how = lines.Conditions(self.judge, self.tau, self.seed, self.seeds, self.draws)
        return lines.lines(self.domains, self.groups, how)

    def draw(self, folder: Path) -> dict[str, Path]:
        return figures.draw(self.domains, self.paper, folder)


@dataclass(frozen=True)
class Settings:
    """seeds: strategic samples; draws: random removals for each removal and set; τ: of gaps."""

    seeds: int = 5
    draws: int = 500
    tau: float = 0.5
    mode: Mode = "joint"


def foretold(pools: Sequence[Pool], mode: Mode) -> str:
    """What is to be judged, before anything is paid for, in a line."""
    rows = sum(len(pool.samples) for pool in pools)
    pairs = sum(len(pool.samples) * len(pool.domain.subgoals) for pool in pools)
    size = MOST_SUBGOALS if mode == "joint" else 1
    calls = sum(len(pool.samples) * ceil(len(pool.domain.subgoals) / size) for pool in pools)
    return (
        f"to judge: {rows:,} rows against their subgoals, {pairs:,} judgements in at most "
        f"{calls:,} calls; what is kept from before is not judged again"
    )


async def run(
    config: ModelConfig,
    pools: Sequence[Pool],
    settings: Settings,
    on_progress: Callable[[int, int, Spent], None],
) -> tuple[Corruption, Spent]:
    """Judges the pools with the judge of `config`, then removes, resamples and compares.

    on_progress gets rows done, all rows, and what is spent. Raises UserError as `Scorer.score`.
    """
    name = f"eval-corruption-{datetime.now():%Y%m%d-%H%M%S}"
    total, done = sum(len(pool.samples) for pool in pools), 0
    measured: list[tuple[DomainResult, dict[Rows, list[Trial]]]] = []

    def tell(progress: ScoreProgress) -> None:
        on_progress(done + progress.done, total, progress.spent)

    async with open_judges(config, name, mode=settings.mode) as (scorer,):
        for pool in pools:
            values = await judge_rows(scorer, pool.samples, pool.domain.subgoals, tell)
            done += len(pool.samples)
            measured.append(corrupted(pool, values, settings, config.seed))
        spent = scorer.door.ledger.total()
    domains = [domain for domain, _ in measured]
    paper = read_paper().beside(domains)
    found = Corruption(
        judge=scorer.judge,
        tau=settings.tau,
        seed=config.seed,
        seeds=_seeds(settings, config.seed),
        draws=settings.draws,
        domains=domains,
        groups=_groups(measured, config.seed),
        paper=paper,
        paper_statistics=separation(paper.experiments()),
    )
    return found, spent


def corrupted(
    pool: Pool, values: np.ndarray, settings: Settings, seed: int
) -> tuple[DomainResult, dict[Rows, list[Trial]]]:
    """All removals of a domain. values: A(x, y, s) of the pool's rows, (n, k), NaN if missing."""
    samples = [strategic(pool.matched, pool.target, one) for one in _seeds(settings, seed)]
    places: dict[Rows, list[np.ndarray]] = {
        "strategic": samples,
        "natural": [np.arange(len(values))],
    }
    results, trials = [], {}
    for rows, chosen in places.items():
        sets = [
            measure(values[own], pool.matched[own], settings.draws, seed + number)
            for number, own in enumerate(chosen)
        ]
        trials[rows] = [_trial(pool, sets, number, settings.tau)
                        for number in range(len(pool.domain.removals))]  # fmt: skip
        results.append(_set_result(pool, rows, len(chosen[0]), trials[rows]))
    return _domain_result(pool, values, results), trials


def _trial(pool: Pool, sets: Sequence[Measured], removal: int, tau: float) -> Trial:
    aim = pool.domain.removals[removal].subgoal
    changes: list[Change] = [
        change_of(sets, removal, place, subgoal.id, subgoal.id == aim, tau)
        for place, subgoal in enumerate(pool.domain.subgoals)
    ]
    return Trial(sets, removal, changes)


def _set_result(pool: Pool, rows: Rows, size: int, trials: Sequence[Trial]) -> SetResult:
    return SetResult(
        rows=rows,
        size=size,
        sets=len(trials[0].sets),
        removals=[
            RemovalResult(
                name=removal.name,
                subgoal=removal.subgoal,
                kept=float(np.mean([one.kept[trial.removal] for one in trial.sets])),
                changes=list(trial.changes),
            )
            for removal, trial in zip(pool.domain.removals, trials, strict=True)
        ],
    )


def _domain_result(pool: Pool, values: np.ndarray, results: list[SetResult]) -> DomainResult:
    removals = zip(pool.domain.removals, pool.matching.tolist(), strict=True)
    return DomainResult(
        name=pool.name,
        kind="tag" if pool.domain.by_tag else "pattern",
        source=pool.source,
        rows=pool.rows,
        empty=pool.empty,
        pool=len(pool.samples),
        failed=int(np.isnan(values).sum()),
        wanted=pool.domain.target,
        target=pool.target,
        subgoals={subgoal.id: subgoal.name for subgoal in pool.domain.subgoals},
        removed=[
            Removed(name=one.name, subgoal=one.subgoal, expression=one.expression, matching=share)
            for one, share in removals
        ],
        results=results,
    )


def _groups(
    measured: Sequence[tuple[DomainResult, dict[Rows, list[Trial]]]], seed: int
) -> list[Group]:
    """Removals by pattern and by tag, each on both kinds of rows."""
    kinds: tuple[Kind, ...] = ("pattern", "tag")
    kinds_of_rows: tuple[Rows, ...] = ("strategic", "natural")
    groups = []
    for kind in kinds:
        own = [trials for domain, trials in measured if domain.kind == kind]
        for rows in kinds_of_rows if own else ():
            groups.append(group_of(kind, rows, [t for one in own for t in one[rows]], seed))
    return groups


def _seeds(settings: Settings, seed: int) -> list[int]:
    return list(range(seed, seed + settings.seeds))
