"""A look at a data set: what is shown where all is well, and where something is not."""

import json
from pathlib import Path
from typing import Any

import pytest

from goalcover.memory.errors import UserError
from goalcover.tools import preview as previews
from goalcover.tools.datasets import DataSource, load
from goalcover.tools.preview import CELL, Preview, preview

ROWS: list[dict[str, Any]] = [
    {"prompt": "Is 5 mg safe?", "completion": "Ask a doctor.", "id": "a"},
    {"prompt": "And 10?", "completion": " ", "id": "b"},
    {"prompt": "And 20?", "completion": "No.", "id": "c"},
]


def lines(rows: list[Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def looked(folder: Path, content: str, name: str = "rows.jsonl", **options: Any) -> Preview:
    (folder / name).write_text(content)
    count = options.pop("count", 5)
    return preview(DataSource(path=str(folder / name), **options), folder / "cache", count)


def test_a_recognised_file_is_shown_as_the_judge_would_see_it(tmp_path: Path) -> None:
    found = looked(tmp_path, lines(ROWS))
    assert (found.format, found.unknown) == ("prompt/completion", "")
    assert found.columns == ["prompt", "completion", "id"]
    assert (found.rows, found.bad, found.empty, found.looked_at) == (3, 0, 1, 3)
    assert [(s.index, s.input, s.output) for s in found.samples] == [
        (0, "Is 5 mg safe?", "Ask a doctor."), (2, "And 20?", "No."),
    ]  # fmt: skip
    assert found.raw[1] == {"prompt": "And 10?", "completion": "", "id": "b"}
    assert found.how == "All 3 rows were read; empty outputs were counted in all of them."


@pytest.mark.parametrize("picked", [{}, {"input_columns": ["mail"]}, {"output_column": "mail"}])
def test_no_known_form_is_no_error(tmp_path: Path, picked: dict[str, Any]) -> None:
    found = looked(tmp_path, lines([{"mail": "Hi", "summary": "Hello"}]), **picked)
    assert found.format is None and found.samples == []
    assert "--output-column" in found.unknown
    assert found.columns == ["mail", "summary"]
    assert found.raw == [{"mail": "Hi", "summary": "Hello"}]
    assert "not known yet" in found.how and found.looked_at == 0


def test_picked_columns_are_read(tmp_path: Path) -> None:
    found = looked(
        tmp_path, lines([{"mail": "Hi", "by": "Ann", "summary": "Hello"}]),
        input_columns=["by", "mail"], output_column="summary",
    )  # fmt: skip
    assert found.format == "columns"
    assert (found.samples[0].input, found.samples[0].output) == ("Ann\n\nHi", "Hello")
    assert found.how == "The one row was read; empty outputs were counted in it."


def test_bad_lines_are_counted_whether_or_not_they_will_be_skipped(tmp_path: Path) -> None:
    content = lines(ROWS) + "oops\n[1]\n"
    for skip in (False, True):
        found = looked(tmp_path, content, skip_bad_rows=skip)
        assert (found.rows, found.bad) == (3, 2)
        assert found.bad_places == ["line 4", "line 5"]


def test_cells_are_short_lines_whatever_they_hold(tmp_path: Path) -> None:
    cell = {"messages": [{"role": "user", "content": "a\nb"}], "n": None, "x": 7.5, "h": "\ud83d"}
    found = looked(tmp_path, lines([cell | {"long": "word " * 1000}]))
    (row,) = found.raw
    assert row["messages"] == '[{"role": "user", "content": "a\\nb"}]'
    assert (row["n"], row["x"], row["h"]) == ("", "7.5", "?")
    assert len(row["long"]) <= CELL and row["long"].endswith("…")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", "prompt,completion\nq,None\nr,\n"),
        ("rows.tsv", "prompt\tcompletion\nq\tNone\nr\t\n"),
        ("rows.json", '[{"prompt": "q", "completion": "None"}, {"prompt": "r", "completion": ""}]'),
    ],
)
def test_file_types(tmp_path: Path, name: str, content: str) -> None:
    found = looked(tmp_path, content, name)
    assert (found.format, found.rows, found.empty) == ("prompt/completion", 2, 1)
    assert found.samples[0].output == "None"


def test_only_so_many_rows_are_shown_and_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews, "LOOKED_AT", 4)
    found = looked(tmp_path, lines(ROWS * 4), count=2)
    assert (found.rows, found.looked_at, found.empty) == (12, 4, 1)
    assert len(found.samples) == len(found.raw) == 2
    assert found.how.endswith("in the first 4 of them.")


@pytest.mark.parametrize(
    ("content", "name", "options", "said"),
    [
        ("", "rows.jsonl", {}, "is empty"),
        ("\noops\n", "rows.jsonl", {}, "line 2 of .* not a JSON object"),
        ("\n\n", "rows.jsonl", {}, "holds no rows"),
        ("{", "rows.json", {}, "not a JSON object"),
        ("[{]", "rows.json", {}, "is not valid JSON"),
        ("a", "rows.xls", {}, "unknown ending"),
        (lines(ROWS), "rows.jsonl", {"output_column": "answer"}, "no column 'answer'"),
        (lines([*ROWS, {"prompt": "x"}]), "rows.jsonl", {}, "row 4 of .* does not have the form"),
    ],
)
def test_what_a_run_could_not_read_is_an_error_here_too(
    tmp_path: Path, content: str, name: str, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        looked(tmp_path, content, name, **options)


def test_a_hub_data_set_is_shown_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    rows = datasets.Dataset.from_list(ROWS)
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: rows)
    found = preview(DataSource(path="own/set"), tmp_path / "cache")
    assert (found.rows, found.empty, found.samples[1].id) == (3, 1, "c")


def test_the_run_finds_in_the_cache_what_the_preview_read(tmp_path: Path) -> None:
    found = looked(tmp_path, lines(ROWS))
    before = sorted((tmp_path / "cache").rglob("*.arrow"))
    table = load(DataSource(path=str(tmp_path / "rows.jsonl")), tmp_path / "cache")
    assert before and sorted((tmp_path / "cache").rglob("*.arrow")) == before
    assert [sample for sample in table if sample] == found.samples
