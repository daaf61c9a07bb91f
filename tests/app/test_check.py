"""`goalcover check`, as a CI job calls it."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from answers import SUBGOALS, support_rows
from fake_server import FakeServer
from judging import THREE, asked_ids, judged, well_judged
from reports import report
from surveys import estimated

from goalcover.app.checking import interval_text
from goalcover.memory.records import Subgoal
from goalcover.tools import checking
from goalcover.tools.coverage import coverage_of
from goalcover.tools.datasets import DataSource
from goalcover.tools.regression import Change
from goalcover.tools.report import Report
from goalcover.tools.rubric import RUBRIC_VERSION
from goalcover.tools.subgoals import read_subgoals

KEYS = ("id", "name", "description")
Histograms = dict[str, dict[float | None, int]]

WELL: Histograms = {"dosing": {0.2: 40}, "risks": {0.6: 40}, "referral": {1.0: 40}}
"""What the server's answers come to."""


def baseline(
    folder: Path,
    judge: str,
    histograms: Histograms,
    subgoals: Sequence[Subgoal] = THREE,
    source: DataSource | None = None,
) -> Path:
    """The report.json of a run with these rows per value."""
    found = report("A plain report", coverage=[
        coverage_of(subgoal, histograms[subgoal.id], 0.5, len(subgoals)) for subgoal in subgoals
    ])  # fmt: skip
    found.provenance.judge = judge
    found.provenance.source = source
    path = folder / "report.json"
    path.write_text(found.model_dump_json())
    return path


def rows(folder: Path, count: int = 40) -> Path:
    path = folder / "rows.jsonl"
    lines = ({"question": f"Question {i}?", "answer": f"Answer {i}."} for i in range(count))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def judge_of(server: FakeServer, mode: str = "joint", rubric: int = RUBRIC_VERSION) -> str:
    return f"m at {server.base_url.partition('://')[2]}, {mode}, rubric {rubric}"


def scored(folder: Path) -> Histograms:
    """Rows per value, of a file of scores."""
    found: Histograms = {}
    for line in (folder / "scores.jsonl").read_text().splitlines():
        for name, value in json.loads(line)["scores"].items():
            counts = found.setdefault(name, {})
            counts[value] = counts.get(value, 0) + 1
    return found


def test_with_the_embedded_judge(call: Any, data: Path, tmp_path: Path) -> None:
    subgoals = tmp_path / "subgoals.json"
    subgoals.write_text(json.dumps([{key: s[key] for key in KEYS} for s in SUBGOALS]))
    data.write_text(support_rows(60))
    assert call("score", data, "--subgoals", subgoals, "--out", "scores.jsonl").exit_code == 0
    judge = json.loads((tmp_path / "scores.jsonl.about.json").read_text())["judge"]
    baseline(tmp_path, judge, scored(tmp_path), read_subgoals(subgoals))

    same = call("check", data, "--baseline", tmp_path, "--out", "check.json")
    assert same.exit_code == 0, same.stderr
    assert "A(s) of distinct rows" in same.stdout
    assert "Nothing fell in 60 rows" in same.stdout and "does not judge skill" in same.stdout
    figures = json.loads((tmp_path / "check.json").read_text())
    assert figures["passed"] and figures["tests"] == 2 * len(SUBGOALS)
    assert all(s["mean"]["change"] == 0 for s in figures["subgoals"])

    off = (
        {"question": f"Is it {i} o’clock?", "answer": f"The sky is blue {i}."} for i in range(60)
    )
    data.write_text("".join(json.dumps(row) + "\n" for row in off))
    fell = call("check", data, "--baseline", tmp_path / "report.json")
    assert fell.exit_code == 1, fell.stderr
    assert "Fell in 60 rows" in fell.stdout


