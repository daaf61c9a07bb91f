"""The plan before rows are written, and the rows after: what is shown, and what an answer does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from answers import answer
from chats import ended, status, support_run
from fake_server import FakeServer
from hypothesis import given
from hypothesis import strategies as st
from reports import HOSTILE, report
from streamlit.testing.v1 import AppTest
from waiting import until

from goalcover.app.chat.results import candidate_cards as cards
from goalcover.app.chat.results import candidates as view
from goalcover.app.chat.results.candidate_cards import Shown
from goalcover.app.chat.runner import Runner
from goalcover.app.chat.work import synthesis
from goalcover.app.synthesising import EXTRACTIVE, answered, gap_name, replanned
from goalcover.graph import review, session
from goalcover.memory.records import (
    Candidate,
    Coverage,
    PlanItem,
    Recommendation,
    Subgoal,
    SynthesisOutcome,
    SynthesisPlan,
)
from goalcover.tools.by_hand import choose

PAGE = Path(__file__).parents[4] / "app" / "chat" / "page.py"
PLAN = SynthesisPlan(
    items=[
        PlanItem(gap_id="a", name="First", subgoal_id="s", rows=4, wanted=9),
        PlanItem(gap_id="b", subgoal_id="s", rows=2),
    ],
    calls=10,
    tokens_in=1_000,
    tokens_out=500,
    cost_usd=0.5,
    how="at most, by rule",
    model="writer",
    judge="judge",
)


def candidate(name: str, **fields: object) -> Candidate:
    return Candidate.model_validate(
        {"id": name, "input": "in", "output": "out", "origin": "model", **fields}
    )


OUTCOMES = [
    SynthesisOutcome(
        item=PLAN.items[0],
        accepted=[candidate("1"), candidate("3", round=2)],
        rejected=[candidate("2", refused="leaks the prompt")],
    ),
    SynthesisOutcome(item=PLAN.items[1], accepted=[candidate("1")], rejected=[candidate("2")]),
]


def opened(run_id: str) -> AppTest:
    page = AppTest.from_file(str(PAGE), default_timeout=60)
    page.query_params["session"] = run_id
    return page.run()


def texts(page: AppTest) -> str:
    return " ".join(element.proto.body for element in page.get("html"))


def press(page: AppTest, name: str) -> None:
    next(button for button in page.button if button.label.startswith(name)).click().run()


def test_the_answer_to_a_plan() -> None:
    assert answered(PLAN, replanned(PLAN, {"a": 4, "b": 2})) == review.approve()
    assert answered(PLAN, replanned(PLAN, {"a": 0, "b": 0})) == review.reject()
    shown = replanned(PLAN, {"a": 8, "b": 0})
    args = answered(PLAN, shown)["decisions"][0]["edited_action"]["args"]
    assert [(item["gap_id"], item["rows"]) for item in args["items"]] == [("a", 8), ("b", 0)]
    assert shown.calls > PLAN.calls and "scaled" in shown.how
    assert [item.gap_id for item in shown.items] == ["a", "b"], "it stays, to be edited again"


def test_what_a_plan_takes_is_said_with_who_asks() -> None:
    cost, how = synthesis.price_lines(PLAN)
    assert cost == (
        "At most 10 calls, 1.0k tokens in, 500 out: 0.5 USD. Written by writer, scored by judge."
    )
    assert how == "By rule."
    (nothing,) = synthesis.price_lines(replanned(PLAN, {"a": 0, "b": 0}))
    assert "nothing is spent" in nothing
    unknown = PLAN.model_copy(update={"cost_usd": None})
    assert "price is not known" in synthesis.price_lines(unknown)[0]
    assert EXTRACTIVE in synthesis.opening(PLAN, extractive=True)
    assert EXTRACTIVE not in synthesis.opening(PLAN, extractive=False)


def test_what_lacks_rows_and_gets_none_is_said_with_the_reason() -> None:
    def lacking(name: str) -> Coverage:
        subgoal = Subgoal(id=name, name=name.upper(), description="d")
        return Coverage(subgoal=subgoal, mean=0.1, judged=9, gap=True, verdict="missing")

    facts = Recommendation(
        gap_id="g", subgoal_id="t", action="a", rows_wanted=9, suits_synthesis=False,
        reason="Facts need a source: give --document.",
    )  # fmt: skip
    told = synthesis.not_offered(PLAN, [lacking("s"), lacking("t"), lacking("u")], [facts])
    assert "<strong>T</strong> Facts need a source" in told and "--document" not in told
    assert "<strong>U</strong> No gap" in told and "<strong>S</strong>" not in told
    assert not synthesis.not_offered(PLAN, [lacking("s")], [facts])


def test_nothing_of_a_model_becomes_markup() -> None:
    found = report(HOSTILE)
    names = {found.coverage[0].subgoal.id: HOSTILE}
    item = PLAN.items[0].model_copy(update={"name": HOSTILE})
    outcomes = [one.model_copy(update={"item": item}) for one in found.synthesis]
    shown = [
        synthesis.coverage_table(found.coverage),
        synthesis.item_text(item, 1, found.gaps[0], names),
        view.yield_table(outcomes),
        view.ledger_table(found.ledger, names),
        *(cards.card(row) for row in cards.candidates(outcomes, "", "all")),
    ]
    assert len(shown) > 4
    for fragment in shown:
        assert "&lt;script" in fragment, "it is shown as text"
        assert "<script" not in fragment and "<img" not in fragment


def test_candidates_by_gap_and_verdict() -> None:
    def ids(gap: str, which: cards.Which) -> list[tuple[str, str]]:
        return [row.place for row in cards.candidates(OUTCOMES, gap, which)]

    assert ids("a", "all") == [("a", "1"), ("a", "2"), ("a", "3")], "as they were written"
    assert ids("a", "accepted") == [("a", "1"), ("a", "3")]
    assert ids("", "rejected") == [("a", "2"), ("b", "2")]


def test_a_gap_is_chosen_by_its_name_as_it_is() -> None:
    """Options of a selectbox are no Markdown: marks are not escaped there."""
    item = PLAN.items[0].model_copy(update={"name": "No re-use (of [x])"})
    assert view.names_of([SynthesisOutcome(item=item)]) == {"": "all gaps", "a": item.name}


def test_a_verdict_says_who_decided() -> None:
    def told(accepted: bool, **fields: object) -> str:
        return cards.verdict_text(Shown("a", candidate("1", **fields), accepted))

    leak = "leaks the prompt"
    assert told(True) == "accepted" and told(False) == "good, not needed"
    assert told(False, refused=leak) == f"refused: {leak}"
    by_hand = told(True, refused=leak, by_hand="accepted")
    assert by_hand.startswith("accepted by you") and leak in by_hand
    assert told(False, by_hand="dropped") == "dropped by you"


PLACES = [(o.item.gap_id, c.id) for o in OUTCOMES for c in o.accepted + o.rejected]


@given(st.dictionaries(st.sampled_from(PLACES), st.booleans()))
def test_a_revision_keeps_what_is_shown_as_kept(changes: dict[cards.Place, bool]) -> None:
    revised = cards.revision(OUTCOMES, changes)
    assert set(revised) == {gap for gap, _ in changes}
    after = {one.item.gap_id: one for one in OUTCOMES}
    after |= {one.item.gap_id: one for one in choose(OUTCOMES, revised)}
    for row in cards.candidates(OUTCOMES, "", "all"):
        kept = row.candidate.id in {c.id for c in after[row.gap].accepted}
        assert kept == changes.get(row.place, row.accepted)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(answer) as started:
        yield started


def test_from_the_plan_to_rows_chosen_by_hand(tmp_path: Path, server: FakeServer) -> None:
    run_id = support_run(tmp_path, server)
    runner = Runner()
    runner.start(run_id)
    assert not ended(runner, run_id).error
    page = opened(run_id)
    told = texts(page)
    assert "Coverage so far" in told and "gc-missing" in told and "At most" in told
    (rows,) = page.number_input
    rows.set_value(2).run()
    assert "scaled by" in texts(page)
    press(page, "Approve and write 2 rows")
    until(lambda: status(run_id) == "finished")
    until(lambda: "Pause" not in [button.label for button in page.run().button])

    found = session.read_report(tmp_path / "results", run_id)
    (outcome,) = found.synthesis
    assert len(outcome.accepted) == 2
    page.segmented_control[0].set_value("Synthetic rows").run()
    assert "Before and after" in texts(page)
    name = gap_name(outcome.item)
    assert page.selectbox[0].options == ["all gaps", name]
    assert next(b for b in page.button if b.label == "Apply").disabled
    first = next(toggle for toggle in page.toggle if toggle.value)
    first.set_value(False).run()
    assert "1 change" in texts(page)
    press(page, "Apply")
    until(lambda: status(run_id) == "finished" and "By hand" in texts(page.run()))
    (outcome,) = session.read_report(tmp_path / "results", run_id).synthesis
    assert len(outcome.accepted) == 1 and "No changes" in texts(page)


def test_a_refused_plan_says_so_in_the_results(tmp_path: Path, server: FakeServer) -> None:
    run_id = support_run(tmp_path, server)
    runner = Runner()
    runner.start(run_id)
    ended(runner, run_id)
    page = opened(run_id)
    (rows,) = page.number_input
    rows.set_value(0).run()
    approve = next(b for b in page.button if b.label.startswith("Approve"))
    assert approve.disabled and "nothing is spent" in texts(page)
    press(page, "Write none")
    until(lambda: status(run_id) == "finished")
    found = session.read_report(tmp_path / "results", run_id)
    assert not found.synthesis and "you chose" in view.why_none(found)
