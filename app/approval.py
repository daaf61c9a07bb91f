"""The dialog in which a person approves, edits or rejects the subgoals."""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click
import yaml
from rich.prompt import Prompt
from rich.text import Text

from ..graph import review
from ..graph.session import Pending
from ..memory.errors import UserError
from ..memory.records import Subgoal
from ..tools import subgoals as sets
from . import contract, subgoal_edits, terminal

Subgoals = list[Subgoal]


def ask_subgoals(pending: Pending) -> dict[str, Any]:
    contract.show_specification(pending.args["specification"])
    contract.show_subgoals(pending.args)
    subgoals = [Subgoal.model_validate(one) for one in pending.args["subgoals"]]
    findings = pending.args["contract"]["findings"]
    while True:
        terminal.err.print(
            "\n[bold]approve[/], [bold]edit[/] (opens an editor), [bold]add[/], [bold]remove[/], "
            "[bold]merge[/], [bold]split[/], [bold]wanted[/] (rows), [bold]overrule[/] a finding, "
            "or [bold]reject[/] (says why)?"
        )
        choice = Prompt.ask(
            "Your choice",
            console=terminal.err,
            choices=["approve", "reject", "overrule", *EDITS],
            show_choices=False,
            default="approve",
        )
        if choice == "reject":
            return review.reject(Prompt.ask("What should be different?", console=terminal.err))
        if choice == "approve" and not any(f["overruled"] is None for f in findings):
            return review.approve()
        if choice in ("approve", "overrule"):
            with suppress(_Back):
                if overruled := _overrule(findings, all_open=choice == "approve"):
                    return subgoal_edits.decision(subgoals, overruled, choice == "approve")
            continue
        try:
            edited = EDITS[choice](subgoals)
        except _Back:
            continue
        except UserError as error:
            terminal.err.print(Text(str(error)), style="red")
            continue
        if edited != subgoals:
            return subgoal_edits.decision(edited)
        terminal.err.print("Nothing changed.")


class _Back(Exception):
    """Enter where something was to be said: the person changed their mind."""


def _overrule(findings: list[dict[str, Any]], all_open: bool) -> dict[str, str]:
    """Reasons by finding id; nothing where the person gives none."""
    left = [f for f in findings if f["overruled"] is None]
    if not left:
        terminal.err.print("There is no open finding.")
        return {}
    if not all_open and len(left) > 1:
        left = [findings[place] for place in _numbers("Which findings?", len(findings))]
    them = "it" if len(left) == 1 else "them"
    reason = Prompt.ask(
        f"{len(left)} finding{'s' * (len(left) > 1)} open. Why let {them} stand? The report keeps "
        "the reason; Enter goes back",
        console=terminal.err,
        default="",
        show_default=False,
    ).strip()
    return {finding["id"]: reason for finding in left} if reason else {}


def _numbers(question: str, most: int) -> list[int]:
    """Places, from 0, of what a person names by numbers from 1 ("1, 3-5"). Raises _Back."""
    while True:
        answer = Prompt.ask(
            f"{question} (numbers; Enter goes back)",
            console=terminal.err,
            default="",
            show_default=False,
        ).strip()
        if not answer:
            raise _Back
        found = re.findall(r"(\d+)(?:\s*-\s*(\d+))?", answer)
        ranges = (range(int(low) - 1, int(high or low)) for low, high in found)
        places = list(dict.fromkeys(place for some in ranges for place in some[: most + 1]))
        if places and all(0 <= place < most for place in places):
            return places
        terminal.err.print(f"[red]Give numbers from 1 to {most}.[/]")


def _text(question: str, default: str = "") -> str:
    """Own words, or the default. Raises _Back where there is neither."""
    shown = Text.assemble(question, (f" ({default or 'Enter goes back'})", "dim"))
    answer = Prompt.ask(shown, console=terminal.err, default=default, show_default=False).strip()
    if not answer:
        raise _Back
    return answer


def _one(subgoals: Subgoals, question: str) -> Subgoal:
    return subgoals[_numbers(question, len(subgoals))[0]]


def _add(subgoals: Subgoals) -> Subgoals:
    name = _text("Name")
    description = _text("What must a row demonstrate? One sentence")
    return subgoal_edits.added(subgoals, name, description)


def _remove(subgoals: Subgoals) -> Subgoals:
    for gone in [subgoals[place].id for place in _numbers("Remove which?", len(subgoals))]:
        subgoals = sets.removed(subgoals, gone)
    return subgoals


def _merge(subgoals: Subgoals) -> Subgoals:
    chosen = [subgoals[place] for place in _numbers("Merge which?", len(subgoals))]
    if len(chosen) < 2:
        raise UserError("name two or more to merge.")
    name, description = subgoal_edits.proposed_whole(chosen)
    name = _text("Name", name)
    description = _text("What must a row demonstrate?", description)
    return subgoal_edits.merged(subgoals, [one.id for one in chosen], name, description)


def _split(subgoals: Subgoals) -> Subgoals:
    whole = _one(subgoals, "Split which?")
    parts = []
    for number, default in enumerate(subgoal_edits.proposed_parts(whole), start=1):
        description = _text(f"Part {number}: what must a row demonstrate?", default)
        parts.append((_text(f"Part {number}: name"), description))
    return sets.split(subgoals, whole.id, parts)


def _wanted(subgoals: Subgoals) -> Subgoals:
    chosen = _one(subgoals, "For which?")
    answer = _text("Rows wanted: a number (200), a share (10 %), or “none” for an even share")
    return subgoal_edits.replaced(subgoals, subgoal_edits.with_wanted(chosen, answer))


def _in_editor(subgoals: Subgoals) -> Subgoals:
    """The subgoals as the person leaves them in $EDITOR, which opens again on a mistake.

    Raises UserError where no editor can be started.
    """
    head = (
        "# Change, add or remove subgoals. Needed: id, name, description. Optional: counts,\n"
        "# does_not_count, example {input, output}, target_count or target_share (0 to 1).\n"
    )
    plain = [subgoal.model_dump(exclude_defaults=True) for subgoal in subgoals]
    text = head + yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)
    dropped = False
    while True:
        try:
            found = click.edit(text, extension=".yaml")
        except click.ClickException as error:
            raise UserError(
                f"no editor: {error.message}. Set EDITOR, or use --subgoals."
            ) from error
        if found is None:  # left unchanged
            if dropped:
                terminal.err.print("Your edit was not taken, as it was not mended.")
            return subgoals
        try:
            return sets.parse_subgoals(yaml.safe_load(found), "your edit")
        except (UserError, yaml.YAMLError, ValueError) as error:  # 2024-13-45 is a ValueError
            dropped = True
            problem = " ".join(str(error).split())
            terminal.err.print(Text(problem), style="red")
            own = "".join(ln for ln in found.splitlines(True) if not ln.startswith("# MEND: "))
            text = f"# MEND: {problem}\n{own}"
            Prompt.ask(
                "Enter opens the editor again (close it unchanged to give up)",
                console=terminal.err,
                default="",
                show_default=False,
            )


EDITS: dict[str, Callable[[Subgoals], Subgoals]] = {
    "edit": _in_editor,
    "add": _add,
    "remove": _remove,
    "merge": _merge,
    "split": _split,
    "wanted": _wanted,
}
