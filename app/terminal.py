"""What a person sees in the terminal: progress, tables, where the files lie."""

import sys
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Self

from rich.console import RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ..evals.exhibit import Exhibit
from ..graph import session
from ..memory.batches import Batch
from ..memory.records import (
    Agreement,
    Approved,
    Coverage,
    Found,
    RowCounts,
    Spent,
)
from ..memory.runs import Run
from ..memory.scores import SUPPORTING
from ..tools.scorer import ScoreProgress
from ..tools.settings import ModelConfig
from ..tools.survey import words
from ..tools.text import listed, many, shorten
from .console import PlainConsole
from .pace import RUN_STAGES, STAGES, pace, spent_text, tells_left, things

out = PlainConsole()
err = PlainConsole(stderr=True)

COLOURS = {"enough": "green", "thin": "yellow", "missing": "red", "unknown": "dim"}
FIELDS = {"count": "green", "rate": "none", "left": "cyan", "failed": "red"}
"""What a progress line says after its bar, and in which colour."""

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


class _Bar(ProgressColumn):
    """A bar; where a stage does not count, something that turns."""

    def __init__(self) -> None:
        super().__init__()
        self._bar, self._spinner = BarColumn(bar_width=24), Spinner("line")

    def render(self, task: Task) -> RenderableType:
        return self._bar.render(task) if task.total else self._spinner.render(task.get_time())


def _line() -> _Progress:
    return _Progress(
        TextColumn("{task.description}", markup=False),
        _Bar(),
        *(TextColumn(f"{{task.fields[{name}]}}", style=FIELDS[name]) for name in FIELDS),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )


class Display:
    """A progress line on stderr: stage, rows, rate, time left, failures."""

    def __init__(self) -> None:
        self._progress = _line()
        self._stage, self._counts = "", False
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
        """With a new line: rich would draw the old one over the last answer."""
        self._progress, self._stage = _line(), ""
        self._progress.start()

    def scored(self, progress: ScoreProgress) -> None:
        self.show(session.Progress("score", **vars(progress)))

    def embedded(self, done: int, total: int) -> None:
        """Shows how many rows have the features that a survey predicts by."""
        self.show(session.Progress("embed", done=done, total=total))

    def section(self, name: str, done: int, total: int, spent: Spent) -> None:
        """Shows steps done, all steps, and what is spent, as a stage of that name."""
        self.show(session.Progress(name, done=done, total=total, spent=spent))

    def listen(self, stage: str) -> Callable[[int, int, Spent], None]:
        """`section` of that stage."""
        return partial(self.section, stage)

    def show(self, progress: session.Progress) -> None:
        now = time.monotonic()
        text = STAGES.get(progress.stage, progress.stage)
        counts = bool(progress.total)
        anew = (progress.stage, counts) != (self._stage, self._counts)
        if anew:
            if progress.stage != self._stage:
                self._spoken = now
                if not err.is_terminal:
                    note(text)
            self._stage, self._counts, self._since = progress.stage, counts, now
        rate, left = pace(progress, now - self._since)
        fields = _fields(progress, rate, left, now - self._since)
        spent = spent_text(progress.spent)
        # A line with a count has no room for a note.
        noted = [progress.note] if counts else []
        self._progress.spent = "; ".join(filter(None, (*noted, spent)))
        if progress.note and not counts:
            text = f"{text}: {progress.note}"
        self._draw(text, progress, fields, anew)
        if not err.is_terminal and counts and now - self._spoken > LINE_EVERY:
            self._spoken = now
            counted = f"{progress.done:,} of {progress.total:,} {things(progress)}"
            told = [f"  {counted}", f"about {left:.0f} s left", *noted, spent]
            note(", ".join(filter(None, told)))

    def _draw(
        self, text: str, progress: session.Progress, fields: dict[str, Any], anew: bool
    ) -> None:
        """A stage that begins, or begins to count, has a line of its own: rich keeps an old total
        where a new one is None."""
        if anew:
            for task in self._progress.task_ids:
                self._progress.remove_task(task)
            self._progress.add_task(text, total=progress.total or None, **fields)
        (task,) = self._progress.task_ids
        total = progress.total or None
        self._progress.update(
            task, description=text, completed=progress.done, total=total, **fields
        )


def _fields(progress: session.Progress, rate: float, left: float, seconds: float) -> dict[str, str]:
    """What is said after the bar; nothing of rows where a stage does not count."""
    fields = dict.fromkeys(FIELDS, "")
    if progress.total:
        fields["count"] = f"{progress.done:,}/{progress.total:,}"
        fields["rate"] = f"{rate:,.0f} {things(progress)}/s" if rate else ""
        if left and tells_left(progress, seconds):
            fields["left"] = f"{timedelta(seconds=round(left))} left"
    fields["failed"] = f"{progress.failed:,} failed" if progress.failed else ""
    return fields


