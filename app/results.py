"""What a person sees of a run's results: synthesis, before and after, the filter, the report."""

from rich.table import Table
from rich.text import Text

from ..memory.records import (
    Coverage,
    FilterResult,
    Foretold,
    Overlap,
    PlanItem,
    Spent,
    Survey,
    SynthesisOutcome,
    SynthesisPlan,
)
from ..tools import prices
from ..tools.by_hand import moved, moved_text
from ..tools.card import foreseen
from ..tools.filter_file import Filtered
from ..tools.report import Report
from ..tools.survey import words
from ..tools.text import many
from . import terminal
from .pace import short
from .synthesising import EXTRACTIVE, gap_name, how_text, refused_text, writers
from .terminal import err, out

FILES = ("html", "recommendations", "scores", "filtered", "card", "synthetic")


def show_plan(plan: SynthesisPlan) -> None:
    """Rows to write, what they will differ in, and what they take at most."""
    grids = [item.grid for item in plan.items]
    columns: dict[str, list[str]] = {
        "gap": [gap_name(item) for item in plan.items],
        "rows": [_rows(item) for item in plan.items],
        "scenarios": ["; ".join(grid.scenarios) for grid in grids],
        "every 4th also shows": [
            ", ".join(item.also) if any(item.grid.model_dump().values()) else ""
            for item in plan.items
        ],
    }
    columns = {name: cells for name, cells in columns.items() if any(cells)}
    table = Table(title="Rows to synthesise", title_justify="left")
    for name in columns:
        table.add_column(name, overflow="fold")
    for cells in zip(*columns.values(), strict=True):
        table.add_row(*(Text(cell or "–") for cell in cells))
    err.print(table)
    for axis in ("difficulties", "personas"):
        values = dict.fromkeys(value for grid in grids for value in getattr(grid, axis))
        if values:
            err.print(Text(f"{axis.capitalize()}: {'; '.join(values)}"))
    _show_price(plan)


def _rows(item: PlanItem) -> str:
    more = item.wanted > item.rows
    return f"{item.rows} of {item.wanted} recommended" if more else str(item.rows)


def _show_price(plan: SynthesisPlan) -> None:
    if not any(item.rows for item in plan.items):
        err.print("No rows: nothing is spent.")
        return
    told = how_text(plan)
    if plan.calls:
        table = Table(title="What it takes at most", title_justify="left")
        for name in ("calls", "tokens in", "tokens out", "cost"):
            table.add_column(name, justify="right")
        cost = "price unknown (give --prices)"
        if plan.cost_usd is not None:
            cost = prices.money(plan.cost_usd)
        table.add_row(f"{plan.calls:,}", short(plan.tokens_in), short(plan.tokens_out), cost)
        err.print(table)
        told = f"{writers(plan)}. {told}"
    err.print(Text(told))


