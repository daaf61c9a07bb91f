"""How a survey's figures are said: what is estimated is never shown as if it were counted."""

import math
from collections.abc import Sequence
from datetime import timedelta

from ...memory.records import Coverage, Figure, Foretold, Spent, Survey
from ..prices import money
from ..text import listed, many, percent
from .covered import FEW, FEW_SUPPORT

RARE = 0.1
"""Shares below it are said with a digit after the point."""

ADDED = "The supporting rows are estimated by a survey, and so are the rows to add."

COVERED = (
    "The 95 % hold for stops that do not depend on what the figures say, such as one for lack of "
    "time; they do not cover a stop because somebody liked them."
)

BY_HAND = f"a person stopped it, who may have seen the figures. {COVERED}"


def estimated(c: Coverage) -> bool:
    """Whether some rows were not judged."""
    return c.estimate is not None and c.estimate.share.sampled < c.estimate.share.rows


def about(count: int, half_width: float) -> str:
    """An estimated count ("about 3,120"), to a hundredth of the half-width's power of ten."""
    step = 10 ** max(0, math.floor(math.log10(half_width)) - 1) if half_width else 1
    return f"about {round(count / step) * step:,}"


def supporting(c: Coverage) -> str:
    """How many rows support it: "45", or "about 3,120"."""
    if c.estimate is None or not estimated(c):
        return f"{c.distinct_supporting:,}"
    return about(c.distinct_supporting, c.estimate.share.half_width * c.distinct)


def about_rows(c: Coverage) -> str:
    """ "1 row", "45 rows", or "about 3,120 rows"."""
    if estimated(c):
        return f"{supporting(c)} rows"
    return many(c.distinct_supporting, "row")


def support(c: Coverage) -> str:
    """ "45 of 150", or "about 3,120 of 20,000"."""
    return f"{supporting(c)} of {c.distinct:,}"


def share_text(c: Coverage) -> str:
    """The interval of the share ("14 % – 18 %"); nothing where there is none."""
    if c.share_interval is None:
        return ""
    low, high = c.share_interval
    digits = int(estimated(c) and high < RARE)
    return f"{percent(low, digits)} – {percent(high, digits)}"


def perhaps(c: Coverage) -> str:
    """What else the verdict may be, by the share's interval: "perhaps enough"."""
    others = [verdict for verdict in c.possible if verdict != c.verdict]
    return f"perhaps {listed(others, 'or')}" if others else ""


def verdict_text(c: Coverage) -> str:
    """ "thin", or "thin, perhaps enough"."""
    return ", ".join(filter(None, (c.verdict, perhaps(c))))


def not_settled(coverage: Sequence[Coverage]) -> str:
    """Which subgoals seem to have enough and may not; nothing where none is."""
    open_ = (c for c in coverage if c.verdict == "enough" and perhaps(c))
    told = listed(f"“{c.subgoal.name}” ({perhaps(c)})" for c in open_)
    return f"The sample does not settle it for {told}." if told else ""


def plus_minus(half_width: float) -> str:
    """ "± 0.029", rounded up: no interval is said to be narrower than it is."""
    return f"± {math.ceil(round(half_width * 1000, 6)) / 1000:.3f}"


def helped(figure: Figure) -> str:
    """What the predictions did for an interval, where it is not the usual."""
    if figure.sampled >= figure.rows:
        return "all were judged: nothing is estimated"
    if figure.r2 is None:
        return "without predictions: the classical interval"
    return "" if figure.weight else "predictions did not help: the classical interval"


def headline(survey: Survey, coverage: Sequence[Coverage]) -> str:
    """What was judged, and how well A(s) is known."""
    if survey.whole:
        return f"All {many(survey.rows, 'row')} were judged: nothing is predicted."
    widths = [c.estimate.mean.half_width for c in coverage if c.estimate]
    known = f" A(s) is known to {plus_minus(max(widths))}" if widths else ""
    missed = survey.precision is not None and not survey.reached
    asked = f", where {survey.precision:g} was asked for" if known and missed else ""
    drawn = f"{survey.sampled:,} of {survey.rows:,} rows were judged, drawn at random"
    return f"{drawn}; {_others(survey)} predicted.{known}{asked}{'.' * bool(known)}"


