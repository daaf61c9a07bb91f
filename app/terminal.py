"""What a person sees in the terminal: progress, tables, where the files lie."""

import sys
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from ..evals import gaps
from ..evals.decomposition import Evaluation
from ..graph import session
from ..memory.batches import Batch
from ..memory.records import (
    Agreement,
    Approved,
    Coverage,
    FilterResult,
    Found,
    Overlap,
    RowCounts,
    Spent,
    SynthesisOutcome,
    SynthesisPlan,
)
from ..memory.runs import Run
from ..memory.scores import SUPPORTING
from ..tools import prices
from ..tools.report import Report
from ..tools.scorer import ScoreProgress
from ..tools.settings import ModelConfig
from ..tools.text import listed, many, shorten
from .console import PlainConsole

out = PlainConsole()
err = PlainConsole(stderr=True)

STAGES = {
    "profile": "looking at the data",
    "clarify": "thinking about questions",
    "decompose": "deriving subgoals",
    "check": "checking the subgoals",
    "score": "judging rows",
    "audit": "judging some rows in the other mode",
    "assess": "computing coverage",
    "analyze": "finding gaps",
    "recommend": "recommending",
    "synthesize": "synthesising rows",
    "ledger": "scoring synthetic rows",
    "filter": "filtering",
    "report": "writing the report",
    "evaluate": "checking labelled lists",
    "group": "finding planted gaps",
}
CHECKS = {"lost": "complete: lost", "unasked": "complete: unasked"}
COLOURS = {"enough": "green", "thin": "yellow", "missing": "red", "unknown": "dim"}
LINE_EVERY = 10.0
"""Seconds between progress lines where there is no terminal."""


def note(line: str) -> None:
    err.print(Text(line), style="dim", soft_wrap=True)


class _Progress(Progress):
    """With what was spent on a line of its own: the first is full on a narrow terminal."""

    spent = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.spent:
            yield Text(self.spent, style="dim")


class Display:
    """A progress line on stderr: stage, rows, rate, time left, failures."""

    def __init__(self) -> None:
        self._progress = _Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("[cyan]{task.fields[left]}"),
            TextColumn("[red]{task.fields[failed]}"),
            console=err,
            transient=True,
            disable=not err.is_terminal,
        )
        self._task = self._progress.add_task(
            "", total=None, rate="", left="", failed="", visible=False
        )
        self._stage = ""
        self._since = self._spoken = 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def pause(self) -> None:
        """Clears the line while a person is asked."""
        self._progress.stop()

    def go_on(self) -> None:
        self._progress.start()

    def scored(self, progress: ScoreProgress) -> None:
        self.show(session.Progress("score", **vars(progress)))

    def evaluated(self, done: int, total: int, spent: Spent) -> None:
        self.show(session.Progress("evaluate", done=done, total=total, spent=spent))

    def clustered(self, done: int, total: int, spent: Spent) -> None:
        self.show(session.Progress("group", done=done, total=total, spent=spent))

    def show(self, progress: session.Progress) -> None:
        now = time.monotonic()
        if progress.stage != self._stage or not progress.total:
            new = progress.stage != self._stage
            self._stage, self._since = progress.stage, now
            if new:
                self._spoken = now
                if not err.is_terminal:
                    note(STAGES.get(progress.stage, progress.stage))
        text = STAGES.get(progress.stage, progress.stage)
        if progress.note:
            text += f": {progress.note}"
        seconds = now - self._since
        # Rows that needed no call say nothing of how fast the others will be.
        rate = max(0, progress.done - progress.stored) / seconds if seconds > 0.5 else 0.0
        left = (progress.total - progress.done) / rate if rate and progress.total else 0.0
        self._progress.spent = spent_text(progress.spent)
        self._progress.update(
            self._task,
            description=text,
            completed=progress.done,
            total=progress.total or None,
            rate=f"{rate:,.0f} rows/s" if progress.total and rate else "",
            left=f"{timedelta(seconds=round(left))} left" if left else "",
            failed=f"{progress.failed} failed" if progress.failed else "",
            visible=True,
        )
        if not err.is_terminal and progress.total and now - self._spoken > LINE_EVERY:
            self._spoken = now
            spent = spent_text(progress.spent)
            note(
                f"  {progress.done} of {progress.total} rows, about {left:.0f} s left"
                + (f", {spent}" if spent else "")
            )


