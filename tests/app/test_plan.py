"""`goalcover plan`, as a user calls it: without a key, and without a single call."""

import json
from pathlib import Path

import pytest
from answers import SUBGOALS, answer
from fake_server import FakeServer

from .conftest import Call


@pytest.fixture
def subgoals(tmp_path: Path) -> Path:
    path = tmp_path / "subgoals.json"
    names = ("id", "name", "description")
    path.write_text(json.dumps([{name: s[name] for name in names} for s in SUBGOALS]))
    return path


def test_plan_needs_no_key_and_asks_nothing(call: Call, data: Path, subgoals: Path) -> None:
    shown = call("plan", data, "--subgoals", subgoals, "--judge", "gpt-4.1-mini", "--out", "p.json")
    assert shown.exit_code == 0, shown.output
    for words in ("all rows, pairwise", "all rows, joint", "survey ± 0.05", "survey ± 0.02", "USD"):
        assert words in shown.output
    plan = json.loads(Path("p.json").read_text())
    by_way = {way["method"]: way for way in plan["ways"]}
    assert by_way["pairwise"]["calls"] == 90 and by_way["joint"]["calls"] == 30
    assert plan["judge"].startswith("gpt-4.1-mini at ") and by_way["joint"]["seconds"] is None
    with FakeServer(answer) as server:
        asked = ["--judge", "m", "--base-url", server.base_url]
        shown = call("plan", data, "--subgoals", subgoals, *asked)
        assert shown.exit_code == 0 and "give --prices" in shown.output
        assert server.calls == 0


def test_after_scoring_the_plan_knows_its_time_and_what_is_judged(
    call: Call, data: Path, subgoals: Path
) -> None:
    with FakeServer(answer) as server:
        asked = ["--subgoals", subgoals, "--judge", "m", "--base-url", server.base_url]
        assert call("score", data, *asked, "--out", "s.jsonl").exit_code == 0
        shown = call("plan", data, *asked, "--precision", 0.1, "--out", "p.json")
    assert shown.exit_code == 0, shown.output
    plan = json.loads(Path("p.json").read_text())
    assert [way["calls"] for way in plan["ways"]] == [90, 0, 0, 0, 0, 0]
    assert plan["ways"][0]["seconds"] > 0
    assert "Judged already, and counted off: 30 rows (joint)." in shown.output


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--subgoals", "none.json"], "cannot read none.json"),
        (["--output-column", "answer_", "--input-column", "prompt"], "no column"),
        (["--precision", 0.6], "--precision"),
        (["--base-url", "ftp://x", "--judge", "m"], "--base-url ftp://x is not"),
        (["--out", "support.jsonl/p.json"], "support.jsonl"),
    ],
)
def test_what_is_wrong_is_said(
    call: Call, data: Path, subgoals: Path, wrong: list[str], said: str
) -> None:
    shown = call("plan", data, "--subgoals", subgoals, *wrong)
    assert shown.exit_code == 2 and said in shown.output


def test_a_budget_needs_a_price(call: Call, data: Path, subgoals: Path) -> None:
    with FakeServer(answer) as server:
        asked = ["--subgoals", subgoals, "--judge", "m", "--base-url", server.base_url]
        shown = call("score", data, *asked, "--out", "s.jsonl", "--budget", 1)
        assert shown.exit_code == 2 and "give --prices, or --max-calls" in shown.output
        assert server.calls == 0
    shown = call("run", data, "--goal", "Help.", "--rejudge", 5)
    assert shown.exit_code == 2 and "--rejudge judges rows that a survey predicted" in shown.output
