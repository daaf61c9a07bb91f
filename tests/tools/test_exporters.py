"""Rows out again: JSONL byte for byte, other types with every column."""

import csv
import json
from pathlib import Path

import datasets
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goalcover.memory.errors import UserError
from goalcover.memory.records import Candidate
from goalcover.tools.card import About
from goalcover.tools.columns import Alignments, Part
from goalcover.tools.datasets import DataSource, Table, load
from goalcover.tools.exporters import (
    as_row,
    as_sample,
    check_target,
    export,
    rows_suffix,
    write_jsonl,
    write_rows,
)

ROWS = (
    '{"prompt":"a","completion":"b"}',
    '{ "completion" : "line\u2028para\u2029next\x85",  "prompt": "\\u00e9 é 😀" }',
    '{"prompt": "\\ud83d lone", "completion": "1e400 NaN", "n": 1E2, "m": 1.0, "big": 12345678901}',
    '\t{"prompt":"tabs","completion":"\\/ escaped \\u2028","nested":{"a":[1,null,{}]}}  ',
    '{"prompt":"twice","prompt":"twice","completion":"b"}',
)


def opened(folder: Path, content: str | bytes, name: str = "rows.jsonl", **options) -> Table:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load(DataSource(path=str(path), **options), folder / "cache")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_json_rows_are_written_byte_for_byte(tmp_path, start, end):
    table = opened(tmp_path, start + end.join(ROWS) + end)
    write_rows(table, range(len(ROWS)), tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == ("\n".join(ROWS) + "\n").encode()


def test_only_chosen_rows_are_written_in_the_order_given(tmp_path):
    table = opened(tmp_path, "\n".join(ROWS))
    write_rows(table, [3, 0], tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text().splitlines() == [ROWS[3], ROWS[0]]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.text(st.characters(exclude_categories=[])), min_size=1, max_size=4),
    st.booleans(),
)
def test_any_json_row_survives_byte_for_byte(tmp_path, texts, ascii_only):
    rows = [
        json.dumps({"prompt": t, "completion": t}, ensure_ascii=ascii_only or not _encodes(t))
        for t in texts
    ]
    table = opened(tmp_path, "\n".join(rows))
    write_rows(table, range(len(rows)), tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == ("\n".join(rows) + "\n").encode()


def _encodes(text: str) -> bool:
    try:
        return bool(text.encode()) or True
    except UnicodeEncodeError:
        return False


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_every_type_can_be_written_and_read_again(tmp_path, suffix):
    rows = [{"prompt": f'p{i}, "q"\nnext é', "completion": f"c{i}"} for i in range(4)]
    table = opened(tmp_path, "\n".join(map(json.dumps, rows)))
    write_rows(table, [1, 3], tmp_path / f"out{suffix}")
    again = load(DataSource(path=str(tmp_path / f"out{suffix}")), tmp_path / "cache2")
    assert [again.row(i) for i in range(len(again))] == [rows[1], rows[3]]


def test_csv_rows_keep_their_cells(tmp_path):
    content = "id,prompt,completion\n007,q,None\n008,q,1.0\n"
    table = opened(tmp_path, content, "rows.csv")
    write_rows(table, [0, 1], tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == content


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_column_that_only_later_rows_have_is_written(tmp_path, suffix):
    rows = [{"prompt": "a", "completion": "b"}, {"prompt": "c", "completion": "d", "source": "e"}]
    table = opened(tmp_path, "\n".join(map(json.dumps, rows)))
    write_rows(table, [0, 1], tmp_path / f"out{suffix}")
    again = load(DataSource(path=str(tmp_path / f"out{suffix}")), tmp_path / "cache2")
    assert not again.row(0)["source"]
    assert again.row(1)["source"] == "e"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("odd", [{"x": 1}, "\ud83d", 10**30])
def test_rows_that_fit_no_column_are_refused_in_one_line(tmp_path, suffix, odd):
    rows = [
        {"prompt": "a", "completion": "b", "n": 1},
        {"prompt": "a", "completion": "b", "n": odd},
    ]
    table = opened(tmp_path, "\n".join(map(json.dumps, rows)))
    out = tmp_path / f"out{suffix}"
    with pytest.raises(UserError, match=r"\.jsonl") as raised:
        write_rows(table, [0, 1], out)
    assert "\n" not in str(raised.value)
    assert not out.exists()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_no_row_at_all_leaves_the_columns(tmp_path, suffix):
    import pandas as pd

    table = opened(tmp_path, ROWS[0])
    out = tmp_path / f"out{suffix}"
    write_rows(table, [], out)
    read = pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)
    assert list(read.columns) == ["prompt", "completion"] and read.empty


def test_an_unknown_ending_is_refused(tmp_path):
    table = opened(tmp_path, ROWS[0])
    with pytest.raises(UserError, match=r"unknown ending.*\.jsonl"):
        write_rows(table, [0], tmp_path / "out.xlsx")


@pytest.mark.parametrize(
    ("name", "content", "suffix"),
    [
        ("a.jsonl", ROWS[0], ".jsonl"),
        ("a.json", f"[{ROWS[0]}]", ".jsonl"),
        ("a.csv", "prompt,completion\na,b\n", ".csv"),
        ("a.tsv", "prompt\tcompletion\na\tb\n", ".jsonl"),
    ],
)
def test_filtered_rows_get_the_ending_of_the_data_where_that_works(tmp_path, name, content, suffix):
    table = opened(tmp_path, content, name)
    assert rows_suffix(table) == suffix
    write_rows(table, [0], tmp_path / f"out{suffix}")
    assert load(DataSource(path=str(tmp_path / f"out{suffix}")), tmp_path / "cache2").sample(0)


@pytest.mark.parametrize(
    ("row", "options"),
    [
        ({"messages": [{"role": r, "content": "x"} for r in ("user", "assistant")]}, {}),
        ({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}, {}),
        ({"instruction": "q", "input": "", "output": "a"}, {}),
        ({"instruction": "q", "output": "a"}, {}),
        ({"prompt": "q", "completion": "a"}, {}),
        ({"question": "q", "answer": "a"}, {}),
        (
            {"ask": "q", "context": "", "say": "a"},
            {"input_columns": ["ask", "context"], "output_column": "say"},
        ),
    ],
)  # fmt: skip
def test_synthetic_rows_take_the_form_of_the_data(tmp_path, row, options):
    table = opened(tmp_path, json.dumps(row), **options)
    candidate = Candidate(id="c1", input="new question", output="new answer", origin="model")
    written = as_row(table, candidate)
    assert written.keys() == row.keys()
    write_jsonl([written], tmp_path / "synthetic.jsonl")
    again = load(DataSource(path=str(tmp_path / "synthetic.jsonl"), **options), tmp_path / "cache2")
    sample = again.sample(0)
    assert sample is not None
    assert (sample.input, sample.output) == ("new question", "new answer")
    assert sample.hash == as_sample(0, candidate).hash


def test_jsonl_takes_any_text(tmp_path):
    rows = [{"prompt": "\u2028 😀 \ud83d"}]
    write_jsonl(rows, tmp_path / "out.jsonl")
    (line,) = (tmp_path / "out.jsonl").read_bytes().removesuffix(b"\n").split(b"\n")
    assert json.loads(line) == rows[0]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet"])
def test_nested_cells_of_csv_are_json(tmp_path, name):
    import pandas as pd

    row = {"prompt": "q", "completion": "a", "tags": ["x", "é"], "more": {"n": 1, "none": None}}
    if name == "rows.jsonl":
        table = opened(tmp_path, json.dumps(row) + "\n", name)
    else:
        pd.DataFrame([row]).to_parquet(tmp_path / name)
        table = load(DataSource(path=str(tmp_path / name)), tmp_path / "cache")
    write_rows(table, [0], tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        (read,) = csv.DictReader(file)
    assert read["prompt"] == "q"
    assert json.loads(read["tags"]) == row["tags"] and json.loads(read["more"]) == row["more"]


ABOUT = About(judge="m", subgoals=[], data="rows.jsonl")

MESSAGES = [
    {"role": "system", "content": "You help."},
    {"role": "user", "content": "q1"},
    {"role": "assistant", "content": "a1"},
    {"role": "user", "content": "q2"},
    {"role": "assistant", "content": "a2"},
]
LONG = "long " * 100


@pytest.mark.parametrize(
    ("row", "messages", "options"),
    [
        ({"messages": MESSAGES, "source": "x"}, MESSAGES, {}),
        (
            {"conversations": [{"from": who, "value": turn["content"]} for who, turn in
                               zip(("system", "human", "gpt", "human", "gpt"), MESSAGES,
                                   strict=True)]},
            MESSAGES, {},
        ),
        ({"prompt": LONG, "completion": "a1", "id": 7}, [LONG, "a1"], {"max_chars": 101}),
        ({"instruction": "q", "input": "more", "output": "a"}, ["q\n\nmore", "a"], {}),
        ({"question": "q", "answer": "a"}, ["q", "a"], {}),
        ({"ask": "q", "say": "a"}, ["q", "a"], {"input_columns": ["ask"], "output_column": "say"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_every_form_becomes_a_chat(tmp_path, row, messages, options, suffix):
    if suffix == ".parquet":
        datasets.Dataset.from_list([row]).to_parquet(str(tmp_path / "rows.parquet"))
        table = load(DataSource(path=str(tmp_path / "rows.parquet"), **options), tmp_path / "c")
    else:
        table = opened(tmp_path, json.dumps(row), **options)
    export([Part(table, [0])], tmp_path / "chat.jsonl", "chat", ABOUT)
    (written,) = map(json.loads, (tmp_path / "chat.jsonl").read_text().splitlines())
    if isinstance(messages[0], str):
        roles = ("user", "assistant")
        messages = [{"role": r, "content": t} for r, t in zip(roles, messages, strict=True)]
    assert written == {"messages": messages}


def test_a_role_that_has_no_place_in_a_chat_is_named(tmp_path):
    turns = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]
    rows = [turns, [{"from": "narrator", "value": "x"}, *turns]]
    table = opened(tmp_path, "\n".join(json.dumps({"conversations": row}) for row in rows))
    with pytest.raises(UserError, match=r"row 2 of .* has a turn of 'narrator'"):
        export([Part(table, [0, 1])], tmp_path / "chat.jsonl", "chat", ABOUT)
    assert not (tmp_path / "chat.jsonl").exists()


def test_a_folder_for_hugging_face_is_loaded_as_it_was_written(tmp_path):
    rows = [
        {"prompt": f"p{i} é", "completion": f"c{i}", "tags": ["x"], "n": i, "goalcover_a": "old"}
        for i in range(4)
    ]
    table = opened(tmp_path, "\n".join(map(json.dumps, rows)))
    samples = [sample for sample in table if sample]
    by_hash = {samples[1].hash: {"a": 0.8, "b": None}, samples[3].hash: {"a": 0.2, "b": 1.0}}
    part = Part(table, [1, 3])
    card = export([part], tmp_path / "d", "hf", ABOUT, alignments=Alignments(["a", "b"], by_hash))
    assert card == tmp_path / "d" / "README.md"
    found = datasets.load_dataset(str(tmp_path / "d"), cache_dir=str(tmp_path / "hub"))
    assert list(found) == ["train"]
    assert found["train"].to_list() == [
        rows[1] | {"goalcover_a": 0.8, "goalcover_b": None},
        rows[3] | {"goalcover_a": 0.2, "goalcover_b": 1.0},
    ]


def test_a_folder_for_hugging_face_tells_predicted_alignments(tmp_path):
    rows = [{"prompt": f"p{i}", "completion": f"c{i}"} for i in range(2)]
    table = opened(tmp_path, "\n".join(map(json.dumps, rows)))
    first, second = (sample.hash for sample in table if sample)
    scores = Alignments(["a"], {first: {"a": 0.8}, second: {"a": 0.4}}, frozenset([second]))
    card = export([Part(table, [0, 1])], tmp_path / "d", "hf", ABOUT, alignments=scores)
    found = datasets.load_dataset(
        str(tmp_path / "d"), split="train", cache_dir=str(tmp_path / "hub")
    )
    assert found["predicted_by_goalcover"] == [False, True]
    assert found["goalcover_a"] == [0.8, 0.4]
    assert "`predicted_by_goalcover` tells" in card.read_text()


@pytest.mark.parametrize("form", ["original", "chat", "hf", "parquet", "csv"])
def test_synthetic_rows_come_last_and_are_told_apart(tmp_path, form):
    table = opened(tmp_path, json.dumps({"prompt": "q", "completion": "a", "source": "s"}))
    (tmp_path / "more").mkdir()
    made = opened(tmp_path / "more", json.dumps({"prompt": "new", "completion": "row"}))
    ending = {"hf": "", "parquet": ".parquet", "csv": ".csv"}.get(form, ".jsonl")
    out = tmp_path / f"out{ending}"
    card = export([Part(table, [0]), Part(made, [0], synthetic=True)], out, form, ABOUT)
    assert "1 rows of rows.jsonl and 1 synthetic rows." in card.read_text()
    if form == "hf":
        read = datasets.load_dataset(str(out), split="train", cache_dir=str(tmp_path / "hub"))
        assert read["synthetic_by_goalcover"] == [False, True]
        assert (read["prompt"], read["source"]) == (["q", "new"], ["s", None])
    else:
        again = load(DataSource(path=str(out)), tmp_path / "cache2")
        assert [sample.input for sample in again if sample] == ["q", "new"]
    assert (tmp_path / "rows.jsonl").read_text().count("\n") == 0


def test_folders_of_one_name_are_not_taken_for_each_other(tmp_path):
    """`datasets` loads from its cache what it takes for the same."""
    table = opened(tmp_path, "\n".join(ROWS[:2]))
    for row in (0, 1):
        out = tmp_path / f"test-{row}" / "aligned"
        export([Part(table, [row])], out, "hf", ABOUT)
        found = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "hub"))
        assert found["train"].to_list() == [table.row(row)]


def test_files_of_one_name_have_cards_of_their_own(tmp_path):
    table = opened(tmp_path, json.dumps({"prompt": "q", "completion": "a"}))
    cards = [export([Part(table, [0])], tmp_path / f"k{end}", "original", ABOUT)
             for end in (".csv", ".jsonl")]  # fmt: skip
    assert [card.name for card in cards] == ["k.csv.card.md", "k.jsonl.card.md"]
    assert all(card.is_file() for card in cards)


@pytest.mark.parametrize(
    ("name", "form", "said"),
    [
        ("out.xlsx", "original", "unknown ending"),
        ("out.csv", "chat", r"--format chat needs a file that ends in \.jsonl"),
        ("out.jsonl", "parquet", r"ends in \.parquet"),
        ("out.jsonl", "csv", r"ends in \.csv"),
        ("out.jsonl", "hf", "writes a folder"),
        ("full", "hf", "is there already"),
    ],
)
def test_a_place_that_does_not_fit_the_format_is_refused(tmp_path, name, form, said):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    with pytest.raises(UserError, match=said):
        check_target(tmp_path / name, form)


def test_a_folder_that_failed_is_not_there(tmp_path):
    rows = [{"prompt": "a", "completion": "b", "n": n} for n in (1, {"x": 1})]
    table = opened(tmp_path, "\n".join(map(json.dumps, rows)))
    with pytest.raises(UserError, match="do not fit into columns"):
        export([Part(table, [0, 1])], tmp_path / "d", "hf", ABOUT)
    assert not list(tmp_path.glob("*d")) and not list(tmp_path.glob(".d*"))
