"""The data card of a file of rows: what was kept, by which rule, as judged by whom. Markdown."""

from ..memory.records import FilterResult, Record, Subgoal, Subset
from .by_hand import Moved, moved_text
from .markdown import plain
from .text import many

SCORE_COLUMN = "goalcover_"
"""What the names of added columns begin with; a subgoal's id follows."""

SYNTHETIC_COLUMN, PREDICTED_COLUMN = "synthetic_by_goalcover", "predicted_by_goalcover"
"""No subgoal's column can have these names."""


class About(Record):
    """Where scores come from. judge: with mode and rubric version. data: name of the file or data
    set. notes: what is to be known of the judge."""

    judge: str
    subgoals: list[Subgoal]
    data: str = ""
    goal: str = ""
    seed: int = 0
    notes: list[str] = []


class Origin(Record):
    """Where synthetic rows come from. writer: the model, which accepted them too. extractive: they
    are passages of the user's own texts. gaps: (name, of its subgoal, rows). changed: rows that are
    not as they were written. by_hand: rows of the run accepted, and dropped, by a person."""

    writer: str
    extractive: bool = False
    gaps: list[tuple[str, str, int]] = []
    changed: int = 0
    by_hand: Moved = (0, 0)


def card(
    name: str,
    about: About,
    result: FilterResult | None = None,
    rows: int = 0,
    synthetic: int = 0,
    columns: bool = False,
    origin: Origin | None = None,
    predicted: bool = False,
) -> str:
    """Markdown without HTML, links or pictures, whatever stands in the data and in the subgoals.

    name: of what the card is of. result: of the filter, where its rows are meant. rows: without
    the synthetic ones, which come after them. columns: alignments were added; predicted: some of
    them by a survey's predictions. origin: of the synthetic rows.
    """
    told = f"{rows:,} rows of {plain(about.data)}" if rows else ""
    made = f"{synthetic:,} synthetic rows" if synthetic else ""
    what = " and ".join(filter(None, (told, made))) or "No rows"
    parts = [f"# Data card: {plain(name)}", f"{what}."]
    if about.goal:
        parts.append(f"Goal: {plain(about.goal)}")
    if result:
        parts += _filtered(result, about)
    if synthetic:
        parts += ["## Synthetic rows", *_synthetic(rows, synthetic, origin, about)]
    parts += ["## Subgoals", "\n".join(map(_subgoal, about.subgoals)) or "Not known."]
    judge = plain(about.judge) or "not known: the scores came without it"
    lines = [f"Judge: {judge}.", f"Seed: {about.seed}.", *map(plain, about.notes)]
    parts += ["## How it was judged", "\n".join(f"- {line}" for line in lines)]
    if columns:
        told_apart = (_PREDICTED if predicted else "") + (_TOLD_APART if synthetic else "")
        parts += ["## Added columns", _COLUMNS + told_apart]
    return "\n\n".join(parts) + "\n"


_COLUMNS = (
    f"`{SCORE_COLUMN}ID` is the alignment with the subgoal of that id, from 0 to 1, empty "
    f"where it was not judged."
)
_PREDICTED = (
    f" `{PREDICTED_COLUMN}` tells rows of which some alignment was not judged but predicted, from "
    "judgements of other rows."
)
_TOLD_APART = f" `{SYNTHETIC_COLUMN}` tells synthetic rows."
_EXTRACTIVE = "extractive: passages of your own texts, to try the loop; do not train on them"
CLEARLY_MORE = 1.2
"""Times the kept rows, from which on it is said that more rows probably reach the cut."""

_FAIR = (
    "Selecting by a score raises the mean of that score: the random subset shows by how much more "
    "than chance."
)


