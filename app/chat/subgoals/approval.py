"""The subgoals with what the checks found, to edit and to approve."""

from collections.abc import Callable

import streamlit as st

from ....memory.errors import UserError
from ....memory.records import Contract, Finding, Specification, Subgoal
from ....tools import subgoals as sets
from ....tools.text import many, shorten
from ..runner import Runner
from ..standing import Standing
from ..talk.specification import specification_html
from ..text import card as box
from ..text import html, line, show
from . import forms
from .cards import card_html, finding_html, how_html, matrix_html, unchecked_html
from .changes import Card, cards, found_line, holds, of_no_card, reason_of
from .deciding import show_decisions
from .editing import Desk
from .forms import FORMS

ADD = "add"
LOST = (
    "The subgoals were answered meanwhile, in another tab or by a script: {} of yours, not checked "
    "yet, could not be taken over."
)
NAME = 60
"""Characters of a name where it is told what was done."""


def show_approval(found: Standing, runner: Runner) -> None:
    assert found.pending, "the stage says so"
    args = found.pending.args
    contract = Contract.model_validate(args["contract"])
    desk = Desk(found, [Subgoal.model_validate(one) for one in args["subgoals"]])
    show(html("<h2>Subgoals</h2>"))
    if desk.lost:
        show(
            html("<p class='gc-notice' role='alert'>{}</p>", LOST.format(many(desk.lost, "change")))
        )
    show(line(found_line(desk.changes, contract), ""))
    if contract.unchecked:
        show(unchecked_html(contract))
    specification = Specification.model_validate(args["specification"])
    show(specification_html(specification, unfolded=False))
    for finding in of_no_card(contract):
        _show_uncovered(desk, finding)
    shown: set[str] = set()
    for number, card in enumerate(cards(desk.changes, contract), start=1):
        with box(card.subgoal.id):
            _show_card(desk, card, number, shown)
    _show_add(desk, ADD, "Add a subgoal", "")
    if contract.matrix:
        show(html("<h2>Who answers for what</h2>"))
        show(matrix_html(contract, desk.changes))
    if contract.how:
        show(how_html(contract))
    show_decisions(found, runner, desk, contract)


def _show_card(desk: Desk, card: Card, number: int, shown: set[str]) -> None:
    """shown: findings that stand at an earlier card, with what can be done about them."""
    show(card_html(card, number))
    for finding, current in card.findings:
        show(finding_html(finding, reason_of(desk.changes, finding), current))
        if finding.id not in shown and current:
            _show_overrule(desk, finding)
        shown.add(finding.id)
    place = f"card-{card.subgoal.id}"
    if place in desk.panels:
        _show_form(desk, place, card.subgoal)
        return
    with st.container(horizontal=True):
        # With their numbers, for who hears a button alone.
        desk.button(f"Edit {number}", place, "edit")
        desk.button(f"Split {number}", place, "split")
        if len(desk.changes.subgoals) > 1:
            desk.button(f"Merge {number}", place, "merge")
            if st.button(f"Remove {number}", key=desk.key(place, "remove")):
                left = sets.removed(desk.changes.subgoals, card.subgoal.id)
                _take(desk, left, f"removed “{shorten(card.subgoal.name, NAME)}”")


def _show_form(desk: Desk, place: str, one: Subgoal) -> None:
    form = FORMS[desk.panels[place]]
    changed = _filled(lambda: form.fields(desk.changes.subgoals, one, desk.panel(place)))
    if changed is not None:
        desk.close(place)
        _take(desk, changed, f"{form.done} “{shorten(one.name, NAME)}”")


def _filled(fields: Callable[[], list[Subgoal] | None]) -> list[Subgoal] | None:
    """What a form makes of the subgoals once it is applied; None, with the reason beside it, where
    something in it cannot be."""
    try:
        return fields()
    except UserError as error:
        forms.complain(error)
        return None


def _show_uncovered(desk: Desk, finding: Finding) -> None:
    """A finding of no card: words that no subgoal covers."""
    show(finding_html(finding, reason_of(desk.changes, finding), holds(desk.changes, finding)))
    with st.container(horizontal=True):
        _show_add(desk, f"add-{finding.id}", "Add a subgoal for it", finding.clause)
        _show_overrule(desk, finding)


def _show_overrule(desk: Desk, finding: Finding) -> None:
    place = f"finding-{finding.id}"
    if reason_of(desk.changes, finding) is not None:
        return
    if place not in desk.panels:
        desk.button("Overrule", place, "overrule")
        return
    reason = forms.reason(desk.panel(place))
    if reason is None:
        return
    try:
        changes = desk.changes.overrule(finding, reason)
    except UserError as error:
        forms.complain(error)
        return
    desk.close(place)
    desk.take(changes)
    st.rerun()


def _show_add(desk: Desk, place: str, word: str, proposed: str) -> None:
    if place not in desk.panels:
        desk.button(word, place, ADD)
        return
    with box(place):
        changed = _filled(lambda: forms.add(desk.changes.subgoals, proposed, desk.panel(place)))
    if changed is not None:
        desk.close(place)
        _take(desk, changed, f"added “{shorten(changed[-1].name, NAME)}”")


def _take(desk: Desk, subgoals: list[Subgoal], told: str) -> None:
    desk.take(desk.changes.to(subgoals, told))
    st.rerun()
