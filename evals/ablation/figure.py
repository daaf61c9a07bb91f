"""The ablation as a figure: what each part adds, goal by goal and on average."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...tools.figures import INK, figure
from ...tools.text import many
from .records import GROUP, HELD_OUT, Line, named

COLOURS = ("#2a7f8e", "#5a6fb0", "#e0a33a", "#b8433f", "#7a4fa3")


def draw(lines: Sequence[Line], path: Path) -> None:
    """A line for each measure: the difference of every group, their mean and its interval."""
    shown = [line for line in lines if line.found.difference.value is not None]
    parts = list(dict.fromkeys(line.part for line in shown))
    size = (10, 1.2 + 0.32 * (len(shown) + len(parts)))
    with figure(path, size) as ((axes,),):
        place, labels = 0.0, {}
        for part, colour in zip(parts, COLOURS, strict=False):
            axes.text(0.005, place - 0.8, part, transform=axes.get_yaxis_transform(),
                      fontsize=9, weight="bold", va="center")  # fmt: skip
            for line in (line for line in shown if line.part == part):
                _line(axes, line, place, colour)
                unit = GROUP if line.unit == HELD_OUT else line.unit
                labels[place] = f"{named(line)} ({many(line.found.difference.of, unit)})"
                place += 1
            place += 1
        axes.axvline(0, color=INK, linewidth=1, linestyle="--", zorder=1)
        axes.set(xlim=(-1.05, 1.05), ylim=(max(place - 1.3, 0), -1.3))
        axes.set_xlabel("with − without the part: mean, 95 % interval, each goal")
        axes.set_yticks(list(labels), list(labels.values()), fontsize=9)
        axes.grid(axis="x", color="#e3e6ea", linewidth=0.8, zorder=0)


def _line(axes: Any, line: Line, place: float, colour: str) -> None:
    found = line.found.difference
    dots = list(line.found.by_group.values())
    axes.scatter(dots, [place + 0.25] * len(dots), s=16, color=INK, alpha=0.4, linewidths=0)
    low, high = found.interval or (found.value, found.value)
    axes.plot([low, high], [place, place], color=colour, linewidth=2.5, zorder=3)
    axes.plot([found.value], [place], "o", color=colour, markersize=7, zorder=4)
