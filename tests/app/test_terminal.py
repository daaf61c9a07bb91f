"""The conversation in a real pseudo-terminal."""

import json
import os
import re
import sys
from pathlib import Path

import pexpect
import pytest
from answers import answer, support_rows
from fake_server import FakeServer

ENTER = "\r"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "support.jsonl"
    path.write_text(support_rows(30))
    return path


def spawn(tmp_path: Path, *args: str) -> pexpect.spawn:
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\nsed -i "s/name: Refunds/name: Money back/" "$1"\n')
    editor.chmod(0o755)
    return pexpect.spawn(
        sys.executable, ["-m", "goalcover.app.cli", *args], cwd=str(tmp_path),
        env={**os.environ, "EDITOR": str(editor), "TERM": "xterm"},
        encoding="utf-8", timeout=90, dimensions=(50, 140),
    )  # fmt: skip


def begin(data: Path, tmp_path: Path, server: FakeServer) -> pexpect.spawn:
    return spawn(
        tmp_path, "run", str(data), "--goal", "Help customers.", "--model", "m",
        "--base-url", server.base_url, "--out", "results",
    )  # fmt: skip


def test_questions_edit_and_synthesis(data: Path, tmp_path: Path) -> None:
    with FakeServer(answer) as server:
        child = begin(data, tmp_path, server)
        child.expect("Which customers")
        child.expect("Your answer")
        child.send("2" + ENTER)
        child.expect("approve, edit")
        child.send("edit" + ENTER)
        child.expect("Money back")
        child.expect("approve, edit")
        child.send("approve" + ENTER)
        child.expect("Rows to synthesise")
        child.expect("price unknown")
        child.expect("approve, edit")
        child.send("edit" + ENTER)
        child.expect("rows for")
        child.send("many" + ENTER)
        child.expect("valid integer")
        child.send("2" + ENTER)
        child.expect("Synthesise 2 rows")
        child.send("y" + ENTER)
        child.expect("report.html")
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == 0
    report = json.loads((tmp_path / "results" / "report.json").read_text())
    assert report["specification"]["answers"][0]["text"] == "firms"
    assert [c["subgoal"]["name"] for c in report["coverage"]] == [
        "Billing", "Money back", "Returns"]  # fmt: skip
    assert [len(o["accepted"]) for o in report["synthesis"]] == [2]


def test_killed_between_questions_and_approval(data: Path, tmp_path: Path) -> None:
    with FakeServer(answer) as server:
        child = begin(data, tmp_path, server)
        child.expect(r"run ([\w-]+)")
        assert isinstance(child.match, re.Match)
        run_id = child.match.group(1)
        child.expect("Your answer")
        child.send("stop" + ENTER)
        child.expect("approve, edit")
        child.kill(9)
        child.close()
        calls = server.calls
        child = spawn(tmp_path, "resume", run_id)
        child.expect("approve, edit")
        assert server.calls == calls, "the questions are not asked again"
        child.send("reject" + ENTER)
        child.expect("What should be different")
        child.send("Fewer." + ENTER)
        child.expect("approve, edit")
        child.sendintr()
        child.expect("interrupted")
        child.expect(pexpect.EOF)
        child.close()
    assert child.exitstatus == 130
