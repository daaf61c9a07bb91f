"""`goalcover ask` as a user calls it, and what it shows."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from answers import SUBGOALS
from reports import gap
from typer.testing import Result

from goalcover.app import terminal
from goalcover.memory.records import Found, FoundRow, Sentence

Call = Callable[..., Result]


def test_a_finished_run_is_asked(call: Call, data: Path, tmp_path: Path) -> None:
    (tmp_path / "subgoals.json").write_text(json.dumps(SUBGOALS))
    given = ("--subgoals", "subgoals.json", "--synthesize", 0, "--yes", "--out", "results")
    made = call("run", data, "--goal", "Help with charges.", *given)
    assert made.exit_code == 0, made.output
    run = made.output.split("run ")[1].split()[0]
    done = call("ask", run, "Which rows tell how to get money back?", "--rows", 2)
    assert done.exit_code == 0, done.output
    assert done.output.count("\nindex ") == 2
    assert "rows, " in done.output and "were searched" in done.output
    for question, said in (("?", "the question is empty"), ("", "the question is empty")):
        wrong = call("ask", run, question)
        assert wrong.exit_code == 2 and said in wrong.output
    unknown = call("ask", "nonsense", "what?")
    assert unknown.exit_code == 2 and "nonsense" in unknown.output


def test_what_is_found_is_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    row = FoundRow(
        row=7, nearness=0.5, excerpt="[red]a[/] → b\x1b[2J", subgoal_id="s",
        explanation="[bold]It does.", scores={"s": 0.8, "t": 0.2, "u": None},
    )  # fmt: skip
    answer = [Sentence(text="[link=http://x]They do.", cites=["row 7"])]
    terminal.show_found(
        Found(question="?", answer=answer, rows=[row], gaps=[gap("[red]")], searched="all")
    )
    told = capsys.readouterr().out
    assert "[link=http://x]They do. [row 7]" in told
    assert "gap  [red] (g, 1 row)" in told
    assert "index 7  near 0.50; supports s 0.8" in told
    assert "[red]a[/] → b" in told and "\x1b" not in told
    assert "Judge on s: [bold]It does." in told
