"""What a person sees of `goalcover check`: each figure before and after, and what fell."""

from collections.abc import Callable

from rich.table import Table
from rich.text import Text

from ..tools.checking import Checked
from ..tools.regression import Change, SubgoalChange
from ..tools.survey import words
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
        if change.verdict[0] != change.verdict[1] and not change.worse:
            unsettled = "" if change.settled else ", which the sample does not settle"
            out.print(Text(f"Verdict of “{change.name}”: {_verdicts(change)}{unsettled}."))
    for line in words.facts(check.survey) if check.survey else []:
        out.print(Text(line))
    for line in (check.rule, *check.notes):
        out.print(Text(line), style="dim")
    out.print(Text(conclusion(found), style="none" if check.passed else "red"))


def conclusion(found: Checked) -> str:
    """What fell, what could not be tested, and which verdicts got worse, in one line."""
    changes, survey = found.check.subgoals, found.check.survey
    rows = many(found.counts.usable, "row")
    if survey and not survey.whole:
        rows = f"{survey.sampled:,} rows drawn at random from {survey.rows:,}"
    fell = [f"“{change.name}”" for change in changes if change.fell]
    since = f"in {rows} since {found.check.baseline}"
    told = [f"Fell {since}: {listed(fell)}" if fell else f"Nothing fell {since}"]
    # What no row of the baseline supported was not there to be lost.
    untested = [f"“{c.name}”" for c in changes if not c.tested and c.supporting[0]]
    if untested:
        told.append(f"{many(len(untested), 'subgoal')} could not be tested ({listed(untested)})")
    if worse := [f"“{c.name}” {_verdicts(c)}" for c in changes if c.worse]:
        told.append(f"verdict worse: {listed(worse)}")
    return "; ".join(told) + "."


def _verdicts(change: SubgoalChange) -> str:
    before, after = change.verdict
    return f"{before} → {after}"


def _table(
    title: str, changes: list[SubgoalChange], figure: Callable[[SubgoalChange], Change]
) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("subgoal", overflow="fold")
    for name in ("before", "after", "change\n(interval)", "fails\nfrom", "noticed\n4 in 5", ""):
        table.add_column(name, justify="right", no_wrap=True)
    for change in changes:
        own = figure(change)
        cells = [
            f"{own.before:.3f}",
            f"{own.after:.3f}",
            f"{own.change:+.3f}\n({interval_text(own)})",
            _fall(own.allowed),
            _fall(own.noticed),
        ]
        result = Text(own.outcome, style=COLOURS[own.outcome])
        table.add_row(Text(change.name), *map(_minus, cells), result)
    return table


def interval_text(change: Change) -> str:
    """Both ends; one that rounds to zero has the sign that the outcome gives it."""
    low, high = change.interval
    signs = "+" if change.outcome == "rose" else "-", "-" if change.outcome == "fell" else "+"
    ends = (f"{end:+.3f}" for end in (low, high))
    return " ".join(
        f"{sign}{end[1:]}" if float(end) == 0 else end
        for sign, end in zip(signs, ends, strict=True)
    )


def _fall(size: float | None) -> str:
    return "none" if size is None else f"{-size:.3f}"


def _minus(text: str) -> str:
    return text.replace("-", "−")
