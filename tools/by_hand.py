"""What a person made of synthetic rows by hand, after generator and discriminator were done."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from ..memory.errors import UserError
from ..memory.records import Candidate, SynthesisOutcome
from .text import many

Moved = tuple[int, int]
"""Rows accepted, and rows dropped, by hand."""


def choose(
    outcomes: Sequence[SynthesisOutcome], accepted: Mapping[str, Collection[str]]
) -> list[SynthesisOutcome]:
    """The outcomes that change when these candidates, and no others, are the accepted ones.

    accepted: ids of candidates by id of a gap; a gap that is not named stays as it is. The tables
    of the rounds stay too: they say what the discriminator decided. Raises UserError, naming the
    id, for a gap or a candidate that is not there, and for a row without a text.
    """
    by_gap = {outcome.item.gap_id: outcome for outcome in outcomes}
    for gap, ids in accepted.items():
        if gap not in by_gap:
            raise UserError(f"no rows were written for a gap {gap!r}.")
        outcome = by_gap[gap]
        if unknown := {*ids} - {c.id for c in (*outcome.accepted, *outcome.rejected)}:
            raise UserError(f"no row {min(unknown)!r} was written for the gap {gap!r}.")
        if empty := [c.id for c in outcome.rejected if c.id in ids and c.refused == "empty"]:
            raise UserError(f"row {empty[0]} is empty: it cannot be accepted.")
    chosen = [_chosen(by_gap[gap], {*ids}) for gap, ids in accepted.items()]
    return [outcome for outcome in chosen if outcome != by_gap[outcome.item.gap_id]]


def _chosen(outcome: SynthesisOutcome, ids: set[str]) -> SynthesisOutcome:
    kept = [c for c in outcome.accepted if c.id in ids]
    dropped = [_moved(c, "dropped") for c in outcome.accepted if c.id not in ids]
    left = [c for c in outcome.rejected if c.id not in ids]
    added = [_moved(c, "accepted") for c in outcome.rejected if c.id in ids]
    return outcome.model_copy(update={"accepted": kept + added, "rejected": left + dropped})


def _moved(candidate: Candidate, now: str) -> Candidate:
    """Moved back, it is where the discriminator had put it, and nothing was done by hand."""
    return candidate.model_copy(update={"by_hand": "" if candidate.by_hand else now})


def moved(outcomes: Iterable[SynthesisOutcome]) -> Moved:
    """How many rows a person accepted, and how many they dropped."""
    outcomes = list(outcomes)
    accepted = sum(bool(c.by_hand) for outcome in outcomes for c in outcome.accepted)
    dropped = sum(bool(c.by_hand) for outcome in outcomes for c in outcome.rejected)
    return accepted, dropped


def moved_text(moved: Moved) -> str:
    """In one sentence; empty where nothing was done by hand."""
    accepted, dropped = moved
    told = [f"{many(accepted, 'row')} accepted"] if accepted else []
    told += [f"{dropped:,} dropped" if told else f"{many(dropped, 'row')} dropped"] * bool(dropped)
    return f"By hand: {' and '.join(told)}." if told else ""
