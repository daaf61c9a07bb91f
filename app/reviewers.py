"""Who answers the reviews: a person in the terminal, a file of answers, or `--yes`."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml
from rich.markup import escape
from rich.prompt import Prompt
from rich.table import Table

from ..graph import review
from ..graph.session import Pending
from ..memory.errors import UserError
from ..tools.score_files import parse_subgoals, read_plain
from . import terminal

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

    def __call__(self, pending: Pending) -> dict[str, Any] | None:
        if pending.name == "answer_questions" and (self._answers or self._yes):
            return self._from_file(pending)
        if self._yes:
            return review.approve()
        if not self._interactive:
            return None
        if self.display:
            self.display.pause()
        # asyncio keeps the first Ctrl-C for its own tasks; here a person waits at a prompt.
        handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return ASK[pending.name](pending)
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
            for key in (question["id"], question["dimension"]):
                if key in self._answers:
                    found[question["id"]] = self._answers[key]
                    self._used.add(key)
        return review.edit("answer_questions", {"answers": found})


def ask_questions(pending: Pending) -> dict[str, Any]:
    console, answers = terminal.err, {}
    console.print("\n[bold]A few questions[/]; Enter takes the default, “stop” asks no more.")
    for question in pending.args["questions"]:
        console.print(f"\n[bold]{escape(question['text'])}[/]", highlight=False)
        console.print(escape(question["reason"]), style="dim", highlight=False)
        for number, suggestion in enumerate(question["suggestions"], start=1):
            console.print(f"  {number}. {escape(suggestion)}", highlight=False)
        answer = Prompt.ask(
            f"Your answer, or a number [dim]({escape(question['default'])})[/]",
            console=console,
            default="",
            show_default=False,
        ).strip()
        if answer.lower() in ("stop", "stop asking"):
            return review.edit("answer_questions", {"answers": answers, "stop": True})
        picked = int(answer) - 1 if answer.isdecimal() else -1
        if 0 <= picked < len(question["suggestions"]):
            answer = question["suggestions"][picked]
        answers[question["id"]] = answer
    return review.edit("answer_questions", {"answers": answers})


def ask_subgoals(pending: Pending) -> dict[str, Any]:
    console, subgoals = terminal.err, pending.args["subgoals"]
    while True:
        table = Table("id", "name", "what a row must demonstrate", "wanted", title="Subgoals")
        for subgoal in subgoals:
            wanted = subgoal.get("target_count") or subgoal.get("target_share") or ""
            cells = (subgoal["id"], subgoal["name"], subgoal["description"], wanted)
            table.add_row(*(escape(str(cell)) for cell in cells))
        console.print(table)
        for finding in pending.args["findings"]:
            console.print(f"[yellow]{finding['check']}[/]: {escape(finding['message'])}")
        choice = Prompt.ask(
            "approve, edit or reject?",
            console=console,
            choices=["approve", "edit", "reject"],
            default="approve",
        )
        if choice == "approve":
            if subgoals == pending.args["subgoals"]:
                return review.approve()
            return review.edit("approve_subgoals", {"subgoals": subgoals})
        if choice == "reject":
            return review.reject(Prompt.ask("What should be different?", console=console))
        subgoals = _edited(subgoals)


def _edited(subgoals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The subgoals as the person leaves them in $EDITOR; unchanged where they are not valid."""
    head = "# Change, add or remove subgoals. Optional: target_count or target_share (0 to 1).\n"
    plain = yaml.safe_dump(subgoals, sort_keys=False, allow_unicode=True, width=100)
    text = click.edit(head + plain, extension=".yaml")
    if text is None:
        return subgoals
    try:
        return [
            subgoal.model_dump(exclude_none=True)
            for subgoal in parse_subgoals(yaml.safe_load(text), "your edit")
        ]
    except (UserError, yaml.YAMLError) as error:
        terminal.err.print(f"[red]{escape(' '.join(str(error).split()))}[/]")
        return subgoals


def ask_synthesis(pending: Pending) -> dict[str, Any]:
    console, plan = terminal.err, pending.args
    table = Table("gap", "rows", title="Rows to synthesise")
    for item in plan["items"]:
        table.add_row(escape(item["gap_id"]), str(item["rows"]))
    console.print(table)
    cost = plan["cost_usd"]
    money = ", money unknown (give --price)" if cost is None else f", {cost:.2f} USD"
    console.print(
        f"{plan['model']}: {plan['calls']} calls, {plan['tokens_in']} tokens in, "
        f"{plan['tokens_out']} out{money} ({plan['how']})",
        highlight=False,
        markup=False,
    )
    choice = Prompt.ask(
        "approve, edit or reject?",
        console=console,
        choices=["approve", "edit", "reject"],
        default="approve",
    )
    if choice == "approve":
        return review.approve()
    if choice == "reject":
        return review.reject()
    items = []
    for item in plan["items"]:
        rows = Prompt.ask(
            f"rows for {escape(item['gap_id'])}", console=console, default=str(item["rows"])
        )
        items.append({**item, "rows": int(rows) if rows.isdecimal() else item["rows"]})
    return review.edit("approve_synthesis", {"items": items})


ASK = {
    "answer_questions": ask_questions,
    "approve_subgoals": ask_subgoals,
    "approve_synthesis": ask_synthesis,
}
