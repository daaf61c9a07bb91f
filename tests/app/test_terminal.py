"""The conversation in a real pseudo-terminal."""

import json
import os
import re
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pexpect
from answers import (
    ANSWERS,
    Body,
    answer,
    asked,
    clarification,
    ids_of,
    prompt_of,
    schema_of,
)
from fake_server import FakeServer

ENTER = "\r"
GOAL = "Help customers with billing, refunds and returns."
ANSWER, SYNTHESIS = "Your answer.*: ", "approve, edit.*: "
APPROVE = r"or reject \(says why\)\?\s+Your choice.*: "


class Terminal:
    """A command in a pseudo-terminal that is wide enough for a sentence in one line."""

    def __init__(self, folder: Path, *args: object) -> None:
        editor = folder / "editor.sh"
        editor.write_text('#!/bin/sh\nsed -i "s/name: Refunds/name: Money back/" "$1"\n')
        editor.chmod(0o755)
        self.child = pexpect.spawn(
            sys.executable, ["-m", "goalcover.app.cli", *map(str, args)], cwd=str(folder),
            env={**os.environ, "EDITOR": str(editor), "TERM": "xterm"},
            encoding="utf-8", dimensions=(50, 220),
        )  # fmt: skip
        self._raw, self._seen = "", 0

    def reads(self, pattern: str, seconds: float = 60) -> str:
        """Waits for it; gives what was shown since, without colours and cursor moves."""
        end = time.monotonic() + seconds
        while not (found := re.compile(pattern).search(self._text, self._seen)):
            try:
                self._raw += self.child.read_nonblocking(4096, max(0.0, end - time.monotonic()))
            except (pexpect.TIMEOUT, pexpect.EOF) as error:
                raise AssertionError(f"no {pattern!r} in {self._text[self._seen :]}") from error
        shown = self._text[self._seen : found.end()]
        self._seen = found.end()
        return shown

    @property
    def _text(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", self._raw)

    def types(self, line: str, then: str) -> str:
        self.child.send(line + ENTER)
        return self.reads(then)

    def interrupts(self) -> None:
        """Ctrl-C; again, where the first fell between Python's last look at signals and its read of
        the terminal, which then goes on waiting."""
        for _ in range(3):
            self.child.sendintr()
            with suppress(AssertionError):
                self.reads("interrupted", 20)
                return
        raise AssertionError("Ctrl-C does not interrupt")

    def kill(self) -> None:
        self.child.kill(9)
        self.child.close()

    def ends(self, code: int, said: str) -> None:
        with suppress(pexpect.EOF):
            while True:
                self._raw += self.child.read_nonblocking(4096, 60)
        self.child.close()
        assert re.search(said, self._text[self._seen :], re.DOTALL)
        assert self.child.exitstatus == code


def begin(data: Path, server: FakeServer, *args: object) -> Terminal:
    return Terminal(
        data.parent, "run", data, "--goal", GOAL, "--model", "m",
        "--base-url", server.base_url, "--out", "results", *args,
    )  # fmt: skip


def report_in(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "results" / "report.json").read_text())


ROUNDS = [
    [
        asked("audience", "Which customers?", ["consumers", "firms"]),
        asked("safety", "What must it refuse?", ["nothing", "legal advice"]),
        asked("scope", "Which countries' law applies?", ["Germany", "all of the EU"]),
    ],
    [
        asked("format", "How long may an answer be?", ["a paragraph", "a page"]),
        asked("evidence", "Must it cite the terms?", ["no", "always"]),
    ],
]


def two_rounds(body: Body) -> Body:
    """Two rounds of questions; a subgoal that joins two things; a pair that overlaps if added."""
    name, prompt = schema_of(body), prompt_of(body)
    if name == "Clarification":
        done = sum(all(f"- {q['text']} →" in prompt for q in questions) for questions in ROUNDS)
        settled = [f"settled {number}" for number in range(1, done + 1)]
        return clarification(ROUNDS[done] if done < len(ROUNDS) else [], edge_cases=settled)
    found = ANSWERS[name](prompt)
    if name == "AtomicVerdicts":
        for verdict in found["verdicts"]:
            if verdict["subgoal_id"] == "refunds":
                verdict |= {"atomic": False, "capabilities": ["refunds", "vouchers"],
                            "half_input": "Any voucher?", "half_output": "Here it is."}  # fmt: skip
    return found


def calls_by_role(server: FakeServer) -> Counter[str]:
    return Counter(schema_of(body) for body in server.requests)


