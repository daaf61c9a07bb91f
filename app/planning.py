"""What a person sees of `goalcover plan`: each way to judge, and what it would take."""

from datetime import timedelta

from rich.table import Table
from rich.text import Text

from ..memory.records import Foretold, ScoringPlan
from ..tools.prices import money
from ..tools.text import many
from .pace import short
from .terminal import out

WAYS = {
    "pairwise": "all rows, pairwise",
    "joint": "all rows, joint",
    "survey": "survey ± {precision:g}",
}


def show_plan(plan: ScoringPlan) -> None:
    """A line for each way, and below how it was foretold."""
    title = f"{many(plan.rows, 'row')}, {many(plan.subgoals, 'subgoal')}, judged by {plan.judge}"
    table = Table(title=Text(title), title_justify="left")
    names = [WAYS[way.method].format(precision=way.precision) for way in plan.ways]
    whole = max((len(name) for name in names if "±" in name), default=0)
    table.add_column("way", overflow="fold", min_width=whole)
    for name in ("rows", "calls", "tokens\nin", "tokens\nout", "money", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, way in zip(names, plan.ways, strict=True):
        table.add_row(Text(name), *_cells(way))
    out.print(table)
    for line in plan.how:
        out.print(Text(line), style="dim")


def _cells(way: Foretold) -> list[str]:
    return [
        f"{way.rows:,}",
        f"{way.calls:,}",
        short(way.tokens_in),
        short(way.tokens_out),
        "–" if way.cost_usd is None else money(way.cost_usd),
        "–" if way.seconds is None else str(timedelta(seconds=round(way.seconds))),
    ]
