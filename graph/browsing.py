"""The rows of a finished run, to leaf through: filtered, searched and ordered by their scores."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from ..memory.errors import UserError
from ..memory.records import Record, Sample, Score
from ..memory.store import open_store
from ..tools.settings import home
from ..tools.text import listed, many
from .browsed import Browsed, Key, kept_rows, key_of, matching, opened, whole

Source = Literal["all", "judged", "predicted", "failed"]
Kept = Literal["all", "kept", "left out"]
Order = Literal["row", "lowest", "highest"]


class RowQuery(Record):
    """Which rows of a run, and which page of them; all conditions hold at once.

    text: stands in the row (system message, input, output, uncut) or in an explanation of any
    subgoal, whatever the case. subgoal: the id of the one that values, source and order speak of.
    least, most: its value, both ends included; rows without a value are left out. source: where
    the value of the subgoal, or of any subgoal where none is named, comes from; "failed": the
    judge was asked and gave no usable judgement, whether or not a prediction stands in its place.
    kept: by the run's filter. gap: the id of a gap that the row shows. order: by row, or by the
    subgoal's value, then by row, those without one last. page: from 0.
    """

    text: str = ""
    subgoal: str | None = None
    least: float | None = Field(default=None, ge=0, le=1)
    most: float | None = Field(default=None, ge=0, le=1)
    source: Source = "all"
    kept: Kept = "all"
    gap: str | None = None
    order: Order = "row"
    page: int = Field(default=0, ge=0)
    size: int = Field(default=25, ge=1, le=500)


class BrowsedRow(Record):
    """A row with its scores by subgoal id. The texts are as the judge saw them, with a mark where
    they were cut, or whole; cut: characters that the judge did not see. All texts are untrusted."""

    row: int
    sample_id: str
    system: str
    input: str
    output: str
    cut: int
    scores: dict[str, Score]


class RowPage(Record):
    """A page of the rows that a query finds. of: rows of the run; searched: how, in a sentence."""

    total: int
    of: int
    rows: list[BrowsedRow]
    searched: str


def browse(run_id: str, query: RowQuery) -> RowPage:
    """A page of the rows of a finished run, the same for the same query. Reads only.

    Values are the store's, which holds the run's judgements and predictions. Raises UserError for a
    run, subgoal or gap that is not there, a query without sense, and data that has changed since.
    """
    key = key_of(run_id)
    run = opened(key)
    column = _column(run, query)
    grid, found = run.grid, np.ones(len(run.grid.rows), np.bool_)
    if column is not None and (query.least is not None or query.most is not None):
        values, least, most = grid.values[:, column], query.least, query.most
        found &= values >= (0.0 if least is None else least)  # NaN is neither
        found &= values <= (1.0 if most is None else most)
    found &= _of_source(run, query.source, column)
    if query.gap is not None:
        found &= np.isin(grid.rows, _members(run, query.gap))
    if query.kept != "all":
        found &= kept_rows(key) == (query.kept == "kept")
    if text := query.text.strip():
        found &= matching(key, text.casefold())
    places = np.flatnonzero(found)
    if column is not None and query.order != "row":
        values = grid.values[places, column]
        places = places[np.argsort(values if query.order == "lowest" else -values, kind="stable")]
    page = grid.rows[places][query.page * query.size :][: query.size].tolist()
    return RowPage(
        total=len(places),
        of=len(grid.rows),
        rows=_rows(key, run, page, [run.table.sample(row) for row in page]),
        searched=_searched(run, query, len(places)),
    )


def row_of(run_id: str, row: int) -> BrowsedRow:
    """One row, uncut, with its scores. Errors: see `browse`; also for a row that was not scored."""
    key = key_of(run_id)
    run = opened(key)
    if row not in run.grid.rows:
        raise UserError(f"run {run_id} has no row {row}, or it has no output.")
    sample = run.table.sample(row)
    (found,) = _rows(key, run, [row], [whole(run.table).sample(row)])
    return found.model_copy(update={"cut": sample.cut if sample else 0})


def _column(run: Browsed, query: RowQuery) -> int | None:
    """The subgoal's place in the grid."""
    ids = [subgoal.id for subgoal in run.subgoals]
    if query.subgoal is None:
        if query.order != "row" or query.least is not None or query.most is not None:
            raise UserError("values are those of a subgoal: say which.")
        return None
    if query.subgoal not in ids:
        raise UserError(f"the run has no subgoal {query.subgoal}. It has: {listed(ids)}.")
    if None not in (query.least, query.most) and (query.least or 0) > (query.most or 0):
        raise UserError(f"no value is at least {query.least:g} and at most {query.most:g}.")
    return ids.index(query.subgoal)


def _of_source(run: Browsed, source: Source, column: int | None) -> np.ndarray:
    grid = run.grid
    cells = {
        "all": np.ones(grid.values.shape, np.bool_),
        "judged": ~np.isnan(grid.values) & ~grid.predicted,
        "predicted": grid.predicted,
        "failed": grid.failed,
    }[source]
    return cells.any(axis=1) if column is None else cells[:, column]


def _members(run: Browsed, gap_id: str) -> list[int]:
    for gap in run.report.gaps:
        if gap.id == gap_id:
            return gap.members
    raise UserError(f"the run has no gap {gap_id}.")


def _rows(
    key: Key, run: Browsed, indices: Sequence[int], samples: Sequence[Sample | None]
) -> list[BrowsedRow]:
    with open_store(home()) as store:
        found = store.scores.rows(key.run, run.judge, run.subgoals, predicted=True, only=indices)
        scored = {row: (sample_id, scores) for row, sample_id, _, scores in found}
    return [
        BrowsedRow(
            row=sample.index,
            sample_id=scored[sample.index][0],
            system=sample.system,
            input=sample.input,
            output=sample.output,
            cut=sample.cut,
            scores=scored[sample.index][1],
        )
        for sample in samples
        if sample
    ]


def _searched(run: Browsed, query: RowQuery, total: int) -> str:
    """How rows were found, in one sentence. It holds names and words that are untrusted."""
    names = {subgoal.id: subgoal.name for subgoal in run.subgoals}
    named = names.get(query.subgoal or "", "any subgoal")
    told: list[str] = []
    if query.text.strip():
        told.append(f"“{query.text.strip()}” was looked for in whole rows and all explanations")
    if query.least is not None or query.most is not None:
        least, most = query.least or 0.0, 1.0 if query.most is None else query.most
        told.append(f"the value of {named} lies from {least:.2f} to {most:.2f}")
    if query.source != "all":
        told.append(f"{SOURCES[query.source]} for {named}")
    if query.gap is not None:
        told.append(f"the rows show the gap {query.gap}, as far as low rows were analysed")
    if query.kept != "all":
        path = Path(run.report.files["filtered"]).name
        told.append(f"{query.kept} by the filter: rows are matched with {path} by their text")
    told.append(
        "in their own order" if query.order == "row" else f"the {query.order} of {named} first"
    )
    return f"{total:,} of {many(len(run.grid.rows), 'scored row')}: {'; '.join(told)}."


SOURCES = {
    "judged": "there is a judgement",
    "predicted": "there is a prediction, no judgement,",
    "failed": "a judgement failed",
}
