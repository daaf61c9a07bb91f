"""What a person is shown: no text is taken for markup, an emoji or a command to a terminal."""

import io
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.app import approval, contract, reviewers, terminal
from goalcover.app.console import PlainConsole, printable
from goalcover.graph.session import Pending
from goalcover.memory.records import (
    Approved,
    ClauseCover,
    Contract,
    DataProfile,
    DataTopic,
    Example,
    Finding,
    Goal,
    OddRow,
    Question,
    Specification,
    Subgoal,
)

HOSTILE = {
    "colour": "[red]x[/red]",
    "closing": "x [/] y [/nosuch] z",
    "link": "[link=https://e.example/]press[/link]",
    "style": "[blink reverse on red]x",
    "open": "[bold",
    "backslash": "C:\\temp\\",
    "emoji": "ratio 1:100:5 :smile:",
    "formula": "\\[ x^2 \\] and \\\\[/] or \\[red]",
    "brackets": "a[0][1] = [1, 2]",
    "escape": "\x1b[2J\x1b]0;title\x07\x1b]8;;https://e.example/\x1b\\x\x1b]8;;\x1b\\",
    "C1": "\x9b31m\x90q\x9c",
    "back": "shown\rhidden\b\b\b\x7f",
    "separator": "one\u2028two\u2029three\x85four\x0bfive\x0csix",
    "direction": "\u202eabc\u2066def\u2069",
    "null": "a\x00b",
    "long": "word " * 4_000 + "x" * 4_000,
    "wide": "返金" * 100 + "👩‍👩‍👧‍👦",
    "blank": " \n\t ",
}


def everywhere(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments of both reviews, with one text wherever a row or a model may put it."""
    row = Example(input=text, output=text)
    question = Question(id="scope", dimension=text, text=text, reason=text, suggestions=[text],
                        default=text)  # fmt: skip
    specification = Specification(
        goal=Goal(text=text, domain=text, task=text), in_scope=[text, text], open_points=[text],
        ended=text,
    )  # fmt: skip
    profile = DataProfile(
        read=1, looked_at=1, embedded=1, format=text, languages={text: 1.0}, forms={text: 1.0},
        topics=[DataTopic(name=text, share=1.0, example=row)],
        odd=[OddRow(row=0, reason=text, excerpt=text)], how=text,
    )  # fmt: skip
    subgoal = Subgoal(id="a", name=text, description=text, counts=text, does_not_count=text,
                      example=row)  # fmt: skip
    finding = Finding(id="f", check="disjoint", subgoal_ids=["a"], clause=text, message=text,
                      evidence=[text], overruled=text)  # fmt: skip
    checked = Contract(
        findings=[finding], unchecked=[text],
        matrix=[ClauseCover(id="c1", field="goal", text=text, subgoal_ids=["a", "gone"]),
                ClauseCover(id="c2", field="goal", text=text)],
    )  # fmt: skip
    shown = {"specification": specification.model_dump()}
    asked = {"questions": [question.model_dump()], "profile": profile.model_dump(), "round": 1}
    subgoals = {"subgoals": [subgoal.model_dump()], "contract": checked.model_dump()}
    return shown | asked, shown | subgoals


def pending(name: str, args: dict[str, Any]) -> Pending:
    return Pending({"action_requests": [{"name": name, "args": args, "description": ""}]})


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a terminal with colours is sent, by every module that prints."""
    sent = io.StringIO()
    console = PlainConsole(file=sent, force_terminal=True, width=160, color_system="standard")
    for module in (contract, terminal):
        monkeypatch.setattr(module, "err", console)
    monkeypatch.setattr(terminal, "out", console)
    return sent


def show_all(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    questions, subgoals = everywhere(text)
    answers = iter(["1", "approve", "add", "x", "Says it."])
    monkeypatch.setattr("builtins.input", lambda *prompt: next(answers))
    reviewers.ask_questions(pending("answer_questions", questions))
    approval.ask_subgoals(pending("approve_subgoals", subgoals))
    contract.show_pending(pending("answer_questions", questions))
    contract.show_pending(pending("approve_subgoals", subgoals))
    record = Approved(
        id="run", created="2026-01-01T00:00:00", subgoals=[Subgoal.model_validate(s) for s in
        subgoals["subgoals"]], specification=Specification(goal=Goal(text=text)),
    )  # fmt: skip
    terminal.show_approved([record])
    terminal.note(text)


def commands(sent: str) -> list[str]:
    """Escape sequences that are no colour of ours, and other control characters."""
    left = re.sub(r"\x1b\[[0-9;]*m", "", sent)
    return [c for c in left if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") and c != "\n"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_shown_and_not_obeyed(
    name: str, screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_all(HOSTILE[name], monkeypatch)
    sent = screen.getvalue()
    assert not commands(sent)
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", sent)
    assert not re.search(r"\x1b\[[0-9;]*(?<![0-9])(5|7|41)m", sent), "no style of theirs"
    sent.encode()
    if name not in ("long", "wide", "blank"):
        literal = " ".join(printable(HOSTILE[name]).split())
        plain = re.sub(r"\x1b\[[0-9;]*m", "", sent)
        assert plain.count(literal) >= 20, "it stands wherever it was put"


@given(st.text(alphabet=st.sampled_from("[]/\\:= ab\n\x1b🙂#@(\"'"), max_size=40))
def test_no_text_breaks_a_line(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        console = PlainConsole(file=(sent := io.StringIO()), width=300)
        patch.setattr(contract, "err", console)
        patch.setattr(terminal, "err", console)
        patch.setattr(terminal, "out", console)
        contract.show_finding(Finding(id="f", check="atomic", message=text, evidence=[text]), 1)
        shown = "".join(sent.getvalue().split())
        expected = "".join(printable(text).split())
        assert shown == f"1.notatomic:{expected}{expected}"


def test_a_line_of_a_failure_holds_no_command(call: Any) -> None:
    done = call("resume", "\x1b[2Jrun\u202e")
    assert done.exit_code == 2 and "there is no run [2Jrun" in done.stderr
    assert not commands(done.stderr)


def test_colours_of_our_own_reach_the_terminal(screen: io.StringIO) -> None:
    contract.show_finding(Finding(id="f", check="atomic", message="Two things."), 1)
    assert screen.getvalue() == "\x1b[33m1. not atomic\x1b[0m: Two things.\n"
