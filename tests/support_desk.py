"""A model server's answers in a whole conversation about a support desk, which can be held up."""

from collections import Counter
from typing import Any

from answers import SUBGOALS, answer, asked, clarification, judged_row, prompt_of, schema_of
from answers import subgoal as proposed
from fake_server import Behaviour

Body = dict[str, Any]

APART = 0.15
"""Seconds between two judgements that come one after the other."""

OPENING = proposed("opening", "Opening hours", "States when the shop is open.")
TWO = [
    asked("audience", "Which customers?", ["consumers", "firms"]),
    asked("evidence", "What shall an answer rest on?", ["the contract", "the catalogue"]),
]
THIRD = asked("safety", "When must a human take over?", ["at a threat", "never"])


class SupportDesk:
    """Asks two questions, then one, derives four subgoals, and judges all rows unless it is held.

    asked: how often a judgement of each row was asked for.
    """

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self._held_after: int | None = None
        self._since = 0

    def hold_after(self, rows: int | None) -> None:
        """Answers so many judgements more, one after the other, and no other; None: all at once."""
        self._held_after, self._since = rows, 0

    def behaviour(self, n: int, body: Body) -> Behaviour:
        if schema_of(body) != "Judgements":
            return Behaviour()
        self.asked[judged_row(body)] += 1
        self._since += 1
        if self._held_after is None:
            return Behaviour()
        if self._since > self._held_after:
            return Behaviour("hang")
        return Behaviour("slow_drip", seconds=APART * self._since)

    def answer(self, body: Body) -> Body | str:
        if schema_of(body) == "Clarification":
            return self._clarify(prompt_of(body))
        if schema_of(body) == "Decomposition":
            return {"subgoals": [*SUBGOALS, OPENING]}
        return answer(body)

    def _clarify(self, prompt: str) -> Body:
        if "When must a human take over? →" in prompt:
            return clarification([])
        if "Which customers? →" in prompt:
            return clarification([THIRD], users=["private customers"], evidence=["our handbook"])
        return clarification(TWO)
