"""The whole graph with the embedded model: no key, no network."""

import json
from pathlib import Path

import pytest
from answers import support_rows

from goalcover.graph import review, session
from goalcover.memory.errors import UserError
from goalcover.memory.records import Subgoal
from goalcover.tools.report import Report

EXAMPLE = Path(__file__).parents[2] / "examples" / "clinical_qa.jsonl"


def test_the_example_shows_its_missing_capability(tmp_path: Path) -> None:
    goal = EXAMPLE.with_suffix("").with_suffix(".goal.txt").read_text()
    report = session.run(EXAMPLE, goal, out=str(tmp_path))
    verdicts = {c.subgoal.name: c.verdict for c in report.coverage}
    assert verdicts["Which drugs interact and why"] == "missing"
    assert verdicts["Pregnancy"] == "thin"
    assert verdicts["Breastfeeding"] == "missing", "one row speaks of it"
    assert verdicts["When symptoms need urgent care"] == verdicts["Side effects"] == "enough"
    assert not report.contract.findings, "the compound subgoals were split by the loop"
    assert all(c.subgoal_ids or c.qualifies for c in report.contract.matrix)
    assert report.profile and report.profile.read == report.rows.read
    assert not any(answer.given for answer in report.specification.answers)
    assert all(0 < gap.prevalence <= 1 and gap.evidence for gap in report.gaps)

    rows = EXAMPLE.read_bytes().splitlines(keepends=True)
    kept = Path(report.files["filtered"]).read_bytes().splitlines(keepends=True)
    assert len(kept) == report.filtered.kept < len(rows)
    assert set(kept) <= set(rows), "rows are written as they came"
    for line in Path(report.files["synthetic"]).read_text().splitlines():
        assert [turn["role"] for turn in json.loads(line)["messages"]] == ["user", "assistant"]
    provenance = Path(report.files["provenance"]).read_text().splitlines()
    assert {json.loads(line)["origin"] for line in provenance} == {"extractive"}

    page = Path(report.files["html"]).read_text()
    assert "does not judge skill" in page, "the embedded model says what it cannot do"
    assert Report.model_validate_json((tmp_path / "report.json").read_text()) == report


async def test_what_a_rejection_drops_stays_away(tmp_path: Path) -> None:
    """The checks find the clause lost, in each proposal of the loop."""
    data = tmp_path / "rows.jsonl"
    data.write_text(support_rows(9))
    goal = "Help with billing, refunds and returns."
    run_id = session.new_run(session.configure(data, goal, questions=0, out=str(tmp_path)))
    decisions = iter([review.reject("drop billing"), None])
    with pytest.raises(session.Waiting) as waiting:
        await session.drive(run_id, lambda pending: next(decisions), lambda progress: None)
    shown = waiting.value.pending.args
    assert [subgoal["name"] for subgoal in shown["subgoals"]] == ["Refunds", "Returns"]
    (finding,) = shown["contract"]["findings"]
    assert (finding["check"], "billing" in finding["clause"]) == ("complete", True)


def test_given_subgoals_skip_the_questions(tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text(support_rows(12))
    seen: list[str] = []

    def reviewer(pending: session.Pending):
        seen.append(pending.name)
        return review.approve()

    subgoals = [Subgoal(id="fees", name="Fees", description="Explains the fee of a plan.")]
    report = session.run(data, "Explain fees.", subgoals=subgoals, reviewer=reviewer,
                         out=str(tmp_path / "out"))  # fmt: skip
    assert [c.subgoal.id for c in report.coverage] == ["fees"]
    assert "answer_questions" not in seen and "approve_subgoals" not in seen
    record = json.loads((tmp_path / "out" / "scores.jsonl").read_text().splitlines()[0])
    assert record["index"] == 0 and set(record["scores"]) == {"fees"}
    assert record["explanations"]["fees"]


def test_no_gap_goes_straight_to_the_report(tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text(support_rows(12))
    subgoals = [Subgoal(id="fees", name="Fees", description="Explains the fee of a plan.")]
    report = session.run(data, "Explain fees.", subgoals=subgoals, tau=0.0, out=str(tmp_path))
    assert not report.gaps and not report.recommendations and report.plan is None
    assert report.filtered.total == 12


def test_rows_without_an_output_are_no_data(tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text('{"prompt": "Why?", "completion": ""}\n' * 3)
    with pytest.raises(UserError, match="no row has an output"):
        session.run(data, "Explain fees.", out=str(tmp_path / "out"))


def test_bad_input_enters_no_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no file"):
        session.run(tmp_path / "missing.jsonl", "Explain fees.")
    assert session.list_runs() == []


async def test_one_process_at_a_time(tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text(support_rows(3))
    run_id = session.new_run(session.configure(data, "Explain fees.", out=str(tmp_path / "out")))
    async with session.open_session(run_id):
        with pytest.raises(UserError, match="another process"):
            async with session.open_session(run_id):
                pass
    with pytest.raises(UserError, match="there is no run nope"):
        async with session.open_session("nope"):
            pass


def test_copies_do_not_hide_what_is_thin(tmp_path: Path) -> None:
    """The mean counts every row, the verdict near-duplicates once: rows are recommended."""
    dosing = Subgoal(id="dosing", name="Dosing", description="States the dose of a medicine in mg.")
    texts = [f"Take {n} mg of the medicine, the usual dose." for n in (5, 10, 20)] * 20
    texts += [f"Prune the roses in garden {n}, when the frost is over." for n in range(30)]
    data = tmp_path / "rows.jsonl"
    data.write_text(
        "".join(json.dumps({"instruction": "How?", "output": text}) + "\n" for text in texts)
    )
    report = session.run(
        data, "Say the dose.", subgoals=[dosing], synthesize=0, out=str(tmp_path / "out")
    )
    (c,) = report.coverage
    assert (c.supporting, c.distinct_supporting, c.distinct) == (60, 3, 33)
    assert not c.gap and c.verdict == "missing"
    assert report.near_duplicates == 57
    assert report.gaps and report.recommendations[0].rows_enough > 0
