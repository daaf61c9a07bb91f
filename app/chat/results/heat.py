"""Heat maps as tables: their values are text, for every reader and every width."""

from collections.abc import Sequence
from itertools import chain

from markupsafe import Markup

from ....memory.records import Coverage, Overlap
from ....tools.report import HeatMap
from ....tools.sentences import correlation
from ....tools.text import percent, shorten
from ..tables import table
from ..text import html

NAME = 80
"""Characters of a name in a table."""


def topics_table(heat: HeatMap) -> Markup:
    """Mean alignment by subgoal and topic."""
    topics = [
        html("{}<br><span class='gc-small'>{}</span>", shorten(topic, NAME), percent(share))
        for topic, share in zip(heat.topics, heat.shares, strict=True)
    ]
    rows = [
        [shorten(name, NAME), *(_cell(value, _figure(value)) for value in values)]
        for name, values in zip(heat.subgoals, heat.values, strict=True)
    ]
    columns = ["Subgoal", *topics]
    return table("Mean alignment by subgoal and topic of the rows, from 0 to 1", columns, rows,
                 range(1, len(columns)))  # fmt: skip


def correlations_table(coverage: Sequence[Coverage], overlaps: Sequence[Overlap]) -> Markup:
    """Rank correlation of each pair of subgoals."""
    values = dict(
        chain.from_iterable(
            (((o.first, o.second), o.correlation), ((o.second, o.first), o.correlation))
            for o in overlaps
        )
    )
    subgoals = [c.subgoal for c in coverage]
    numbers = [str(place) for place in range(1, len(subgoals) + 1)]
    rows = [
        [
            f"{number}. {shorten(a.name, NAME)}",
            *(
                _cell(
                    values.get((a.id, b.id)),
                    "" if a is b else correlation(values.get((a.id, b.id))),
                )
                for b in subgoals
            ),
        ]
        for number, a in zip(numbers, subgoals, strict=True)
    ]
    return table("Rank correlation of each pair of subgoals, from −1 to 1", ["Subgoal", *numbers],
                 rows, range(1, len(numbers) + 1))  # fmt: skip


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _cell(value: float | None, text: str) -> Markup:
    """Coloured by its size, and by its sign."""
    if value is None:
        return html("<span class='gc-heat'>{}</span>", text)
    kind = "gc-heat gc-below" if value < 0 else "gc-heat"
    depth = min(9, round(10 * abs(value)))
    return html("<span class='{} gc-depth-{}'>{}</span>", kind, depth, text)
