"""Questions about a finished run: what is found, from where, and what a model may say of it."""

import json
from pathlib import Path

import pytest
from answers import Body, answer, judged_row, schema_of
from fake_server import FakeServer

from goalcover.graph import nearest, session
from goalcover.memory.errors import UserError
from goalcover.memory.records import Subgoal
from goalcover.memory.store import open_store
from goalcover.tools.report import write_json
from goalcover.tools.settings import home

DOSING = Subgoal(id="dosing", name="Dosing", description="States the dose of a medicine in mg.")
TOPICS = {
    "dose": "Take 20 mg of the medicine twice a day, and no more than 60 mg.",
    "garden": "Prune the roses in March, when the frost is over.",
    "bicycle": "Pump the tyres, then oil the chain of the bicycle.",
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two rows on doses, one of them twice, among sixteen on other things."""
    rows = [("dose", 1), ("dose", 1), ("dose", 2)]
    rows += [(topic, n) for n in range(8) for topic in ("garden", "bicycle")]
    path = tmp_path / "rows.jsonl"
    path.write_text(
        "".join(
            json.dumps(
                {"instruction": f"What about the {topic}, no. {n}?", "output": TOPICS[topic]}
            )
            + "\n"
            for topic, n in rows
        )
    )
    return path


def run_id_of(data: Path, **options) -> str:
    run_id = session.new_run(
        session.configure(
            data, "Say the dose.", subgoals=[DOSING], synthesize=0, out=str(data.parent / "out"),
            **options,
        )
    )  # fmt: skip
    return run_id


def test_rows_and_gaps_are_found_by_what_they_say(data: Path) -> None:
    run_id = run_id_of(data)
    session.resume(run_id)
    found = session.ask(run_id, "Which rows show the dose of a medicine?", count=3)
    assert [row.row for row in found.rows] == [0, 2], (
        "what repeats another, or is far, is not shown"
    )
    assert [c.distinct_supporting for c in found.subgoals] == [2]
    assert found.rows[0].scores["dosing"] and found.rows[0].subgoal_id == "dosing"
    assert "dosing" in {gap.subgoal_id for gap in found.gaps}
    assert found.answer == [], "no language model, no answer in words"
    assert found.searched.startswith("19 of 19 rows")
    roses = session.ask(run_id, "roses and frost", count=1)
    assert "roses" in roses.rows[0].excerpt and roses.gaps == roses.subgoals == []
    assert session.ask(run_id, "quantum chromodynamics").rows == []
    assert session.ask(run_id, "zzzz qwerty blah").rows == []
    assert session.ask(run_id, "What is missing?").gaps, "the gaps to close first"


def test_of_many_rows_a_seeded_sample_and_the_gaps_rows_are_searched(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = run_id_of(data)
    report = session.resume(run_id)
    monkeypatch.setattr(nearest, "SEARCHED", 2)
    members = {row for gap in report.gaps for row in gap.members}
    assert members == {*range(3, 19)}
    found = session.ask(run_id, "Which rows show the dose?", count=19)
    assert {0, 2} <= {row.row for row in found.rows}, "what supports a subgoal is always searched"
    assert int(found.searched.split()[0]) <= len(members) + 2 + 3


def test_the_worst_rows_and_why_a_subgoal_lacks_rows(data: Path) -> None:
    run_id = run_id_of(data)
    report = session.resume(run_id)
    (coverage,) = report.coverage
    with open_store(home()) as store:
        judge = report.provenance.judge
        values = dict(store.scores.values(run_id, judge, DOSING))
    worst = session.ask(run_id, "Show the worst rows for dosing", count=4)
    assert worst.lowest and worst.subgoals == [coverage] and not worst.note
    found = [row.scores["dosing"] or 0.0 for row in worst.rows]
    assert found == sorted(found) and found[0] == min(values.values())
    assert max(found) < max(values.values()), "the rows that show it best are not among them"
    assert all(row.explanation and row.subgoal_id == "dosing" for row in worst.rows)
    assert len({row.excerpt for row in worst.rows}) == len(worst.rows)
    why = session.ask(run_id, "Why is dosing thin?", count=4)
    assert why.subgoals == [coverage] and why.gaps
    assert {gap.subgoal_id for gap in why.gaps} == {"dosing"}
    assert why.rows[0].row == why.gaps[0].evidence[0].row, "a typical row of the first gap leads"
    assert session.ask(run_id, "Why is this missing?").note == (
        "No subgoal is named; “Dosing” lacks most."
    )
    assert session.ask(run_id, "Why is this missing?", about="dosing").note == ""


def test_rows_of_no_use_are_those_that_support_no_subgoal(data: Path) -> None:
    run_id = run_id_of(data)
    report = session.resume(run_id)
    listed = {row for one in report.recommendations for row in one.remove}
    assert listed, "else nothing is shown"
    found = session.ask(run_id, "Which rows should I throw away?", count=19)
    assert found.note.startswith(f"{len(listed)} row") and found.rows
    assert {row.row for row in found.rows} <= listed


def test_low_rows_that_fall_short_come_before_others_of_that_score(data: Path) -> None:
    run_id = run_id_of(data)
    report = session.resume(run_id)
    with open_store(home()) as store:
        values = dict(store.scores.values(run_id, report.provenance.judge, DOSING))
    lowest = [row for row, value in values.items() if value == min(values.values())]
    assert len(lowest) > 1
    gap = report.gaps[0].model_copy(update={"kind": "weak", "members": lowest[-1:]})
    changed = report.model_copy(update={"gaps": [gap]})
    write_json(changed, Path(session.get_run(run_id).out) / "report.json")
    assert session.ask(run_id, "lowest rows of dosing").rows[0].row == lowest[-1]


def _answer(body: Body) -> Body:
    """Rows that name a dose show it."""
    if schema_of(body) != "Judgements":
        return answer(body)
    score = 0.8 if "mg" in judged_row(body) else 0.0
    return {"judgements": [{"id": "dosing", "explanation": "It says the dose.", "score": score}]}


async def test_an_answer_cites_what_was_found(data: Path, tmp_path: Path) -> None:
    with FakeServer(_answer) as server:
        run_id = run_id_of(data, model="writer", base_url=server.base_url)
        await session.drive(run_id, lambda pending: None, lambda progress: None)
        found = await session.answer(run_id, "Which rows show the dose?", count=2)
        (sentence,) = found.answer
        assert sentence.cites == [f"row {found.rows[0].row}"]
        calls = server.calls
        again = await session.answer(run_id, "Which rows show the dose?", count=2)
        assert again.answer == found.answer and server.calls == calls, "it is paid for once"
        assert (found.spent.calls, again.spent.calls) == (1, 0)


def test_what_cannot_be_asked(data: Path) -> None:
    run_id = run_id_of(data)
    with pytest.raises(UserError, match="there is no report in"):
        session.ask(run_id, "doses?")
    with pytest.raises(UserError, match="the question is empty"):
        session.ask(run_id, " ?")
    with pytest.raises(UserError, match="nonsense"):
        session.ask("nonsense", "doses?")
