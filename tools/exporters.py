"""Rows and synthetic rows out. Every file is written whole or not at all."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from ..memory.errors import UserError
from ..memory.files import atomic_folder, atomic_path, atomic_text
from ..memory.records import Candidate, FilterResult, Sample
from .card import About, Origin, card
from .chat_rows import messages_of
from .columns import (
    Alignments,
    Part,
    as_json,
    columns,
    each_row,
    in_columns,
    with_scores,
    write_csv,
)
from .datasets import RAW, Table

Format = Literal["original", "chat", "hf", "parquet", "csv"]
"""original: as the data came, by the ending of the file; chat: OpenAI's JSONL; hf: a folder that
`datasets.load_dataset` opens, with alignments as columns."""

ROW_FORMATS = (".jsonl", ".csv", ".parquet")

ENDINGS: dict[Format, tuple[str, ...]] = {
    "original": ROW_FORMATS,
    "chat": (".jsonl",),
    "parquet": (".parquet",),
    "csv": (".csv",),
}

_FRONT = "---\ntags:\n- goalcover\n---\n\n"
"""It names no data file: `datasets` would take folders of one name for the same, and load from its
cache what another one held."""


def check_suffix(path: Path, allowed: Sequence[str]) -> None:
    """Raises UserError before any work is done for a file that could not be written."""
    if path.suffix.lower() not in allowed:
        raise UserError(f"--out {path}: unknown ending. Known: {', '.join(allowed)}.")


def check_target(path: Path, form: Format) -> None:
    """Raises UserError before any work is done where `path` does not fit the format."""
    if form == "hf":
        if path.suffix.lower() in ROW_FORMATS:
            raise UserError(f"--out {path}: --format hf writes a folder, not a file.")
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise UserError(f"{path} is there already: choose another folder, or remove it.")
    elif form != "original" and path.suffix.lower() not in ENDINGS[form]:
        wanted = " or ".join(ENDINGS[form])
        raise UserError(f"--out {path}: --format {form} needs a file that ends in {wanted}.")
    else:
        check_suffix(path, ENDINGS[form])


def rows_suffix(table: Table) -> str:
    """The ending for rows of this data set: its own where rows can be written so."""
    suffix = Path(table.source.path).suffix.lower()
    return suffix if suffix in ROW_FORMATS else ".jsonl"


def export(
    parts: Sequence[Part],
    path: Path,
    form: Format,
    about: About,
    result: FilterResult | None = None,
    alignments: Alignments | None = None,
    origin: Origin | None = None,
) -> Path:
    """Writes rows in a format, and their data card: beside the file, or in the folder.

    result: of the filter that chose the rows, if one did. alignments: for `hf`. origin: of the
    synthetic rows. Returns where the card lies. Raises UserError where rows do not fit the format.
    """
    counts = {
        kind: sum(len(part.indices) for part in parts if part.synthetic is kind)
        for kind in (False, True)
    }
    told = card(
        path.name,
        about,
        result,
        counts[False],
        counts[True],
        form == "hf",
        origin,
        bool(alignments and alignments.predicted),
    )
    place = card_path(path, form)
    if form == "hf":
        with in_columns(path), atomic_folder(path) as folder:
            (folder / "data").mkdir()
            rows = with_scores(columns(parts), parts, alignments or Alignments())
            rows.to_parquet(str(folder / "data" / "train.parquet"))
            (folder / place.name).write_text(_FRONT + told, encoding="utf-8")
        return place
    if form == "chat":
        write_jsonl((messages_of(part.table, row) for part, row in each_row(parts)), path)
    else:
        write_parts(parts, path)
    with atomic_text(place) as file:
        file.write(told)
    return place


def card_path(path: Path, form: Format) -> Path:
    """Where the data card of an export to `path` lies."""
    return path / "README.md" if form == "hf" else path.with_name(f"{path.name}.card.md")


def write_rows(table: Table, indices: Sequence[int], path: Path) -> None:
    """Writes chosen rows with every column. JSON rows go to .jsonl byte for byte."""
    write_parts([Part(table, indices)], path)


def write_parts(parts: Sequence[Part], path: Path) -> None:
    """As `write_rows`, one part after the other."""
    check_suffix(path, ROW_FORMATS)
    if path.suffix.lower() == ".jsonl":
        with atomic_text(path) as file:
            for part in parts:
                for row in part.table.rows.select(part.indices):
                    file.write((row[RAW] if RAW in row else as_json(row)) + "\n")
        return
    with in_columns(path):
        write_columns(columns(parts), path)


def write_records(records: Sequence[dict[str, Any]], path: Path) -> None:
    """Writes rows that are of no table, in the form that the file's ending says."""
    check_suffix(path, ROW_FORMATS)
    if path.suffix.lower() == ".jsonl":
        write_jsonl(records, path)
        return
    import datasets

    with in_columns(path):
        write_columns(datasets.Dataset.from_list([*records]), path)


def write_columns(rows: Any, path: Path) -> None:
    """Writes a `datasets.Dataset` as CSV or Parquet."""
    with atomic_path(path) as partial:
        if path.suffix.lower() == ".csv":
            write_csv(rows, partial)
        else:
            rows.to_parquet(str(partial))


def usual_system(samples: Sequence[Sample]) -> str:
    """The system message that more than half of the rows carry; else none."""
    counted = Counter(sample.system for sample in samples).most_common(1)
    return counted[0][0] if counted and counted[0][1] > len(samples) / 2 else ""


def as_row(table: Table, candidate: Candidate, system: str = "") -> dict[str, Any]:
    """A synthetic row in the data set's own form, with the data's usual system message."""
    text_in, text_out = candidate.input, candidate.output
    if table.format == "messages":
        turns = (("system", system), ("user", text_in), ("assistant", text_out))
        turns = turns if system else turns[1:]
        return {"messages": [{"role": role, "content": text} for role, text in turns]}
    if table.format == "conversations":
        turns = (("system", system), ("human", text_in), ("gpt", text_out))
        turns = turns if system else turns[1:]
        return {"conversations": [{"from": who, "value": text} for who, text in turns]}
    if table.format == "columns":
        first, *others = table.source.input_columns
        output = table.source.output_column or "output"
        return {first: text_in, **dict.fromkeys(others, ""), output: text_out}
    if table.format == "instruction/output":
        blank = {"input": ""} if "input" in table.row(0) else {}
        return {"instruction": text_in, **blank, "output": text_out}
    first, second = table.format.split("/")
    return {first: text_in, second: text_out}


def as_sample(index: int, candidate: Candidate, system: str = "") -> Sample:
    """A synthetic row as the judge sees it, with the system message that it is written with."""
    return Sample(
        index=index,
        id=candidate.id,
        system=system,
        input=candidate.input,
        output=candidate.output,
    )


def write_jsonl(records: Iterable[dict[str, Any]], path: Path) -> None:
    with atomic_text(path) as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
