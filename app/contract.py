"""What a person sees before they answer or approve: data, specification, subgoals, findings."""

from typing import Any

from rich.markup import escape
from rich.table import Table

from ..graph import session
from ..memory.records import Contract, DataProfile, Draft, Finding, Specification, Subgoal
from ..tools.profile import lines
from ..tools.text import shorten
from . import terminal
from .terminal import err


def show_profile(profile: dict[str, Any]) -> None:
    """What the data looks like, so that the questions can be answered with it in view."""
    err.print("\n[bold]Your data[/]")
    for line in lines(DataProfile.model_validate(profile)):
        err.print(f"  {escape(line)}", highlight=False)


def show_specification(specification: dict[str, Any]) -> None:
    """What is settled so far, what is open, and why no more is asked."""
    found = Specification.model_validate(specification)
    table = Table(title="What the model shall do, so far", show_header=False, title_justify="left")
    goal = found.goal
    points = {"goal": goal.text, "domain": goal.domain, "task": goal.task}
    points |= {name: "; ".join(getattr(found, name)) for name in Draft.model_fields}
    points["open points"] = "; ".join(found.open_points)
    for name, text in points.items():
        if text:
            table.add_row(name.replace("_", " "), escape(text))
    err.print(table)
    if found.ended:
        err.print(f"No more questions: {escape(found.ended)}.", highlight=False)


def show_question(question: dict[str, Any], place: str) -> None:
    """A question with its suggestions, and in brackets the id that --answers knows it by."""
    err.print(
        f"\n{place} \\[{question['id']}] [bold]{escape(question['text'])}[/]", highlight=False
    )
    err.print(escape(question["reason"]), style="dim", highlight=False)
    for number, suggestion in enumerate(question["suggestions"], start=1):
        err.print(f"  {number}. {escape(suggestion)}", highlight=False)


def show_subgoals(args: dict[str, Any]) -> None:
    """The subgoals with what the checks made of them; both are numbered for the dialog."""
    table = Table("", "name", "what a row must demonstrate", "wanted", title="Subgoals")
    subgoals = [Subgoal.model_validate(subgoal) for subgoal in args["subgoals"]]
    for number, subgoal in enumerate(subgoals, start=1):
        table.add_row(
            str(number), escape(subgoal.name), _demonstration(subgoal), escape(_wanted(subgoal))
        )
    err.print(table)
    contract = Contract.model_validate(args["contract"])
    show_matrix(contract, {subgoal.id: subgoal.name for subgoal in subgoals})
    for number, finding in enumerate(contract.findings, start=1):
        show_finding(finding, number)
    for line in contract.unchecked:
        err.print(f"[red]not checked[/]: {escape(line)}", highlight=False)
    if not contract.findings and not contract.unchecked:
        err.print("[green]The checks found nothing: atomic, disjoint, complete.[/]")
    if open_points := args["specification"]["open_points"]:
        err.print(f"Still open: {escape('; '.join(open_points))}", highlight=False)


def _demonstration(subgoal: Subgoal) -> str:
    parts = [escape(subgoal.description)]
    if subgoal.counts:
        parts.append(f"[dim]counts: {escape(shorten(subgoal.counts, 160))}[/]")
    if subgoal.does_not_count:
        parts.append(f"[dim]does not: {escape(shorten(subgoal.does_not_count, 160))}[/]")
    if row := subgoal.example:
        text = f"{shorten(row.input, 80)} → {shorten(row.output, 80)}"
        parts.append(f"[dim]for example: {escape(text)}[/]")
    return "\n".join(parts)


def _wanted(subgoal: Subgoal) -> str:
    if subgoal.target_count:
        return f"{subgoal.target_count} rows"
    return f"{subgoal.target_share:.0%}" if subgoal.target_share else ""


def show_matrix(contract: Contract, names: dict[str, str]) -> None:
    """Which subgoals answer for which clause."""
    if not contract.matrix:
        return
    table = Table("what is asked for", "subgoals", title="Who answers for what")
    for clause in contract.matrix:
        covering = ", ".join(escape(names.get(name, name)) for name in clause.subgoal_ids)
        if not covering:
            covering = "[dim]said of every row[/]" if clause.qualifies else "[red]none[/]"
        table.add_row(escape(clause.text), covering)
    err.print(table)


def show_finding(finding: Finding, number: int) -> None:
    what = f"[yellow]{number}. not {finding.check}[/]: {escape(finding.message)}"
    err.print(what, highlight=False)
    for line in finding.evidence:
        err.print(f"   [dim]{escape(line)}[/]", highlight=False)
    if finding.overruled is not None:
        err.print(f"   overruled: {escape(finding.overruled)}", highlight=False)


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
        terminal.show_plan(pending.args)
