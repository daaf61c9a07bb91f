"""Questions about a finished run, answered by retrieving its rows, explanations and gaps."""

import random
import re
from dataclasses import dataclass

from ..agents.answerer import AnswerAsk, sentences_of
from ..memory.errors import BudgetSpent
from ..memory.gaps import GapStore
from ..memory.records import Found, FoundRow, Gap, Sample, Score, Source, Subgoal
from ..memory.scores import SUPPORTING
from ..tools.duplicates import NearDuplicates, text_of
from ..tools.report import Report
from ..tools.text import stem, words
from ..tools.topics import embedded_text
from .toolbox import Toolbox

SEARCHED = 5_000
"""Rows that are searched, where there are more: a seeded sample, and the rows of the gaps."""

EXPLAINED = 200
"""Rows of a subgoal whose explanations are searched: its best ones."""

GAPS, NEAR = 3, 0.4
"""Gaps that are found at most, from this similarity up."""

SHARED = 0.3
"""What a row gains on its nearness when it holds all the question's words."""

LEAST_NEAR, ASKED_FOR = 0.3, 0.45
"""A row under this nearness answers nothing; a subgoal of this similarity is asked for."""

LACK = frozenset(
    ["gap", "gaps", "missing", "lack", "lacks", "lacking", "absent", "weak", "collect"]
)
"""Words of questions that ask what is not there."""


@dataclass(frozen=True)
class _Said:
    """An explanation of a row, of one subgoal."""

    row: int
    subgoal_id: str
    text: str


async def find(box: Toolbox, report: Report, question: str, count: int) -> Found:
    """The `count` rows nearest to a question, and gaps near it; with a chat model an answer too."""
    before = box.spent
    subgoals = [c.subgoal for c in report.coverage]
    best = {subgoal.id: _supporting(box, subgoal) for subgoal in subgoals}
    samples = _searched(box, report.gaps, best)
    scores = {s.index: box.store.scores.get(box.judge.judge, s.hash) for s in samples}
    said = _explanations(subgoals, report.gaps, best, scores)
    asked = await _subgoals_asked_for(box, question, subgoals)
    shown = {row for subgoal in asked for row in best[subgoal.id]}
    near = await _nearness(box, question, samples, said)
    # What the judge found to show the subgoal that is asked for comes before what resembles it.
    order = sorted(near, key=lambda row: (row not in shown, -near[row][0], row))
    likely = [row for row in order if row in shown or near[row][0] >= LEAST_NEAR]
    rows = [
        _found_row(box, row, *near[row], subgoals, scores[row])
        for row in _distinct(box, likely, count)
    ]
    gaps = await _gaps(box, report, question)
    ask, capped = AnswerAsk(question=question, passages=tuple(_passages(rows, gaps))), ""
    try:
        reply = await box.door.ask(ask)
    except BudgetSpent as spent:  # what was found is an answer too
        reply, capped = await ask.embedded(box.embedder), f"; no answer was written: {spent}"
    return Found(
        question=question,
        answer=sentences_of(reply),
        subgoals=[c for c in report.coverage if c.subgoal in asked],
        rows=rows,
        gaps=gaps,
        searched=f"{len(samples):,} of {report.rows.usable:,} rows, {len(said):,} explanations and "
        f"{len(report.gaps)} gaps were searched, by embeddings and shared words{capped}",
        spent=box.spent - before,
    )


def _supporting(box: Toolbox, subgoal: Subgoal) -> list[int]:
    """The rows that support a subgoal best."""
    found = box.store.scores.best_rows(box.run, box.judge.judge, subgoal, EXPLAINED)
    return [row for row, value in found if value >= SUPPORTING]


def _searched(box: Toolbox, gaps: list[Gap], best: dict[str, list[int]]) -> list[Sample]:
    rows = range(len(box.table))
    if len(rows) > SEARCHED:
        drawn = random.Random(box.config.seed).sample(rows, SEARCHED)
        of_gaps = (row for gap in gaps for row in gap.members)
        rows = sorted({*drawn, *of_gaps, *(row for some in best.values() for row in some)})
    return [sample for sample in map(box.table.sample, rows) if sample]


