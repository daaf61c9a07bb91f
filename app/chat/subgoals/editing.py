"""What a person is doing to the subgoals on this page: changes not sent, and panels open."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from ....memory.records import Subgoal
from ..keys import digest, keys_of
from ..standing import Standing
from .changes import Changes

Key = Callable[..., str]


@dataclass(frozen=True)
class Panel:
    """An open form. key: makes keys of its fields."""

    key: Key
    close: Callable[[], None]

    def applied(self, word: str = "Apply") -> bool:
        """Its buttons, and whether the first was pressed."""
        with st.container(horizontal=True):
            pressed = st.button(word, key=self.key("apply"))
            st.button("Cancel", key=self.key("cancel"), on_click=self.close)
        return pressed


class Desk:
    """changes: kept in the page until they are checked; lost: how many changes of an earlier review
    cannot be taken over, because another tab or a script has answered it.

    What was sent is kept too: sending may fail, and this review is then shown again.
    """

    def __init__(self, found: Standing, checked: list[Subgoal]) -> None:
        assert found.pending, "a review waits"
        self.key = keys_of(found)
        self._place, self._sent = f"{found.id}-changes", f"{found.id}-sent"
        kept: Changes | None = st.session_state.get(self._place)
        failed = found.job is not None and bool(found.job.error)
        sent = st.session_state.pop(self._sent, False) and not failed
        self.lost = 0
        if kept is None or kept.digest != digest(found.pending):
            self.lost = len(kept.told) if kept and not sent else 0
            kept = Changes.none(digest(found.pending), checked)
            if not self.lost:  # else it is told until the next change
                st.session_state[self._place] = kept
        self.changes = kept
        self.under_way: list[Panel] = []  # shown in this run of the script

    def take(self, changes: Changes) -> None:
        st.session_state[self._place] = self.changes = changes

    def forget(self) -> None:
        st.session_state.pop(self._place, None)

    def mark_sent(self) -> None:
        """Until a review is shown again: the same one where sending failed, else the next."""
        st.session_state[self._sent] = True

    # --- panels, by the card or finding that they belong to

    @property
    def panels(self) -> dict[str, str]:
        """What is open at each place."""
        return st.session_state.setdefault(self.key("panels"), {})

    def open(self, place: str, kind: str) -> None:
        self.panels[place] = kind

    def panel(self, place: str) -> Panel:
        kind = self.panels[place]
        panel = Panel(partial(self.key, place, kind), partial(self.close, place))
        self.under_way.append(panel)
        return panel

    def close(self, place: str) -> None:
        self.panels.pop(place, None)

    def button(self, word: str, place: str, kind: str) -> None:
        """Opens a panel."""
        st.button(word, key=self.key(place, "open", kind), on_click=self.open, args=(place, kind))