def spent_text(spent: Spent) -> str:
    """Calls, tokens and money in a few words; nothing where no server was asked."""
    if not spent.tokens_in and not spent.tokens_out:
        return ""
    cached = f" ({short(spent.tokens_cached)} cached)" if spent.tokens_cached else ""
    money = "" if spent.cost_usd is None else f", {prices.money(spent.cost_usd)}"
    return (
        f"{spent.calls:,} calls, {short(spent.tokens_in)} tokens in{cached}, "
        f"{short(spent.tokens_out)} out{money}"
    )


def short(count: int) -> str:
    """1234567 as 1.2M."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if count >= size:
            return f"{count / size:.1f}{unit}"
    return str(count)


def show_plan(plan: dict[str, Any]) -> None:
    """Rows wanted, what they will differ in, and what they take at most."""
    found = SynthesisPlan.model_validate(plan)
    table = Table("gap", "rows", "scenarios", "every 4th also shows", title="Rows to synthesise")
    for item in found.items:
        cells = ["; ".join(item.grid.scenarios) or "–", ", ".join(item.also) or "–"]
        table.add_row(Text(item.gap_id), str(item.rows), *map(Text, cells))
    err.print(table)
    for axis in ("difficulties", "personas"):
        values = dict.fromkeys(v for item in found.items for v in getattr(item.grid, axis))
        if values:
            err.print(Text(f"{axis.capitalize()}: {'; '.join(values)}"))
    money = (
        "price unknown (give --prices)" if found.cost_usd is None else f"{found.cost_usd:.2f} USD"
    )
    if found.calls:
        judge = "" if found.judge == found.model else f", scored by {found.judge}"
        text = (
            f"{found.model}{judge}: at most {found.calls} calls, {found.tokens_in} tokens in, "
            f"{found.tokens_out} out, {money} ({found.how})"
        )
    else:
        text = f"{found.model}: {found.how}"
    err.print(text, highlight=False, markup=False)


def show_synthesis(outcomes: list[SynthesisOutcome]) -> None:
    """The yield of each round, and why rows are missing."""
    accepted = sum(len(outcome.accepted) for outcome in outcomes)
    wanted = sum(outcome.item.rows for outcome in outcomes)
    if not wanted:
        return
    table = Table(title=f"Synthesised: {accepted} of {wanted} rows", title_justify="left")
    table.add_column("gap")
    for name in ("round", "asked", "written", "accepted"):
        table.add_column(name, justify="right")
    table.add_column("refused, or not needed")
    for outcome in outcomes:
        for line in outcome.rounds:
            spare = line.written - line.accepted - sum(line.refused.values())
            told = [f"{count} {reason}" for reason, count in line.refused.items()]
            told += [f"{spare} not needed"] if spare else []
            failed = len(line.failed)
            told += [f"{many(failed, 'call')} failed"] if failed else []
            counts = (line.number, line.asked, line.written, line.accepted)
            gap = outcome.item.gap_id if line.number == 1 else ""
            table.add_row(Text(gap), *map(str, counts), ", ".join(told))
    out.print(table)
    for outcome in outcomes:
        if outcome.note:
            out.print(Text(f"{outcome.item.gap_id}: {outcome.note}"))


def show_report(report: Report) -> None:
    """The summary on stdout: coverage, gaps, and where the files lie."""
    show_coverage(report.coverage, report.rows)
    show_overlap(report)
    if report.gaps:
        show_gaps(report)
    show_failures([(failure.reason, failure.pairs) for failure in report.failures])
    show_filter(report.filtered, {c.subgoal.id: c.subgoal.name for c in report.coverage})
    if report.audit:
        show_audit(report.audit, {c.subgoal.id: c.subgoal.name for c in report.coverage})
    show_synthesis(report.synthesis)
    spent = sum(report.usage, Spent())
    if spent.tokens_in:
        show_spent(spent)
    for line in report.provenance.notes[:1]:
        out.print(Text(line), style="dim")
    names = ("html", "recommendations", "scores", "filtered", "card", "synthetic")
    for key in names:
        if path := report.files.get(key):
            label = "report" if key == "html" else key
            out.print(Text(f"{label:16}{path}"), soft_wrap=True)


def show_overlap(report: Report) -> None:
    """What the scores say of the subgoals: which move together, which no row tells apart."""
    names = {c.subgoal.id: c.subgoal.name for c in report.coverage}
    for pair in (pair for pair in report.overlaps if pair.together):
        out.print(Text(f"Overlap in the data: {_overlap_text(pair, names)}"))
    for standing in (standing for standing in report.standing if not standing.apart):
        out.print(
            f"“{names[standing.subgoal_id]}” is not told apart from the goal as a whole: "
            f"{standing.parted} of {standing.supporting} rows part it from the other subgoals.",
            markup=False,
            highlight=False,
        )


def _overlap_text(pair: Overlap, names: dict[str, str]) -> str:
    low, high = pair.interval or (0.0, 0.0)
    rows = ", ".join(str(example.row) for example in pair.examples)
    return (
        f"“{names[pair.first]}” and “{names[pair.second]}” move together (correlation "
        f"{pair.correlation:.2f}, {low:.2f} to {high:.2f}; both in {pair.both} rows"
        + (f", such as index {rows})." if rows else ").")
    )


def show_gaps(report: Report) -> None:
    """The most prevalent gap of each subgoal that lacks rows; the report has them all."""
    table = Table("subgoal", "most prevalent gap", title="Gaps", title_justify="left")
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


def show_found(found: Found) -> None:
    """An answer with what it cites, and the rows and gaps that were found."""
    for sentence in found.answer:
        out.print(Text(f"{sentence.text} [{', '.join(sentence.cites)}]"))
    for gap in found.gaps:
        place = f"{gap.id}, {many(gap.rows, 'row')}"
        out.print(Text.assemble(("gap  ", "bold"), f"{gap.name} ({place})"))
    for row in found.rows:
        supports = [f"{key} {v:g}" for key, v in row.scores.items() if v and v >= SUPPORTING]
        out.print(
            Text.assemble(
                (f"\nindex {row.row}", "bold"),
                (f"  near {row.nearness:.2f}; supports {listed(supports) or 'nothing'}", "dim"),
                f"\n{shorten(row.excerpt, 300)}",
            )
        )
        if row.explanation:
            out.print(Text(f"Judge on {row.subgoal_id}: {shorten(row.explanation, 300)}", "dim"))
    note(f"{found.searched}; index counts from 0")


def show_coverage(coverage: list[Coverage], counts: RowCounts) -> None:
    table = Table(title=f"Coverage of {counts.usable} rows", title_justify="left")
    table.add_column("subgoal")
    table.add_column("support")
    for name in ("rows that support it", "wanted", "A(s)", "95 % interval", "failed"):
        table.add_column(name, justify="right")
    for c in coverage:
        low, high = c.interval or (None, None)
        table.add_row(
            Text(c.subgoal.name),
            f"[{COLOURS[c.verdict]}]{c.verdict}[/]",
            f"{c.supporting} of {c.judged}",
            str(c.wanted),
            "–" if c.mean is None else f"{c.mean:.3f}",
            "–" if low is None else f"{low:.3f} – {high:.3f}",
            str(c.failed) if c.failed else "",
        )
    out.print(table)
    if counts.usable and all(c.verdict == "unknown" for c in coverage):
        out.print("No verdict: more than 5 % of the judgements failed.", style="red")
    left_out = {
        "had an empty output and were left out": counts.empty,
        "were bad lines and skipped": counts.bad,
        "were cut for the judge": counts.cut,
    }
    for what, count in left_out.items():
        if count:
            out.print(f"Rows that {what}: {count}.", highlight=False)


def show_failures(found: list[tuple[str, int]]) -> None:
    """Why judgements are missing."""
    for reason, pairs in found:
        out.print(Text(f"{pairs} failed: {reason}"), style="red")


def check_prices(config: ModelConfig) -> None:
    """Says which prices are of no model that is asked: a name may be mistyped."""
    if unused := sorted(set(config.prices) - {config.model, config.judge}):
        note(f"--prices has prices of no model that is asked: {', '.join(unused)}")


def show_audit(found: list[Agreement], names: dict[str, str]) -> None:
    """What the other mode made of the audited rows."""
    table = Table(title="Audit: pairwise minus joint judging", title_justify="left")
    table.add_column("subgoal")
    for name in ("rows", "mean difference", "95 % interval", "mean absolute", "weighted kappa"):
        table.add_column(name, justify="right")
    for a in found:
        low, high = a.shift_interval or (None, None)
        table.add_row(
            Text(names[a.subgoal_id]),
            str(a.rows),
            "–" if a.shift is None else f"{a.shift:+.3f}",
            "–" if low is None else f"{low:+.3f} to {high:+.3f}",
            "–" if a.error is None else f"{a.error:.3f}",
            "–" if a.kappa is None else f"{a.kappa:.2f}",
        )
    out.print(table)


def show_spent(spent: Spent) -> None:
    if text := spent_text(spent):
        unknown = "" if spent.cost_usd is not None else "; money not known (give --prices)"
        out.print(f"Spent: {text}{unknown}.", highlight=False)
    elif not spent.calls:
        out.print("Spent: nothing; all was judged before.", highlight=False)


def show_filter(result: FilterResult, names: dict[str, str] | None = None) -> None:
    """names: of the subgoals, by id."""
    out.print(
        f"Filter: {result.kept:,} of {result.total:,} rows kept: {result.rule}.",
        highlight=False,
        markup=False,
    )
    out.print(f"Near-duplicates left out: {result.near_duplicates:,}.", highlight=False)
    table = Table("A(s), supporting rows", "kept", "random, as many", "all rows", "for the floor")
    for column in table.columns[1:]:
        column.justify = "right"
    sets = (result.aligned, result.random, result.original)
    for key, floored in result.floored.items():
        cells = [f"{_mean(some.means[key])}  {some.supporting[key]:,}" for some in sets]
        table.add_row(Text((names or {}).get(key, key)), *cells, f"{floored:,}")
    table.add_row("diversity", *(_mean(some.diversity) for some in sets), "")
    out.print(table)


def _mean(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def show_runs(found: list[Run]) -> None:
    if not found:
        note("no runs yet: `goalcover run DATA --goal TEXT` makes one")
        return
    table = Table("run", "status", "stage", "data", "goal")
    table.columns[0].no_wrap = True
    for run in found:
        cells = [run.id, run.status, run.stage, Path(run.data).name, shorten(run.goal, 60)]
        table.add_row(*map(Text, cells))
    out.print(table)


def show_batches(found: list[Batch]) -> None:
    if not found:
        note("no batches under way: `goalcover score --batch` sends some")
        return
    table = Table("batch", "state", "server", "judge", "requests", "created (UTC)")
    table.columns[0].no_wrap = True
    for batch in found:
        place = batch.base_url.partition("://")[2]
        judge = batch.judge.replace(f" at {place}", "")
        name = batch.id or f"{batch.key} (not confirmed)"
        cells = [name, batch.state, place, judge, f"{batch.requests:,}", batch.created[:19]]
        table.add_row(*map(Text, cells))
    out.print(table)


def show_evaluation(found: Evaluation) -> None:
    """Precision and recall of each check, over lists and over items."""
    table = Table(
        title=f"Checks on {found.lists} labelled lists ({found.split}: {found.goals} goals of "
        f"{found.domains} domains)",
        title_justify="left",
    )
    table.add_column("check")
    table.add_column("of")
    for name in ("wrong", "precision", "95 %", "recall", "95 %"):
        table.add_column(name, justify="right")
    for r in found.results:
        cells = [f"{r.base:.0%}"]
        for rate in (r.precision, r.recall):
            low, high = rate.interval or (None, None)
            cells.append("–" if rate.value is None else f"{rate.value:.2f}")
            cells.append("–" if low is None else f"{low:.2f} – {high:.2f}")
        table.add_row(CHECKS.get(r.check, r.check), f"{r.unit}s", *cells)
    out.print(table)
    for line in (f"Model: {found.model}.", *found.how, found.note):
        out.print(Text(line), style="dim")


def show_gap_evaluation(found: gaps.Evaluation) -> None:
    """Recall and precision of found gaps, accuracy of kinds, and of the verdict "missing"."""
    table = Table(title=f"Planted gaps ({found.split})", title_justify="left")
    table.add_column("planted")
    table.add_column("method")
    for name in ("sets", "recall", "precision", "agreement", "purity"):
        table.add_column(name, justify="right")
    for r in found.gaps:
        rates = map(gaps.said, (r.recall, r.precision, r.agreement, r.purity))
        table.add_row(gaps.FAMILIES[r.family], r.method, str(r.sets), *rates)
    out.print(table)
    for line in gaps.lines(found):
        out.print(Text(line), style="dim")


def show_approved(found: list[Approved]) -> None:
    if not found:
        note("nothing is remembered yet: what you approve in a conversation will be")
        return
    table = Table("run", "approved (UTC)", "goal", "subgoals")
    table.columns[0].no_wrap = True
    for one in found:
        names = ", ".join(subgoal.name for subgoal in one.subgoals)
        goal = shorten(one.specification.goal.text, 80)
        table.add_row(*map(Text, (one.id, one.created[:16].replace("T", " "), goal, names)))
    out.print(table)


def is_interactive() -> bool:
    return sys.stdin.isatty() and err.is_terminal
