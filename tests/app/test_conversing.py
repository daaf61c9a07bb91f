"""A conversation without a terminal: answers from a file, defaults, what is remembered, show."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from answers import ANSWERS, Body, asked, clarification, prompt_of, schema_of
from fake_server import FakeServer

from goalcover.app import reviewers
from goalcover.graph import session
from goalcover.memory.records import DataProfile

GOAL = "Help customers with billing, refunds and returns."
SIMILAR = "Support our customers with refunds, billing and returns."

ROUNDS = [
    [asked("audience", "Which customers?", ["consumers", "firms"])],
    [
        asked("audience", "Which of their staff?", ["buyers", "accountants"]),
        asked("reading [red]level", "How plain?", ["plain", "legal"]),
    ],
]


def two_rounds(body: Body) -> Body:
    name, prompt = schema_of(body), prompt_of(body)
    if name != "Clarification":
        return ANSWERS[name](prompt)
    done = sum(all(f"- {q['text']} →" in prompt for q in questions) for questions in ROUNDS)
    return clarification(ROUNDS[done] if done < len(ROUNDS) else [])


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(two_rounds) as server:
        yield server
        assert not server.errors


@pytest.fixture
def run(call: Any, data: Path, server: FakeServer) -> Any:
    """`goalcover run` with the fake server; into the folder "out"."""
    options = ("--model", "m", "--base-url", server.base_url, "--synthesize", 0, "--out", "out")

    def start(*args: object, goal: str = GOAL) -> Any:
        return call("run", data, "--goal", goal, *options, *args)

    return start


def report_in(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "out" / "report.json").read_text())


def texts(folder: Path) -> list[tuple[str, str, bool]]:
    answers = report_in(folder)["specification"]["answers"]
    return [(a["question"]["id"], a["text"], a["given"]) for a in answers]


def test_answers_of_a_file_in_several_rounds(run: Any, call: Any, tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("audience: firms\naudience-2: accountants\nreading-red-level: 3\ntypo: x\n")
    done = run("--answers", path, "--yes")
    assert done.exit_code == 0, done.stderr
    assert texts(tmp_path) == [
        ("audience", "firms", True),
        ("audience-2", "accountants", True),
        ("reading-red-level", "3", True),
    ]
    assert "no question was asked for the answer 'typo'" in done.stderr
    assert "audience-2" not in done.stderr


def test_answers_of_a_file_without_a_terminal_wait_at_the_approval(
    run: Any, call: Any, tmp_path: Path
) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("reading [red]level: legal\n")
    done = run("--answers", path)
    assert done.exit_code == 3 and "waits for approval of its subgoals" in done.stderr
    name = done.stderr.split()[1]
    done = call("resume", name, "--yes")
    assert done.exit_code == 0, done.stderr
    # By its dimension too, for an id is the server's to choose.
    assert texts(tmp_path) == [
        ("audience", "consumers", False),
        ("audience-2", "buyers", False),
        ("reading-red-level", "legal", True),
    ]


def test_no_questions(run: Any, tmp_path: Path, server: FakeServer) -> None:
    done = run("--questions", 0, "--yes")
    assert done.exit_code == 0, done.stderr
    specification = report_in(tmp_path)["specification"]
    assert specification["answers"] == []
    assert specification["ended"] == "no questions were wanted"
    assert specification["open_points"] == ["audience"]
    assert Counter(map(schema_of, server.requests))["Clarification"] == 1
    assert "at most 0 questions" in prompt_of(server.requests[0])


def test_show_of_a_run_that_waits(run: Any, call: Any) -> None:
    done = run()
    assert done.exit_code == 3 and "waits for answers to its questions" in done.stderr
    name = done.stderr.split()[1]
    shown = call("show", name)
    assert shown.exit_code == 0 and "waiting" in shown.stdout
    assert "What the model shall do" in shown.stderr and GOAL in shown.stderr
    assert "1 [audience] Which customers?" in shown.stderr and "2. firms" in shown.stderr
    assert f"`goalcover resume {name}` goes on" in shown.stderr
    assert call("show", name).stderr == shown.stderr, "looking changes nothing"


def test_show_of_a_run_that_waits_for_approval(run: Any, call: Any) -> None:
    name = run("--questions", 0).stderr.split()[1]
    shown = call("show", name)
    assert shown.exit_code == 0
    assert "Explains a charge on an invoice." in shown.stderr
    assert "for example: Billing? → Billing works like this." in shown.stderr
    assert "Who answers for what" in shown.stderr
    assert "Disjoint: of the closest pairs" in shown.stderr, "how it was checked"
    assert "The checks found nothing against it." in shown.stderr
    assert "Still open: audience" in shown.stderr


def test_a_run_of_another_version_is_one_line(
    run: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(session, "STATE_VERSION", 0)
        name = run().stderr.split()[1]
    for command in ("resume", "show"):
        done = call(command, name)
        assert done.exit_code == 2 and done.exception.__class__ is SystemExit
        (line,) = [line for line in done.stderr.splitlines() if "another version" in line]
        assert line.startswith(f"goalcover: run {name} was started by another version")


def test_the_profile_is_shown_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reviewers, "ASK", {"answer_questions": lambda pending: None})
    args = {"profile": DataProfile(read=3, looked_at=3, embedded=3, format="texts").model_dump()}
    asked = session.Pending({"action_requests": [{"name": "answer_questions", "args": args}]})
    person = reviewers.Reviewer({}, yes=False, interactive=True)
    for _ in range(2):
        person(asked)
    assert capsys.readouterr().err.count("Your data") == 1


def approve_all(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """As if a person sat there, who takes what is proposed; gives the ids that were asked."""
    from goalcover.app import reviewers
    from goalcover.graph import review

    questions: list[str] = []

    def ask(pending: Any) -> Any:
        questions.extend(q["id"] for q in pending.args.get("questions", []))
        return review.approve()

    monkeypatch.setattr(reviewers, "ASK", dict.fromkeys(reviewers.ASK, ask))
    monkeypatch.setattr(reviewers.terminal, "is_interactive", lambda: True)
    return questions


def test_memory_is_kept_offered_listed_and_forgotten(
    run: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = call("memory")
    assert empty.exit_code == 0 and "nothing is remembered yet" in empty.stderr
    assert call("memory", "--clear").exit_code == 0

    asked_for = approve_all(monkeypatch)
    first = run().stderr.split()[1]
    listed = call("memory")
    assert first in listed.stdout and GOAL in listed.stdout
    assert "Billing, Refunds, Returns" in listed.stdout

    for option in ("--no-memory", "--yes"):
        asked_for.clear()
        done = run(option, goal=SIMILAR)
        assert done.exit_code == 0, done.stderr
        assert "start-from" not in asked_for
    assert call("memory").stdout == listed.stdout, "neither kept what was approved"

    second = run(goal=SIMILAR).stderr.split()[1]
    assert asked_for[0] == "start-from" and "audience" in asked_for
    assert second in call("memory").stdout

    unknown = call("memory", "--forget", first, "--forget", "nope")
    assert unknown.exit_code == 2 and unknown.stdout == ""
    (line,) = unknown.stderr.splitlines()
    assert line == "goalcover: nothing is kept under nope."
    assert first in call("memory").stdout, "nothing was forgotten"
    done = call("memory", "--forget", first)
    assert done.exit_code == 0 and done.stderr == f"forgot {first}\n"
    assert first not in call("memory").stdout and second in call("memory").stdout
    both = call("memory", "--forget", second, "--clear")
    assert both.exit_code == 2 and "give --forget or --clear, not both" in both.stderr
    cleared = call("memory", "--clear")
    assert cleared.exit_code == 0 and cleared.stderr == "forgot 1\n"
    assert second not in call("memory").stdout
