"""What controlled corruption found, of ours and of the paper's, as records."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from ...memory.records import Record
from ...tools.plain import read_plain
from ..statistics import Experiment
from .changes import Change
from .separations import Kind, Rows

PAPER = Path(__file__).with_name("paper.yaml")


class RemovalResult(Record):
    """One removal. kept: rows that stay, between 0 and 1, mean over the sets."""

    name: str
    subgoal: str
    kept: float
    changes: list[Change]

    @property
    def target(self) -> Change:
        return next(one for one in self.changes if one.targeted)

    @property
    def others(self) -> list[Change]:
        return [one for one in self.changes if not one.targeted]


class SetResult(Record):
    """A kind of rows: strategic samples (one a seed), or the natural rows of the pool (one set)."""

    rows: Rows
    size: int
    sets: int
    removals: list[RemovalResult]


class Removed(Record):
    """What a removal takes, exactly. matching: its share of the data set's rows."""

    name: str
    subgoal: str
    expression: str
    matching: float


class DomainResult(Record):
    """A data set. rows: with an output; empty: without; pool: rows judged; failed: judgements that
    are missing. wanted, target: rows of a strategic sample as configured, and as the data allow.
    subgoals: name by id.
    """

    name: str
    kind: Kind
    source: str
    rows: int
    empty: int
    pool: int
    failed: int
    wanted: int
    target: int
    subgoals: dict[str, str]
    removed: list[Removed]
    results: list[SetResult]

    def of(self, rows: Rows) -> SetResult:
        return next(one for one in self.results if one.rows == rows)


class PaperChange(Record):
    """before, after: A(s); relative: in per cent."""

    before: float
    after: float
    relative: float


class PaperRemoval(Record):
    """kept: rows, in per cent."""

    domain: str
    name: str
    subgoal: str
    kept: float
    changes: dict[str, PaperChange]


class PaperHeadline(Record):
    """As the paper says: mean falls in per cent, Cohen's d, p of a paired test."""

    target_fall: float
    other_fall: float
    d: float
    p: str


class Paper(Record):
    """The paper's figures, with their place in it. headline: of all its removals."""

    source: str
    headline: PaperHeadline | None
    removals: list[PaperRemoval]

    def beside(self, domains: Sequence[DomainResult]) -> "Paper":
        """What of it stands beside ours: the same removals; the headline where they are all."""
        ran = {(domain.name, one.name) for domain in domains for one in domain.removed}
        found = [one for one in self.removals if (one.domain, one.name) in ran]
        whole = len(found) == len(self.removals)
        return Paper(source=self.source, headline=self.headline if whole else None, removals=found)

    def change(self, domain: str, removal: str, subgoal: str) -> PaperChange | None:
        found = self.removal(domain, removal)
        return found.changes.get(subgoal) if found else None

    def removal(self, domain: str, name: str) -> PaperRemoval | None:
        keys = (domain, name)
        return next((one for one in self.removals if (one.domain, one.name) == keys), None)

    def experiments(self) -> list[Experiment]:
        """Its table as ours: relative changes between -1 and more."""
        return [
            Experiment(
                target=one.changes[one.subgoal].relative / 100,
                others=[c.relative / 100 for s, c in one.changes.items() if s != one.subgoal],
            )
            for one in self.removals
        ]


def read_paper() -> Paper:
    return TypeAdapter(dict[str, Paper]).validate_python(read_plain(PAPER))["corruption"]
