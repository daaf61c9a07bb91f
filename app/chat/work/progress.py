"""How far a run has got, as HTML."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from markupsafe import Markup

from ....graph.session import Progress
from ....tools.settings import RunConfig
from ...pace import STAGES, pace, spent_text, tells_left, things
from ..job import Ended
from ..text import html, joined, on_page

THINKING = ("start", "profile", "clarify", "decompose", "check")
"""Stages of the conversation: they are short, and look like somebody who thinks."""

LONG = 5.0
"""Seconds after which a stage that does not count says how long it has taken."""


def stage_text(stage: str) -> str:
    """ "Judging rows"."""
    told = STAGES.get(stage, "getting ready" if stage == "start" else stage)
    return told[:1].upper() + told[1:]


def counted(progress: Progress) -> str:
    """ "1,234 of 20,000 rows"."""
    return f"{progress.done:,} of {progress.total:,} {things(progress)}"


def bar(progress: Progress) -> Markup:
    """A bar; where the stage does not count, one that says so."""
    label = stage_text(progress.stage)
    if not progress.total:
        return html("<progress class='gc-progress' aria-label='{}'></progress>", label)
    return html(
        "<progress class='gc-progress' aria-label='{}' max='{}' value='{}'></progress>",
        label, progress.total, min(progress.done, progress.total),
    )  # fmt: skip


def nothing_spent(config: RunConfig | None) -> str:
    """What is said as long as no server has answered."""
    asks = config and (config.model or config.judge)
    return "nothing spent so far" if asks else "nothing spent: the embedded model"


def facts(progress: Progress, seconds: float, nothing: str) -> Markup:
    """Count, pace, time left, failures and cost. seconds: of the stage; nothing: see
    `nothing_spent`."""
    return _list("gc-told", fact_lines(progress, seconds, nothing))


def fact_lines(progress: Progress, seconds: float, nothing: str) -> list[str]:
    told = ["" if progress.look else on_page(progress.note)]  # shown in full below
    if progress.total:
        rate, left = pace(progress, seconds)
        told.append(counted(progress))
        told.append(
            f"{rate:,.{0 if rate >= 10 else 1}f} {things(progress)} a second" if rate else ""
        )
        if left and tells_left(progress, seconds):
            told.append(f"about {timedelta(seconds=round(left))} left")
        told.append(f"{progress.stored:,} needed no call" if progress.stored else "")
    elif seconds >= LONG:
        told.append(f"for {timedelta(seconds=round(seconds))}")
    told.append(f"{progress.failed:,} judgements failed" if progress.failed else "")
    spent = spent_text(progress.spent)
    if spent and progress.spent.cost_usd is None:
        spent += ", price not known"
    told.append(spent or nothing)
    return [one for one in told if one]


def ended(stages: Sequence[Ended]) -> Markup:
    """The stages that are over, with what each did and took."""
    return _list("gc-done-stages", ended_lines(stages))


def ended_lines(stages: Iterable[Ended]) -> list[str]:
    return [
        ", ".join(filter(None, (
            stage_text(one.progress.stage),
            counted(one.progress) if one.progress.total else "",
            f"{one.seconds:,.0f} s",
        )))
        for one in stages if one.progress.stage != "start"
    ]  # fmt: skip


def _list(kind: str, lines: Iterable[str]) -> Markup:
    items = joined(html("<li>{}</li>", line) for line in lines)
    return html("<ul class='{}'>{}</ul>", kind, items) if items else html("")
