"""Coverage by survey for tests: estimates with figures that a survey could have."""

from goalcover.memory.records import (
    Coverage,
    Estimate,
    Figure,
    Foretold,
    Spent,
    Subgoal,
    Survey,
    Verdict,
)
from goalcover.tools.coverage import verdict, wanted_rows

ROWS, DISTINCT, SAMPLED = 20_000, 19_870, 412
FEW = "Only 6 judged rows support it: its 95 % intervals may hold the truth less often."


def figure(value: float, half: float, rows: int = ROWS, weight: float = 0.9) -> Figure:
    return Figure(
        value=value, interval=(max(0.0, value - half), value + half), rows=rows, sampled=SAMPLED,
        r2=0.61 if weight else 0.02, weight=weight, classical=half * (1.5 if weight else 1),
    )  # fmt: skip


def estimated(
    subgoal: Subgoal,
    mean: float = 0.31,
    share: float = 0.157,
    half: float = 0.02,
    weight: float = 0.9,
    warning: str = "",
    subgoals: int = 4,
) -> Coverage:
    """The sample's rows are at 0.0 and 1.0."""
    supporting, wanted = round(share * DISTINCT), wanted_rows(subgoal, DISTINCT, subgoals)
    seen = round(share * SAMPLED)
    own = Estimate(
        mean=figure(mean, half + 0.009, weight=weight),
        share=figure(share, half, DISTINCT, weight),
        supporting=seen,
        warning=warning,
    )
    told = verdict(supporting, wanted, SAMPLED, 0)
    possible: set[Verdict] = {told}
    for end in own.share.interval:
        possible.add(verdict(round(end * DISTINCT), wanted, SAMPLED, 0))
    return Coverage(
        subgoal=subgoal, mean=mean, interval=own.mean.interval, judged=SAMPLED, low=SAMPLED - seen,
        supporting=round(share * ROWS), distinct=DISTINCT, distinct_supporting=supporting,
        share_interval=own.share.interval, wanted=wanted, verdict=told,
        histogram=[SAMPLED - seen, 0, 0, 0, 0, seen],
        distinct_histogram=[SAMPLED - seen, 0, 0, 0, 0, seen], gap=mean < 0.5, estimate=own,
        possible=list(possible),
    )  # fmt: skip


def survey(**changes: object) -> Survey:
    fields = {
        "precision": 0.03, "reached": True, "rows": ROWS, "sampled": SAMPLED, "explained": 60,
        "calls": 472,
        "calls_whole": 4 * ROWS, "looks": [100, 200, SAMPLED], "seed": 7,
        "ended": "every interval of A(s) is at most ± 0.03",
        "how": ["The sample: rows drawn at random, each with the same chance (seed 7)."],
    }  # fmt: skip
    return Survey.model_validate(fields | changes)


FORETOLD = Foretold(
    method="survey", precision=0.03, rows=480, calls=480, tokens_in=312_000, tokens_out=96_000,
    cost_usd=0.31, seconds=95,
)  # fmt: skip
TOOK = Spent(calls=472, tokens_in=299_120, tokens_out=90_400, cost_usd=0.27)
