"""The progress line and the tables, in a terminal of 80 columns."""

from io import StringIO
from typing import Any

import pytest
import reports
from rich.console import Console
from surveys import FEW, FORETOLD, TOOK, estimated, survey

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


NOTE = "± 0.052, 0.03 asked"


def test_how_wide_the_intervals_are_is_said_while_rows_are_judged(line: Line) -> None:
    assert "embedding the rows" in line.at(0, "embed", done=100, total=20_000)
    assert "rows/s" in line.at(9, "embed", done=9000, total=20_000)
    spent = Spent(calls=212, tokens_in=152_000, tokens_out=40_000, cost_usd=0.14)
    line.at(10, "score", done=0, total=412)
    text = line.at(90, "score", done=212, total=412, note=NOTE, spent=spent, failed=3)
    first, second = text.splitlines()
    assert "212/412" in first and "3 failed" in first and "left" in first
    assert second.startswith(f"{NOTE}; 212 calls, 152.0k tokens in") and "0.14 USD" in second
    free = line.at(91, "score", done=213, total=412, note=NOTE)
    assert free.splitlines()[1:] == [NOTE]
    assert NOTE not in line.at(92, "assess")


def test_without_a_terminal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    said, now = StringIO(), [0.0]
    monkeypatch.setattr(terminal, "err", Console(file=said, width=80))
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
    display = terminal.Display()
    for second, done in ((0.0, 100), (11.0, 200)):
        now[0] = second
        display.show(Progress("score", done=done, total=412, note=NOTE))
    assert said.getvalue().splitlines() == [
        "judging rows", f"  200 of 412 rows, about 12 s left, {NOTE}"
    ]  # fmt: skip


def test_the_coverage_table_of_a_survey_fits(printed: Console) -> None:
    some = [
        estimated(Subgoal(id=f"s{i}", name=name, description="Says it."), share=share, warning=why)
        for i, (name, share, why) in enumerate(
            zip(LONG, (0.157, 0.205, 0.045), ("", "", FEW), strict=True)
        )
    ]
    some[1].failed = 2
    terminal.show_coverage(some, RowCounts(read=20_000, usable=20_000))
    text = printed.export_text()
    assert "…" not in text and "Coverage of 20,000 rows, estimated" in text
    assert text.count("± 0.029") == 3 and text.count("of 19,870") == 3
    assert all(told in text for told in ("about 3,120", "14 % – 18 %", "3,974"))
    column = "".join(line.split("│")[2].strip() for line in text.splitlines() if "│ " in line)
    assert column == "thin" + "enough,perhapsthin" + "thin,perhapsmissing"
    assert f"“{LONG[2]}”: Only 6 judged rows" in " ".join(text.split())
    assert "Near-duplicates count as one row: 130 rows left out." in text


def test_a_survey_is_summed_up(printed: Console) -> None:
    one = reports.report("text", survey=survey(), foretold=FORETOLD, scoring=TOOK)
    subgoals = [c.subgoal for c in one.coverage]
    one.coverage = [estimated(subgoal) for subgoal in subgoals]
    results.show_report(one)
    text = " ".join(printed.export_text().split())
    assert (
        "412 of 20,000 rows were judged, drawn at random; all others but 60 are predicted." in text
    )
    assert "A(s) is known to ± 0.029. The sample takes 472 calls: 0.6 % of the 80,000" in text
    assert "Ended: every interval of A(s) is at most ± 0.03." in text
    assert "Foretold 480 calls, 0.31 USD; took 472 calls, 0.27 USD, the audit aside." in text


def test_a_filter_by_predictions_says_so(printed: Console) -> None:
    mixed = filtered(10, 10).model_copy(update={"unjudged": 20, "predicted": 7, "open": 2})
    results.show_filter(mixed)
    text = " ".join(printed.export_text().split())
    assert text.count("7 of the kept rows were not judged but predicted") == 1
    assert "2 predicted rows" in text


def test_that_more_rows_probably_reach_the_cut_comes_first(printed: Console) -> None:
    mixed = filtered(10, 10).model_copy(update={"unjudged": 20, "predicted": 7, "expected": 19})
    results.show_filter(mixed)
    lines = printed.export_text().splitlines()
    assert lines[0].startswith("Filter: 10 of 30 rows kept")
    assert lines[1].startswith("About 19 rows probably reach the cut; which, predictions cannot")