def test_killed_while_questions_and_approval_wait(data: Path) -> None:
    with FakeServer(two_rounds) as server:
        term = begin(data, server, "--synthesize", 0)
        run = re.search(r"run ([\w-]+)", term.reads("Which customers"))
        assert run
        shown = term.reads(ANSWER)
        term.types("Shops that sell bikes.", "What must it refuse")
        term.reads(ANSWER)
        term.types("2", "Which countries' law")
        assert "(Germany)" in term.reads(ANSWER)
        shown = term.types("", "How long may an answer be")
        assert "settled 1" in shown, "the specification grew"
        term.reads(ANSWER)
        term.kill()
        before = calls_by_role(server)

        term = Terminal(data.parent, "resume", run.group(1))
        shown = term.reads("How long may an answer be")
        assert "settled 1" in shown and "Which customers" not in shown
        term.reads(ANSWER)
        assert calls_by_role(server) == before, "what was answered is not asked again"
        term.types("I don't know", "Must it cite the terms")
        term.reads(ANSWER)
        findings = term.types("stop asking", APPROVE)
        assert "No more questions: you asked for no more questions" in findings
        found = findings[findings.index("1. not atomic") : findings.index("approve, edit")]
        assert "“Refunds” joins 2 capabilities" in found
        assert "A row that shows one of them alone: Any voucher? → Here it is." in found
        term.kill()
        before = calls_by_role(server)

        term = Terminal(data.parent, "resume", run.group(1))
        again = term.reads(APPROVE)
        assert found in again and "settled 1" in again and "How long may" not in again
        assert calls_by_role(server) == before, "nothing is checked again"
        assert "Enter goes back" in term.types("approve", "Enter goes back.*: ")
        term.types("", APPROVE)
        term.types("approve", "Enter goes back.*: ")
        term.types("A voucher is money.", "report.html")
        term.ends(0, "scores")
    report = report_in(data.parent)
    assert [(a["text"], a["given"]) for a in report["specification"]["answers"]] == [
        ("Shops that sell bikes.", True), ("legal advice", True), ("Germany", False),
        ("a paragraph", False), ("no", False),
    ]  # fmt: skip
    (finding,) = report["contract"]["findings"]
    assert finding["overruled"] == "A voucher is money."
    assert calls_by_role(server)["AtomicVerdicts"] == before["AtomicVerdicts"]


def twins_overlap(body: Body) -> Body:
    """Rows of refunds and money_back show both."""
    found = answer(body)
    if schema_of(body) == "Placements" and set(ids := ids_of(prompt_of(body), "SUBGOALS")) == {
        "refunds",
        "money_back",
    }:
        for placement in found["placements"]:
            placement["shows"] = ids
    return found


def test_every_edit_of_the_subgoals_and_of_the_synthesis(data: Path) -> None:
    with FakeServer(twins_overlap) as server:
        term = begin(data, server, "--questions", 0)
        shown = term.reads(APPROVE)
        assert "What the model shall do" in shown and "Your answer" not in shown
        assert "no questions were wanted" in shown and "The checks found nothing" in shown
        assert "Billing" in shown and "counts: The output explains a charge" in shown
        term.types("reject", "What should be different.*: ")
        assert "Billing" in term.types("Fewer words.", APPROVE)
        term.types("edit", "Money back")
        term.reads(APPROVE)

        term.types("add", "Name.*: ")
        term.types("Money back", "What must a row demonstrate.*: ")
        found = term.types("Tells how a customer gets a refund.", APPROVE)
        assert "1. not disjoint" in found and "ask for the same" in found
        assert "How about refunds?" in found, "the row is the evidence"
        term.types("overrule", "Why let it stand.*: ")
        assert "overruled: Two teams." in term.types("Two teams.", APPROVE)

        term.types("remove", "Remove which.*: ")
        term.types("9", "Give numbers from 1 to 4")
        term.reads("Remove which.*: ")
        assert "not disjoint" not in term.types("4", APPROVE)
        term.types("merge", "Merge which.*: ")
        assert "(Billing and Money back)" in term.types("1 and 2", "Name.*: ")
        term.types("Money", r"What must a row demonstrate.*\(Explains a charge.*back\.\) *: ")
        assert "Money" in term.types("Explains charges and refunds.", APPROVE)
        term.types("split", "Split which.*: ")
        assert "(Explains charges)" in term.types("1", "Part 1: what.*: ")
        term.types("", "Part 1: name.*: ")
        term.types("Charges", r"Part 2: what.*: ")
        term.types("Says how to get money back.", "Part 2: name.*: ")
        shown = term.types("Refunds", APPROVE)
        assert "Charges" in shown and "Returns" in shown
        term.types("wanted", "For which.*: ")
        term.types("3", "Rows wanted.*: ")
        assert "200 rows" in term.types("200", APPROVE)

        term.types("approve", "Rows to synthesise")
        assert "price unknown" in term.reads(SYNTHESIS)
        term.types("edit", "rows for.*: ")
        term.types("-1", "0 or more")
        term.reads("rows for.*: ")
        term.types("2", "Rows to synthesise")
        assert "for the edited rows" in term.reads(SYNTHESIS), "priced again"
        term.types("approve", "report.html")
        term.ends(0, "synthetic")
        assert not server.errors
    report = report_in(data.parent)
    subgoals = [c["subgoal"] for c in report["coverage"]]
    assert [(s["id"], s["name"], s["target_count"]) for s in subgoals] == [
        ("billing_1", "Charges", None), ("billing_2", "Refunds", None), ("returns", "Returns", 200),
    ]  # fmt: skip
    assert [len(o["accepted"]) for o in report["synthesis"]] == [2]


def test_left_at_a_prompt_and_taken_up_again(data: Path) -> None:
    with FakeServer(answer) as server:
        term = begin(data, server)
        shown = term.reads("Which customers")
        assert shown.index("Your data") < shown.index("30 rows of messages")
        assert shown.index("30 rows of messages") < shown.index("What the model shall do")
        run = re.search(r"run ([\w-]+)", shown)
        assert run
        term.reads(ANSWER)
        term.interrupts()
        term.ends(130, f"`goalcover resume {run.group(1)}` goes on")
        calls = server.calls

        term = Terminal(data.parent, "resume", run.group(1))
        term.reads(ANSWER)
        assert server.calls == calls
        assert "There is no suggestion 3" in term.types("3", "no suggestion 3")
        term.reads(ANSWER)
        term.types("2", APPROVE)
        term.child.sendeof()
        term.ends(3, "waits for approval of its subgoals.*goes on")
