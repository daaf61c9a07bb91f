"""What a person said in a round of questions, as the answer that the graph understands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ....agents.answers import asks_to_stop
from ....graph import review
from ....graph.specify import START_FROM
from ....memory.records import Question

SEND = "Answer the question and send"
ADD = "Add a remark, or say “stop asking”"


@dataclass(frozen=True)
class Said:
    """Not sent yet. texts: by question id, without those that are not answered; remark: what was
    said without being asked."""

    texts: Mapping[str, str]
    remark: str = ""

    @property
    def anything(self) -> bool:
        return bool(self.texts or self.remark)


def takes_several(question: Question) -> bool:
    """Whether several suggestions may be taken: all but the offer of an earlier run's subgoals."""
    return question.id != START_FROM


def answer_text(picked: Sequence[str], typed: str) -> str:
    """Suggestions, then own words, joined as by the terminal."""
    return "; ".join(filter(None, [*picked, typed.strip()]))


def unanswered(questions: Sequence[Question], said: Said) -> list[Question]:
    return [question for question in questions if question.id not in said.texts]


def standing_line(questions: Sequence[Question], said: Said) -> str:
    """How many are answered, and what becomes of the others."""
    left = len(unanswered(questions, said))
    if not left:
        return "All are answered."
    count = len(questions) - left
    rest = "this one takes" if len(questions) == 1 else "those left open take"
    return f"{count} of {len(questions)} answered; {rest} what is assumed."


def decision(said: Said, stop: bool = False) -> dict[str, Any]:
    args: dict[str, Any] = {"answers": dict(said.texts)}
    if said.remark:
        args["message"] = said.remark
    return review.edit("answer_questions", args | ({"stop": True} if stop else {}))


def placeholder(questions: Sequence[Question], said: Said) -> str:
    """What the chat box does next."""
    return SEND if answers(questions, said) else ADD


def answers(questions: Sequence[Question], said: Said) -> bool:
    """Whether a line in the chat box can be meant for one question alone."""
    return len(questions) == 1 and not said.texts


def chatted(
    questions: Sequence[Question], said: Said, text: str
) -> tuple[Said, dict[str, Any] | None]:
    """What is said after a line in the chat box, and what is sent for it, if anything.

    A line that wants no more questions ends them. Where a single question is asked, and open, the
    line answers it; else it is a remark that waits for the answers, for it need not be about the
    one that happens to be open.
    """
    text = text.strip()
    if asks_to_stop(text):
        return said, decision(said, stop=True)
    if answers(questions, said):
        said = Said({questions[0].id: text}, said.remark)
        return said, decision(said)
    return Said(said.texts, "\n".join(filter(None, [said.remark, text]))), None
