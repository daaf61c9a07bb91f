"""Who answers the reviews: a person in the terminal, a file of answers, or `--yes`."""

import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.prompt import IntPrompt, InvalidResponse, Prompt
from rich.text import Text

from ..agents.answers import asks_to_stop
from ..graph import review
from ..graph.session import Pending
from ..memory.errors import UserError
from ..memory.records import PlanItem, SynthesisPlan
from ..tools.plain import read_plain
from . import contract, results, terminal
from .approval import ask_subgoals
from .synthesising import answered, gap_name, replanned

if TYPE_CHECKING:
    from .terminal import Display


def choose(yes: bool, answers: Path | None) -> "Reviewer":
    given = read_answers(answers) if answers else {}
    return Reviewer(given, yes, terminal.is_interactive())


def read_answers(path: Path) -> dict[str, str]:
    """Answers by question id. Raises UserError where the file holds something else."""
    value = read_plain(path)
    if not isinstance(value, dict) or not all(
        isinstance(text, str | int | float) for text in value.values()
    ):
        raise UserError(f"{path}: give a mapping from question id (scope, safety, …) to text.")
    return {str(key): str(text) for key, text in value.items()}


class Reviewer:
    """Answers a review, or gives None where nobody is there to answer."""

    def __init__(self, answers: dict[str, str], yes: bool, interactive: bool) -> None:
        self.display: Display | None = None
        self._answers = answers
        self._yes = yes
        self._interactive = interactive
        self._used: set[str] = set()
        self._shown = False  # the data's profile, once is enough

    def __call__(self, pending: Pending) -> dict[str, Any] | None:
        if pending.name == "answer_questions" and (self._answers or self._yes):
            return self._from_file(pending)
        if self._yes:
            if pending.name == "approve_synthesis":
                results.show_plan(SynthesisPlan.model_validate(pending.args))
            return review.approve(unattended=True)
        if not self._interactive:
            return None
        if self.display:
            self.display.pause()
        # asyncio keeps the first Ctrl-C for its own tasks; here a person waits at a prompt.
        handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        if pending.name == "answer_questions" and not self._shown:
            contract.show_profile(pending.args["profile"])
            self._shown = True
        try:
            return ASK[pending.name](pending)
        except EOFError:  # Ctrl-D: nobody answers
            return None
        finally:
            signal.signal(signal.SIGINT, handler)
            if self.display:
                self.display.go_on()

    def unused(self) -> list[str]:
        """Answers that no question asked for."""
        return sorted(set(self._answers) - self._used)

    def _from_file(self, pending: Pending) -> dict[str, Any]:
        """Answers what the file knows; the rest takes its default."""
        found = {}
        for question in pending.args["questions"]:
            keys = (question["id"], question["dimension"])
            if key := next((key for key in keys if key in self._answers), None):
                found[question["id"]] = self._answers[key]
                self._used.add(key)
        return review.edit("answer_questions", {"answers": found})


def ask_questions(pending: Pending) -> dict[str, Any]:
    console, answers = terminal.err, {}
    questions = pending.args["questions"]
    contract.show_specification(pending.args["specification"])
    console.print(
        "\n[bold]Questions.[/] A number, your own words, or Enter for the default in brackets; "
        "“stop asking” ends the questions."
    )
    for place, question in enumerate(questions, start=1):
        contract.show_question(question, f"{place} of {len(questions)}")
        answers[question["id"]] = ask_one(question)
        if asks_to_stop(answers[question["id"]]):
            break
    return review.edit("answer_questions", {"answers": answers})


def ask_one(question: dict[str, Any]) -> str:
    """The answer: suggestions by their numbers ("2 and 4"), own words, or "" for the default."""
    suggestions = question["suggestions"]
    while True:
        answer = Prompt.ask(
            Text.assemble("Your answer, or a number ", (f"({question['default']})", "dim")),
            console=terminal.err,
            default="",
            show_default=False,
        ).strip()
        if not re.fullmatch(r"\d+(?:(?:\s*,\s*|\s+and\s+|\s+)\d+)*", answer):
            return answer
        numbers = [int(number) for number in re.findall(r"\d+", answer)]
        if all(1 <= number <= len(suggestions) for number in numbers):
            return "; ".join(suggestions[number - 1] for number in numbers)
        terminal.err.print(f"[red]There is no suggestion {answer}.[/]")


def ask_synthesis(pending: Pending) -> dict[str, Any]:
    """Nothing is approved whose price was not shown: an edit is shown before it is asked for."""
    given = shown = SynthesisPlan.model_validate(pending.args)
    while True:
        results.show_plan(shown)
        choice = Prompt.ask(
            "approve, edit the numbers, or reject (no row is synthesised)?",
            console=terminal.err,
            choices=["approve", "edit", "reject"],
            default="approve",
        )
        if choice == "edit":
            shown = _edited(given, shown.items)
            continue
        if choice == "reject" or not any(item.rows for item in shown.items):
            terminal.note("no rows will be synthesised")
            return review.reject()
        return answered(given, shown)


def _edited(plan: SynthesisPlan, items: list[PlanItem]) -> SynthesisPlan:
    """With other numbers, the last ones as their defaults."""
    rows = {
        item.gap_id: _Rows.ask(
            Text(f"rows for {gap_name(item)}"), console=terminal.err, default=item.rows
        )
        for item in items
    }
    return replanned(plan, rows)


class _Rows(IntPrompt):
    validate_error_message = "[prompt.invalid]Give a whole number, 0 or more."

    def process_response(self, value: str) -> int:
        if (rows := super().process_response(value)) < 0:
            raise InvalidResponse(self.validate_error_message)
        return rows


ASK = {
    "answer_questions": ask_questions,
    "approve_subgoals": ask_subgoals,
    "approve_synthesis": ask_synthesis,
}
