"""Labelled rows from files: whole, in part, not at all, and what is wrong with them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goalcover.evals.labels import read_labelled
from goalcover.memory.errors import UserError

SUBGOALS = [
    {"id": "dose", "name": "Dosing", "description": "States the dose."},
    {"id": "risk", "name": "Risks", "description": "Warns of risks."},
]


def row(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"r{number}",
        "input": f"question {number}",
        "output": f"answer {number}",
    } | fields


def written(folder: Path, rows: list[Any], name: str = "pills") -> Path:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    (folder / f"{name}.subgoals.json").write_text(json.dumps(SUBGOALS))
    return path


def test_labels_may_be_whole_partial_or_absent(tmp_path: Path) -> None:
    rows = [row(0, scores={"dose": 0.2, "risk": 1}), row(1, scores={"dose": None}), row(2)]
    (found,) = read_labelled(written(tmp_path, rows))
    assert found.name == "pills" and [s.id for s in found.subgoals] == ["dose", "risk"]
    np.testing.assert_array_equal(found.labels, [[0.2, 1], [np.nan] * 2, [np.nan] * 2])
    assert [sample.index for sample in found.samples] == [0, 1, 2]


def test_an_id_may_be_a_number(tmp_path: Path) -> None:
    (found,) = read_labelled(written(tmp_path, [row(0, id=17), row(1, id=2.5), row(2)]))
    assert [sample.id for sample in found.samples] == ["17", "2.5", "r2"]
    with pytest.raises(UserError, match=r"line 2 of .*the id 17 is that of line 1"):
        read_labelled(written(tmp_path, [row(0, id=17), row(1, id="17")]))
    with pytest.raises(UserError, match=r"line 1 of .*id"):
        read_labelled(written(tmp_path, [row(0, id=True)]))


def test_the_system_message_is_kept_and_empty_outputs_are_left_out(tmp_path: Path) -> None:
    rows = [row(0, output=" "), row(1, system="Be brief.", scores={"risk": 0.6})]
    (found,) = read_labelled(written(tmp_path, rows))
    (sample,) = found.samples
    assert (sample.system, sample.input, sample.output, sample.index) == (
        "Be brief.", "question 1", "answer 1", 0)  # fmt: skip
    np.testing.assert_array_equal(found.labels, [[np.nan, 0.6]])


def test_a_folder_gives_each_file_that_has_subgoals(tmp_path: Path) -> None:
    written(tmp_path, [row(0)], "two")
    written(tmp_path, [row(0)], "one")
    (tmp_path / "two.subgoals.json").rename(tmp_path / "two.subgoals.yaml")  # YAML holds JSON
    (tmp_path / "other.jsonl").write_text("{}\n")
    assert [found.name for found in read_labelled(tmp_path)] == ["one", "two"]


def test_subgoals_may_lie_elsewhere(tmp_path: Path) -> None:
    path = written(tmp_path, [row(0)])
    other = (tmp_path / "pills.subgoals.json").rename(tmp_path / "mine.json")
    assert len(read_labelled(path, other)[0]) == 1
    with pytest.raises(UserError, match="--subgoals FILE"):
        read_labelled(path)


def test_a_line_separator_in_a_text_ends_no_line(tmp_path: Path) -> None:
    path = written(tmp_path, [])
    text = json.dumps(row(0, output="one\u2028two"), ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    assert read_labelled(path)[0].samples[0].output == "one\u2028two"


def test_a_sample_of_rows_is_seeded_and_keeps_rows_and_labels_together(tmp_path: Path) -> None:
    rows = [row(i, scores={"dose": i / 10}) for i in range(11)]
    (whole,) = read_labelled(written(tmp_path, rows))
    drawn = whole.drawn(4, 1)
    assert [s.id for s in drawn.samples] == [s.id for s in whole.drawn(4, 1).samples]
    assert [s.id for s in drawn.samples] != [s.id for s in whole.drawn(4, 2).samples]
    assert [f"r{round(v * 10)}" for v in drawn.labels[:, 0]] == [s.id for s in drawn.samples]
    assert whole.drawn(99, 1) is whole


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row(0), row(1, scores={"dose": 1.2})], "line 2 of .*pills.jsonl, scores.dose: 1.2"),
        ([row(0, scores={"dose": "high"})], "line 1 of .*scores.dose"),
        ([row(0, scores={"dose": True})], "line 1 of .*scores.dose"),
        ([row(0, scores={"dose": float("nan")})], "line 1 of .*nan"),
        ([row(0, scores={"taste": 1})], "line 1 of .*taste, which is no subgoal; .*dose, risk"),
        ([{"id": "a", "input": "q"}], "line 1 of .*, output"),
        ([row(0), row(0)], "line 2 of .*the id r0 is that of line 1"),
        ([3], "line 1 of"),
        ([row(0, output="")], "no row with an output"),
        ([], "no row with an output"),
    ],
)
def test_what_is_wrong_is_named_in_a_line(tmp_path: Path, rows: list[Any], words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        read_labelled(written(tmp_path, rows))
    assert "\n" not in str(error.value)


def test_files_that_are_not_there_or_no_json(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"NAME\.subgoals"):
        read_labelled(tmp_path)
    with pytest.raises(UserError, match="there is no file or folder"):
        read_labelled(tmp_path / "nothing.jsonl")
    path = written(tmp_path, [])
    path.write_text("{torn\n")
    with pytest.raises(UserError, match=r"line 1 of .* is not a JSON object"):
        read_labelled(path)
    with pytest.raises(UserError, match="for one file"):
        read_labelled(tmp_path, path)
