"""Reading training data: every form, every file type, and every way a file can be wrong."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goalcover.memory.errors import UserError
from goalcover.memory.records import Sample
from goalcover.tools.datasets import DataSource, Table, load

PAIR = {"prompt": "Is 5 mg safe?", "completion": "Ask a doctor."}


def opened(folder: Path, content: str | bytes, name: str = "rows.jsonl", **options) -> Table:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load(DataSource(path=str(path), **options), folder / "cache")


def lines(*rows: object) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def only(table: Table) -> Sample:
    (sample,) = table
    assert sample is not None
    return sample


def chat(*turns: tuple[str, object]) -> dict[str, object]:
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


@pytest.mark.parametrize(
    ("row", "form", "system", "text_in", "text_out"),
    [
        (chat(("user", "Hi"), ("assistant", "Yo")), "messages", "", "Hi", "Yo"),
        (
            chat(("system", "Be kind."), ("user", "Hi"), ("assistant", "Yo")),
            "messages", "Be kind.", "Hi", "Yo",
        ),
        (
            chat(("user", "A"), ("assistant", "B"), ("user", "C"), ("assistant", "D")),
            "messages", "", "user: A\n\nassistant: B\n\nuser: C", "D",
        ),
        (
            chat(("user", "A"), ("user", "B"), ("assistant", "C")),
            "messages", "", "user: A\n\nuser: B", "C",
        ),
        (
            chat(("user", "A"), ("assistant", "B"), ("user", "thanks")),
            "messages", "", "A", "B",
        ),
        (
            chat(("user", [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]),
                 ("assistant", [{"type": "text", "text": "three"}])),
            "messages", "", "one\ntwo", "three",
        ),
        (
            {"conversations": [{"from": "system", "value": "Be kind."},
                               {"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yo"}]},
            "conversations", "Be kind.", "Hi", "Yo",
        ),
        (
            {"instruction": "Add", "input": "1 + 1", "output": "2"},
            "instruction/output", "", "Add\n\n1 + 1", "2",
        ),
        (
            {"instruction": "Add", "input": "", "output": "2"},
            "instruction/output", "", "Add", "2",
        ),
        ({"instruction": "Add", "output": "2"}, "instruction/output", "", "Add", "2"),
        (PAIR, "prompt/completion", "", "Is 5 mg safe?", "Ask a doctor."),
        ({"question": "Q", "answer": "A"}, "question/answer", "", "Q", "A"),
    ],
)  # fmt: skip
def test_every_known_form_is_read(tmp_path, row, form, system, text_in, text_out):
    table = opened(tmp_path, lines(row))
    sample = only(table)
    assert table.format == form
    assert (sample.system, sample.input, sample.output) == (system, text_in, text_out)


def test_named_columns_are_joined_in_their_order(tmp_path):
    row = {"title": "Act", "body": "Text", "gist": "Short", "prompt": "x", "completion": "y"}
    table = opened(
        tmp_path, lines(row), input_columns=["body", "title"], output_column="gist"
    )  # fmt: skip
    assert table.format == "columns"
    assert (only(table).input, only(table).output) == ("Text\n\nAct", "Short")


def test_cells_that_are_no_text_become_text(tmp_path):
    row = {"prompt": {"age": 7}, "completion": 42}
    sample = only(opened(tmp_path, lines(row)))
    assert (sample.input, sample.output) == ('{"age": 7}', "42")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", 'prompt,completion\n"a, b\nc",d\n'),
        ("rows.csv", '\ufeffprompt,completion\r\n"a, b\nc",d\r\n'),
        ("rows.tsv", 'prompt\tcompletion\n"a, b\nc"\td\n'),
        ("rows.json", '[\n {"prompt": "a, b\\nc",\n  "completion": "d"}\n]'),
        ("rows.ndjson", '{"prompt": "a, b\\nc", "completion": "d"}'),
        ("ROWS.JSONL", '\ufeff{"prompt": "a, b\\nc", "completion": "d"}\r\n\r\n'),
        ("rows [v1].csv", 'prompt,completion\n"a, b\nc",d\n'),
    ],
)
def test_file_types(tmp_path, name, content):
    sample = only(opened(tmp_path, content, name))
    assert (sample.input, sample.output) == ("a, b\nc", "d")


def test_parquet_with_nested_messages(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [chat(("system", "S"), ("user", "Hi"), ("assistant", "Yo"))]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    table = load(DataSource(path=str(tmp_path / "rows.parquet")), tmp_path / "cache")
    sample = only(table)
    assert (sample.system, sample.input, sample.output) == ("S", "Hi", "Yo")


def test_cells_of_csv_stay_the_text_that_stands_there(tmp_path):
    cells = ["None", "NA", "null", "1.0", "007", "true"]
    content = "id,prompt,completion\n" + "".join(f"0{i},q,{c}\n" for i, c in enumerate(cells))
    samples = [s for s in opened(tmp_path, content, "rows.csv") if s]
    assert [s.output for s in samples] == cells
    assert [s.id for s in samples] == [f"0{i}" for i in range(len(cells))]


def test_a_late_word_in_a_column_of_numbers_is_read(tmp_path):
    content = "prompt,completion\n" + "q,1\n" * 12_000 + "q,one\n"
    table = opened(tmp_path, content, "rows.csv")
    last = table.sample(12_000)
    assert last is not None and last.output == "one"


def test_rows_of_different_shape_keep_what_each_holds(tmp_path):
    rows = [PAIR, PAIR | {"extra": {"deep": [1, "x"]}}, PAIR | {"extra": 3}, PAIR | {"id": "r4"}]
    table = opened(tmp_path, lines(*rows))
    assert [table.row(i) for i in range(len(table))] == rows
    last = table.sample(3)
    assert last is not None and last.id == "r4"


def test_rows_without_an_id_are_known_by_their_content(tmp_path):
    first, second, same = opened(tmp_path, lines(PAIR, PAIR | {"completion": "No."}, PAIR))
    assert first and second and same
    assert first.id == same.id != second.id


@pytest.mark.parametrize("output", ["", "  \n\t ", None, []])
def test_a_row_with_an_empty_output_is_no_sample(tmp_path, output):
    assert list(opened(tmp_path, lines(PAIR | {"completion": output}))) == [None]


def test_a_conversation_without_an_answer_is_no_sample(tmp_path):
    assert list(opened(tmp_path, lines(chat(("user", "Anyone?"))))) == [None]


def test_lone_surrogates_do_not_reach_the_judge(tmp_path):
    content = '{"id": "\\udc00", "prompt": "half \\ud83d", "completion": "whole \\ud83d\\ude00"}\n'
    for name, text in (("rows.jsonl", content), ("rows.json", f"[{content}]")):
        sample = only(opened(tmp_path, text, name))
        assert sample.output == "whole 😀"
        assert sample.input.startswith("half ")
        (sample.id + sample.input).encode()  # would raise


# Too long rows


def test_long_texts_are_cut_in_the_middle_and_counted(tmp_path):
    text = "".join(chr(97 + i % 26) for i in range(1000))
    row = {"prompt": text, "completion": text[:300]}
    sample = only(opened(tmp_path, lines(row), max_chars=400))
    assert sample.cut == 600
    assert sample.input.startswith(text[:300]) and sample.input.endswith(text[-100:])
    assert text[300:320] not in sample.input.removeprefix(text[:300]).split("\n")[0]
    assert "600 characters left out" in sample.input
    assert sample.output == text[:300]


@pytest.mark.parametrize(("length", "cut"), [(400, 0), (401, 1)])
def test_the_limit_itself_is_not_cut(tmp_path, length, cut):
    sample = only(opened(tmp_path, lines(PAIR | {"completion": "x" * length}), max_chars=400))
    assert sample.cut == cut


def test_cuts_of_system_input_and_output_add_up(tmp_path):
    row = chat(("system", "s" * 210), ("user", "u" * 220), ("assistant", "a" * 230))
    assert only(opened(tmp_path, lines(row), max_chars=200)).cut == 10 + 20 + 30


# Malformed files

BAD = lines(PAIR) + "{broken\n" + lines(PAIR) + "[1]\n" + lines(PAIR)


def test_a_malformed_line_is_named(tmp_path):
    with pytest.raises(UserError, match=r"line 2 of .*rows\.jsonl.*--skip-bad-rows"):
        opened(tmp_path, BAD)


def test_skipped_lines_are_counted(tmp_path):
    table = opened(tmp_path, BAD, skip_bad_rows=True)
    assert (len(table), table.bad_rows) == (3, 2)


@pytest.mark.parametrize(
    "bad",
    [b'{"prompt": "\xff", "completion": "b"}', b"3", b'"text"', b"null", b"[" * 100_000, b"\x00"],
)
def test_a_line_that_is_no_json_object_is_named(tmp_path, bad):
    content = lines(PAIR).encode() + b"\n" + bad + b"\n"
    with pytest.raises(UserError, match="line 3 of"):
        opened(tmp_path, content)
    assert opened(tmp_path, content, skip_bad_rows=True).bad_rows == 1


def test_an_array_entry_that_is_no_object_is_named(tmp_path):
    content = json.dumps([PAIR, 3, PAIR], indent=1)
    with pytest.raises(UserError, match="entry 2 of"):
        opened(tmp_path, content, "rows.json")
    table = opened(tmp_path, content, "rows.json", skip_bad_rows=True)
    assert (len(table), table.bad_rows) == (2, 1)


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ("", "rows.jsonl", "is empty"),
        ("\n \n\n", "rows.jsonl", "holds no rows"),
        ("[]", "rows.json", "holds no rows"),
        ("prompt,completion\n", "rows.csv", "holds no rows"),
        ('[{"prompt": ', "rows.json", "not valid JSON"),
        ("PAR1 this is none", "rows.parquet", "cannot read"),
        (b"prompt,completion\na,\xff\n", "rows.csv", "no text in UTF-8: save it as UTF-8, or as"),
        (b"prompt\n" + b"x\n" * 9000 + b"\xff\n", "rows.tsv", "no text in UTF-8"),
        (b'[{"prompt": "\xff"}]', "rows.json", "no text in UTF-8"),
        ("text", "rows.docx", "unknown ending.*ndjson.*tsv"),
    ],
)
def test_unreadable_files(tmp_path, content, name, said):
    with pytest.raises(UserError, match=said) as raised:
        opened(tmp_path, content, name)
    assert name in str(raised.value)
    assert "\n" not in str(raised.value)


def test_nothing_is_left_when_every_line_is_bad(tmp_path):
    with pytest.raises(UserError, match="holds no rows"):
        opened(tmp_path, "x\ny\n", skip_bad_rows=True)


@pytest.mark.parametrize("name", ["none.jsonl", "./none", "sub/none.csv", "/none/at/all.json"])
def test_a_missing_file(tmp_path, name):
    with pytest.raises(UserError, match="there is no file"):
        load(DataSource(path=name), tmp_path)


def test_a_folder(tmp_path):
    with pytest.raises(UserError, match="is a folder"):
        load(DataSource(path=str(tmp_path)), tmp_path)


def test_an_unknown_column_names_the_columns_there_are(tmp_path):
    with pytest.raises(UserError, match=r"no column 'answr'.*prompt, completion"):
        opened(tmp_path, lines(PAIR), input_columns=["prompt"], output_column="answr")


def test_one_named_column_is_not_enough(tmp_path):
    with pytest.raises(UserError, match="--output-column"):
        opened(tmp_path, lines(PAIR), input_columns=["prompt"])


def test_an_unknown_form_names_the_columns_there_are(tmp_path):
    with pytest.raises(UserError, match=r"--input-column.*left, right"):
        opened(tmp_path, lines({"left": "a", "right": "b"}))


@pytest.mark.parametrize(
    ("first", "other"),
    [
        (PAIR, {"question": "Q", "answer": "A"}),
        (chat(("user", "Q"), ("assistant", "A")), PAIR),
        (chat(("user", "Q"), ("assistant", "A")), {"messages": "none"}),
        (chat(("user", "Q"), ("assistant", "A")), {"messages": [{"text": "x"}]}),
        (chat(("user", "Q"), ("assistant", "A")), {"messages": None}),
    ],
)
def test_a_row_of_another_form_is_named(tmp_path, first, other):
    table = opened(tmp_path, lines(first, first, other))
    with pytest.raises(UserError, match="row 3 of"):
        list(table)
    with pytest.raises(UserError, match="row 3 of"):
        table.sample(2)


def test_a_changed_file_is_read_anew(tmp_path):
    assert only(opened(tmp_path, lines(PAIR))).output == "Ask a doctor."
    assert only(opened(tmp_path, lines(PAIR | {"completion": "No, never."}))).output == "No, never."


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=5))
def test_any_text_is_read_as_it_was_written(tmp_path, pairs):
    rows = [{"prompt": a, "completion": b} for a, b in pairs]
    table = opened(tmp_path, lines(*rows))
    assert [table.row(i) for i in range(len(table))] == rows
    for (a, b), sample in zip(pairs, table, strict=True):
        assert (sample is None) == (not b.strip())
        assert sample is None or (sample.input, sample.output) == (a, b)


@pytest.mark.parametrize("content", ["q,a\nx,yes, but not for adults\n", "q,a\nx,y\nx,yes, but\n"])
def test_a_csv_row_with_too_many_cells_is_no_shorter_answer(tmp_path, content):
    path = tmp_path / "rows.csv"
    path.write_text(content)
    with pytest.raises(UserError, match=r"rows\.csv"):
        load(DataSource(path=str(path), input_columns=["q"], output_column="a"), tmp_path)


def test_a_named_column_that_a_row_lacks_is_said_whatever_its_name(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"input": "q", "o": "a"}\n{"o": "b"}\n')
    table = load(DataSource(path=str(path), input_columns=["input"], output_column="o"), tmp_path)
    with pytest.raises(UserError, match="row 2 of"):
        list(table)


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_reading_through_gives_the_rows_that_looking_them_up_does(tmp_path, suffix):
    """Over more rows than are kept together, with rows of several shapes."""
    import pandas as pd

    path, count = tmp_path / f"rows.{suffix}", 2300
    pairs = [PAIR | {"prompt": f"q {i} \u2028", "id": str(i)} for i in range(count)]
    if suffix == "jsonl":
        path.write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    elif suffix == "csv":
        pd.DataFrame(pairs).to_csv(path, index=False)
    else:
        turns = [chat(("user", f"q {i}"), ("assistant", "a" * (i % 3))) for i in range(count)]
        pd.DataFrame(turns).to_parquet(path, row_group_size=100)
    table = load(DataSource(path=str(path)), tmp_path / "cache")
    found = list(table)
    assert found == list(table) == [table.sample(index) for index in range(count)]
    assert len({sample.input for sample in found if sample}) > count / 2


@pytest.mark.parametrize(("path", "configuration"), [("own/set", None), ("own/set:part", "part")])
def test_a_hub_name_may_name_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, configuration: str | None
) -> None:
    import datasets

    asked = []

    def answer(name: str, part: str | None, split: str) -> datasets.Dataset:
        asked.append((name, part, split))
        return datasets.Dataset.from_list([PAIR])

    monkeypatch.setattr(datasets, "load_dataset", answer)
    table = load(DataSource(path=path, split="test"), tmp_path / "cache")
    assert only(table).input == PAIR["prompt"]
    assert asked == [("own/set", configuration, "test")]


def test_texts_are_the_samples_uncut(tmp_path):
    long = "word " * 100
    table = opened(tmp_path, lines(PAIR, PAIR | {"completion": ""}, PAIR | {"prompt": long}),
                   max_chars=200)  # fmt: skip
    assert list(table.texts()) == [
        ("", PAIR["prompt"], PAIR["completion"]),
        ("", PAIR["prompt"], ""),
        ("", long, PAIR["completion"]),
    ]
    with pytest.raises(UserError, match="row 2 of"):
        list(opened(tmp_path, lines(PAIR, {"prompt": "x"})).texts())