def _filtered(result: FilterResult, about: About) -> list[str]:
    names = {subgoal.id: subgoal.name for subgoal in about.subgoals}
    head = "| | kept rows | random rows, as many | all rows |\n|---|---|---|---|"
    sets = (result.aligned, result.random, result.original)
    lines = [_line("rows", [f"{some.rows:,}" for some in sets])]
    for key in result.aligned.means:
        name = plain(names.get(key, key))
        lines.append(_line(f"A: {name}", [_number(some.means[key]) for some in sets]))
        lines.append(_line(f"supporting: {name}", [_support(some, key) for some in sets]))
    lines.append(_line("diversity", [_number(some.diversity) for some in sets]))
    floored = "; ".join(
        f"{plain(names.get(key, key))}: {count:,}" for key, count in result.floored.items() if count
    )
    kind = "scored" if result.unjudged else "judged"
    return [
        "## What was kept",
        f"{result.kept:,} of {result.total:,} {kind} rows: {plain(result.rule)}. "
        f"Without the floors the rule keeps {result.reached:,} of these.",
        *foreseen(result),
        f"Near-duplicates of kept rows that were left out: {result.near_duplicates:,}. "
        f"Rows kept for a subgoal's floor alone: {floored or 'none'}.",
        "\n".join([head, *lines]),
        f"A is the mean alignment, supporting are rows with an alignment of 0.6 or more. "
        f"Diversity: {plain(result.how_diverse)}. Random rows: seed {result.seed}. {_FAIR}",
    ]


def foreseen(result: FilterResult) -> list[str]:
    """What of a filter stands on predictions, what they cannot tell first; nothing where all rows
    were judged."""
    if not result.unjudged:
        return []
    whole = f"{result.unjudged:,} of all {result.total:,}"
    if result.predicted:
        were = "was" if result.predicted == 1 else "were"
        told = (
            f"{result.predicted:,} of the kept rows {were} not judged but predicted, as were "
            f"{whole}."
        )
    elif result.kept:
        told = f"All kept rows were judged; {whole} were not judged but predicted."
    else:
        told = f"Not judged but predicted: {whole}."
    told += " Of predicted rows, those that support a subgoal are counted by how probable it is."
    if result.open:
        told += (
            f" {result.open:,} predicted rows, kept or not, lie so near the cut that judging them "
            "may decide otherwise."
        )
    return [*_expected(result), told]


def _expected(result: FilterResult) -> list[str]:
    """How many rows probably reach the cut, where that is clearly more than are kept."""
    if not result.expected or result.expected < CLEARLY_MORE * result.kept:
        return []
    return [
        f"About {many(result.expected, 'row')} probably reach the cut; which, predictions cannot "
        "tell: judge more rows (a smaller --precision, or --rejudge N) to find them."
    ]


def _synthetic(rows: int, count: int, origin: Origin | None, about: About) -> list[str]:
    lines = f"row {rows + 1:,}" if count == 1 else f"rows {rows + 1:,} to {rows + count:,}"
    where = f"Here: {lines}, counted from 1, after the others." if rows else "Here: all rows."
    if not origin:
        return [where]
    writer, judge = plain(origin.writer), plain(about.judge)
    made = (
        f"They are {_EXTRACTIVE}. Put together for gaps of the data by {writer}, judged by {judge}."
        if origin.extractive
        else f"Written for gaps of the data and accepted by {writer}, judged by {judge}."
    )
    gaps = [f"- {plain(gap)} ({plain(of)}): {number:,} rows" for gap, of, number in origin.gaps]
    if origin.changed:
        gaps.append(f"- changed since they were written, and not judged: {origin.changed:,} rows")
    known = "What is known of each stands in `synthetic.provenance.jsonl` in the run's folder."
    made = " ".join(filter(None, (made, moved_text(origin.by_hand))))
    return [f"{where} {made}", "\n".join(gaps), known]


def _line(name: str, cells: list[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _support(some: Subset, key: str) -> str:
    share = f" ({some.supporting[key] / some.rows:.0%})" if some.rows else ""
    return f"{some.supporting[key]:,}{share}"


def _subgoal(subgoal: Subgoal) -> str:
    told = f"- {plain(subgoal.name)} ({plain(subgoal.id)})"
    return f"{told}: {plain(subgoal.description)}" if subgoal.description != subgoal.id else told