def _others(survey: Survey) -> str:
    """Who is predicted: rows beside the sample may have been judged."""
    if survey.known:
        return f"earlier runs have judged {survey.known:,} of the others; what no run has judged is"
    beside = survey.explained + survey.rejudged
    return f"all others but {beside:,} are" if beside else "all others are"


def facts(survey: Survey) -> list[str]:
    """How it went, one line each."""
    looks = listed(f"{size:,}" for size in survey.looks)
    told = [f"Looked at the intervals after {looks} rows."] if survey.looks else []
    if survey.by_hand:
        told.append(f"Ended: {BY_HAND}")
    elif survey.ended:
        told.append(f"Ended: {survey.ended.rstrip('.')}.")
    if survey.known:
        told.append(
            f"Judged by earlier runs, outside of the sample: {many(survey.known, 'row')}. Their "
            "scores are in the files, not in the estimates."
        )
    beside = {"for their explanations": survey.explained,
              "because they lay near the filter's cut": survey.rejudged}  # fmt: skip
    if reasons := [f"{rows:,} {why}" for why, rows in beside.items() if rows]:
        told.append(f"Judged beside the sample, and no part of the estimates: {listed(reasons)}.")
    return told


def calls_text(survey: Survey, scoring: Spent | None) -> str:
    """Calls that the sample takes against those of judging every pair, and beside it how many were
    made, where that is another number; nothing where the first is not known."""
    if not survey.calls or not survey.calls_whole:
        return ""
    share = survey.calls / survey.calls_whole
    part = percent(share, 1 if share < RARE else 0)
    made = ""
    if scoring and scoring.calls != survey.calls:
        made = f" Made in this run: {scoring.calls:,}."
    return (
        f"The sample takes {many(survey.calls, 'call')}: {part} of the {survey.calls_whole:,} of "
        f"judging every pair on its own.{made}"
    )


def foretold_text(foretold: Foretold | None, scoring: Spent | None, audited: bool = False) -> str:
    """ "Foretold 480 calls, 0.31 USD; took 412 calls, 0.27 USD."; nothing where there was nothing
    to judge. audited: both are without an audit that was made."""
    if foretold is None or scoring is None or not (foretold.calls or scoring.calls):
        return ""
    said = (
        many(spent.calls, "call") + ("" if spent.cost_usd is None else f", {money(spent.cost_usd)}")
        for spent in (foretold, scoring)
    )
    return f"Foretold {'; took '.join(said)}{', the audit aside' * audited}."


def duration(seconds: float | None) -> str:
    """ "0:01:40"."""
    return "–" if seconds is None else str(timedelta(seconds=math.ceil(seconds)))


def warnings(coverage: Sequence[Coverage]) -> list[str]:
    """Why intervals may be too narrow: one line for all subgoals that few rows support, and one for
    each other reason."""
    few: list[str] = []
    told: list[str] = []
    for c in coverage:
        if not (own := c.estimate):
            continue
        count = own.supporting or "none"
        of_few = FEW_SUPPORT.format(count=count, judged=own.share.sampled)
        if own.warning.startswith(of_few):
            few.append(f"“{c.subgoal.name}” ({count})")
        if rest := own.warning.removeprefix(of_few).strip():
            told.append(f"“{c.subgoal.name}”: {rest}")
    if few:
        whose = "their" if len(few) > 1 else "its"
        told.insert(0, f"Fewer than {FEW} judged rows support {listed(few)}: {whose} intervals may "
                    "be less sure than 95 %.")  # fmt: skip
    return told