def _explanations(
    subgoals: list[Subgoal],
    gaps: list[Gap],
    best: dict[str, list[int]],
    scores: dict[int, dict[str, Score]],
) -> list[_Said]:
    """Those of rows that support a subgoal, or call for it and fall short. That a row is about
    something else finds no row."""
    found = []
    for subgoal in subgoals:
        weak = (gap for gap in gaps if gap.subgoal_id == subgoal.id and gap.kind == "weak")
        rows = {row for gap in weak for row in gap.members} | {*best[subgoal.id]}
        for row in sorted(rows & scores.keys()):
            score = scores[row].get(subgoal.hash)
            if score and score.explanation:
                found.append(_Said(row, subgoal.id, score.explanation))
    return found


async def _subgoals_asked_for(
    box: Toolbox, question: str, subgoals: list[Subgoal]
) -> list[Subgoal]:
    """Those that a question names, or else those that it comes near."""
    held = {stem(word) for word in words(question)}
    names = [{stem(word) for word in words(subgoal.name)} for subgoal in subgoals]
    named = [
        subgoal
        for subgoal, own in zip(subgoals, names, strict=True)
        if subgoal.id in question or (own and own <= held)
    ]
    if named:
        return named
    aim, *vectors = await box.embedder.encode([question, *(subgoal.text for subgoal in subgoals)])
    return [s for s, v in zip(subgoals, vectors, strict=True) if float(v @ aim) >= ASKED_FOR]


async def _gaps(box: Toolbox, report: Report, question: str) -> list[Gap]:
    """Those near a question; for one that asks what is missing, the most urgent ones."""
    near = await GapStore(box.vectors).nearest(box.run, question, box.embedder.encode)
    found = [gap for gap, similarity in near if similarity >= NEAR]
    if not found and LACK & {*re.findall(r"\w+", question.lower())}:
        by_id = {gap.id: gap for gap in report.gaps}
        found = [by_id[r.gap_id] for r in report.recommendations if r.rows_wanted]
    return found[:GAPS]


def _distinct(box: Toolbox, rows: list[int], count: int) -> list[int]:
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


async def _nearness(
    box: Toolbox, question: str, samples: list[Sample], said: list[_Said]
) -> dict[int, tuple[float, _Said | None]]:
    """For each row how near it is, and its explanation that is nearest."""
    (aim,) = await box.embedder.encode([question])
    texts = [embedded_text(sample) for sample in samples]
    of_rows = await box.vectors.embed("rows", texts, box.embedder.encode)
    asked = {stem(word) for word in words(question)}
    best: dict[int, tuple[float, _Said | None]] = {}
    for sample, near in zip(samples, of_rows @ aim, strict=True):
        gain = _shared(asked, f"{sample.input} {sample.output}")
        best[sample.index] = (float(near) + gain, None)
    explained = await box.vectors.embed(
        "explanations", [one.text for one in said], box.embedder.encode
    )
    nearest: dict[int, tuple[float, _Said]] = {}
    for one, near in zip(said, explained @ aim if said else [], strict=True):
        if one.row not in nearest or near > nearest[one.row][0]:
            nearest[one.row] = (float(near), one)
    for row, (near, one) in nearest.items():
        best[row] = (max(best[row][0], near), one)
    return best


def _shared(asked: set[str], text: str) -> float:
    """What a row gains for the question's words that it holds."""
    held = {stem(word) for word in words(text)}
    return SHARED * len(asked & held) / max(1, len(asked))


def _found_row(
    box: Toolbox,
    row: int,
    nearness: float,
    said: _Said | None,
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


def _passages(rows: list[FoundRow], gaps: list[Gap]) -> list[Source]:
    told = [
        Source(id=f"row {r.row}", input=r.excerpt, output=f"Judge: {r.explanation or 'nothing'}")
        for r in rows
    ]
    return told + [Source(id=gap.id, input=gap.name, output=gap.description) for gap in gaps]