def show_synthesis(outcomes: list[SynthesisOutcome]) -> None:
    """The yield of each round, and why rows are missing."""
    accepted = sum(len(outcome.accepted) for outcome in outcomes)
    wanted = sum(outcome.item.rows for outcome in outcomes)
    if not wanted:
        return
    table = Table(title=f"Synthesised: {accepted} of {wanted} rows", title_justify="left")
    longest = max(len(gap_name(outcome.item)) for outcome in outcomes)
    table.add_column("gap", overflow="fold", width=min(longest, 20))
    for name in ("round", "asked", "written", "accepted"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("refused, or not needed")
    for outcome in outcomes:
        for line in outcome.rounds:
            counts = (line.number, line.asked, line.written, line.accepted)
            gap = gap_name(outcome.item) if line.number == 1 else ""
            table.add_row(Text(gap), *map(str, counts), refused_text(line))
    out.print(table)
    for outcome in outcomes:
        if outcome.note:
            out.print(Text(f"{gap_name(outcome.item)}: {outcome.note}"))
    if told := moved_text(moved(outcomes)):
        out.print(told, highlight=False)


def show_report(report: Report) -> None:
    """The summary on stdout: coverage, gaps, and where the files lie."""
    terminal.show_coverage(report.coverage, report.rows)
    if report.survey:
        show_survey(report.survey, report.coverage, report.scoring)
    show_foretold(report.foretold, report.scoring, audited=bool(report.audit))
    show_overlap(report)
    if report.gaps:
        show_gaps(report)
    terminal.show_failures([(failure.reason, failure.pairs) for failure in report.failures])
    show_filter(report.filtered, {c.subgoal.id: c.subgoal.name for c in report.coverage})
    if report.audit:
        terminal.show_audit(report.audit, {c.subgoal.id: c.subgoal.name for c in report.coverage})
    show_synthesis(report.synthesis)
    spent = sum(report.usage, Spent())
    if spent.tokens_in:
        terminal.show_spent(spent)
    for line in report.provenance.notes[:1]:
        out.print(Text(line), style="dim")
    for key in FILES:
        if path := report.files.get(key):
            label = "report" if key == "html" else key
            out.print(Text(f"{label:16}{path}"), soft_wrap=True)
    if any(row.origin == "extractive" for done in report.synthesis for row in done.accepted):
        out.print(Text(EXTRACTIVE), style="dim")


def show_survey(survey: Survey, coverage: list[Coverage], scoring: Spent | None) -> None:
    """What was judged, how well A(s) is known, and why no more was."""
    lines = [words.headline(survey, coverage), words.calls_text(survey, scoring)]
    for line in filter(None, (*lines, *words.facts(survey))):
        out.print(Text(line))


def show_foretold(foretold: Foretold | None, scoring: Spent | None, audited: bool = False) -> None:
    """audited: rows were judged in the other mode too, which is in neither figure."""
    if line := words.foretold_text(foretold, scoring, audited):
        out.print(Text(line))


def show_overlap(report: Report) -> None:
    """What the scores say of the subgoals: which move together, which no row tells apart."""
    names = {c.subgoal.id: c.subgoal.name for c in report.coverage}
    for pair in (pair for pair in report.overlaps if pair.together):
        out.print(Text(f"Overlap in the data: {_overlap_text(pair, names)}"))
    for standing in (standing for standing in report.standing if not standing.apart):
        out.print(
            f"“{names[standing.subgoal_id]}” is not told apart from the goal as a whole: "
            f"{standing.parted:,} of {standing.supporting:,} rows part it from the other subgoals.",
            markup=False,
            highlight=False,
        )


def _overlap_text(pair: Overlap, names: dict[str, str]) -> str:
    low, high = pair.interval or (0.0, 0.0)
    rows = ", ".join(str(example.row) for example in pair.examples)
    return (
        f"“{names[pair.first]}” and “{names[pair.second]}” move together (correlation "
        f"{pair.correlation:.2f}, {low:.2f} to {high:.2f}; both in {pair.both:,} rows"
        + (f", such as index {rows})." if rows else ").")
    )


def show_gaps(report: Report) -> None:
    """The most prevalent gap of each subgoal that lacks rows; the report has them all."""
    table = Table(title="Gaps", title_justify="left")
    for name in ("subgoal", "most prevalent gap"):
        table.add_column(name, overflow="fold")
    for name in ("of its low rows", "rows to add"):
        table.add_column(name, justify="right")
    to_add = {r.subgoal_id: r.rows_enough for r in report.recommendations}
    lacking = [c.subgoal for c in report.coverage if c.verdict != "enough"]
    for subgoal, name in ((subgoal.id, subgoal.name) for subgoal in lacking):
        if gap := next((gap for gap in report.gaps if gap.subgoal_id == subgoal), None):
            told = f"{gap.name} ({'absent' if gap.kind == 'absent' else 'badly shown'})"
            cells = [f"{gap.prevalence:.0%}", str(to_add.get(subgoal, ""))]
            table.add_row(Text(name), Text(told), *cells)
    if table.row_count:
        out.print(table)
    if len(report.gaps) > table.row_count:
        out.print(f"{len(report.gaps) - table.row_count} more gaps are in the report.")


def show_filter(result: FilterResult, names: dict[str, str] | None = None) -> None:
    """names: of the subgoals, by id."""
    out.print(
        f"Filter: {result.kept:,} of {result.total:,} rows kept: {result.rule}.",
        highlight=False,
        markup=False,
    )
    for line in foreseen(result):
        out.print(line, highlight=False, markup=False)
    if result.kept and not result.reached:
        out.print(f"No row reaches it: all {result.kept:,} are there for the floors. Lower --keep.")
    out.print(f"Near-duplicates left out: {result.near_duplicates:,}.", highlight=False)
    table = Table()
    table.add_column("A(s), supporting rows", overflow="fold")
    for name in ("kept", "random, as many", "all rows", "for the floor"):
        table.add_column(name, justify="right")
    sets = (result.aligned, result.random, result.original)
    for key, floored in result.floored.items():
        cells = [f"{_mean(some.means[key])}  {some.supporting[key]:,}" for some in sets]
        table.add_row(Text((names or {}).get(key, key)), *cells, f"{floored:,}")
    table.add_row("diversity", *(_mean(some.diversity) for some in sets), "")
    out.print(table)


def show_rejudged(found: Filtered) -> None:
    """How many predicted rows near the cut were judged, or how to have them judged."""
    if found.rejudged:
        out.print(f"Predicted rows near the cut that were judged: {found.rejudged:,}.",
                  highlight=False)  # fmt: skip
        if found.spent.tokens_in:
            terminal.show_spent(found.spent)
    if found.rejudged is not None:
        return
    near = f"Open near the cut: {many(found.result.open, 'predicted row')}."
    told = f"{near} Only the judge of the scores, {found.judge}, may judge them"
    hint = "name it with --judge and its options, or leave them as predicted with --rejudge 0"
    unknown = f"{near} None was judged, for who judged the others is not known"
    err.print(Text(f"{told}: {hint}." if found.judge else f"{unknown}."), soft_wrap=True)


def _mean(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
