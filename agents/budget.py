"""How many rows and calls an item of a synthesis plan may take: foretold, and never exceeded.

The loop asks for no more rows than `next_count` says; from that bound and from the sizes of calls
and groups follow the calls of `most_calls`. A reply that fits no schema is asked for once more by
the model's client, which counts as a call of its own.
"""

from dataclasses import dataclass

from .discriminator import GROUP, REPEATED
from .generator import AT_ONCE

ASKED = 5
"""Most candidates asked for each row wanted."""

BARREN = 2
"""Rounds in a row that accept nothing, after which an item ends."""


@dataclass(frozen=True)
class Bound:
    """Most rows asked for, calls of the generator, and groups judged, first and again."""

    asked: int
    writes: int
    groups: int
    repeats: int

    @property
    def calls(self) -> int:
        return self.writes + self.groups + self.repeats


def most_calls(rows: int, rounds: int) -> Bound:
    """The bound for an item of so many rows: every round may round up once."""
    asked = min(ASKED, 2 * rounds - 1) * rows
    writes = (asked + (AT_ONCE - 1) * rounds) // AT_ONCE
    groups = (asked + (GROUP - 1) * rounds) // GROUP
    return Bound(asked, writes, groups, -(-groups // REPEATED))


def next_count(rows: int, accepted: int, asked: int) -> int:
    """Rows to ask for in the next round: what is missing by the yield so far (accepted / asked),
    at most twice the missing, within the bound."""
    missing = rows - accepted
    if not asked:
        return missing
    wish = -(-missing * asked // accepted) if accepted else 2 * missing
    return max(0, min(wish, 2 * missing, ASKED * rows - asked))
