"""A finished run as it is opened for browsing: kept in memory, until its files change."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..memory.errors import UserError
from ..memory.grid import Grid, explanations, read_grid
from ..memory.records import Subgoal
from ..memory.store import open_store
from ..tools.chat_rows import UNCUT
from ..tools.datasets import Table, load
from ..tools.report import Report
from ..tools.settings import RunConfig, home, rows_cache
from .listing import read_report
from .toolbox import Toolbox

RUNS, SEARCHES = 3, 16
"""Runs and searches that are remembered at once."""

Stamp = tuple[int, int] | None
"""Size and time of a file, None where there is none."""


class Key(NamedTuple):
    """What a run is remembered by: its report and its data, as they are now."""

    run: str
    home: str
    out: str
    config: str
    report: Stamp
    data: Stamp


@dataclass(frozen=True)
class Browsed:
    report: Report
    table: Table
    grid: Grid

    @property
    def judge(self) -> str:
        return self.report.provenance.judge

    @property
    def subgoals(self) -> list[Subgoal]:
        return [c.subgoal for c in self.report.coverage]


def key_of(run_id: str) -> Key:
    """Raises UserError where there is no such run."""
    with open_store(home()) as store:
        run = store.runs.get(run_id)
    report, data = Path(run.out) / "report.json", Path(run.data)
    return Key(run_id, str(home()), run.out, run.config, _stamp(report), _stamp(data))


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


@lru_cache(RUNS)
def opened(key: Key) -> Browsed:
    """Raises UserError where the run has no report, no scores, or other data than it was made
    with."""
    report = read_report(Path(key.out), key.run)
    subgoals = [c.subgoal for c in report.coverage]
    with open_store(home()) as store:
        config = RunConfig.model_validate_json(key.config)
        table = Toolbox(key.run, config, home(), store).table
        grid = read_grid(store.connection, key.run, report.provenance.judge, subgoals)
    if not len(grid.rows):
        raise UserError(f"the store holds no rows of run {key.run} any more.")
    return Browsed(report, table, grid)


def whole(table: Table) -> Table:
    """The table with its rows uncut."""
    return replace(table, source=table.source.model_copy(update={"max_chars": UNCUT}))


@lru_cache(SEARCHES)
def matching(key: Key, text: str) -> np.ndarray:
    """(n,) whether a case-folded text stands in the row, or in an explanation of it. The rows and
    the explanations are read through, one by one."""
    run = opened(key)
    rows = enumerate(run.table.texts())
    found = {index for index, texts in rows if any(text in part.casefold() for part in texts)}
    with open_store(home()) as store:
        said = explanations(store.connection, key.run, run.judge, run.subgoals)
        found.update(row for row, explanation in said if text in explanation.casefold())
    return np.isin(run.grid.rows, list(found))


@lru_cache(RUNS)
def kept_rows(key: Key) -> np.ndarray:
    """(n,) whether the run's filter kept the row. The file of kept rows holds no indices: rows are
    matched by their content; of identical rows the filter keeps the first ones.

    Raises UserError where the file is not as the run wrote it.
    """
    run = opened(key)
    result, path = run.report.filtered, run.report.files["filtered"]
    kept = np.zeros(len(run.grid.rows), np.bool_)
    if not result.kept:
        return kept
    source = run.table.source.model_copy(update={"path": path, "split": "train"})
    table = load(source, rows_cache(Path(key.home), path))
    left = Counter(sample.hash.encode() for sample in table if sample)
    for place, sample in enumerate(run.grid.samples.tolist()):
        if left[sample]:
            left[sample] -= 1
            kept[place] = True
    if left.total() or kept.sum() != result.kept:
        raise UserError(f"{path} is not as the run wrote it: which rows were kept is not known.")
    return kept
