"""What an output states in a form that can be counted: amounts of money, dates, code, sources.

The kinds are numeric types of named-entity recognition (OntoNotes: MONEY, DATE, QUANTITY) and forms
that text has on its face. A subgoal asks for one where its own text is near to what the kind says.
"""

import re
from dataclasses import dataclass
from itertools import islice

import numpy as np

ASKED_FOR = 0.5
"""Cosine of a subgoal with a kind's sentence from which it asks for the kind."""

FULL = 3
"""Finds from which the evidence is full."""

LONGEST = 20_000
"""Characters of an output that are read."""


@dataclass(frozen=True)
class Kind:
    """sentence: what a subgoal that asks for it would say. pattern: linear on any text."""

    name: str
    sentence: str
    pattern: re.Pattern[str]


def _kind(name: str, sentence: str, pattern: str, flags: int = re.IGNORECASE) -> Kind:
    return Kind(name, sentence, re.compile(pattern, flags | re.MULTILINE))


_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_COUNT = r"(?:\d{1,6}|one|two|three|four|five|six|seven|eight|nine|ten|twelve)"
_UNIT = r"(?:second|minute|hour|day|week|month|year|decade)s?"

KINDS = (
    _kind(
        "amounts of money",
        "States amounts of money in figures.",
        r"[$€£¥]\s?\d|\d\s?(?:dollars|euros|pounds|cents|USD|EUR)\b|\b(?:m|b|tr)illion\b",
    ),
    _kind(
        "dates or durations",
        "States dates and durations.",
        rf"\b(?:1[89]|20)\d\d\b|\b(?:{_MONTHS})\b|\b{_COUNT}[- ]{_UNIT}\b|\b\d{{1,2}}:\d\d\b",
    ),
    _kind("figures", "States numbers, measurements and percentages.", r"(?<![\w.,])\d"),
    _kind(
        "program code",
        "Writes program code.",
        r"[{};][ \t]*$|\w\([^()\n]{0,80}\)|</?[a-z]\w{0,20}[^<>\n]{0,80}>|\w ?[=!<>+-]?= ?\S"
        r"|^[ \t]*(?:def|class|import|from|return|function|var|let|const|public|#include)\b"
        r"|\bSELECT\b",
        0,
    ),
    _kind(
        "sources or links",
        "Cites sources with references and links.",
        r"https?://|\bwww\.|\[\d{1,4}\]|\bet al\b|\bdoi\b|§|\bU\.?S\.?C\b|, (?:19|20)\d\d\)",
    ),
    _kind(
        "numbered steps",
        "Gives a list or numbered steps.",
        r"^[ \t]*(?:[-*•]|\(?\d{1,3}[.)]|\(?[a-z]\)|step \d)[ \t:]",
    ),
)


@dataclass(frozen=True)
class Stated:
    """A kind that a subgoal asks for, and how often the output has it (FULL: as often or more)."""

    kind: str
    count: int

    @property
    def evidence(self) -> float:
        """From -0.5, nothing stated, to 0.5."""
        return self.count / FULL - 0.5

    def __str__(self) -> str:
        if not self.count:
            return f"No {self.kind} in the output."
        more = " or more" if self.count == FULL else ""
        return f"{self.kind.capitalize()} in the output: {self.count}{more}."


def asked_for(aim: np.ndarray, kinds: np.ndarray) -> Kind | None:
    """The kind that a subgoal asks for, if any.

    aim: vector of the subgoal's text, (d,); kinds: vectors of the sentences of KINDS, (k, d).
    """
    near = kinds @ aim
    best = int(near.argmax())
    return KINDS[best] if near[best] >= ASKED_FOR else None


def stated(kind: Kind, output: str) -> Stated:
    """What the output states of a kind."""
    found = islice(kind.pattern.finditer(output[:LONGEST]), FULL)
    return Stated(kind.name, sum(1 for _ in found))