def test_with_a_server_it_asks_each_row_once(call: Any, tmp_path: Path) -> None:
    with FakeServer(well_judged) as server:
        path = baseline(tmp_path, judge_of(server), WELL)
        args = ("check", rows(tmp_path), "--baseline", path, "--judge", "m",
                "--base-url", server.base_url)  # fmt: skip
        done = call(*args)
        assert done.exit_code == 0, done.stderr
        assert server.calls == 40
        again = call(*args)
        assert again.exit_code == 0 and server.calls == 40, "the second time the store answers"
        before: Histograms = {**WELL, "dosing": {1.0: 30, 0.0: 10}}
        baseline(tmp_path, judge_of(server), before)
        fell = call(*args)
        assert fell.exit_code == 1 and server.calls == 40
    assert "“Dosing”" in fell.stdout and "verdict worse: “Dosing” enough → missing." in fell.stdout
    assert "“Risks”" not in fell.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("made_by", "advice"),
    [
        ("{m}, pairwise, rubric {r}", "give --mode pairwise"),
        ("{m}, joint, rubric 0", "make the baseline anew"),
        ("other at a.example/v1, joint, rubric {r}", "give --judge other, and the --base-url of a"),
        ("embedded-1 (all-MiniLM-L6-v2 int8-3), joint, rubric {r}", "leave out --judge"),
    ],
)
def test_another_judge_is_refused_before_a_call(
    call: Any, tmp_path: Path, made_by: str, advice: str
) -> None:
    with FakeServer(well_judged) as server:
        judge = made_by.format(m=judge_of(server).split(",")[0], r=RUBRIC_VERSION)
        path = baseline(tmp_path, judge, WELL)
        done = call("check", rows(tmp_path), "--baseline", path, "--judge", "m",
                    "--base-url", server.base_url)  # fmt: skip
        assert server.calls == 0
    assert done.exit_code == 2
    assert judge in done.stderr and advice in done.stderr and len(done.stderr.splitlines()) == 1


def test_another_embedded_version_is_refused(call: Any, tmp_path: Path) -> None:
    made_by = f"embedded-1 (all-MiniLM-L6-v2 x), joint, rubric {RUBRIC_VERSION}"
    done = call("check", rows(tmp_path), "--baseline", baseline(tmp_path, made_by, WELL))
    assert done.exit_code == 2 and "make the baseline anew" in done.stderr


