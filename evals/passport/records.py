"""What a passport holds."""

from ...memory.records import Record
from ..intervals import Rate
from .places import Places
from .verdicts import Verdict

OVERALL = "over all"
"""The name of the mean over subgoals, where a subgoal's stands."""


class Entry(Record):
    """A judge on a subgoal, or over all of them (subgoal is "").

    rows: that were judged with a value; histogram: of them at each anchor, or nearest to it;
    labelled: the same of the labels. figures by name: see `measures`. verdict: None over all.
    """

    judge: str
    domain: str
    subgoal: str
    name: str
    rows: int
    histogram: list[int]
    labelled: list[int]
    figures: dict[str, Rate]
    verdict: Verdict | None = None
    reasons: list[str] = []


class JudgeFacts(Record):
    """What is one for a whole judge. judge: what its judgements are kept under.

    same: whether all its repeats gave the same values; None where it was not asked again.
    failures: why judgements of the base pass are missing, as (reason, pairs).
    """

    name: str
    judge: str
    embedded: bool = False
    same: bool | None = None
    failures: list[tuple[str, int]] = []
    places: Places | None = None


class Between(Record):
    """Two judges on the same rows: kappa, alphas, Spearman, and shift (first minus second), the
    mean over subgoals."""

    first: str
    second: str
    figures: dict[str, Rate]
