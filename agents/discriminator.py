"""Discriminator: judges a group of candidates relative to one another, as RULER does.

RULER's faults are not copied: ids instead of positions, a shuffled order, and a real exemplar in
every group as an anchor that accepted rows must hold against.
"""

import random
from dataclasses import dataclass, field

from ..memory.errors import ReplyFailure
from ..memory.records import Candidate, Gap, Refusal, Reordered, Source, Subgoal
from ..tools.model import Door
from ..tools.refusals import refuse
from ..tools.together import together
from .grid import split
from .group_ask import DIMENSIONS, GroupVerdict, JudgeGroupAsk, Mark, reached

GROUP, LEAST = 7, 4
"""Most candidates in one group, beside the anchor; rows in a group at least, where there are
enough real ones to fill it."""

BAR, STEP = 0.6, 0.2
"""A row is accepted when its score and what was judged of its dimensions reach BAR, and when it is
at most one STEP of the rubric below the anchor."""

REPEATED = 4
"""One group in so many, the first of an item among them, is judged again in the reverse order."""

OFF = "Nobody judged it: the discriminator was switched off."


@dataclass(frozen=True)
class Panel:
    """What every group of an item is judged with.

    seconds: subgoals by id that paired rows must show as well. format: the data's, in words. real:
    rows of the data, the best first: the first is the anchor, others fill groups that are small.
    """

    subgoal: Subgoal
    gap: Gap
    format: str
    real: list[Source]
    seconds: dict[str, Subgoal] = field(default_factory=dict)
    documents: list[Source] = field(default_factory=list)


@dataclass(frozen=True)
class Verdicts:
    """Candidates with verdicts, in their order; groups judged; what judging again changed."""

    rows: list[Candidate]
    groups: int
    reordered: list[list[Reordered]]


async def discriminate(
    door: Door, panel: Panel, candidates: list[Candidate], start: int = 0
) -> Verdicts:
    """Judges candidates in groups; those that are not good enough, or not judged, are refused.

    start: how many groups of the item were judged before. The first order decides; the second only
    measures.
    """
    groups = split(candidates, GROUP)
    twice = [place for place in range(len(groups)) if (start + place) % REPEATED == 0]
    calls = [_judge(door, panel, group) for group in groups]
    calls += [_judge(door, panel, groups[place], again=True) for place in twice]
    found = await together(calls)
    again = dict(zip(twice, found[len(groups) :], strict=True))
    rows: list[Candidate] = []
    reordered = []
    for place, (group, verdicts) in enumerate(zip(groups, found, strict=False)):
        if isinstance(verdicts, ReplyFailure):
            told = f"It could not be judged: {verdicts}"
            rows += [refuse(candidate, "not judged", told) for candidate in group]
            continue
        rows += verdicts
        other = again.get(place)
        if isinstance(other, list):
            pairs = zip(verdicts, other, strict=True)
            reordered.append([_reordered(first, second) for first, second in pairs])
    return Verdicts(rows, len(groups), reordered)


def unjudged(candidates: list[Candidate]) -> Verdicts:
    """The candidates as they are, for a run without a discriminator; each says that nobody judged
    it."""
    return Verdicts([c.model_copy(update={"explanation": OFF}) for c in candidates], 0, [])


async def _judge(
    door: Door, panel: Panel, group: list[Candidate], again: bool = False
) -> list[Candidate]:
    """The group's candidates with their verdicts. Raises ReplyFailure."""
    fill = panel.real[: max(1, LEAST - len(group))]  # the anchor comes first
    entries: list[Candidate | Source] = [*group, *fill]
    order = list(range(len(entries)))
    random.Random(group[0].id).shuffle(order)
    if again:
        order.reverse()
    names = {entry: f"row{place}" for place, entry in enumerate(order, start=1)}
    ask = JudgeGroupAsk(
        subgoal=panel.subgoal,
        gap=panel.gap,
        format=panel.format,
        rows=tuple(
            Source(id=names[i], input=entries[i].input, output=entries[i].output) for i in order
        ),
        seconds={
            names[i]: panel.seconds[candidate.cell.also]
            for i, candidate in enumerate(group)
            if candidate.cell.also in panel.seconds
        },
        documents=tuple(panel.documents),
    )
    reply = await door.ask(ask)
    verdicts = {verdict.id: verdict for verdict in reply.verdicts}
    anchor = reached(verdicts[names[len(group)]].score) if fill else None
    return [
        judged(candidate, verdicts[names[i]], anchor, ask.dimensions(names[i]))
        for i, candidate in enumerate(group)
    ]


def judged(
    candidate: Candidate, verdict: GroupVerdict, anchor: float | None, dimensions: tuple[str, ...]
) -> Candidate:
    """The candidate with its verdict, refused where it does not clear the bar or the anchor."""
    marks: dict[str, Mark] = {name: getattr(verdict, name) for name in dimensions}
    given = {n: reached(mark.score) for n, mark in marks.items() if mark.score is not None}
    score = reached(verdict.score)
    row = candidate.model_copy(
        update={
            "score": score,
            "explanation": verdict.explanation,
            "explanations": {n: mark.explanation for n, mark in marks.items() if mark.explanation},
            "anchor": anchor,
            **{name: given.get(name) for name in DIMENSIONS},
        }
    )
    low = [name for name, value in given.items() if value < BAR]
    reason: Refusal | None = None
    if score < BAR or low:
        reason = "below the bar"
    elif anchor is not None and score < anchor - STEP - 1e-9:
        reason = "below the anchor"
    if reason is None:
        return row
    faults = [f"{name} {given[name]:.1f}: {marks[name].explanation}" for name in low]
    told = f"Scored {score:.1f}; it and every dimension must reach {BAR:.1f}."
    if reason == "below the anchor":
        told = (
            f"Scored {score:.1f}, more than a step below the real row in its group ({anchor:.1f})."
        )
    told += f" {verdict.explanation}"
    return refuse(row, reason, " ".join([told, *faults]))


def _reordered(first: Candidate, second: Candidate) -> Reordered:
    assert first.score is not None and second.score is not None, "both were judged"
    return Reordered(
        scores=(first.score, second.score), accepts=(not first.refused, not second.refused)
    )
