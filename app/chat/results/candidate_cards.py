"""Synthetic rows as they stand after a run: which there are, how each looks, and which are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from ....memory.records import Candidate, SynthesisOutcome
from ..text import block, html, joined

LONGEST = 3_000
"""Characters of a text that are shown of a candidate."""

Which = Literal["all", "accepted", "rejected"]
WHICH: tuple[Which, ...] = ("all", "accepted", "rejected")
Place = tuple[str, str]
"""Of a candidate: id of its gap, and its own, which is not the only one of that name."""


@dataclass(frozen=True)
class Shown:
    """A candidate as it stands after the run."""

    gap: str
    candidate: Candidate
    accepted: bool

    @property
    def place(self) -> Place:
        return self.gap, self.candidate.id


def candidates(outcomes: Sequence[SynthesisOutcome], gap: str, which: Which) -> list[Shown]:
    """Of one gap or, without one, of all: as they were written."""
    rows = [
        Shown(outcome.item.gap_id, candidate, accepted)
        for outcome in outcomes
        if gap in ("", outcome.item.gap_id)
        for accepted, some in ((True, outcome.accepted), (False, outcome.rejected))
        if which == "all" or accepted == (which == "accepted")
        for candidate in some
    ]
    return sorted(rows, key=lambda row: row.candidate.round)


def revision(
    outcomes: Sequence[SynthesisOutcome], changes: Mapping[Place, bool]
) -> dict[str, list[str]]:
    """Ids of the rows to keep, by gap, of the gaps in which something changes."""
    kept: dict[str, list[str]] = {}
    for outcome in outcomes:
        gap = outcome.item.gap_id
        if any(changed == gap for changed, _ in changes):
            rows = candidates([outcome], gap, "all")
            kept[gap] = [row.candidate.id for row in rows if changes.get(row.place, row.accepted)]
    return kept


def card(row: Shown) -> Markup:
    """A candidate: its verdict, why it was refused, its texts, and where it comes from."""
    candidate = row.candidate
    scores, *more = details(candidate)
    lines = joined(html("<li dir='auto'>{}</li>", line) for line in more)
    return html(
        "{}<div class='gc-pair'><div><p class='gc-label'>Input</p>{}</div>"
        "<div><p class='gc-label'>Output</p>{}</div></div>"
        "<details class='gc-soft gc-small'><summary>{}</summary><ul>{}</ul></details>",
        _verdict(row),
        block(candidate.input, LONGEST),
        block(candidate.output, LONGEST),
        scores,
        lines,
    )


def _verdict(row: Shown) -> Markup:
    told = verdict_text(row)
    kind = "enough" if row.accepted else "missing"
    reason = row.candidate.explanation
    why = html("<p class='gc-small' dir='auto'>{}</p>", reason) if reason else html("")
    return html("<p><span class='gc-chip gc-{}'>{}</span></p>{}", kind, told, why)


def verdict_text(row: Shown) -> str:
    """ "accepted", "refused: leaks the prompt", "good, not needed", with who said so by hand."""
    candidate = row.candidate
    if candidate.by_hand:
        model = f"; refused before: {candidate.refused}" if candidate.refused else ""
        return f"{candidate.by_hand} by you{model}"
    if row.accepted:
        return "accepted"
    return f"refused: {candidate.refused}" if candidate.refused else "good, not needed"


DIMENSIONS = ("score", "correctness", "completeness", "faithfulness", "format")


def details(candidate: Candidate) -> list[str]:
    """Scores, what was said of each dimension, the cell of the grid, and the sources."""
    values = {name: getattr(candidate, name) for name in DIMENSIONS}
    scores = [f"{'overall' if name == 'score' else name} {value:g}"
              for name, value in values.items() if value is not None]  # fmt: skip
    if scores and candidate.anchor is not None:
        scores.append(f"anchor {candidate.anchor:g}")
    cell = candidate.cell
    asked = filter(None, (cell.scenario, cell.difficulty, cell.persona, cell.also))
    written = {"model": "written by the model", "extractive": "taken from your own texts"}
    lines = {
        "Scores": ", ".join(scores) or "not judged",
        **{name.capitalize(): told for name, told in candidate.explanations.items()},
        "Asked to show": "; ".join(asked),
        "Origin": f"{written[candidate.origin]} in round {candidate.round}"
        + (f", from {', '.join(candidate.sources)}" if candidate.sources else ""),
    }
    return [f"{name}: {text}" for name, text in lines.items() if text]
