"""Rows and synthetic rows out. Every file is written whole or not at all."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..memory.errors import UserError
from ..memory.files import atomic_path, atomic_text
from ..memory.records import Candidate, Sample
from .datasets import RAW, Table
from .text import shorten

ROW_FORMATS = (".jsonl", ".csv", ".parquet")


def check_suffix(path: Path, allowed: Sequence[str]) -> None:
    """Raises UserError before any work is done for a file that could not be written."""
    if path.suffix.lower() not in allowed:
        raise UserError(f"--out {path}: unknown ending. Known: {', '.join(allowed)}.")


def rows_suffix(table: Table) -> str:
    """The ending for rows of this data set: its own where rows can be written so."""
    suffix = Path(table.source.path).suffix.lower()
    return suffix if suffix in ROW_FORMATS else ".jsonl"


def write_rows(table: Table, indices: Sequence[int], path: Path) -> None:
    """Writes chosen rows with every column. JSON rows go to .jsonl byte for byte."""
    check_suffix(path, ROW_FORMATS)
    suffix = path.suffix.lower()
    if suffix == ".jsonl":
        with atomic_text(path) as file:
            for row in table.rows.select(indices):
                text = row[RAW] if RAW in row else json.dumps(row, ensure_ascii=False, default=str)
                file.write(text + "\n")
        return
    try:
        chosen = _columns(table, indices)
        with atomic_path(path) as partial:
            if suffix == ".csv":
                _write_csv(chosen, partial)
            else:
                chosen.to_parquet(str(partial))
    except (ValueError, TypeError, OverflowError, NotImplementedError) as error:
        # Arrow's errors, and lone surrogates: JSON rows may hold what columns cannot.
        raise UserError(
            f"cannot write {path}: the rows do not fit into columns "
            f"({shorten(str(error), 120)}). Choose an --out that ends in .jsonl."
        ) from error


def _columns(table: Table, indices: Sequence[int]) -> Any:
    """Chosen rows as a `datasets.Dataset`, with the columns that any of them has."""
    chosen = table.rows.select(indices)
    if RAW not in chosen.column_names:
        return chosen
    import datasets

    rows = [json.loads(text) for text in chosen[RAW]]
    names = dict.fromkeys(name for row in rows or [table.row(0)] for name in row)
    return datasets.Dataset.from_dict({name: [row.get(name) for row in rows] for name in names})


def _write_csv(rows: Any, path: Path) -> None:
    """Cells that hold lists or objects are JSON."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows.column_names, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            cells = {
                name: json.dumps(cell, ensure_ascii=False, default=str)
                if isinstance(cell, list | dict)
                else cell
                for name, cell in row.items()
            }
            writer.writerow(cells)


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
        return {"instruction": text_in, "input": "", "output": text_out}
    first, second = table.format.split("/")
    return {first: text_in, second: text_out}


def as_sample(index: int, candidate: Candidate) -> Sample:
    return Sample(index=index, id=candidate.id, input=candidate.input, output=candidate.output)


def write_jsonl(records: Iterable[dict[str, Any]], path: Path) -> None:
    with atomic_text(path) as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
