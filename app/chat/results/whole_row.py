"""One row in full, in parts where it is long: a megabyte at once would stop the page."""

from collections.abc import Mapping

import streamlit as st
from markupsafe import Markup

from ....graph import browsing
from ....graph.browsing import BrowsedRow
from ..text import block, guarded, html, line, show
from .row_cells import reasons_html, scores_html

PART = 20_000
"""Characters that are shown at once."""


@st.dialog("Whole row", width="large")
@guarded
def show_whole(session_id: str, row: int, names: Mapping[str, str]) -> None:
    found = browsing.row_of(session_id, row)
    show(html("<h3>index {}</h3>{}", row, scores_html(found.scores, names)))
    if found.cut:
        show(line(f"The judge did not see {found.cut:,} characters of it.", "gc-small"))
    parts = parts_of(found)
    number = 1
    if len(parts) > 1:
        number = int(
            st.number_input(f"Part of {len(parts)}, each of up to {PART:,} characters", 1,
                            len(parts), 1, key=f"part-{session_id}-{row}")
        )  # fmt: skip
    show(part_html(parts[number - 1]))
    show(reasons_html(found.scores, names))


def parts_of(row: BrowsedRow) -> list[list[tuple[str, str]]]:
    """A row's texts, each with its title, in parts of PART characters together."""
    parts, room = [[]], PART
    texts = {"System message": row.system, "Input": row.input, "Output": row.output}
    for title, text in texts.items():
        at = 0
        while at < len(text):
            if not room:
                parts.append([])
                room = PART
            piece = text[at : at + room]
            parts[-1].append((f"{title}, continued" if at else title, piece))
            at, room = at + len(piece), room - len(piece)
    return parts


def part_html(part: list[tuple[str, str]]) -> Markup:
    return html("").join(
        html("<p class='gc-label'>{}</p>{}", title, block(text)) for title, text in part
    )
