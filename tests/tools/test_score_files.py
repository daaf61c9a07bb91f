"""Files of scores: written, read again, refused."""

import json
from collections.abc import Iterator

import pytest

from goalcover.memory.errors import UserError
from goalcover.memory.records import Score, Subgoal
from goalcover.tools import score_files
from goalcover.tools.card import About
from goalcover.tools.filtering import ScoredRow
from goalcover.tools.score_files import (
    about_path,
    read_about,
    read_scores,
    write_about,
    write_scores,
)

ROWS = [
    (
        0,
        "id-0",
        "hash-0",
        {"a": Score(value=0.8, explanation="says \u2028 😀"), "b": Score(value=0.0)},
    ),
    (2, "id-2", "hash-2", {"a": Score(error="timeout"), "b": Score(value=1.0, explanation="x\ny")}),
]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_scores_are_read_as_they_were_written(tmp_path, suffix):
    path = tmp_path / f"scores{suffix}"
    assert write_scores(iter(ROWS), path, ["a", "b"]) == 2
    assert list(read_scores(path)) == [
        (ScoredRow(0, {"a": 0.8, "b": 0.0}), "hash-0"),
        (ScoredRow(2, {"a": None, "b": 1.0}), "hash-2"),
    ]


MADE = Score(value=0.5, source="predicted", interval=(0.25, 0.75))
PREDICTED = [
    (0, "id-0", "hash-0", {"a": MADE, "b": Score(value=0.0, explanation="says why")}),
    (1, "id-1", "hash-1", {"a": MADE.model_copy(update={"error": "timeout"})}),
]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_predictions_are_told_from_judgements(tmp_path, suffix):
    path = tmp_path / f"scores{suffix}"
    write_scores(PREDICTED, path, ["a", "b"])
    first, second = (row for row, _ in read_scores(path))
    ends = {"a": (0.25, 0.75)}
    assert first == ScoredRow(0, {"a": 0.5, "b": 0.0}, frozenset("a"), ends)
    assert (second.values["a"], second.predicted, second.intervals) == (0.5, frozenset("a"), ends)


def test_a_record_says_of_each_value_where_it_comes_from(tmp_path):
    write_scores([*PREDICTED, *ROWS], tmp_path / "scores.jsonl", ["a", "b"])
    lines = (tmp_path / "scores.jsonl").read_bytes().removesuffix(b"\n").split(b"\n")
    first, second, third, _ = map(json.loads, lines)
    assert first["source"] == {"a": "predicted", "b": "judged"}
    assert first["intervals"] == {"a": [0.25, 0.75], "b": None}
    assert first["explanations"] == {"a": "", "b": "says why"}
    assert second["errors"] == {"a": "timeout"}
    assert third["source"] == {"a": "judged", "b": "judged"}
    assert third["intervals"] == {"a": None, "b": None}


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_files_of_earlier_versions_hold_judgements(tmp_path, suffix):
    import pandas as pd

    path = tmp_path / f"scores{suffix}"
    old = pd.DataFrame([{"index": 0, "sample": "x", "scores": {"a": 0.5, "b": None}}])
    if suffix == ".parquet":
        old.to_parquet(path)
    else:
        old.to_json(path, orient="records", lines=True)
    assert list(read_scores(path)) == [(ScoredRow(0, {"a": 0.5, "b": None}), "x")]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_files_are_written_in_parts_whatever_the_first_rows_lack(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(score_files, "AT_ONCE", 2)
    rows = [(i, f"id-{i}", f"hash-{i}", {"a": Score(error="refused")}) for i in range(4)] + [
        ROWS[0]
    ]
    assert write_scores(rows, tmp_path / f"s{suffix}", ["a", "b"]) == 5
    found = [scored.values for scored, _ in read_scores(tmp_path / f"s{suffix}")]
    assert [values["a"] for values in found] == [None] * 4 + [0.8]
    assert [values.get("b") for values in found] == [None] * 4 + [0.0]


def test_a_failed_judgement_is_null_with_its_reason(tmp_path):
    write_scores(ROWS, tmp_path / "scores.jsonl", ["a", "b"])
    content = (tmp_path / "scores.jsonl").read_bytes().removesuffix(b"\n").split(b"\n")
    assert [json.loads(line)["scores"] for line in content] == [
        {"a": 0.8, "b": 0.0}, {"a": None, "b": 1.0}
    ]  # fmt: skip
    assert json.loads(content[1])["errors"] == {"a": "timeout", "b": None}
    assert json.loads(content[0])["explanations"]["a"] == "says \u2028 😀"


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_rows_that_raise_on_the_way_leave_no_file(tmp_path, suffix):
    def rows() -> Iterator[tuple[int, str, str, dict[str, Score]]]:
        yield ROWS[0]
        raise UserError("the store failed")

    with pytest.raises(UserError, match="the store failed"):
        write_scores(rows(), tmp_path / f"scores{suffix}", ["a", "b"])
    assert list(tmp_path.glob("*scores*")) == []


def test_who_judged_is_known_where_it_lies_beside_the_scores(tmp_path):
    scores = tmp_path / "scores.jsonl"
    about = About(judge="m", subgoals=[Subgoal(id="a", name="A", description="Does a.")])
    write_about(about, scores)
    assert read_about(scores, ["a"]) == about
    assert read_about(scores, ["b"]).judge == ""
    about_path(scores).write_text("{")
    assert [subgoal.name for subgoal in read_about(scores, ["a"]).subgoals] == ["a"]


GOOD = json.dumps({"index": 0, "sample": "x", "scores": {"a": 0.5}}).encode()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{half", "line 2"),
        (b"", "line 2"),
        (b'{"index": 0, "sample": "\xff", "scores": {}}', "line 2"),
        (b"[1]", "record 2"),
        (b'{"index": 0, "scores": {}}', "record 2"),
        (b'{"index": "first", "sample": "x", "scores": {}}', "record 2"),
        (b'{"index": 0, "sample": "x", "scores": {"a": "high"}}', "record 2"),
        (b'{"index": 0, "sample": "x", "scores": [1]}', "record 2"),
        (b'{"index": 0, "sample": "x", "scores": {"a": 1}, "source": ["a"]}', "record 2"),
        (b'{"index": 0, "sample": "x", "scores": {}, "intervals": {"a": [1]}}', "record 2"),
    ],
)
def test_a_bad_record_is_named(tmp_path, line, said):
    path = tmp_path / "scores.jsonl"
    path.write_bytes(GOOD + b"\n" + line + b"\n" + GOOD + b"\n")
    with pytest.raises(UserError, match=said) as raised:
        list(read_scores(path))
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.jsonl", "there is no file"),
        ("broken.parquet", "is not a Parquet file"),
        ("other.parquet", "record 1"),
        ("scores.csv", "unknown ending"),
    ],
)
def test_files_that_hold_no_scores(tmp_path, name, said):
    import pandas as pd

    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    pd.DataFrame({"index": [0]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(UserError, match=said):
        list(read_scores(tmp_path / name))
