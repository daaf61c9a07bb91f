"""The fields in which a person edits, splits, merges, adds and overrules.

Each gives the changed set once it is applied, else None. None stands in a Streamlit form, where
Enter in one field would apply the others half typed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from ....memory.errors import UserError
from ....memory.records import Subgoal
from ....tools import subgoals as sets
from ... import subgoal_edits
from ...subgoal_edits import Subgoals
from ..text import html, label, on_page, show
from .editing import Panel

EVEN, SHARE, ROWS = "an even share", "a share of the rows, in %", "a number of rows"


def edit(subgoals: Subgoals, one: Subgoal, panel: Panel) -> Subgoals | None:
    name = st.text_input("Name", one.name, key=panel.key("name"))
    description = st.text_area(
        "What a row must demonstrate, in one sentence",
        one.description,
        key=panel.key("description"),
    )
    counts = st.text_area("What counts", one.counts, key=panel.key("counts"))
    not_counts = st.text_area(
        "What does not count", one.does_not_count, key=panel.key("not-counts")
    )
    wanted = _wanted(one, panel)
    if not panel.applied():
        return None
    name, description = subgoal_edits.said(name, description)
    told = {"name": name, "description": description, "counts": counts.strip()}
    new = one.model_copy(update={**told, "does_not_count": not_counts.strip()})
    new = subgoal_edits.recounted([one], new)
    return subgoal_edits.replaced(subgoals, subgoal_edits.with_wanted(new, wanted))


def _wanted(one: Subgoal, panel: Panel) -> str:
    """The rows wanted, as `subgoal_edits.with_wanted` reads them."""
    kind = ROWS if one.target_count else SHARE if one.target_share else EVEN
    kinds = (EVEN, SHARE, ROWS)
    chosen = st.radio(
        "Rows wanted", kinds, kinds.index(kind), key=panel.key("wanted"), horizontal=True
    )
    if chosen == SHARE:
        share = 100 * (one.target_share or 0.1)
        given = st.number_input("Share, in %", 0.1, 100.0, share, step=1.0, key=panel.key("share"))
        return f"{given:.10g} %"
    if chosen == ROWS:
        rows = one.target_count or 100
        return str(st.number_input("Rows", 1, value=rows, step=10, key=panel.key("rows")))
    return subgoal_edits.EVEN


def split(subgoals: Subgoals, one: Subgoal, panel: Panel) -> Subgoals | None:
    parts = []
    for number, proposed in enumerate(subgoal_edits.proposed_parts(one), start=1):
        name = st.text_input(f"Part {number}: name", key=panel.key("name", number))
        description = st.text_area(
            f"Part {number}: what a row must demonstrate",
            proposed,
            key=panel.key("description", number),
        )
        parts.append((name, description))
    if not panel.applied():
        return None
    return sets.split(subgoals, one.id, [subgoal_edits.said(*part) for part in parts])


def merge(subgoals: Subgoals, one: Subgoal, panel: Panel) -> Subgoals | None:
    # With their numbers, for names may be the same.
    others = {
        label(f"{number}. {other.name}"): other
        for number, other in enumerate(subgoals, start=1)
        if other is not one
    }
    picked = st.pills(
        "Merge it with", list(others), selection_mode="multi", key=panel.key("others")
    )
    chosen = [one, *(other for name, other in others.items() if name in picked)]
    # Proposed anew for each choice: a widget keeps the value that it began with.
    place = "+".join(part.id for part in chosen)
    name, description = subgoal_edits.proposed_whole(chosen)
    name = st.text_input("Name of the whole", name, key=panel.key("name", place))
    description = st.text_area(
        "What a row must demonstrate", description, key=panel.key("description", place)
    )
    if not panel.applied():
        return None
    if len(chosen) < 2:
        raise UserError("choose what it is to be merged with.")
    name, description = subgoal_edits.said(name, description)
    return subgoal_edits.merged(subgoals, [part.id for part in chosen], name, description)


def add(subgoals: Subgoals, proposed: str, panel: Panel) -> Subgoals | None:
    """proposed: what nobody covers, empty where the person begins from nothing."""
    name = st.text_input("Name", proposed[:1].upper() + proposed[1:], key=panel.key("name"))
    description = st.text_area(
        "What a row must demonstrate, in one sentence", proposed, key=panel.key("description")
    )
    if not panel.applied("Add"):
        return None
    return subgoal_edits.added(subgoals, name, description)


def reason(panel: Panel) -> str | None:
    """Why a finding may stand, once it is given."""
    text = st.text_input("Why may it stand? The report keeps the reason.", key=panel.key("reason"))
    return text if panel.applied("Overrule") else None


def complain(error: UserError) -> None:
    """Beside the fields that it is about."""
    show(html("<p class='gc-missing' role='alert' dir='auto'>{}</p>", on_page(str(error))))


@dataclass(frozen=True)
class Form:
    """fields: shows them; done: what was done to the subgoal once it is applied."""

    fields: Callable[[Subgoals, Subgoal, Panel], Subgoals | None]
    done: str


FORMS = {
    "edit": Form(edit, "edited"),
    "split": Form(split, "split"),
    "merge": Form(merge, "merged"),
}
