"""The command line as a user calls it: a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from answers import SUBGOALS, answer, judged_row, schema_of, support_rows
from fake_server import FakeServer
from waiting import until

GOAL = "Help customers with billing, refunds and returns."


def goalcover(*args: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*args), cwd=cwd, env=os.environ | env, text=True, capture_output=True,
        stdin=subprocess.DEVNULL, timeout=180,
    )  # fmt: skip


def command(*args: object) -> list[str]:
    return [sys.executable, "-m", "goalcover.app.cli", *map(str, args)]


@pytest.fixture
def subgoals(tmp_path: Path) -> Path:
    path = tmp_path / "subgoals.yaml"
    path.write_text(json.dumps(SUBGOALS))
    return path


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, goalcover.app.cli as cli\n"
        "try: cli.app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'chromadb', 'datasets', 'langgraph', 'pydantic', 'sklearn', 'numpy'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True)
    assert "HEAVY []" in done.stdout and "resume" in done.stdout


COMMANDS = ("run", "resume", "runs", "show", "batches", "memory", "report", "score", "filter",
            "export", "eval", "eval decomposition")  # fmt: skip


def test_help_of_every_command(call: Any) -> None:
    whole = call("--help").stdout
    for command in COMMANDS:
        done = call(*command.split(), "--help")
        assert done.exit_code == 0 and "Usage: " in done.stdout
        assert command.split()[0] in whole
    for flag in ("--no-memory", "--questions", "--yes", "--answers"):
        assert flag in call("run", "--help").stdout
    assert "--forget" in call("memory", "--help").stdout


def test_run_show_report_and_runs(data: Path, subgoals: Path, tmp_path: Path) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text("audience: firms\ntypo: nobody asks this\n")
    with FakeServer(answer) as server:
        done = goalcover(
            "run", data, "--goal", GOAL, "--model", "m", "--base-url", server.base_url, "--yes",
            "--answers", answers, "--out", "results", cwd=tmp_path,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "missing" in done.stdout and "results/report.html" in done.stdout
    assert "'typo'" in done.stderr
    report = json.loads((tmp_path / "results" / "report.json").read_text())
    assert report["specification"]["answers"][0]["text"] == "firms"
    run_id = report["run"]

    listed = goalcover("runs", cwd=tmp_path)
    assert run_id in listed.stdout and "finished" in listed.stdout
    shown = goalcover("show", run_id, cwd=tmp_path)
    assert "Returns" in shown.stdout
    again = goalcover("report", run_id, "--out", tmp_path / "again", cwd=tmp_path)
    assert again.returncode == 0
    first, second = (tmp_path / d / "report.html" for d in ("results", "again"))
    assert first.read_bytes() == second.read_bytes()


def test_score_then_filter(data: Path, subgoals: Path, tmp_path: Path) -> None:
    with FakeServer(answer) as server:
        server_args = ("--judge", "m", "--base-url", server.base_url)
        for out in ("scores.jsonl", "scores.parquet"):
            done = goalcover("score", data, "--subgoals", subgoals, "--out", out, *server_args,
                             "--fail-on-gap", cwd=tmp_path)  # fmt: skip
            assert done.returncode == 4, done.stderr
        assert server.calls == 30, "the second time the store answers"
    for scores in ("scores.jsonl", "scores.parquet"):
        done = goalcover("filter", data, "--scores", scores, "--out", f"{scores}.kept.jsonl",
                         cwd=tmp_path)  # fmt: skip
        assert done.returncode == 0, done.stderr
        kept = (tmp_path / f"{scores}.kept.jsonl").read_text().splitlines()
        rows = data.read_text().splitlines()
        assert kept == [row for i, row in enumerate(rows) if i % 3 < 2]


def test_without_an_answer_the_run_waits(data: Path, tmp_path: Path) -> None:
    with FakeServer(answer) as server:
        done = goalcover("run", data, "--goal", GOAL, "--model", "m", "--base-url",
                         server.base_url, cwd=tmp_path)  # fmt: skip
        assert done.returncode == 3, done.stderr
        run_id = done.stderr.split()[1]
        assert f"goalcover resume {run_id}" in done.stderr
        done = goalcover("resume", run_id, "--yes", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "goalcover-runs").is_dir()


BAD = {
    "missing file": (["run", "nope.jsonl", "--goal", "x", "--yes"], "nope.jsonl"),
    "empty file": (["run", "empty.jsonl", "--goal", "x", "--yes"], "empty.jsonl is empty"),
    "bad line": (["run", "bad.jsonl", "--goal", "x", "--yes"], "line 2 of"),
    "unknown column": (
        ["run", "support.jsonl", "--goal", "x", "--yes", "--input-column", "q",
         "--output-column", "a"], "'q'"),
    "unknown run": (["resume", "nope"], "no run nope"),
    "bad subgoals": (
        ["run", "support.jsonl", "--goal", "x", "--subgoals", "bad.jsonl"], "bad.jsonl"),
    "no key": (["run", "support.jsonl", "--goal", "x", "--model", "m"], "OPENAI_API_KEY"),
    "bad url": (
        ["run", "support.jsonl", "--goal", "x", "--model", "m", "--base-url", "localhost:1"],
        "localhost:1"),
    "dead server": (
        ["run", "support.jsonl", "--goal", "x", "--model", "m", "--base-url",
         "http://127.0.0.1:9/v1", "--yes"], "127.0.0.1:9"),
    "bad ending": (
        ["score", "support.jsonl", "--subgoals", "subgoals.yaml", "--out", "scores.txt"],
        "scores.txt"),
    "unknown flag": (["run", "support.jsonl", "--gaol", "x"], "--gaol"),
    "empty goal": (["run", "support.jsonl", "--goal", "", "--yes"], "goal"),
    "out is a file": (
        ["run", "support.jsonl", "--goal", "x", "--yes", "--out", "support.jsonl"],
        "support.jsonl"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_exit_code_2(
    name: str, data: Path, subgoals: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "bad.jsonl").write_text('{"prompt": "a", "completion": "b"}\n{"prompt": \n')
    before = data.read_bytes()
    args, named = BAD[name]
    done = goalcover(*args, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert named in done.stderr.replace("\n", " ") and "Traceback" not in done.stderr
    if name != "unknown flag":  # Typer draws a box around usage errors
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("goalcover:")]
        assert named in line
    assert data.read_bytes() == before


def test_wrong_key_and_unknown_model(data: Path, tmp_path: Path) -> None:
    with FakeServer(answer, api_key="right", models={"m"}) as server:
        base = ("run", data, "--goal", GOAL, "--base-url", server.base_url, "--yes")
        wrong = goalcover(*base, "--model", "m", cwd=tmp_path, OPENAI_API_KEY="wrong-key")
        unknown = goalcover(*base, "--model", "n", cwd=tmp_path, OPENAI_API_KEY="right")
    assert wrong.returncode == unknown.returncode == 2
    assert "OPENAI_API_KEY" in wrong.stderr and "wrong-key" not in wrong.stderr
    assert "'n'" in unknown.stderr


def scoring(server: FakeServer) -> int:
    return sum(schema_of(body) == "Judgements" for body in server.requests)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_killed_while_scoring_and_resumed(
    sent: signal.Signals, subgoals: Path, tmp_path: Path
) -> None:
    data = tmp_path / "many.jsonl"
    data.write_text(support_rows(150))
    at_once = 4
    with FakeServer(answer, latency=0.05) as server:
        args = ("run", data, "--goal", GOAL, "--model", "m", "--base-url", server.base_url,
                "--subgoals", subgoals, "--max-concurrency", at_once, "--yes")  # fmt: skip
        process = subprocess.Popen(command(*args, "--out", "killed"), cwd=tmp_path, text=True,
                                   stderr=subprocess.PIPE)  # fmt: skip
        until(lambda: scoring(server) >= 40)
        process.send_signal(sent)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == (130 if sent == signal.SIGINT else -signal.SIGKILL)
        run_id = errors.split()[1]
        assert "stopped" in goalcover("runs", cwd=tmp_path).stdout
        resumed = goalcover("resume", run_id, "--yes", cwd=tmp_path)
        assert resumed.returncode == 0, resumed.stderr
        asked = Counter(judged_row(b) for b in server.requests if schema_of(b) == "Judgements")
        twice = sum(count - 1 for row, count in asked.items())
        assert len(asked) >= 150 and twice <= at_once, "at most the calls in flight are asked again"

        goalcover(*args, "--out", "whole", cwd=tmp_path, GOALCOVER_HOME=str(tmp_path / "other"))
    killed, whole = (
        json.loads((tmp_path / name / "report.json").read_text()) for name in ("killed", "whole")
    )
    for part in ("coverage", "gaps", "recommendations", "synthesis", "ledger", "heat_map", "rows"):
        assert killed[part] == whole[part]
    same = [(tmp_path / name / "scores.jsonl").read_bytes() for name in ("killed", "whole")]
    assert same[0] == same[1]
