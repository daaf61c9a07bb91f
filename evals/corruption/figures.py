"""Controlled corruption as figures: changes with intervals, against random removals."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...tools.figures import INK, figure
from ...tools.text import shorten
from .records import DomainResult, Paper

TARGET, OTHER, PLACEBO, THEIRS = "#b8433f", "#2a7f8e", "#d5d8dc", "#7a4fa3"


def draw(domains: Sequence[DomainResult], paper: Paper, folder: Path) -> dict[str, Path]:
    """corruption-patterns.png and corruption-tags.png, where there are such removals."""
    patterns = [one for one in domains if one.kind == "pattern"]
    tags = [one for one in domains if one.kind == "tag"]
    drawn: dict[str, Path] = {}
    if patterns:
        path = folder / "corruption-patterns.png"
        lines = sum(len(r.changes) for d in patterns for r in d.of("strategic").removals)
        with figure(path, _size(lines)) as ((axes,),):
            draw_patterns(axes, patterns, paper)
        drawn["Removals by pattern, strategic samples"] = path
    if tags:
        path = folder / "corruption-tags.png"
        with figure(path, _size(sum(len(one.removed) for one in tags))) as ((axes,),):
            draw_tags(axes, tags)
        drawn["Removals by tag, natural rows"] = path
    return drawn


def _size(lines: int) -> tuple[float, float]:
    return 10, 1.8 + 0.36 * lines


def draw_patterns(axes: Any, domains: Sequence[DomainResult], paper: Paper) -> None:
    """A line for each removal and subgoal."""
    place, labels = 0.0, {}
    for domain in domains:
        for removal in domain.of("strategic").removals:
            axes.text(0.005, place - 0.75, f"{domain.name} without {removal.name}",
                      transform=axes.get_yaxis_transform(), fontsize=9, weight="bold")  # fmt: skip
            for one in removal.changes:
                said = paper.change(domain.name, removal.name, one.subgoal)
                _band(axes, place, one.placebo_interval)
                _point(axes, place, one.relative, one.relative_interval, one.targeted)
                if said:
                    axes.plot(said.relative, place, "D", color=THEIRS, markersize=5,
                              markerfacecolor="none")  # fmt: skip
                labels[place] = domain.subgoals[one.subgoal]
                place += 1
            place += 0.9
    _finish(axes, labels, heads=True, theirs=bool(paper.removals))


def draw_tags(axes: Any, domains: Sequence[DomainResult]) -> None:
    """A line for each removal: its target, and the others as points without intervals."""
    place, labels = 0.0, {}
    for domain in domains:
        for removal in domain.of("natural").removals:
            _band(axes, place, removal.target.placebo_interval)
            for one in removal.others:
                if one.relative is not None:
                    axes.plot(one.relative * 100, place, "o", color=OTHER, markersize=4, alpha=0.6)
            target = removal.target
            _point(axes, place, target.relative, target.relative_interval, True)
            labels[place] = f"{domain.name}: {removal.name}"
            place += 1
        place += 0.5
    _finish(axes, labels, heads=False, theirs=False)


def _band(axes: Any, place: float, interval: tuple[float, float] | None) -> None:
    if interval:
        low, high = interval
        axes.barh(place, (high - low) * 100, left=low * 100, height=0.8, color=PLACEBO, zorder=0)


def _point(
    axes: Any,
    place: float,
    value: float | None,
    interval: tuple[float, float] | None,
    targeted: bool,
) -> None:
    if value is None:
        return
    low, high = interval or (value, value)
    colour = TARGET if targeted else OTHER
    axes.plot([low * 100, high * 100], [place, place], color=colour, linewidth=1.6)
    axes.plot(value * 100, place, "s" if targeted else "o", color=colour, markersize=6)


def _finish(axes: Any, labels: dict[float, str], heads: bool, theirs: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    axes.axvline(0, color=INK, linewidth=0.8)
    reach = max(10.0, *(abs(edge) for edge in axes.get_xlim()))
    axes.set(xlim=(-reach, reach), xlabel="relative change of A(s), %, with 95 % interval")
    axes.set_yticks(list(labels), [shorten(name, 44) for name in labels.values()], fontsize=9)
    axes.set_ylim(max(labels) + 0.8, -1.4 if heads else -0.8)
    handles = [
        Line2D([], [], color=TARGET, marker="s", label="target"),
        Line2D([], [], color=OTHER, marker="o", label="other subgoals"),
        Patch(color=PLACEBO, label="95 % of random removals" + ("" if heads else ", target")),
    ]
    if theirs:
        handles.append(Line2D([], [], color=THEIRS, marker="D", linestyle="",
                              markerfacecolor="none", label="the paper"))  # fmt: skip
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=4, frameon=False,
                fontsize=9)  # fmt: skip
