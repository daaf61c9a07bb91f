"""The data card of a file of rows: what was kept, by which rule, as judged by whom. Markdown."""

import html
import re

from ..memory.records import FilterResult, Record, Subgoal, Subset

SCORE_COLUMN = "goalcover_"
"""What the names of added columns begin with; a subgoal's id follows."""

SYNTHETIC_COLUMN = "synthetic_by_goalcover"
"""No subgoal's column can have this name."""

SPECIAL = re.compile(r"([\\`*_\[\]()#!|~$@])")


class About(Record):
    """Where scores come from. judge: with mode and rubric version. data: name of the file or data
    set. notes: what is to be known of the judge."""

    judge: str
    subgoals: list[Subgoal]
    data: str = ""
    goal: str = ""
    seed: int = 0
    notes: list[str] = []


def card(
    name: str,
    about: About,
    result: FilterResult | None = None,
    rows: int = 0,
    synthetic: int = 0,
    columns: bool = False,
) -> str:
    """Markdown without HTML, links or pictures, whatever stands in the data and in the subgoals.

    name: of what the card is of. result: of the filter, where its rows are meant. rows: without
    the synthetic ones. columns: alignments were added.
    """
    told = f"{rows:,} rows of {_plain(about.data)}" if rows else ""
    made = f"{synthetic:,} synthetic rows" if synthetic else ""
    what = " and ".join(filter(None, (told, made))) or "No rows"
    parts = [f"# Data card: {_plain(name)}", f"{what}."]
    if about.goal:
        parts.append(f"Goal: {_plain(about.goal)}")
    if result:
        parts += _filtered(result, about)
    if synthetic:
        parts += ["## Synthetic rows", _SYNTHETIC]
    parts += ["## Subgoals", "\n".join(map(_subgoal, about.subgoals)) or "Not known."]
    judge = _plain(about.judge) or "not known: the scores came without it"
    lines = [f"Judge: {judge}.", f"Seed: {about.seed}.", *map(_plain, about.notes)]
    parts += ["## How it was judged", "\n".join(f"- {line}" for line in lines)]
    if columns:
        parts += ["## Added columns", _COLUMNS]
    return "\n\n".join(parts) + "\n"


_SYNTHETIC = (
    "They stand after any others, were written for gaps of the data and accepted by a "
    "discriminator; their provenance stands in the run's folder."
)
_COLUMNS = (
    f"`{SCORE_COLUMN}ID` is the alignment with the subgoal of that id, from 0 to 1, empty "
    f"where it was not judged, as synthetic rows are; `{SYNTHETIC_COLUMN}` tells these."
)
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
        name = _plain(names.get(key, key))
        lines.append(_line(f"A: {name}", [_number(some.means[key]) for some in sets]))
        lines.append(_line(f"supporting: {name}", [_support(some, key) for some in sets]))
    lines.append(_line("diversity", [_number(some.diversity) for some in sets]))
    floored = "; ".join(
        f"{_plain(names.get(key, key))}: {count:,}"
        for key, count in result.floored.items()
        if count
    )
    return [
        "## What was kept",
        f"{result.kept:,} of {result.total:,} judged rows: {_plain(result.rule)}.",
        f"Near-duplicates of kept rows that were left out: {result.near_duplicates:,}. "
        f"Rows kept for a subgoal's floor alone: {floored or 'none'}.",
        "\n".join([head, *lines]),
        f"A is the mean alignment, supporting are rows with an alignment of 0.6 or more. "
        f"Diversity: {_plain(result.how_diverse)}. Random rows: seed {result.seed}. {_FAIR}",
    ]


def _line(name: str, cells: list[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _support(some: Subset, key: str) -> str:
    share = f" ({some.supporting[key] / some.rows:.0%})" if some.rows else ""
    return f"{some.supporting[key]:,}{share}"


def _subgoal(subgoal: Subgoal) -> str:
    told = f"- {_plain(subgoal.name)} ({_plain(subgoal.id)})"
    return f"{told}: {_plain(subgoal.description)}" if subgoal.description != subgoal.id else told


def _plain(text: str) -> str:
    """One line of text in which Markdown and HTML mean nothing, and no address is made a link."""
    line = html.escape(" ".join(text.split()), quote=False)
    line = SPECIAL.sub(r"\\\1", line)
    return re.sub(r"(?i)\bwww\.", lambda m: m.group()[:-1] + "\\.", line.replace("://", "\\://"))