def test_judgements_that_failed_are_no_fall(call: Any, tmp_path: Path) -> None:
    def some(body: dict[str, Any]) -> dict[str, Any]:
        fails = "Question 1" in str(body["messages"])  # 1 and 10 to 19
        return {} if fails else judged(asked_ids(body)).model_dump()

    with FakeServer(some) as server:
        path = baseline(tmp_path, judge_of(server), WELL)
        done = call("check", rows(tmp_path), "--baseline", path, "--judge", "m",
                    "--base-url", server.base_url)  # fmt: skip
    assert done.exit_code == 2, done.stdout
    assert "Dosing, Risks, Referral cannot be compared" in done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [(None, "there is no file"), ("{", "no report"), ('{"run": "x"}', "no report")],
)
def test_no_baseline(call: Any, tmp_path: Path, text: str | None, told: str) -> None:
    path = tmp_path / "report.json"
    if text:
        path.write_text(text)
    done = call("check", rows(tmp_path), "--baseline", path)
    assert done.exit_code == 2 and told in done.stderr and str(path) in done.stderr


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"distinct_histogram": []}, "of an earlier version"),
        ({"distinct": 0, "distinct_supporting": 0}, "contradict each other"),
        ({"distinct": 39}, "contradict each other"),
        ({"distinct_supporting": 41}, "contradict each other"),
        ({"distinct_histogram": [41, -1, 0, 0, 0, 0]}, "contradict each other"),
        ({"distinct_histogram": [0] * 6}, "contradict each other"),
        ({"distinct_histogram": [40]}, "contradict each other"),
        ({"verdict": "unknown"}, "Dosing cannot be compared"),
    ],
)
def test_a_baseline_that_cannot_be_compared_is_refused_in_a_line(
    call: Any, tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    path = baseline(tmp_path, "any judge", WELL)
    found = json.loads(path.read_text())
    found["coverage"][0] |= changes
    path.write_text(json.dumps(found))
    done = call("check", rows(tmp_path), "--baseline", path)
    assert done.exit_code == 2 and len(done.stderr.splitlines()) == 1
    assert told in done.stderr and str(path) in done.stderr and "baseline anew" in done.stderr


def test_a_folder_as_out_is_refused_before_a_call(call: Any, tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    with FakeServer(well_judged) as server:
        path = baseline(tmp_path, judge_of(server), WELL)
        done = call("check", rows(tmp_path), "--baseline", path,
                    "--judge", "m", "--base-url", server.base_url, "--out", "figures")  # fmt: skip
        assert server.calls == 0
    assert done.exit_code == 2 and "cannot write figures" in done.stderr


@pytest.mark.parametrize("error", [ZeroDivisionError, EOFError])
def test_an_error_of_the_program_is_no_fall(
    call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def crash(*_: Any) -> None:
        raise error("of our own")

    monkeypatch.setattr(checking, "compare", crash)
    with FakeServer(well_judged) as server:
        path = baseline(tmp_path, judge_of(server), WELL)
        done = call("check", rows(tmp_path), "--baseline", path,
                    "--judge", "m", "--base-url", server.base_url)  # fmt: skip
    assert done.exit_code == 2
    assert "Traceback" in done.stderr and f"{error.__name__}: of our own" in done.stderr


def test_a_file_cut_to_three_rows_does_not_pass(call: Any, tmp_path: Path) -> None:
    before: Histograms = {s.id: {1.0: 60, 0.0: 100} for s in THREE}
    with FakeServer(well_judged) as server:
        path = baseline(tmp_path, judge_of(server), before)
        done = call("check", rows(tmp_path, 3), "--baseline", path, "--judge", "m",
                    "--base-url", server.base_url, "--out", "check.json")  # fmt: skip
    assert done.exit_code == 2, done.stdout
    assert "too few rows to compare: 3 against 160" in done.stderr
    assert done.stdout == "" and not (tmp_path / "check.json").exists()


def test_what_could_not_be_tested_and_worse_verdicts_are_said_last(
    call: Any, tmp_path: Path
) -> None:
    # Eight rows without a supporting one are no wonder where ten of forty were.
    before: Histograms = {
        "dosing": {0.6: 10, 0.2: 30}, "risks": {0.6: 10, 0.4: 30}, "referral": {1.0: 400}
    }  # fmt: skip
    with FakeServer(well_judged) as server:
        path = baseline(tmp_path, judge_of(server), before)
        args = ("check", rows(tmp_path, 8), "--baseline", path, "--judge", "m",
                "--base-url", server.base_url, "--out", "check.json")  # fmt: skip
        done = call(*args)
        failed = call(*args, "--fail-on-verdict")
        strict = json.loads((tmp_path / "check.json").read_text())
    last = done.stdout.split("Nothing fell in 8 rows")[1]
    assert done.exit_code == 0, done.stderr
    assert "2 subgoals could not be tested (“Dosing” and “Risks”)" in last
    assert "verdict worse: “Dosing” enough → missing." in last
    assert failed.exit_code == 1 and strict["fail_on_verdict"] and not strict["passed"]
    assert all(s["mean"]["outcome"] != "fell" for s in strict["subgoals"])


def renamed(folder: Path) -> Path:
    """Rows whose form only named columns tell."""
    path = folder / "named.jsonl"
    lines = ({"q1": f"Question {i}?", "q2": f"Answer {i}."} for i in range(40))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_rows_are_read_as_the_baselines_were(call: Any, tmp_path: Path) -> None:
    path = renamed(tmp_path)
    made = DataSource(path="old.jsonl", input_columns=["q1"], output_column="q2", max_chars=500)
    with FakeServer(well_judged) as server:
        report_ = baseline(tmp_path, judge_of(server), WELL, source=made)
        args = ("--baseline", report_, "--judge", "m", "--base-url", server.base_url)
        cut = call("check", path, *args)
        assert cut.exit_code == 2 and server.calls == 0
        assert "give --max-chars 500" in cut.stderr and "12,000" in cut.stderr
        same = call("check", path, *args, "--max-chars", "500")
        assert same.exit_code == 0, same.stderr
        assert "columns" not in same.stdout
        other = call("check", rows(tmp_path), *args, "--max-chars", "500")
        assert other.exit_code == 2 and "has no column 'q1'" in other.stderr
        assert "The columns are the baseline's: give --input-column" in other.stderr
        given = call("check", rows(tmp_path), *args, "--max-chars", "500",
                     "--input-column", "question", "--output-column", "answer")  # fmt: skip
    assert given.exit_code == 0, given.stderr
    told = "not the baseline's: question → answer here, q1 → q2 there."
    assert told in " ".join(given.stdout.split())


def test_columns_of_a_baseline_that_found_its_own(call: Any, tmp_path: Path) -> None:
    with FakeServer(well_judged) as server:
        report_ = baseline(tmp_path, judge_of(server), WELL, source=DataSource(path="old.jsonl"))
        args = ("--baseline", report_, "--judge", "m", "--base-url", server.base_url)
        plain = call("check", rows(tmp_path), *args)
        given = call("check", renamed(tmp_path), *args,
                     "--input-column", "q1", "--output-column", "q2")  # fmt: skip
    assert plain.exit_code == given.exit_code == 0, given.stderr
    assert "not the baseline's" not in plain.stdout
    assert "q1 → q2 here, those that were found" in " ".join(given.stdout.split())


@pytest.mark.parametrize(
    ("outcome", "interval", "printed"),
    [
        ("fell", (-0.386, 0.0), "-0.386 -0.000"),
        ("fell", (-0.386, -0.0004), "-0.386 -0.000"),
        ("held", (-0.0004, 0.0004), "-0.000 +0.000"),
        ("rose", (0.0, 0.2), "+0.000 +0.200"),
        ("held", (-0.386, 0.1), "-0.386 +0.100"),
    ],
)
def test_a_printed_interval_agrees_with_the_outcome(
    outcome: Any, interval: tuple[float, float], printed: str
) -> None:
    change = Change(before=0.5, after=0.3, change=-0.2, interval=interval, allowed=None,
                    noticed=None, outcome=outcome)  # fmt: skip
    assert interval_text(change) == printed


def test_a_baseline_by_survey(call: Any, tmp_path: Path) -> None:
    """Its sample has supporting rows for a subgoal that the file has none for."""
    with FakeServer(well_judged) as server:
        path = baseline(tmp_path, judge_of(server), WELL)
        found = Report.model_validate_json(path.read_text())
        found.coverage = [estimated(subgoal, share=0.4) for subgoal in THREE]
        path.write_text(found.model_dump_json())
        args = ("check", rows(tmp_path), "--baseline", path, "--judge", "m",
                "--base-url", server.base_url, "--out", "check.json")  # fmt: skip
        done = call(*args)
        figures = json.loads((tmp_path / "check.json").read_text())
        found.coverage[0].distinct_histogram = [20_000, 0, 0, 0, 0, 0]
        path.write_text(found.model_dump_json())
        wrong = call(*args)
    assert done.exit_code == 1, done.stderr
    assert [s["rows"] for s in figures["subgoals"]] == [[412, 40]] * 3
    assert [s["share"]["outcome"] for s in figures["subgoals"]] == ["fell", "rose", "rose"]
    assert any("The baseline is a survey" in note for note in figures["notes"])
    assert wrong.exit_code == 2 and "contradict each other" in wrong.stderr


def test_a_survey_against_a_surveys_baseline(call: Any, tmp_path: Path) -> None:
    """The file as it was asks for nothing; without the supporting rows it falls, within the cap."""
    supporting = 3  # one row in so many

    def by_row(body: dict[str, Any]) -> dict[str, Any]:
        row = int(re.findall(r"Question (\d+)\?", str(body["messages"]))[-1])
        return judged(asked_ids(body), float(row % supporting == 0)).model_dump()

    data, given = rows(tmp_path, 300), tmp_path / "subgoals.json"
    given.write_text(json.dumps([{key: getattr(s, key) for key in KEYS} for s in THREE]))
    with FakeServer(by_row) as server:
        judge = ("--judge", "m", "--base-url", server.base_url)
        made = call("run", data, "--goal", "Help patients.", "--subgoals", given, "--yes",
                    "--synthesize", 0, "--precision", 0.1, "--rejudge", 0, "--out", "base",
                    *judge)  # fmt: skip
        assert made.exit_code == 0, made.stderr
        sampled = json.loads((tmp_path / "base" / "report.json").read_text())["survey"]["sampled"]
        check = ("check", data, "--baseline", "base", "--out", "check.json", *judge)
        calls = server.calls
        same = call(*check, "--precision", 0.1)
        assert same.exit_code == 0, same.stderr
        assert server.calls == calls, "the same seed draws the same rows"
        figures = json.loads((tmp_path / "check.json").read_text())
        supporting = 10**6
        rows(tmp_path, 330)  # others, and none of them supports anything
        text = data.read_text().replace("Answer", "Other answer")
        data.write_text(text)
        fell = call(*check, "--max-calls", 120)
        asked = server.calls - calls
    assert 0 < sampled < 300
    assert [s["rows"] for s in figures["subgoals"]] == [[sampled, sampled]] * 3
    assert any("Both sides are surveys" in note for note in figures["notes"])
    assert figures["survey"]["sampled"] == sampled
    told = " ".join(same.stdout.split())
    assert f"Nothing fell in {sampled} rows drawn at random from 300" in told
    assert "embedding the rows" in same.stderr
    assert fell.exit_code == 1 and asked == 120, fell.stderr
    told = " ".join(fell.stdout.split())
    assert "Ended: the cap of 120 calls is met." in told
    assert "Fell in 120 rows drawn at random from 330" in told


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--budget", 1], "give --prices, or --max-calls"),
        (["--precision", 0.7], "--precision"),
        (["--max-calls", 4], "(a smaller --precision, or a higher cap)"),
    ],
)
def test_a_survey_that_says_nothing_is_no_pass(
    call: Any, tmp_path: Path, wrong: list[Any], said: str
) -> None:
    rare: Histograms = {subgoal.id: {1.0: 4, 0.0: 36} for subgoal in THREE}
    with FakeServer(well_judged) as server:
        path = baseline(tmp_path, judge_of(server), rare)
        done = call("check", rows(tmp_path), "--baseline", path, "--judge", "m",
                    "--base-url", server.base_url, *wrong)  # fmt: skip
        assert server.calls <= 4
    assert done.exit_code == 2 and said in " ".join(done.stderr.split()), done.stderr
