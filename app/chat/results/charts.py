"""Charts of a run's results. Axes start at zero; colours are of a set that the colour-blind tell
apart, and what they say stands in words too. Names are data of the charts, never part of them."""

import textwrap
from collections.abc import Sequence
from typing import Any

from ....memory.records import Coverage
from ....tools.figures import VERDICT_COLOURS
from ....tools.rubric import ANCHORS
from ....tools.survey import words
from ..text import clean
from ..theme import DARK, LIGHT

WIDTH, LINES = 20, 3
"""Characters and lines of a name on an axis: it is to be read on a phone."""

BAR, AROUND = 48, 180
"""Pixels of a bar with its label of four lines; of legend, axis and title together."""

CIVIDIS = ("#00224e", "#35456c", "#666970", "#948e77", "#c8b866", "#fee838")
"""From the lowest anchor to the highest: also told apart by lightness alone."""

TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1]
SPLIT = "split(datum.label, '\\n')"


def ink(dark: bool) -> str:
    """The colour of lines and text that Streamlit's theme does not reach."""
    return (DARK if dark else LIGHT)["ink"]


def coverage_chart(coverage: Sequence[Coverage], tau: float, dark: bool = False) -> Any:
    """A(s) as bars with their 95 % intervals against τ, coloured by verdict, which the labels
    name."""
    import altair as alt

    names = axis_names([c.subgoal.name for c in coverage])
    rows = [_bar(c, name) for c, name in zip(coverage, names, strict=True)]
    place = alt.Y("name:N", sort=None, title=None, axis=_names_axis(alt))
    along = alt.Scale(domain=[0, 1])
    present = [v for v in VERDICT_COLOURS if any(c.verdict == v for c in coverage)]
    colours = alt.Scale(domain=present, range=[VERDICT_COLOURS[v] for v in present])
    told = [alt.Tooltip("mean:Q", title="A(s)", format=".3f"),
            alt.Tooltip("low:Q", title="from", format=".3f"),
            alt.Tooltip("high:Q", title="to", format=".3f")]  # fmt: skip
    base = alt.Chart(alt.Data(values=rows))
    bars = base.mark_bar(height={"band": 0.55}).encode(
        x=alt.X(
            "mean:Q",
            scale=along,
            axis=alt.Axis(values=TICKS),
            title=["alignment A(s), mean over rows,", "95 % interval"],
        ),
        y=place,
        color=alt.Color(
            "verdict:N",
            scale=colours,
            legend=alt.Legend(title="supporting rows", orient="top", columns=2),
        ),
        tooltip=told,
    )
    lines = base.mark_rule(color=ink(dark), strokeWidth=1.5).encode(
        x=alt.X("low:Q", scale=along), x2="high:Q", y=place, tooltip=told
    )
    ends = [
        base.mark_tick(color=ink(dark), size=10, thickness=1.5).encode(
            x=alt.X(f"{end}:Q", scale=along), y=place, tooltip=told
        )
        for end in ("low", "high")
    ]
    at = alt.Chart(alt.Data(values=[{"tau": tau, "text": f"τ = {tau:g}"}])).encode(
        x=alt.X("tau:Q", scale=along)
    )
    threshold = at.mark_rule(color=ink(dark), strokeDash=[5, 4])
    named = at.mark_text(color=ink(dark), align="left", dx=4, dy=-6, fontSize=12).encode(
        y=alt.value(0), text="text:N"
    )
    return alt.layer(bars, lines, *ends, threshold, named).properties(height=_height(coverage))


def _bar(c: Coverage, name: str) -> dict[str, Any]:
    low, high = c.interval or (None, None)
    value = "not judged" if c.mean is None else f"{c.mean:.2f}"
    return {
        "name": f"{name}\n{c.verdict} · {value}",
        "verdict": c.verdict,
        "mean": c.mean,
        "low": low,
        "high": high,
    }


def coverage_alt(coverage: Sequence[Coverage], tau: float) -> str:
    """The chart in words; the table beside it has its figures."""
    told = "; ".join(
        f"{clean(c.subgoal.name)[:60]} {'not judged' if c.mean is None else f'{c.mean:.2f}'}, "
        f"{words.verdict_text(c)}"
        for c in coverage
    )
    return f"Mean alignment of each subgoal against τ = {tau:g}: {told}"


def distribution_chart(coverage: Sequence[Coverage], dark: bool = False) -> Any:
    """The share of the judged rows at each anchor of the rubric, stacked."""
    import altair as alt

    names = axis_names([c.subgoal.name for c in coverage])
    rows = [
        {"name": name, "anchor": f"{anchor:.1f}", "rows": count, "share": count / total}
        for c, name in zip(coverage, names, strict=True)
        for total in [max(1, sum(c.histogram))]
        for anchor, count in zip(ANCHORS, c.histogram, strict=True)
    ]
    anchors = [f"{anchor:.1f}" for anchor in ANCHORS]
    return (
        alt.Chart(alt.Data(values=rows))
        .mark_bar(height={"band": 0.6}, stroke=ink(dark), strokeWidth=0.4)
        .encode(
            x=alt.X("share:Q", title="share of the judged rows", scale=alt.Scale(domain=[0, 1]),
                    axis=alt.Axis(format=".0%", values=TICKS)),
            y=alt.Y("name:N", sort=None, title=None, axis=_names_axis(alt)),
            color=alt.Color(
                "anchor:N", scale=alt.Scale(domain=anchors, range=list(CIVIDIS)), sort=anchors,
                # Without the bars' outline, which would all but fill a symbol.
                legend=alt.Legend(title="score", orient="top", columns=3, symbolType="square",
                                  symbolSize=180, symbolStrokeWidth=0, symbolOpacity=1),
            ),
            order=alt.Order("anchor:N"),
            tooltip=[alt.Tooltip("anchor:N", title="score"), alt.Tooltip("rows:Q", title="rows"),
                     alt.Tooltip("share:Q", title="share", format=".0%")],
        )
        .properties(height=_height(coverage))
    )  # fmt: skip


def _names_axis(alt: Any) -> Any:
    # Vega cuts labels at 180 pixels unless told otherwise.
    return alt.Axis(
        labelExpr=SPLIT, labelLimit=0, labelOverlap=False, labelPadding=8, ticks=False, domain=False
    )


def _height(coverage: Sequence[Coverage]) -> int:
    """In pixels: Streamlit takes the axes' room from it."""
    return AROUND + max(1, len(coverage)) * BAR


def axis_names(names: Sequence[str]) -> list[str]:
    """Names in short lines, each another one: bars of the same name would be drawn as one."""
    found: list[str] = []
    for name in names:
        # What is longer than all lines need not be wrapped: that takes long for a megabyte.
        text = " ".join(clean(name)[: 4 * WIDTH * LINES].split())
        lines = textwrap.wrap(text, WIDTH, max_lines=LINES, placeholder="…") or ["–"]
        short, count = "\n".join(lines), 1
        while short in found:
            count += 1
            short = "\n".join([*lines, f"({count})"])
        found.append(short)
    return found
