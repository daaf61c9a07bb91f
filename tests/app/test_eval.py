"""`goalcover eval decomposition`, as a user calls it."""

import json
from pathlib import Path
from typing import Any

import pytest
from answers import SUBGOALS, Body, answer, schema_of
from fake_server import FakeServer

GOAL = "Help customers with billing, refunds and returns."
KEYS = ("id", "name", "description")


def labelled(name: str, **labels: Any) -> Body:
    subgoals = [{key: subgoal[key] for key in KEYS} for subgoal in SUBGOALS]
    case = {"id": name, "domain": "support", "split": "dev", "goal": GOAL, "subgoals": subgoals}
    return case | labels


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    path = tmp_path / "lists.json"
    sound, compound = labelled("sound"), labelled("compound", compound=["billing"])
    compound["subgoals"][0] |= {"description": "Explains charges and sends invoices."}
    path.write_text(json.dumps([sound, compound]))
    return path


def test_the_packaged_lists_with_the_embedded_model(call: Any, tmp_path: Path) -> None:
    done = call("eval", "decomposition", "--split", "dev", "--out", "figures")
    assert done.exit_code == 0, done.stderr
    assert "Spent" not in done.stdout + done.stderr, "nothing is paid for"
    for word in ("precision", "recall", "atomic", "disjoint", "lost", "unasked", "embedded"):
        assert word in done.stdout
    figures = json.loads((tmp_path / "figures" / "decomposition.json").read_text())
    assert figures["split"] == "dev" and figures["lists"] > 30
    assert len(figures["results"]) == 8
    page = (tmp_path / "figures" / "decomposition.md").read_text()
    assert "| complete: unasked | lists |" in page
    for result in figures["results"]:
        low, high = result["recall"]["interval"]
        assert 0 <= low <= result["recall"]["value"] <= high <= 1
        # Flagging everything finds all, at the precision of chance: the checks are to do better.
        assert result["precision"]["value"] > result["base"] or result["base"] == 1


def test_with_a_server_it_asks_each_list_once(call: Any, lists: Path, tmp_path: Path) -> None:
    def joined(body: Body) -> Body:
        found = answer(body)
        if schema_of(body) == "AtomicVerdicts" and "sends invoices" in str(body["messages"]):
            found["verdicts"][0] |= {"atomic": False, "capabilities": ["explains", "sends"],
                                     "half_input": "Why?", "half_output": "So."}  # fmt: skip
        return found

    with FakeServer(joined) as server:
        args = ("eval", "decomposition", "--data", lists, "--split", "all", "--model", "m",
                "--base-url", server.base_url, "--out", "figures")  # fmt: skip
        done = call(*args)
        assert done.exit_code == 0, done.stderr
        assert not server.errors
        calls = server.calls
        again = call(*args)
        assert server.calls == calls, "the second time the store answers"
    assert again.exit_code == 0 and "Spent:" in done.stdout
    figures = json.loads((tmp_path / "figures" / "decomposition.json").read_text())
    assert figures["model"].startswith("m at ") and figures["lists"] == 2
    (item,) = [r for r in figures["results"] if (r["check"], r["unit"]) == ("atomic", "item")]
    assert item["precision"]["value"] == item["recall"]["value"] == 1.0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot read"),
        ("- id: [", "neither JSON nor YAML"),
        ("just text", "list"),
        ("[]", "no list of the split test"),
        (json.dumps([labelled("a")]), "no list of the split test"),
        (json.dumps([labelled("a", compound=["nope"])]), "labels nope"),
        (json.dumps([labelled("a", lost=["shipping"])]), "does not stand in its goal"),
        (json.dumps([labelled("a", split="train")]), "split"),
    ],
)
def test_a_bad_file_is_one_line(call: Any, tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "bad.yaml"
    if content is not None:
        path.write_text(content)
    done = call("eval", "decomposition", "--data", path)
    assert done.exit_code == 2 and done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("goalcover: ")]
    assert said in line and "bad.yaml" in line


def test_where_no_figures_can_go_is_said_before_anyone_is_asked(
    call: Any, lists: Path, tmp_path: Path
) -> None:
    with FakeServer(answer) as server:
        done = call("eval", "decomposition", "--data", lists, "--split", "all", "--model", "m",
                    "--base-url", server.base_url, "--out", lists / "figures")  # fmt: skip
        assert server.calls == 0
    assert done.exit_code == 2 and "decomposition.json" in done.stderr


def test_what_a_model_does_not_check_is_said(call: Any, lists: Path) -> None:
    with FakeServer(lambda body: "no JSON today") as server:
        done = call("eval", "decomposition", "--data", lists, "--split", "all", "--model", "m",
                    "--base-url", server.base_url)  # fmt: skip
    assert done.exit_code == 0
    assert "Not checked in whole: 2 of 2 lists" in done.stdout
