"""The report's figures as PNG files. Colours are of a colour-blind-safe set, axes start at zero."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..memory.files import atomic_path
from ..memory.records import Coverage, Overlap
from .report import HeatMap
from .rubric import ANCHORS
from .sentences import correlation
from .text import shorten

VERDICT_COLOURS = {
    "enough": "#2a7f8e",
    "thin": "#e0a33a",
    "missing": "#b8433f",
    "unknown": "#8a8f98",
}
INK = "#22303c"


@contextmanager
def figure(
    path: Path, size: tuple[float, float], down: int = 1, across: int = 1, **options: Any
) -> Iterator[Any]:
    """Axes in an array of shape (down, across), of a figure that is saved at the end.

    size: width and height in inches; options: of `pyplot.subplots`.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    # Text of people and models is no TeX: "$" stays a dollar sign.
    with plt.rc_context({"text.parse_math": False, "axes.spines.top": False,
                         "axes.spines.right": False, "text.color": INK}):  # fmt: skip
        drawn, grid = plt.subplots(
            down, across, figsize=size, layout="constrained", squeeze=False, **options
        )
        try:
            yield grid
            with atomic_path(path) as partial:
                drawn.savefig(partial, dpi=130)
        finally:
            plt.close(drawn)


def draw_all(
    coverage: Sequence[Coverage],
    heat_map: HeatMap,
    overlaps: Sequence[Overlap],
    tau: float,
    folder: Path,
) -> dict[str, Path]:
    """Draws coverage.png, distribution.png, heatmap.png and, where there are pairs of subgoals,
    correlations.png; returns their paths by name."""
    drawing = {
        "coverage": lambda axes: draw_coverage(axes, coverage, tau),
        "distribution": lambda axes: draw_distribution(axes, coverage),
        "heatmap": lambda axes: draw_heat_map(axes, heat_map),
    }
    if overlaps:
        names = {c.subgoal.id: c.subgoal.name for c in coverage}
        drawing["correlations"] = lambda axes: draw_correlations(axes, names, overlaps)
    drawn = {name: folder / f"{name}.png" for name in drawing}
    for name, draw in drawing.items():
        with figure(drawn[name], (9, 1.8 + 0.55 * len(coverage))) as ((axes,),):
            draw(axes)
    return drawn


def draw_coverage(axes: Any, coverage: Sequence[Coverage], tau: float) -> None:
    """A(s) with its 95 % interval against tau."""
    from matplotlib.patches import Patch

    places = range(len(coverage))
    for place, c in zip(places, coverage, strict=True):
        mean = c.mean or 0.0
        low, high = c.interval or (mean, mean)
        axes.barh(place, mean, color=VERDICT_COLOURS[c.verdict], height=0.62)
        axes.errorbar(
            mean, place, xerr=[[max(0, mean - low)], [max(0, high - mean)]],
            color=INK, capsize=3, linewidth=1.2,
        )  # fmt: skip
        label = "not judged" if c.mean is None else f"{mean:.2f}"
        axes.text(
            max(high, mean) + 0.015, place, label, va="center", fontsize=9, color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )  # fmt: skip
    axes.axvline(tau, color=INK, linestyle="--", linewidth=1)
    axes.text(tau, -0.72, f"τ = {tau:g}", ha="center", fontsize=9, color=INK)
    axes.set(xlim=(0, 1.05), xlabel="alignment A(s), mean over rows, with 95 % interval")
    _name_rows(axes, [c.subgoal.name for c in coverage])
    present = [v for v in VERDICT_COLOURS if any(c.verdict == v for c in coverage)]
    axes.legend(
        handles=[Patch(color=VERDICT_COLOURS[v], label=v) for v in present],
        loc="lower right", frameon=False, fontsize=9, title="supporting rows", title_fontsize=9,
    )  # fmt: skip


def draw_distribution(axes: Any, coverage: Sequence[Coverage]) -> None:
    """The share of rows at each anchor of the rubric."""
    from matplotlib import colormaps

    colours = [colormaps["cividis"](0.05 + 0.9 * i / 5) for i in range(len(ANCHORS))]
    for place, c in enumerate(coverage):
        left, total = 0.0, max(1, sum(c.histogram))
        for count, colour in zip(c.histogram, colours, strict=True):
            axes.barh(place, count / total, left=left, color=colour, height=0.62)
            left += count / total
    axes.set(xlim=(0, 1), xlabel="share of the judged rows")
    _name_rows(axes, [c.subgoal.name for c in coverage])
    handles = [axes.barh(0, 0, color=colour) for colour in colours]
    axes.legend(
        handles, [f"{anchor:.1f}" for anchor in ANCHORS], ncols=6, frameon=False, fontsize=9,
        loc="lower left", bbox_to_anchor=(0, 1),
    )  # fmt: skip


def draw_heat_map(axes: Any, heat: HeatMap) -> None:
    """Mean alignment of each topic's rows with each subgoal."""
    import numpy as np

    values = np.array(heat.values, dtype=float)
    image = axes.imshow(values, vmin=0, vmax=1, cmap="cividis", aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        if not np.isnan(value):
            colour = "white" if value < 0.55 else "black"
            axes.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=9, color=colour)
    labels = [
        f"{shorten(topic, 34)}\n{share:.0%}"
        for topic, share in zip(heat.topics, heat.shares, strict=True)
    ]
    axes.set_xticks(range(len(labels)), labels, rotation=35, ha="right", fontsize=9)
    _name_rows(axes, heat.subgoals, invert=False)
    axes.set_xlabel("topics of the rows, with their share")
    axes.figure.colorbar(image, ax=axes, label="mean alignment", fraction=0.04, pad=0.02)


def draw_correlations(axes: Any, names: Mapping[str, str], overlaps: Sequence[Overlap]) -> None:
    """Rank correlation of each pair of subgoals; `names` by id, in the order of the rows."""
    import numpy as np

    place = {name: i for i, name in enumerate(names)}
    values = np.full((len(place), len(place)), np.nan)
    for overlap in overlaps:
        i, j = place[overlap.first], place[overlap.second]
        for x, y in (i, j), (j, i):
            value = overlap.correlation
            values[y, x] = np.nan if value is None else value
            colour = "white" if abs(value or 0) > 0.7 else "black"
            axes.text(x, y, correlation(value), ha="center", va="center", fontsize=9, color=colour)
    image = axes.imshow(values, vmin=-1, vmax=1, cmap="PuOr", aspect="auto")
    labels = [shorten(name, 34) for name in names.values()]
    axes.set_xticks(range(len(labels)), labels, rotation=35, ha="right", fontsize=9)
    _name_rows(axes, labels, invert=False)
    axes.figure.colorbar(image, ax=axes, label="rank correlation", fraction=0.04, pad=0.02)


def _name_rows(axes: Any, names: Sequence[str], invert: bool = True) -> None:
    axes.set_yticks(range(len(names)), [shorten(name, 34) for name in names], fontsize=10)
    if invert:
        axes.invert_yaxis()
