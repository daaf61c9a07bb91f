"""`goalcover eval ablation`, as a user calls it, on goals and rows of our own writing."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from answers import Body, answer, prompt_of, schema_of, support_rows
from fake_server import Behaviour, FakeServer

from goalcover.graph import session
from goalcover.tools import chat_model

DESK = {
    "id": "desk",
    "data": "desk",
    "goal": "Help with the shop.",
    "capabilities": ["Explains a bill.", "Explains a refund.", "Says how to return goods."],
    "answers": {
        "scope": "explain a bill; explain a refund; say how to return goods",
        "audience": "firms",
    },
}


@pytest.fixture
def goals(tmp_path: Path) -> Path:
    """A goal and its rows."""
    (tmp_path / "desk.jsonl").write_text(support_rows(60))
    path = tmp_path / "goals.json"
    path.write_text(json.dumps({"data": {"desk": {"file": "desk.jsonl"}}, "goals": [DESK]}))
    return path


def found_in(folder: Path) -> Body:
    return json.loads((folder / "ablation.json").read_text())


def test_with_the_embedded_model(call: Any, goals: Path, tmp_path: Path) -> None:
    args = ("eval", "ablation", "--config", goals, "--data", tmp_path, "--rows", 24, "--seeds", 1)
    done = call(*args, "--out", "out")
    assert done.exit_code == 0, done.stderr
    assert "Spent" not in done.stdout + done.stderr, "nothing is paid for"
    for telling in ("does not judge skill", "took their defaults", "Checks: with it and without",
                    "near-duplicates refused", "No planted gaps"):  # fmt: skip
        assert telling in " ".join(done.stdout.split())
    found = found_in(tmp_path / "out")
    assert len(found["runs"]) == 6 and not any(run["failed"] for run in found["runs"])
    by_arm = {run["arm"]: run for run in found["runs"]}
    assert by_arm["no clarification"]["questions"] == 0 < by_arm["full"]["questions"]
    answered = by_arm["answers given"]
    assert answered["answered"] == 2 and answered["values"]["recall"] == 1.0
    assert by_arm["no clarification"]["values"]["recall"] < 1.0, "the goal names nothing of it"
    assert answered["values"]["stated"] > by_arm["full"]["values"]["stated"]
    page = (tmp_path / "out" / "ablation.md").read_text()
    assert "ablation.png" in page and (tmp_path / "out" / "ablation.png").stat().st_size > 10_000

    assert session.list_runs() == [], "the runs are in no list"
    again = call(*args, "--out", "again")
    assert again.exit_code == 0 and found_in(tmp_path / "again") == found


def listing(body: Body) -> Body:
    """As `answer`; without clusters one gap is listed."""
    if schema_of(body) != "ListedGaps":
        return answer(body)
    line = next(row for row in prompt_of(body).split("\n") if row.startswith("- row "))
    quote = {"row": int(line.split()[2]), "text": line.partition("): ")[2]}
    kind = line.partition("(")[2].partition(",")[0]
    claim = {"text": "No row shows it.", "quotes": [quote]}
    return {"gaps": [{"name": "No returns", "claims": [claim], "kind": kind}]}


def test_with_a_server_every_part_is_asked_once(call: Any, goals: Path, tmp_path: Path) -> None:
    with FakeServer(listing, models={"writer", "judge"}) as server:
        args = ("eval", "ablation", "--config", goals, "--data", tmp_path, "--goals", 1, "--rows",
                30, "--seeds", 1, "--model", "writer", "--judge", "judge", "--base-url",
                server.base_url, "--out", "out")  # fmt: skip
        done = call(*args)
        assert done.exit_code == 0, done.stderr
        assert not server.errors
        asked = Counter(schema_of(body) for body in server.requests)
        again = call(*args)
        assert server.calls == asked.total(), "the second time the store answers"
    assert again.exit_code == 0 and "Spent:" in done.stdout + done.stderr
    found = found_in(tmp_path / "out")
    assert found["model"].startswith("writer at ") and found["judge"].startswith("judge at ")
    assert "does not judge skill" not in done.stdout
    by_arm = {run["arm"]: run for run in found["runs"]}
    # The arms share rows, subgoals and judge: 30 rows, and the synthetic ones of two arms.
    accepted = [by_arm[arm]["values"]["accepted"] for arm in ("full", "no discriminator")]
    assert accepted == [1.0, 1.0] and 30 < asked["Judgements"] <= 30 + 10
    assert by_arm["full"]["values"]["supporting"] == 1.0
    assert by_arm["no discriminator"]["values"]["supporting"] == 0.8, "a row about the weather"
    assert asked["ListedGaps"] > 0 and asked["GroupVerdicts"] > 0


def test_a_run_without_a_usable_reply_is_counted(call: Any, goals: Path, tmp_path: Path) -> None:
    def spoilt(body: Body) -> Any:
        return "no JSON today" if schema_of(body) in ("Decomposition", "unknown") else listing(body)

    with FakeServer(spoilt) as server:
        done = call("eval", "ablation", "--config", goals, "--data", tmp_path, "--goals", 1,
                    "--seeds", 1, "--rows", 20, "--model", "m", "--base-url", server.base_url,
                    "--out", "out")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert "6 runs did not get to the end" in " ".join(done.stdout.split())
    found = found_in(tmp_path / "out")
    assert all(run["failed"] and not run["names"] for run in found["runs"])
    assert all(line["found"]["difference"]["value"] is None for line in found["comparisons"])


def test_a_server_that_is_down_ends_it(
    call: Any, goals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_model, "FIRST_WAIT", 0.001)
    with FakeServer(answer, behaviour=lambda n, body: Behaviour("status")) as server:
        done = call("eval", "ablation", "--config", goals, "--data", tmp_path, "--goals", 1,
                    "--model", "m", "--base-url", server.base_url)  # fmt: skip
    assert done.exit_code == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("goalcover: ")]
    assert "500" in line or "not answer" in line


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--config", "nowhere.yaml"), "nowhere.yaml"),
        (("--data", "nowhere"), "nowhere"),
        (("--base-url", "http://localhost:1"), "--base-url"),
    ],
)
def test_a_mistake_is_one_line(call: Any, args: tuple[str, ...], said: str) -> None:
    done = call("eval", "ablation", *args)
    assert done.exit_code == 2 and done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("goalcover: ")]
    assert said in line