def show_found(found: Found) -> None:
    """An answer with what it cites, and the rows and gaps that were found."""
    if found.note:
        out.print(Text(found.note))
    for sentence in found.answer:
        out.print(Text(f"{sentence.text} [{', '.join(sentence.cites)}]"))
    for c in found.subgoals:
        rows = f"{words.about_rows(c)} of {c.distinct:,} support it"
        told = f"{rows}; {words.verdict_text(c)}"
        out.print(Text.assemble(("subgoal  ", "bold"), f"{c.subgoal.name} ({told})"))
    for gap in found.gaps:
        place = f"{gap.id}, {many(gap.rows, 'row')}"
        out.print(Text.assemble(("gap  ", "bold"), f"{gap.name} ({place})"))
    for row in found.rows:
        supports = [f"{key} {v:g}" for key, v in row.scores.items() if v and v >= SUPPORTING]
        near = "" if row.nearness is None else f"near {row.nearness:.2f}; "
        out.print(
            Text.assemble(
                (f"\nindex {row.row}", "bold"),
                (f"  {near}supports {listed(supports) or 'nothing'}", "dim"),
                f"\n{shorten(row.excerpt, 300)}",
            )
        )
        if row.explanation:
            out.print(Text(f"Judge on {row.subgoal_id}: {shorten(row.explanation, 300)}", "dim"))
    if not found.rows:
        out.print("No row comes near the question.")
    if found.spent.tokens_in:
        note(f"spent: {spent_text(found.spent)}")
    note(f"{found.searched}; index counts from 0")


def show_coverage(coverage: list[Coverage], counts: RowCounts) -> None:
    figures = ["rows that\nsupport it", "wanted", "A(s)", "95 % interval"]
    failed = any(c.failed for c in coverage)
    by_sample = any(map(words.estimated, coverage))
    title = f"Coverage of {many(counts.usable, 'row')}{', estimated' * by_sample}"
    table = Table(title=title, title_justify="left", show_lines=by_sample)
    table.add_column("subgoal", overflow="fold")
    table.add_column("support", no_wrap=True)
    for name in figures + ["failed"] * failed:
        table.add_column(name, justify="right", no_wrap=True)
    for c in coverage:
        table.add_row(Text(c.subgoal.name), *_coverage_cells(c)[: len(table.columns) - 1])
    out.print(table)
    for warning in words.warnings(coverage):
        out.print(Text(warning), style="yellow")
    if repeated := max((c.rows - c.distinct for c in coverage), default=0):
        out.print(f"Near-duplicates count as one row: {many(repeated, 'row')} left out.")
    if counts.usable and all(c.verdict == "unknown" for c in coverage):
        out.print("No verdict: more than 5 % of the judgements failed.", style="red")
    left_out = {
        "had an empty output and were left out": counts.empty,
        "were bad lines and skipped": counts.bad,
        "were cut for the judge": counts.cut,
    }
    for what, count in left_out.items():
        if count:
            out.print(f"Rows that {what}: {count:,}.", highlight=False)


def _coverage_cells(c: Coverage) -> list[str]:
    """All but the name; an estimate says in lines of its own how sure it is."""
    low, high = c.interval or (None, None)
    verdict, rows, wanted = c.verdict, [words.support(c)], f"{c.wanted:,}"
    interval = ["–" if low is None else f"{low:.3f} – {high:.3f}"]
    if c.estimate:
        verdict = words.verdict_text(c).replace(" ", "\n")
        rows = [words.supporting(c), f"of {c.distinct:,}", words.share_text(c)]
        interval.append(words.plus_minus(c.estimate.mean.half_width))
    return [
        f"[{COLOURS[c.verdict]}]{verdict}[/]",
        "\n".join(rows),
        wanted,
        "–" if c.mean is None else f"{c.mean:.3f}",
        "\n".join(interval),
        f"{c.failed:,}" if c.failed else "",
    ]


def show_failures(found: list[tuple[str, int]]) -> None:
    """Why judgements are missing."""
    for reason, pairs in found:
        out.print(Text(f"{pairs:,} failed: {reason}"), style="red")


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
            f"{a.rows:,}",
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


def note_rejudging(rows: int, judge: str) -> None:
    """Said before it is paid for."""
    rows_near = "predicted row" if rows == 1 else "predicted rows"
    note(f"judging up to {rows:,} {rows_near} near the cut with {judge} (--rejudge 0 for none)")


def show_runs(found: list[Run]) -> None:
    if not found:
        note("no runs yet: `goalcover run DATA --goal TEXT` makes one")
        return
    table = Table()
    for name in ("run", "status", "stage"):
        table.add_column(name, no_wrap=True)
    named = ["name"] * any(run.name for run in found)
    for name in [*named, "data", "goal"]:
        table.add_column(name, overflow="fold")
    for run in found:
        stage = "" if run.status == "finished" else RUN_STAGES.get(run.stage, run.stage)
        told = [run.name] * len(named) + [Path(run.data).name, shorten(run.goal, 60)]
        table.add_row(*map(Text, (run.id, run.status, stage, *told)))
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


def show_exhibit(found: Exhibit) -> None:
    """Its headline, tables and lines."""
    out.print(Text(found.headline(), style="bold"))
    for one in found.tables():
        table = Table(title=Text(one.title), title_justify="left")
        for place, name in enumerate(one.columns):
            side = "right" if place and one.right else "left"
            table.add_column(Text(name), justify=side, overflow="fold")
        for cells in one.rows:
            table.add_row(*map(Text, cells))
        out.print(table)
    for line in found.lines():
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
