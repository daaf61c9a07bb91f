"""Low rows of a subgoal, for questions that ask for the worst rows or why it lacks rows."""

from ..memory.records import Found, Gap, Subgoal
from ..tools.report import Report, ranked_gaps
from .found_rows import Said, distinct, found_row, scores_of
from .meant import Meant
from .toolbox import Toolbox

EXPLAINED = 200
"""Rows of a subgoal that are looked at."""

MOST_GAPS = 3

TYPICAL = 2
"""Rows of each gap that come first where it is asked why a subgoal lacks rows."""

LOW_FIRST = (
    "the lowest judged scores come first; of equal ones, rows that call for the subgoal and fall "
    "short of it"
)


def lowest(box: Toolbox, report: Report, asked: Meant, count: int) -> Found:
    """The rows of the lowest scores of the subgoals that are asked for, and the gaps of these;
    where it is asked why, typical rows of each gap first."""
    ids = [subgoal.id for subgoal in asked.subgoals]
    gaps = [gap for gap in ranked_gaps(report) if gap.subgoal_id in ids][:MOST_GAPS]
    lists = [_low_rows(box, report.gaps, subgoal) for subgoal in asked.subgoals]
    if asked.kind == "why":
        typical = {key: [e.row for g in gaps if g.subgoal_id == key for e in g.evidence[:TYPICAL]]
                   for key in ids}  # fmt: skip
        lists = [list(dict.fromkeys(typical[k] + low)) for k, low in zip(ids, lists, strict=True)]
    share = -(-count // len(ids))
    subgoals = [c.subgoal for c in report.coverage]
    rows = []
    for subgoal, low in zip(asked.subgoals, lists, strict=True):
        for row in distinct(box, low, share):
            scores = scores_of(box, row)
            own = scores.get(subgoal.hash)
            said = Said(row, subgoal.id, own.explanation if own else "")
            rows.append(found_row(box, row, None, said, subgoals, scores))
    return Found(
        question="",
        note=asked.note,
        lowest=True,
        subgoals=[c for c in report.coverage if c.subgoal in asked.subgoals],
        rows=rows[:count],
        gaps=gaps,
        searched=f"Rows were taken from the scores: "
        f"{'typical rows of the gaps, then ' if asked.kind == 'why' and gaps else ''}{LOW_FIRST}",
    )


def _low_rows(box: Toolbox, gaps: list[Gap], subgoal: Subgoal) -> list[int]:
    """The judged rows of the lowest scores, those of "weak" gaps before others of equal score."""
    store, judge = box.store.scores, box.judge.judge
    weak = {
        row for g in gaps if (g.subgoal_id, g.kind) == (subgoal.id, "weak") for row in g.members
    }
    found = dict(store.worst_rows(box.run, judge, subgoal, EXPLAINED))
    for row in sorted(weak - found.keys())[:EXPLAINED]:
        score = scores_of(box, row).get(subgoal.hash)
        if score and score.value is not None:
            found[row] = score.value
    return sorted(found, key=lambda row: (found[row], row not in weak, row))
