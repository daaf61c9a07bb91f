"""`goalcover eval judge`, as a user calls it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from answers import SUBGOALS, Body, judged_row
from fake_server import Behaviour, FakeServer
from judging import asked_ids

from goalcover.tools.embedded_model import HONESTY

KEYS = ("id", "name", "description")
ROWS = 36


def value_of(row: int, subgoal: str) -> float:
    return (row * 7 + len(subgoal)) % 6 / 5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "own"
    place.mkdir()
    ids = [subgoal["id"] for subgoal in SUBGOALS]
    rows = [
        {
            "id": f"r{i}",
            "input": f"question {i}",
            "output": f"Refund number {i} is on its way.",
            "scores": {name: value_of(i, name) for name in ids},
        }
        for i in range(ROWS)
    ]
    (place / "support.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    subgoals = [{key: subgoal[key] for key in KEYS} for subgoal in SUBGOALS]
    (place / "support.subgoals.json").write_text(json.dumps(subgoals))
    return place


def truthful(body: Body) -> Body:
    """Gives the labels."""
    found = re.search(r"question (\d+)", judged_row(body))
    assert found
    return {
        "judgements": [
            {"id": name, "explanation": "so", "score": value_of(int(found.group(1)), name)}
            for name in asked_ids(body)
        ]
    }


def test_judges_of_a_server_and_the_embedded_one(call: Any, folder: Path, tmp_path: Path) -> None:
    args = ("eval", "judge", "--data", folder, "--judge", "big", "--judge", "embedded",
            "--out", "found", "--base-url")  # fmt: skip
    with FakeServer(truthful) as server:
        done = call(*args, server.base_url)
        assert done.exit_code == 0, done.stderr
        assert not server.errors
        calls = ROWS * (1 + 1 + 1 + len(SUBGOALS))
        assert server.calls == calls and f"at most {calls:,} calls" in done.stderr
        assert "not asked again: 0;" in done.stderr
        again = call(*args, server.base_url)
        assert again.exit_code == 0 and server.calls == calls, "nothing is asked twice"
        assert "Spent: nothing" in again.stdout
        assert f"not asked again: {calls};" in again.stderr
    for words in ("big: use 3 of 3 subgoals", "median of 2", "Krippendorff", "Wilson", "Rule"):
        assert words in done.stdout
    assert HONESTY in " ".join(done.stdout.split())
    figures = json.loads((tmp_path / "found" / "judge.json").read_text())
    assert figures["passes"] == ["base", "retest 2", "order", "pairwise"]
    big = [e for e in figures["entries"] if e["judge"] == "big"]
    assert [e["figures"]["kappa"]["value"] for e in big] == pytest.approx([1] * 4)
    assert [judge["embedded"] for judge in figures["judges"]] == [False, True, False]
    page = (tmp_path / "found" / "judge.md").read_text()
    assert "judge-agreement.png" in page and "judge-anchors.png" in page
    assert (tmp_path / "found" / "judge-anchors.png").read_bytes()[:4] == b"\x89PNG"


def test_rows_without_labels_and_passes_that_are_not_wanted(call: Any, folder: Path) -> None:
    path = folder / "support.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**row, "scores": {}}) + "\n" for row in rows))
    with FakeServer(truthful) as server:
        done = call("eval", "judge", "--data", path, "--judge", "big", "--rows", 10, "--repeats",
                    3, "--no-order", "--no-pairwise", "--base-url", server.base_url)  # fmt: skip
        assert done.exit_code == 0, done.stderr
        assert server.calls == 30
    assert "cannot tell 3 of 3" in done.stdout and "no labels" in done.stdout
    assert "30 judgements asked again and none changed" in done.stdout
    assert "Agreement" not in done.stdout and "another order" not in done.stdout


def test_failed_judgements_are_counted_with_their_reason(call: Any, folder: Path) -> None:
    def refuse(n: int, body: Body) -> Behaviour:
        return Behaviour("refusal" if "question 7\n" in judged_row(body) else "ok")

    with FakeServer(truthful, behaviour=refuse) as server:
        done = call("eval", "judge", "--data", folder, "--judge", "big", "--repeats", 1,
                    "--no-order", "--no-pairwise", "--base-url", server.base_url)  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert "big, failed: 3 × " in done.stdout and "3 % (0–14)" in done.stdout


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--data", "nowhere"), "there is no file or folder nowhere"),
        (("--data", "own", "--subgoals", "own/support.subgoals.json"), "for one file"),
        (("--data", "own", "--base-url", "http://127.0.0.1:1/v1"), "--base-url is of no use"),
        (("--data", "own", "--judge", ""), "judge: the name is blank"),
        (("--data", "own", "--judge", "m", "--judge", " "), "--judge: the name is blank"),
    ],
)
def test_errors_are_one_line(call: Any, folder: Path, args: Any, words: str) -> None:
    done = call("eval", "judge", *args)
    assert done.exit_code == 2 and words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
