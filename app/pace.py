"""How work under way is told of: its stages in words, its pace, what it has cost."""

from ..graph.session import Progress
from ..memory.records import Spent
from ..tools import prices
from ..tools.text import many

STAGES = {
    "profile": "looking at the data",
    "clarify": "thinking about questions",
    "decompose": "deriving subgoals",
    "check": "checking the subgoals",
    "foretell": "foretelling what judging takes",
    "embed": "embedding the rows",
    "score": "judging rows",
    "audit": "judging some rows in the other mode",
    "assess": "computing coverage",
    "analyze": "finding gaps",
    "recommend": "recommending",
    "synthesize": "synthesising rows",
    "ledger": "scoring synthetic rows",
    "rejudge": "judging rows near the filter's cut",
    "filter": "filtering",
    "report": "writing the report",
    "evaluate": "checking labelled lists",
    "group": "finding planted gaps",
    "ablate": "running with parts switched off",
    "passport": "judging rows over and over",
    "calibrate": "comparing with judged rows",
    "corrupt": "judging rows of the pools",
}
COUNTS_ROWS = ("embed", "score", "audit", "ledger", "rejudge", "corrupt")
LEAST_SECONDS, LEAST_SHARE = 2.0, 0.03
"""Before these have passed nothing is said of the time left."""

RUN_STAGES = {
    "answer_questions": "questions",
    "approve_subgoals": "subgoals",
    "approve_synthesis": "synthesis",
}
"""What a run waits for, in a word that fits a narrow table."""


def things(progress: Progress) -> str:
    """What a stage counts: an evaluation judges a row several times, or runs whole graphs."""
    return "rows" if progress.stage in COUNTS_ROWS else "steps"


def pace(progress: Progress, seconds: float) -> tuple[float, float]:
    """Rows a second and seconds left; 0 where they are not known.

    Rows that needed no call say nothing of how fast the others will be.
    """
    rate = max(0, progress.done - progress.stored) / seconds if seconds > 0.5 else 0.0
    return rate, (progress.total - progress.done) / rate if rate else 0.0


def tells_left(progress: Progress, seconds: float) -> bool:
    """Whether so many seconds of a stage say how long the rest of it will take."""
    called = progress.done - progress.stored
    share = called / max(1, progress.total - progress.stored)
    return seconds >= LEAST_SECONDS and share >= LEAST_SHARE


def spent_text(spent: Spent) -> str:
    """Calls, tokens and money in a few words; nothing where no server was asked."""
    if not spent.tokens_in and not spent.tokens_out:
        return ""
    cached = f" ({short(spent.tokens_cached)} cached)" if spent.tokens_cached else ""
    money = "" if spent.cost_usd is None else f", {prices.money(spent.cost_usd)}"
    return (
        f"{many(spent.calls, 'call')}, {short(spent.tokens_in)} tokens in{cached}, "
        f"{short(spent.tokens_out)} out{money}"
    )


def short(count: int) -> str:
    """1234567 as 1.2M."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if count >= size:
            return f"{count / size:.1f}{unit}"
    return str(count)
