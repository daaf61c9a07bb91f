"""A passport's figures: agreement with its intervals, and the use of the anchors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...tools.figures import INK, figure
from ...tools.rubric import ANCHORS
from ...tools.text import shorten
from .records import Entry
from .verdicts import Rule

COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"]
"""Of judges: Okabe and Ito's, which colour-blind people can tell apart."""

LABELS = "the labels"


def draw_all(
    judges: Sequence[str], entries: Sequence[Entry], rule: Rule, folder: Path
) -> dict[str, Path]:
    """Draws judge-agreement.png, where there are labels, and judge-anchors.png."""
    found: dict[str, Path] = {}
    order = list(dict.fromkeys((entry.domain, entry.subgoal) for entry in entries))
    if any(entry.figures["kappa"].value is not None for entry in entries):
        path = folder / "judge-agreement.png"
        size = _size(len(order) * (0.25 + 0.16 * len(judges)))
        with figure(path, size, across=2) as (both,):
            _agreement(both, judges, entries, order, rule)
        found["Agreement with the labels, with 95 % intervals; dashed: what “use” asks for"] = path
    path = folder / "judge-anchors.png"
    bars = _bars(entries, order)
    with figure(path, _size(0.26 * len(bars))) as ((axes,),):
        _anchors(axes, bars)
    found["Share of the rows at each anchor"] = path
    return found


def _size(lines: float) -> tuple[float, float]:
    return 10, max(3.0, 1.6 + lines)


def _agreement(
    both: Sequence[Any],
    judges: Sequence[str],
    entries: Sequence[Entry],
    order: Sequence[tuple[str, str]],
    rule: Rule,
) -> None:
    titles = {"kappa": "quadratic weighted kappa", "spearman": "Spearman's rank correlation"}
    step = 0.7 / len(judges)
    for axes, (name, title) in zip(both, titles.items(), strict=True):
        for number, judge in enumerate(judges):
            colour = COLOURS[number % len(COLOURS)]
            own = {(e.domain, e.subgoal): e.figures[name] for e in entries if e.judge == judge}
            for place, key in enumerate(order):
                rate, at = own[key], place + (number - (len(judges) - 1) / 2) * step
                if rate.value is None:
                    continue
                if rate.interval:
                    axes.plot(rate.interval, (at, at), color=colour, linewidth=2)
                axes.plot(rate.value, at, "o", color=colour, markersize=5)
            axes.plot([], [], "o-", color=colour, label=shorten(judge, 30))
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.axvline(getattr(rule, name), color=INK, linewidth=0.8, linestyle="--")
        axes.set_xticks([-1, -0.5, 0, 0.5, 1])
        axes.set(xlim=(-1, 1), xlabel=title, ylim=(len(order) - 0.5, -0.5))
    names = {(entry.domain, entry.subgoal): entry.name for entry in entries}
    both[0].set_yticks(range(len(order)), [shorten(names[key], 30) for key in order], fontsize=9)
    both[1].set_yticks([])
    both[0].legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=9)


def _bars(
    entries: Sequence[Entry], order: Sequence[tuple[str, str]]
) -> list[tuple[str, str, list[int]]]:
    """(subgoal, whose, rows at each anchor), the labels last of each subgoal."""
    bars = []
    for key in order:
        own = [entry for entry in entries if (entry.domain, entry.subgoal) == key]
        bars += [(entry.name, entry.judge, entry.histogram) for entry in own]
        if any(own[0].labelled):
            bars.append((own[0].name, LABELS, own[0].labelled))
    return bars


def _anchors(axes: Any, bars: Sequence[tuple[str, str, list[int]]]) -> None:
    from matplotlib import colormaps

    colours = [colormaps["cividis"](0.05 + 0.9 * i / (len(ANCHORS) - 1)) for i in range(6)]
    kinds = list(dict.fromkeys(name for name, *_ in bars))
    places = [number + 0.5 * kinds.index(name) for number, (name, *_) in enumerate(bars)]
    for place, (_, _, counts) in zip(places, bars, strict=True):
        left, total = 0.0, max(1, sum(counts))
        for count, colour in zip(counts, colours, strict=True):
            axes.barh(place, count / total, left=left, color=colour, height=0.8)
            left += count / total
    names = [f"{shorten(name, 28)} · {shorten(whose, 18)}" for name, whose, _ in bars]
    axes.set_yticks(places, names, fontsize=8)
    axes.set(xlim=(0, 1), xlabel="share of the rows", ylim=(places[-1] + 0.5, -0.5))
    handles = [axes.barh(0, 0, color=colour) for colour in colours]
    axes.legend(
        handles, [f"{anchor:.1f}" for anchor in ANCHORS], ncols=6, frameon=False, fontsize=9,
        loc="lower left", bbox_to_anchor=(0, 1),
    )  # fmt: skip
