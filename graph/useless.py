"""Rows that support no subgoal, for questions that ask what can be thrown away."""

from ..memory.records import Found
from ..tools.report import Report
from ..tools.text import many
from .found_rows import distinct, found_row, scores_of
from .toolbox import Toolbox


def useless(box: Toolbox, report: Report, count: int) -> Found:
    """The rows of gaps that support no subgoal, as the recommendations list them."""
    listed = sorted({row for one in report.recommendations for row in one.remove})
    subgoals = [c.subgoal for c in report.coverage]
    rows = [
        found_row(box, row, None, None, subgoals, scores_of(box, row))
        for row in distinct(box, listed, count)
    ]
    return Found(
        question="",
        note=f"{many(len(listed), 'row')} of gaps {'supports' if len(listed) == 1 else 'support'} "
        "no subgoal; such rows may be of use for what is not in the goal.",
        rows=rows,
        searched="Rows were taken from the recommendations",
    )
