"""Rows that answer a question about a run, as they are shown."""

from dataclasses import dataclass

from ..memory.records import FoundRow, Score, Subgoal
from ..tools.duplicates import NearDuplicates, text_of
from .toolbox import Toolbox


@dataclass(frozen=True)
class Said:
    """An explanation of a row, of one subgoal."""

    row: int
    subgoal_id: str
    text: str


def found_row(
    box: Toolbox,
    row: int,
    nearness: float | None,
    said: Said | None,
    subgoals: list[Subgoal],
    scores: dict[str, Score],
) -> FoundRow:
    values = {s.id: scores[s.hash].value for s in subgoals if s.hash in scores}
    return FoundRow(
        row=row,
        nearness=nearness,
        excerpt=box.excerpt(row),
        subgoal_id=said.subgoal_id if said else "",
        explanation=said.text if said else "",
        scores=values,
    )


def scores_of(box: Toolbox, row: int) -> dict[str, Score]:
    """The judgements of a row, by subgoal hash."""
    sample = box.table.sample(row)
    return box.store.scores.get(box.judge.judge, sample.hash) if sample else {}


def distinct(box: Toolbox, rows: list[int], count: int) -> list[int]:
    """The first `count` rows that are no near-duplicates of an earlier one."""
    known, kept = NearDuplicates(), []
    for row in rows:
        if len(kept) == count:
            break
        sample = box.table.sample(row)
        if sample and known.find(text_of(sample)) is None:
            known.add(row, text_of(sample))
            kept.append(row)
    return kept
