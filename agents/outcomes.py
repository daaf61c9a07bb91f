"""What came of the items of a synthesis plan: the yield of each round, and why rows are missing."""

from collections import Counter
from collections.abc import Sequence

from ..memory.records import Candidate, Round, SynthesisOutcome
from ..tools.by_hand import moved
from ..tools.embeddings import Embedder
from ..tools.refusals import Written, embedded_row, refuse
from ..tools.text import listed, many


def tally(
    lines: Sequence[Round], accepted: Sequence[Candidate], rejected: Sequence[Candidate]
) -> list[Round]:
    """The lines of the yield table, from the candidates of all rounds.

    What was written and neither accepted nor refused was good, and not needed.
    """
    taken = Counter(c.round for c in accepted)
    reasons = {line.number: Counter[str]() for line in lines}
    for candidate in rejected:
        if candidate.refused:
            reasons[candidate.round][candidate.refused] += 1
    return [
        line.model_copy(
            update={
                "accepted": taken[line.number],
                "refused": dict(sorted(reasons[line.number].items())),
            }
        )
        for line in lines
    ]


def why_short(outcome: SynthesisOutcome, ended: str) -> str:
    """Why there are fewer rows than asked for, and which calls failed; empty where all went well.

    ended: why no further round was made.
    """
    notes = []
    wanted, rounds = outcome.item.rows, outcome.rounds
    if len(outcome.accepted) < wanted:
        counted = Counter[str]()
        for line in rounds:
            counted.update(line.refused)
        reasons = listed([f"{count} {reason}" for reason, count in counted.most_common()])
        written = sum(line.written for line in rounds)
        notes.append(
            f"{len(outcome.accepted)} of {wanted} rows after {many(len(rounds), 'round')} "
            f"({ended}): {many(written, 'candidate')} for {sum(line.asked for line in rounds)} "
            f"asked for{f'; refused: {reasons}' if reasons else ''}."
        )
    for line in rounds:
        for reason, calls in Counter(line.failed).items():
            notes.append(f"Round {line.number}: {many(calls, 'call')} without rows: {reason}.")
    return " ".join(notes)


async def settle(
    outcomes: Sequence[SynthesisOutcome], embedder: Embedder
) -> list[SynthesisOutcome]:
    """The outcomes without rows that are near-duplicates of those of an earlier item.

    Items are written at the same time and know nothing of one another. Good rows that were not
    needed take the places that become free. What a person has chosen by hand is left as it is.
    """
    if any(moved(outcomes)):
        return [*outcomes]
    written = Written()
    settled = []
    for outcome in outcomes:
        spare = [c for c in outcome.rejected if not c.refused]
        kept: list[Candidate] = []
        left: list[Candidate] = []
        late: list[Candidate] = []
        candidates = [*outcome.accepted, *spare]
        vectors = await embedder.encode([embedded_row(c) for c in candidates])
        for candidate, vector in zip(candidates, vectors, strict=True):
            if len(kept) == outcome.item.rows:
                left.append(candidate)
            elif fault := written.fault(candidate, vector):
                late.append(refuse(candidate, *fault))
            else:
                written.add(candidate, vector)
                kept.append(candidate)
        settled.append(_with(outcome, kept, left, late) if late else outcome)
    return settled


def _with(
    outcome: SynthesisOutcome, kept: list[Candidate], left: list[Candidate], late: list[Candidate]
) -> SynthesisOutcome:
    rejected = [c for c in outcome.rejected if c.refused] + left + late
    short = outcome.item.rows - len(kept)
    note = f"Near-duplicates of rows for another gap: {many(len(late), 'row')}; {short} missing."
    return outcome.model_copy(
        update={
            "accepted": kept,
            "rejected": rejected,
            "rounds": tally(outcome.rounds, kept, rejected),
            "note": " ".join(filter(None, [outcome.note, note])),
        }
    )
