"""Power curves as small multiples, one for each subgoal."""

from collections.abc import Sequence
from math import ceil, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...tools.figures import INK, figure
from ...tools.regression import ALPHA, POWER
from ...tools.text import percent, shorten

if TYPE_CHECKING:
    from .found import Curve, SubgoalPower

STYLES: dict[str, tuple[str, str, float, str]] = {
    "check": ("#0072b2", "-", 1.6, "fresh sample, by `goalcover check`"),
    "removal, A(s)": ("#e69f00", "-", 4.5, "removal from this file, by A(s)"),
    "removal, share": ("#00664a", "--", 1.4, "removal from this file, by the share"),
}
"""Colour, line and width, by setting: the curves of removal often cover one another."""

MOST_ACROSS = 3


def draw_power(subgoals: "Sequence[SubgoalPower]", path: Path) -> None:
    """Writes the figure: power against the part of the supporting rows that is removed."""
    across = min(MOST_ACROSS, ceil(sqrt(len(subgoals))))
    down = ceil(len(subgoals) / across)
    size = (3.8 * across + 0.4, 2.8 * down + 1.1)
    with figure(path, size, down, across, sharex=True, sharey=True) as grid:
        for axes in grid.flat[len(subgoals) :]:
            axes.set_visible(False)
        for axes, own in zip(grid.flat, subgoals, strict=False):
            _panel(axes, own)
        whole = grid.flat[0].figure
        whole.supxlabel("part of the supporting rows that is removed", fontsize=10)
        whole.supylabel("share of draws in which it is noticed", fontsize=10)
        handles, labels = grid.flat[0].get_legend_handles_labels()
        whole.legend(handles, labels, loc="outside upper center", ncols=min(3, across),
                     frameon=False, fontsize=8)  # fmt: skip


def _panel(axes: Any, own: "SubgoalPower") -> None:
    axes.axhline(POWER, color=INK, linewidth=0.8, linestyle=(0, (6, 3)))
    axes.axhline(ALPHA, color=INK, linewidth=0.8, linestyle=(0, (1, 2)))
    for level in (POWER, ALPHA):  # beside the axes, where no curve is
        axes.text(1.035, level, percent(level), ha="left", va="center", fontsize=8)
    for curve in own.curves:
        _line(axes, curve)
    axes.set_title(f"{shorten(own.name, 34)}\n{own.supporting} of {own.judged} rows", fontsize=9)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.03))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: percent(value))
    axes.tick_params(labelbottom=True, labelsize=8)


def _line(axes: Any, curve: "Curve") -> None:
    colour, style, width, label = STYLES[curve.setting]
    parts, powers = ([getattr(p, name) for p in curve.points] for name in ("part", "power"))
    axes.plot(parts, powers, color=colour, linestyle=style, linewidth=width, marker="o",
              markersize=width + 1, label=label)  # fmt: skip
