"""What a question about a run asks for: rows near it or low ones, and of which subgoals."""

import re
from dataclasses import dataclass
from typing import Literal

from ..memory.records import Coverage, Subgoal
from ..tools.embeddings import Embedder
from ..tools.text import stem, words

ASKED_FOR = 0.45
"""A subgoal of this similarity is asked for."""

LACK = frozenset(
    ["gap", "gaps", "missing", "lack", "lacks", "lacking", "absent", "weak", "collect"]
)
"""Words of questions that ask what is not there."""

LOWEST = frozenset(
    ["worst", "lowest", "weakest", "poorest", "worse", "low", "poor", "bad", "badly", "fail",
     "fails", "failing"]
)  # fmt: skip
"""Words of questions that ask for the rows of the lowest scores."""

VERDICTS = frozenset(["thin", "few", "enough", "unknown", "coverage", "verdict", "support"])
"""With "why", words of questions that ask for what stands behind a verdict."""

USELESS = frozenset(
    ["useless", "worthless", "irrelevant", "superfluous", "unneeded", "unused", "throw", "discard",
     "delete", "remove", "drop"]
)  # fmt: skip
"""Words of questions that ask, naming no topic, which rows support nothing."""

FILLERS = frozenset(
    ["row", "rows", "scores", "score", "scored", "data", "example", "list", "find", "rate", "rated",
     "subgoal", "judge", "judged", "supports", "supporting", "hardly", "rare", "little", "poorly",
     "use", "away"]
)  # fmt: skip
"""Words that name no subgoal."""

NO_TOPIC = LACK | LOWEST | VERDICTS | USELESS | FILLERS

POINTERS = frozenset(["this", "it", "these", "here"])
"""Words that stand for the subgoal of which a question was asked before."""

Kind = Literal["near", "lowest", "why", "useless"]


@dataclass(frozen=True)
class Meant:
    """near: rows that come near the question, or support what it asks for; lowest: the rows of the
    lowest scores; why: what stands behind a verdict; useless: rows that support nothing. note: what
    was taken for granted, to be said.
    """

    kind: Kind
    subgoals: list[Subgoal]
    note: str = ""


async def meant(
    embedder: Embedder, question: str, coverage: list[Coverage], about: str = ""
) -> Meant:
    """about: id of the subgoal that "this" would mean, if any. There is at least one subgoal."""
    said = frozenset(re.findall(r"\w+", question.lower()))
    topic = [word for word in words(question) if word not in NO_TOPIC]
    subgoals = [c.subgoal for c in coverage]
    named = _named(question, topic, subgoals)
    if not named and not topic and (said & USELESS or {"no", "use"} <= said):
        return Meant("useless", [])
    kind = _kind(said, bool(topic), bool(named))
    if not named and topic:
        near = await _near(embedder, question, subgoals)
        named = near if kind == "near" else near[:1]
    if not named and (said & POINTERS if kind == "near" else True):
        named = [subgoal for subgoal in subgoals if subgoal.id == about]
    kind = _kind(said, bool(topic), bool(named))
    if not named and not topic and said & LACK and kind == "near":
        lacking = [c.subgoal for c in coverage if c.lacking]
        return Meant("why" if lacking else "near", lacking)
    if named or kind == "near":
        return Meant(kind, named)
    first = most_lacking(coverage).subgoal
    return Meant(kind, [first], f"No subgoal is named; “{first.name}” lacks most.")


def _kind(said: frozenset[str], topic: bool, named: bool) -> Kind:
    if said & LOWEST:
        return "lowest"
    if "why" in said and (said & (LACK | VERDICTS) or named or not topic):
        return "why"
    return "why" if named and said & LACK else "near"


def most_lacking(coverage: list[Coverage]) -> Coverage:
    """The subgoal with the smallest part of the supporting rows that it wants, of those with a
    verdict where any has one."""
    return min(
        coverage,
        key=lambda c: (c.verdict == "unknown", c.distinct_supporting / max(1, c.wanted)),
    )


def _named(question: str, topic: list[str], subgoals: list[Subgoal]) -> list[Subgoal]:
    """Those that a question names, by all words of their names; or else by all of its own."""
    held, rest = {stem(word) for word in words(question)}, {stem(word) for word in topic}
    names = [(subgoal, {stem(word) for word in words(subgoal.name)}) for subgoal in subgoals]
    found = [
        subgoal
        for subgoal, own in names
        if re.search(rf"(?<![\w.-]){re.escape(subgoal.id)}(?![\w-])", question)
        or (own and own <= held)
    ]
    return found or [subgoal for subgoal, own in names if rest and rest <= own]


async def _near(embedder: Embedder, question: str, subgoals: list[Subgoal]) -> list[Subgoal]:
    """Those that a question comes near, the nearest first."""
    aim, *vectors = await embedder.encode([question, *(subgoal.text for subgoal in subgoals)])
    near = [
        (float(vector @ aim), subgoal) for subgoal, vector in zip(subgoals, vectors, strict=True)
    ]
    ranked = sorted(near, key=lambda one: -one[0])
    return [subgoal for similarity, subgoal in ranked if similarity >= ASKED_FOR]
