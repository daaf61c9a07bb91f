"""The progress line and the tables, in a terminal of 80 columns."""

from io import StringIO
from typing import Any

import pytest
import reports
from rich.console import Console

from goalcover.app import results, terminal
from goalcover.graph.session import Progress
from goalcover.memory.records import Coverage, FilterResult, RowCounts, Spent, Subgoal, Subset
from goalcover.memory.runs import Run


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(width=80, record=True, quiet=False)
    for place in (results, terminal):
        monkeypatch.setattr(place, "out", console)
    return console


class Line:
    """What the progress line says at a second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(terminal, "err", Console(force_terminal=True, file=StringIO()))
        monkeypatch.setattr(terminal.time, "monotonic", lambda: self.now)
        self.display = terminal.Display()

    def at(self, second: float, stage: str, **fields: Any) -> str:
        self.now = second
        self.display.show(Progress(stage, **fields))
        screen = Console(width=80, file=StringIO(), record=True)
        screen.print(self.display._progress)
        return screen.export_text().strip()


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(monkeypatch)


def test_a_stage_that_does_not_count_shows_no_count_and_no_bar(line: Line) -> None:
    assert "━ 150/150" in line.at(0, "score", done=150, total=150)
    for stage, told in (("analyze", "finding gaps: Dosing"), ("report", "writing the report")):
        text = line.at(4, stage, note="Dosing" if stage == "analyze" else "")
        assert text[:-1] == f"{told} " and text[-1] in "-\\|/", "what turns, and no more"
    assert "0/8" in line.at(5, "ledger", done=0, total=8)
    assert "8" not in line.at(6, "ledger", note="rows")


def test_each_stage_starts_anew(line: Line) -> None:
    line.at(0, "score", done=0, total=100)
    assert "50/100" in (text := line.at(10, "score", done=50, total=100, failed=3))
    assert "5 rows/s" in text and "0:00:10 left" in text and "3 failed" in text
    text = line.at(10, "audit", done=1, total=100)
    assert "1/100" in text
    assert not any(word in text for word in ("rows/s", "left", "failed"))


@pytest.mark.parametrize(
    ("second", "done", "stored", "said"),
    [
        (1.9, 500, 0, False),
        (2.1, 29, 0, False),
        (2.1, 30, 0, True),
        (60.0, 920, 900, True),
        (60.0, 902, 900, False),
    ],
)
def test_the_time_left_is_said_once_it_is_known(
    line: Line, second: float, done: int, stored: int, said: bool
) -> None:
    line.at(0, "score", done=stored, total=1000, stored=stored)
    text = line.at(second, "score", done=done, total=1000, stored=stored)
    assert ("left" in text) == said


def test_after_a_question_the_line_is_another(line: Line) -> None:
    """Rich would draw the old one over the last lines that the person saw."""
    line.at(0, "score", done=3, total=9, spent=Spent(calls=1, tokens_in=5))
    before = line.display._progress
    line.display.pause()
    line.display.go_on()
    try:
        assert line.display._progress is not before and not line.display._progress.tasks
        assert "finding" in line.at(1, "analyze")
    finally:
        line.display.pause()


def coverage(name: str, failed: int = 0) -> Coverage:
    return Coverage(
        subgoal=Subgoal(id=f"s{len(name)}", name=name, description="Says it."), mean=0.34,
        interval=(0.289, 0.391), judged=150, failed=failed, supporting=45, wanted=17,
        verdict="enough", gap=True,
    )  # fmt: skip


LONG = ["When symptoms need urgent care", "Breastfeeding", "Electroencephalographically"]


@pytest.mark.parametrize("failed", [0, 2])
def test_the_coverage_table_fits(printed: Console, failed: int) -> None:
    terminal.show_coverage([coverage(name, failed) for name in LONG], RowCounts(read=1, usable=150))
    text = printed.export_text()
    assert text.count("0.289 – 0.391") == 3 and "…" not in text
    assert ("failed" in text) == bool(failed)
    column = [line.split("│")[1].strip() for line in text.splitlines() if "│" in line]
    assert "".join(column).replace(" ", "") == "".join(LONG).replace(" ", "")


def test_the_stage_of_a_run_that_waits_fits(printed: Console) -> None:
    run = Run(
        id="20261121-161634-a1c2", created="", updated="", status="waiting",
        stage="approve_synthesis", data="a_rather_long_name_of_a_file.jsonl",
        goal="Explain symptoms and causes of common illnesses", out="", config="",
    )  # fmt: skip
    terminal.show_runs([run])
    text = printed.export_text()
    assert f"│ {run.id} │ waiting │ synthesis │" in text and "…" not in text


@pytest.mark.parametrize("origin", ["model", "extractive"])
def test_extractive_rows_are_told_apart(printed: Console, origin: str) -> None:
    found = reports.report("text")
    for outcome in found.synthesis:
        outcome.accepted = [row.model_copy(update={"origin": origin}) for row in outcome.accepted]
    results.show_report(found)
    said = "passages of your own texts" in printed.export_text()
    assert said == (origin == "extractive")


def filtered(kept: int, reached: int) -> FilterResult:
    some = Subset(rows=kept, means={"a": 0.5}, supporting={"a": 1})
    return FilterResult(
        rule="those whose mean is at least 0.6", total=30, kept=kept, reached=reached,
        floored={"a": kept}, aligned=some, random=some, original=some, seed=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "reached", "said"), [(10, 0, True), (10, 1, False), (0, 0, False)]
)
def test_a_filter_that_keeps_the_floors_alone_says_so(
    printed: Console, kept: int, reached: int, said: bool
) -> None:
    results.show_filter(filtered(kept, reached))
    told = "No row reaches it: all 10 are there for the floors. Lower --keep."
    assert (told in printed.export_text()) == said
