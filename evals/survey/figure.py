"""Coverage by supporting rows, and half-width by judged rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...tools.figures import INK, figure
from ...tools.survey.covered import FEW
from ...tools.text import percent
from .curves import Curve
from .simulation import PRECISION, Cell

MEAN, SHARE = "#0072b2", "#e69f00"
CURVES = ("#8a8f98", "#e69f00", "#0072b2", "#00664a")
LEAST = 0.85


def draw_survey(cells: Sequence[Cell], curves: Sequence[Curve], path: Path) -> None:
    """Writes the figure."""
    with figure(path, (11.5, 4.6), 1, 2) as ((left, right),):
        _coverage(left, cells)
        _widths(right, curves)


def _coverage(axes: Any, cells: Sequence[Cell]) -> None:
    across = [max(1.0, cell.best.supporting) for cell in cells]
    for name, colour, mark, found in (
        ("A(s)", MEAN, "o", [cell.best.mean.value or 0 for cell in cells]),
        ("share of supporting rows", SHARE, "^", [cell.best.share.value or 0 for cell in cells]),
    ):
        axes.scatter(across, found, s=16, color=colour, marker=mark, alpha=0.75, linewidths=0,
                     label=name)  # fmt: skip
    axes.axhline(0.95, color=INK, linewidth=0.9)
    axes.axhline(0.93, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.axvline(FEW, color=INK, linewidth=0.9, linestyle=(0, (1, 2)))
    axes.text(FEW * 0.93, 0.02, "the tool warns", ha="right", fontsize=8,
              transform=axes.get_xaxis_transform())  # fmt: skip
    low = min([LEAST, *(cell.best.lowest for cell in cells)])
    axes.set(xscale="log", ylim=(low, 1.002))
    axes.set_xlabel("supporting rows in the sample, mean of a cell")
    axes.set_ylabel("surveys whose 95 % interval holds the truth")
    axes.yaxis.set_major_formatter(lambda value, _: percent(value))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_title("Coverage, a dot for each simulated cell", fontsize=10)
    axes.legend(frameon=False, fontsize=8, loc="lower right")


def _widths(axes: Any, curves: Sequence[Curve]) -> None:
    for curve, colour in zip(curves, CURVES, strict=False):
        axes.plot(curve.sampled, curve.survey, color=colour, marker="o", markersize=3.5,
                  linewidth=1.6, label=curve.name)  # fmt: skip
        axes.plot(curve.sampled, curve.classical, color=colour, linewidth=1.0,
                  linestyle=(0, (3, 2)))  # fmt: skip
    axes.plot([], [], color=INK, linewidth=1.0, linestyle=(0, (3, 2)), label="without predictions")
    axes.axhline(PRECISION, color=INK, linewidth=0.9, linestyle=(0, (1, 2)))
    axes.set(
        xscale="log", ylim=(0, None), xlabel="rows judged", ylabel="half-width of A(s)'s interval"
    )
    ticks = sorted({size for curve in curves for size in curve.sampled})
    axes.set_xticks(ticks, [str(size) for size in ticks])
    axes.minorticks_off()
    axes.set_title("What predictions save", fontsize=10)
    axes.legend(frameon=False, fontsize=8, loc="upper right")
