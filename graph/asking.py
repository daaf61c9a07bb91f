"""Questions about a finished run, answered by retrieving its rows, explanations and gaps."""

import random
from dataclasses import dataclass

from ..agents.answerer import AnswerAsk, sentences_of
from ..memory.gaps import GapStore
from ..memory.records import Found, FoundRow, Gap, Sample, Score, Source, Subgoal
from ..memory.scores import SUPPORTING
from ..tools.judge import NAMED
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


@dataclass(frozen=True)
class _Said:
    """An explanation of a row, of one subgoal."""

    row: int
    subgoal_id: str
    text: str


async def find(box: Toolbox, report: Report, question: str, count: int) -> Found:
    """The `count` rows nearest to a question, and gaps near it; with a chat model an answer too."""
    subgoals = [c.subgoal for c in report.coverage]
    samples = _searched(box, report.gaps)
    scores = {s.index: box.store.scores.get(box.judge.judge, s.hash) for s in samples}
    said = _explanations(box, subgoals, report.gaps, scores)
    best = await _nearness(box, question, samples, said)
    order = sorted(best, key=lambda row: (-best[row][0], row))
    distinct = [row for row in order if row not in box.near_duplicates][:count]
    rows = [_found_row(box, row, *best[row], subgoals, scores[row]) for row in distinct]
    near = await GapStore(box.vectors).nearest(box.run, question, box.embedder.encode)
    gaps = [gap for gap, similarity in near if similarity >= NEAR][:GAPS]
    passages = tuple(_passages(rows, gaps))
    reply = await box.door.ask(AnswerAsk(question=question, passages=passages))
    return Found(
        question=question,
        answer=sentences_of(reply),
        rows=rows,
        gaps=gaps,
        searched=f"{len(samples):,} of {report.rows.usable:,} rows, {len(said):,} explanations and "
        f"{len(report.gaps)} gaps were searched, by embeddings and shared words",
    )


def _searched(box: Toolbox, gaps: list[Gap]) -> list[Sample]:
    rows = range(len(box.table))
    if len(rows) > SEARCHED:
        drawn = random.Random(box.config.seed).sample(rows, SEARCHED)
        rows = sorted({*drawn, *(row for gap in gaps for row in gap.members)})
    return [sample for sample in map(box.table.sample, rows) if sample]


def _explanations(
    box: Toolbox, subgoals: list[Subgoal], gaps: list[Gap], scores: dict[int, dict[str, Score]]
) -> list[_Said]:
    """Those of rows that support a subgoal, or call for it and fall short. That a row is about
    something else finds no row."""
    found = []
    for subgoal in subgoals:
        weak = (gap for gap in gaps if gap.subgoal_id == subgoal.id and gap.kind == "weak")
        rows = {row for gap in weak for row in gap.members}
        best = box.best_rows(subgoal, EXPLAINED)
        rows |= {row for row, value in best if value >= SUPPORTING}
        for row in sorted(rows & scores.keys()):
            score = scores[row].get(subgoal.hash)
            if score and score.explanation:
                found.append(_Said(row, subgoal.id, score.explanation))
    return found


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
    return NAMED * len(asked & held) / max(1, len(asked))


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
