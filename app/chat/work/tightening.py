"""How a survey's intervals tighten as rows are judged: a chart, and the last look's figures."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from ....memory.records import Look, Subgoal
from ....tools.embedded_model import HONESTY
from ....tools.settings import RunConfig
from ....tools.survey.words import plus_minus
from ..tables import table
from ..text import clean, html, show
from ..theme import OKABE_ITO

if TYPE_CHECKING:
    import altair

HOW = (
    "A(s) is estimated from the rows judged so far, drawn at random; ± is half the width of its "
    "95 % interval ({})."
)
BY_PREDICTIONS = "prediction-powered inference; classical where predictions do not help"
BY_SAMPLE = "classical, by the judged rows alone; predictions may narrow it once judging ends"
HEIGHT = 300
LABEL_PIXELS = 220


def show_looks(looks: Sequence[Look], subgoals: Sequence[Subgoal], config: RunConfig) -> None:
    """looks: the oldest first, one at least."""
    names = {subgoal.id: subgoal.name for subgoal in subgoals}
    show(html("<h3>How sure the figures are by now</h3>"))
    if not config.judge and not config.model:
        show(html("<div class='gc-notice'>{}</div>", HONESTY))
    show(figures(looks[-1], names))
    method = BY_SAMPLE if config.precision is None else BY_PREDICTIONS
    show(html("<p class='gc-soft gc-small'>{}</p>", HOW.format(method)))
    if len(looks) > 1:
        st.altair_chart(tightening(looks, names, config.precision), key=f"looks-{len(looks)}")


def figures(look: Look, names: dict[str, str]) -> Any:
    """The table of the last look; without intervals where all rows are judged."""
    if all(low == high for _, low, high in look.means.values()):
        known = [(names.get(key, key), f"{value:.3f}") for key, (value, _, _) in look.means.items()]
        return table(f"A(s) of all {look.rows:,} rows", ("Subgoal", "A(s)"), known, (1,))
    rows = [
        (names.get(key, key), f"{value:.3f}", f"{low:.3f} to {high:.3f}", _half(low, high))
        for key, (value, low, high) in look.means.items()
    ]
    caption = f"A(s) by {look.rows:,} judged rows"
    return table(caption, ("Subgoal", "A(s)", "95 % interval", "±"), rows, (1, 2, 3))


def _half(low: float, high: float) -> str:
    return plus_minus((high - low) / 2)


def points(looks: Sequence[Look], names: dict[str, str]) -> list[dict[str, Any]]:
    """What the chart draws: rows judged, subgoal, and half-width of A(s)'s interval."""
    return [
        {"rows": look.rows, "subgoal": clean(names.get(key, key)), "half": (high - low) / 2}
        for look in looks
        for key, (_, low, high) in look.means.items()
    ]


def tightening(
    looks: Sequence[Look], names: dict[str, str], precision: float | None
) -> "altair.LayerChart | altair.FacetChart":
    """Half-widths by rows judged, from zero, and the precision that is asked for."""
    import altair as alt
    import pandas as pd

    frame = pd.DataFrame(points(looks, names))
    order = list(dict.fromkeys(frame["subgoal"]))
    colours = alt.Scale(range=OKABE_ITO)
    legend = alt.Legend(title=None, orient="bottom", labelLimit=LABEL_PIXELS)
    rows = alt.X("rows:Q", title="rows judged", scale=alt.Scale(zero=True))
    half = alt.Y("half:Q", title="± of A(s)", scale=alt.Scale(zero=True, nice=True))
    lines = (
        alt.Chart(frame)
        .mark_line(point=alt.OverlayMarkDef(size=60, filled=True))
        .encode(
            x=rows,
            y=half,
            color=alt.Color("subgoal:N", sort=order, legend=legend, scale=colours),
            shape=alt.Shape("subgoal:N", sort=order, legend=legend),
            tooltip=[
                alt.Tooltip("subgoal:N"),
                alt.Tooltip("rows:Q", title="rows judged", format=","),
                alt.Tooltip("half:Q", title="±", format=".3f"),
            ],
        )
    )
    layers = [lines]
    if precision is not None:
        asked = pd.DataFrame([{"half": precision, "text": f"± {precision:g} asked for"}])
        rule = alt.Chart(asked).mark_rule(strokeDash=[5, 4], color="#808890").encode(y=half)
        text = (
            alt.Chart(asked)
            .mark_text(align="left", baseline="bottom", dx=4, dy=-3, color="#808890")
            .encode(y=half, x=alt.value(0), text="text:N")
        )
        layers += [rule, text]
    told = f"Line chart: half-width of A(s)'s interval of {len(order)} subgoals by rows judged"
    return alt.layer(*layers).properties(height=HEIGHT, description=told)
