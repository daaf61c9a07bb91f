"""What a person sees of `goalcover check`: each figure before and after, and what fell."""

from collections.abc import Callable

from rich.table import Table
from rich.text import Text

from ..tools.checking import Checked
from ..tools.regression import Change, SubgoalChange
from ..tools.text import listed, many
from .terminal import out

COLOURS = {"fell": "red", "held": "none", "rose": "green"}

FIGURES: dict[str, Callable[[SubgoalChange], Change]] = {
    "Mean alignment A(s) of distinct rows": lambda change: change.mean,
    "Share of distinct rows that support it": lambda change: change.share,
}


def show_check(found: Checked) -> None:
    """Both figures of every subgoal, verdicts that changed, and the outcome last."""
    check = found.check
    for title, figure in FIGURES.items():
        out.print(_table(title, check.subgoals, figure))
    for change in check.subgoals:
        if change.verdict[0] != change.verdict[1]:
            before, after = change.verdict
            out.print(Text(f"Verdict of “{change.name}”: {before} → {after}."))
    lines = (_blind(check.subgoals), check.rule, *check.notes)
    for line in filter(None, lines):
        out.print(Text(line), style="dim")
    rows = many(found.counts.usable, "row")
    fell = [f"“{change.name}”" for change in check.subgoals if change.fell]
    if fell:
        out.print(Text(f"Fell in {rows} since {check.baseline}: {listed(fell)}.", style="red"))
    else:
        out.print(Text(f"Nothing fell in {rows} since {check.baseline}."))


def _table(
    title: str, changes: list[SubgoalChange], figure: Callable[[SubgoalChange], Change]
) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("subgoal", overflow="fold")
    for name in ("before", "after", "change\n(interval)", "fails\nfrom", "noticed\n4 in 5", ""):
        table.add_column(name, justify="right", no_wrap=True)
    for change in changes:
        own = figure(change)
        low, high = own.interval
        cells = [
            f"{own.before:.3f}",
            f"{own.after:.3f}",
            f"{own.change:+.3f}\n({low:+.3f} {high:+.3f})",
            _fall(own.allowed),
            _fall(own.noticed),
        ]
        result = Text(own.outcome, style=COLOURS[own.outcome])
        table.add_row(Text(change.name), *map(_minus, cells), result)
    return table


def _fall(size: float | None) -> str:
    return "none" if size is None else f"{-size:.3f}"


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _blind(changes: list[SubgoalChange]) -> str:
    """Which subgoals could lose all without being noticed."""
    blind = [
        f"“{change.name}”"
        for change in changes
        if change.mean.noticed is None and change.share.noticed is None
    ]
    if not blind:
        return ""
    return f"Too few rows to notice even a total loss of {listed(blind)} four times in five."
