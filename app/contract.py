"""What a person sees before they answer or approve: data, specification, subgoals, findings."""

from typing import Any

from rich.table import Table
from rich.text import Text

from ..graph import session
from ..memory.records import (
    Contract,
    DataProfile,
    Finding,
    Specification,
    Subgoal,
    SynthesisPlan,
)
from ..tools.profile import lines
from ..tools.text import shorten
from . import contract_words, results
from .terminal import err


def _print(*parts: str | tuple[str, str]) -> None:
    """Texts, or texts with a style, in one line. Never as markup, which loses backslashes."""
    err.print(Text.assemble(*parts))


def show_profile(profile: dict[str, Any]) -> None:
    """What the data looks like, so that the questions can be answered with it in view."""
    err.print("\n[bold]Your data[/]")
    for line in lines(DataProfile.model_validate(profile)):
        _print(f"  {line}")


def show_specification(specification: dict[str, Any]) -> None:
    """What is settled so far, what is open, and why no more is asked."""
    found = Specification.model_validate(specification)
    table = Table(title=contract_words.TITLE, show_header=False, title_justify="left")
    for name, points in contract_words.settled(found).items():
        table.add_row(name, Text("; ".join(points)))
    err.print(table)
    if found.ended:
        _print(f"No more questions: {found.ended}.")


def show_question(question: dict[str, Any], place: str) -> None:
    """A question with its suggestions, and in brackets the id that --answers knows it by."""
    _print(f"\n{place} [{question['id']}] ", (question["text"], "bold"))
    _print((question["reason"], "dim"))
    for number, suggestion in enumerate(question["suggestions"], start=1):
        _print(f"  {number}. {suggestion}")


def show_subgoals(args: dict[str, Any]) -> None:
    """The subgoals with what the checks made of them; both are numbered for the dialog."""
    table = Table("", "name", "what a row must demonstrate", "wanted", title="Subgoals")
    subgoals = [Subgoal.model_validate(subgoal) for subgoal in args["subgoals"]]
    for number, subgoal in enumerate(subgoals, start=1):
        wanted = contract_words.wanted(subgoal)
        table.add_row(str(number), Text(subgoal.name), _demonstration(subgoal), wanted)
    err.print(table)
    contract = Contract.model_validate(args["contract"])
    show_matrix(contract, {subgoal.id: subgoal.name for subgoal in subgoals})
    for number, finding in enumerate(contract.findings, start=1):
        show_finding(finding, number)
    for line in contract.unchecked:
        _print(("not checked", "red"), f": {line}")
    for line in contract.how:
        _print((line, "dim"))
    if not contract.findings and not contract.unchecked:
        err.print("[green]The checks found nothing against it.[/]")
    if open_points := args["specification"]["open_points"]:
        _print(f"Still open: {'; '.join(open_points)}")


def _demonstration(subgoal: Subgoal) -> Text:
    told = Text(subgoal.description)
    if subgoal.counts:
        told.append(f"\ncounts: {shorten(subgoal.counts, 160)}", "dim")
    if subgoal.does_not_count:
        told.append(f"\ndoes not: {shorten(subgoal.does_not_count, 160)}", "dim")
    if row := subgoal.example:
        text = f"{shorten(row.input, 80)} → {shorten(row.output, 80)}"
        told.append(f"\nfor example: {text}", "dim")
    return told


def show_matrix(contract: Contract, names: dict[str, str]) -> None:
    """Which subgoals answer for which clause."""
    if not contract.matrix:
        return
    table = Table("what is asked for", "subgoals", title="Who answers for what")
    for clause in contract.matrix:
        style = "" if clause.subgoal_ids else "dim" if clause.qualifies else "red"
        covering = Text(contract_words.covering(clause, names), style)
        table.add_row(Text(clause.text), covering)
    err.print(table)


def show_finding(finding: Finding, number: int) -> None:
    _print((f"{number}. not {finding.check}", "yellow"), f": {finding.message}")
    for line in finding.evidence:
        _print((f"   {line}", "dim"))
    if finding.overruled is not None:
        _print(f"   overruled: {finding.overruled}")


def show_pending(pending: session.Pending) -> None:
    """What a run waits for."""
    if pending.name == "answer_questions":
        show_specification(pending.args["specification"])
        for place, question in enumerate(pending.args["questions"], start=1):
            show_question(question, str(place))
    elif pending.name == "approve_subgoals":
        show_specification(pending.args["specification"])
        show_subgoals(pending.args)
    else:
        results.show_plan(SynthesisPlan.model_validate(pending.args))
