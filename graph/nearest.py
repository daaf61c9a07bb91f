"""Rows and gaps that come near a question about a run."""

import random
import re

from ..memory.gaps import GapStore
from ..memory.records import Found, Gap, Sample, Score, Subgoal
from ..memory.scores import SUPPORTING
from ..tools.report import Report
from ..tools.text import stem, words
from ..tools.topics import embedded_text
from .found_rows import Said, distinct, found_row
from .meant import LACK, Meant
from .toolbox import Toolbox

SEARCHED = 5_000
"""Rows that are searched, where there are more: a seeded sample, and the rows of the gaps."""

EXPLAINED = 200
"""Rows of a subgoal whose explanations are searched: its best ones."""

GAPS, NEAR = 3, 0.4
"""Gaps that are found at most, from this similarity up."""

SHARED = 0.3
"""What a row gains on its nearness when it holds all the question's words."""

LEAST_NEAR = 0.3
"""A row under this nearness answers nothing."""

UNKNOWN_NEAR = 0.4
"""The same for a question none of whose words is in any row: letters drawn at random came as near
as 0.3 to some row of 150."""


async def nearest(box: Toolbox, report: Report, asked: Meant, question: str, count: int) -> Found:
    """The rows nearest to a question, and gaps near it."""
    subgoals = [c.subgoal for c in report.coverage]
    best = {subgoal.id: _supporting(box, subgoal) for subgoal in subgoals}
    samples = _searched(box, report.gaps, best)
    scores = {s.index: box.store.scores.get(box.judge.judge, s.hash) for s in samples}
    said = _explanations(subgoals, report.gaps, best, scores)
    shown = {row for subgoal in asked.subgoals for row in best[subgoal.id]}
    gains = _shared(question, samples)
    near = await _nearness(box, question, samples, said, gains)
    least = LEAST_NEAR if any(gains) else UNKNOWN_NEAR
    # What the judge found to show the subgoal that is asked for comes before what resembles it.
    order = sorted(near, key=lambda row: (row not in shown, -near[row][0], row))
    likely = [row for row in order if row in shown or near[row][0] >= least]
    rows = [
        found_row(box, row, *near[row], subgoals, scores[row])
        for row in distinct(box, likely, count)
    ]
    return Found(
        question=question,
        subgoals=[c for c in report.coverage if c.subgoal in asked.subgoals],
        rows=rows,
        gaps=await _gaps(box, report, question),
        searched=f"{len(samples):,} of {report.rows.usable:,} rows, {len(said):,} explanations and "
        f"{len(report.gaps)} gaps were searched, by embeddings and shared words",
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
) -> list[Said]:
    """Those of rows that support a subgoal, or call for it and fall short. That a row is about
    something else finds no row."""
    found = []
    for subgoal in subgoals:
        weak = (gap for gap in gaps if gap.subgoal_id == subgoal.id and gap.kind == "weak")
        rows = {row for gap in weak for row in gap.members} | {*best[subgoal.id]}
        for row in sorted(rows & scores.keys()):
            score = scores[row].get(subgoal.hash)
            if score and score.explanation:
                found.append(Said(row, subgoal.id, score.explanation))
    return found


async def _gaps(box: Toolbox, report: Report, question: str) -> list[Gap]:
    """Those near a question; for one that asks what is missing, the most urgent ones."""
    near = await GapStore(box.vectors).nearest(box.run, question, box.embedder.encode)
    found = [gap for gap, similarity in near if similarity >= NEAR]
    if not found and LACK & {*re.findall(r"\w+", question.lower())}:
        by_id = {gap.id: gap for gap in report.gaps}
        found = [by_id[r.gap_id] for r in report.recommendations if r.rows_wanted]
    return found[:GAPS]


async def _nearness(
    box: Toolbox, question: str, samples: list[Sample], said: list[Said], gains: list[float]
) -> dict[int, tuple[float, Said | None]]:
    """For each row how near it is, and its explanation that is nearest. gains: of the samples, for
    words that they share with the question."""
    (aim,) = await box.embedder.encode([question])
    texts = [embedded_text(sample) for sample in samples]
    of_rows = await box.vectors.embed("rows", texts, box.embedder.encode)
    best: dict[int, tuple[float, Said | None]] = {}
    for sample, near, gain in zip(samples, of_rows @ aim, gains, strict=True):
        best[sample.index] = (float(near) + gain, None)
    explained = await box.vectors.embed(
        "explanations", [one.text for one in said], box.embedder.encode
    )
    said_best: dict[int, tuple[float, Said]] = {}
    for one, near in zip(said, explained @ aim if said else [], strict=True):
        if one.row not in said_best or near > said_best[one.row][0]:
            said_best[one.row] = (float(near), one)
    for row, (near, one) in said_best.items():
        best[row] = (max(best[row][0], near), one)
    return best


def _shared(question: str, samples: list[Sample]) -> list[float]:
    """What each row gains for the question's words that it holds."""
    asked = {stem(word) for word in words(question)}
    held = ({stem(word) for word in words(f"{s.input} {s.output}")} for s in samples)
    return [SHARED * len(asked & row) / max(1, len(asked)) for row in held]
