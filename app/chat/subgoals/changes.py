"""What a person has changed in a set of subgoals and not had checked yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ....graph import review
from ....memory.errors import UserError
from ....memory.records import Contract, Finding, Subgoal
from ....tools.text import many
from ... import subgoal_edits


@dataclass(frozen=True)
class Version:
    """A set of subgoals, reasons by finding id for what may stand, and what was done to get it."""

    subgoals: list[Subgoal]
    overruled: Mapping[str, str] = field(default_factory=dict)
    told: str = ""


@dataclass(frozen=True)
class Changes:
    """Collected and checked together: with a chat model every check costs calls. digest: of the
    review that they were made under; versions: the checked one first, the latest last."""

    digest: str
    versions: tuple[Version, ...]

    @classmethod
    def none(cls, digest: str, checked: list[Subgoal]) -> "Changes":
        return cls(digest, (Version(checked),))

    @property
    def subgoals(self) -> list[Subgoal]:
        return self.versions[-1].subgoals

    @property
    def overruled(self) -> Mapping[str, str]:
        return self.versions[-1].overruled

    @property
    def told(self) -> list[str]:
        return [version.told for version in self.versions[1:]]

    def to(self, subgoals: list[Subgoal], told: str) -> "Changes":
        if subgoals == self.subgoals:
            return self
        return self._with(Version(subgoals, self.overruled, told))

    def overrule(self, finding: Finding, reason: str) -> "Changes":
        """Raises UserError without a reason, which the report keeps."""
        if not reason.strip():
            raise UserError("say why it may stand: the report keeps the reason.")
        overruled = {**self.overruled, finding.id: reason.strip()}
        return self._with(Version(self.subgoals, overruled, f"overruled: {finding.message}"))

    def undone(self) -> "Changes":
        """Without the last change."""
        return replace(self, versions=self.versions[:-1] or self.versions)

    def _with(self, version: Version) -> "Changes":
        return replace(self, versions=(*self.versions, version))

    def is_new(self, subgoal: Subgoal) -> bool:
        """Whether it was not there, or not like this, when the set was checked."""
        return subgoal not in self.versions[0].subgoals


@dataclass(frozen=True)
class Card:
    """A subgoal as it is shown. findings: with whether each is about how its subgoals still are."""

    subgoal: Subgoal
    changed: bool
    findings: list[tuple[Finding, bool]]


def cards(changes: Changes, contract: Contract) -> list[Card]:
    return [
        Card(
            subgoal,
            changes.is_new(subgoal),
            [
                (finding, holds(changes, finding))
                for finding in contract.findings
                if subgoal.id in finding.subgoal_ids
            ],
        )
        for subgoal in changes.subgoals
    ]


def holds(changes: Changes, finding: Finding) -> bool:
    """Whether the subgoals that a finding is about are as they were when it was found."""
    same = {subgoal.id for subgoal in changes.subgoals if not changes.is_new(subgoal)}
    return same.issuperset(finding.subgoal_ids)


def of_no_card(contract: Contract) -> list[Finding]:
    """Findings about what no subgoal covers."""
    return [finding for finding in contract.findings if not finding.subgoal_ids]


def reason_of(changes: Changes, finding: Finding) -> str | None:
    """Why it may stand, as was said before or just now; None where it is open."""
    return changes.overruled.get(finding.id, finding.overruled)


def still_open(changes: Changes, contract: Contract) -> list[Finding]:
    """Findings that a person has yet to mend or overrule. Those of changed subgoals are left to
    the next check."""
    return [
        finding
        for finding in contract.findings
        if reason_of(changes, finding) is None and holds(changes, finding)
    ]


def found_line(changes: Changes, contract: Contract) -> str:
    """How many subgoals there are, and what the checks found."""
    left = len(still_open(changes, contract))
    stand = sum(reason_of(changes, finding) is not None for finding in contract.findings)
    if left:
        told = f"the checks left {many(left, 'finding')} open"
    elif contract.unchecked:
        told = "no finding is open, but not all could be checked"
    else:
        told = (
            "no finding is open" if contract.findings else "the checks found nothing against them"
        )
    overruled = f", {stand} overruled" if stand else ""
    old = ", as of the last check" if changes.told else ""
    return f"{many(len(changes.subgoals), 'subgoal')}; {told}{overruled}{old}."


def to_check(changes: Changes) -> dict[str, Any]:
    """The decision that has the changes checked, and shown again."""
    return subgoal_edits.decision(changes.subgoals, changes.overruled)


def to_approve(changes: Changes, contract: Contract, reason: str) -> dict[str, Any]:
    """The decision that approves, once the changes are checked where there are any. reason: why
    the open findings may stand. Raises UserError where there are some and no reason."""
    left, reason = still_open(changes, contract), reason.strip()
    if left and not reason:
        raise UserError(
            f"{many(len(left), 'finding')} {'is' if len(left) == 1 else 'are'} open: mend or "
            "overrule what was found, or say why it may stand. The report keeps the reason."
        )
    overruled = {**changes.overruled, **{finding.id: reason for finding in left}}
    if not overruled and not changes.told:
        return review.approve()
    return subgoal_edits.decision(changes.subgoals, overruled, approve=True)
