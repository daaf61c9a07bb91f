"""What a person sees of a synthesis and says to it: the plan before, the yield after."""

from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from goalcover.app import results, terminal
from goalcover.app.reviewers import Reviewer
from goalcover.graph import review
from goalcover.graph.session import Pending
from goalcover.memory.records import (
    Candidate,
    Grid,
    PlanItem,
    Round,
    SynthesisOutcome,
    SynthesisPlan,
)

ITEM = PlanItem(
    gap_id="a-gap1",
    subgoal_id="a",
    rows=2,
    wanted=20,
    grid=Grid(scenarios=["night", "day"], difficulties=["basic"], personas=["a nurse"]),
    also=["b"],
)
BARE = PlanItem(gap_id="b-gap1", subgoal_id="b", rows=3, wanted=3, also=["a"])
PLAN = SynthesisPlan(
    items=[ITEM], rounds=6, calls=19, tokens_in=35_378, tokens_out=50, cost_usd=0.5,
    how="at most, if all 6 rounds are needed", model="writer", judge="judge",
)  # fmt: skip


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(width=80, record=True, quiet=False)
    for place in (results, terminal):
        monkeypatch.setattr(place, "out", console)
        monkeypatch.setattr(place, "err", console)
    return console


def test_the_plan_says_what_is_written_and_what_it_takes(printed: Console) -> None:
    results.show_plan(PLAN)
    text = printed.export_text()
    for told in (
        "│ a-gap1 │ 2 of 20 recommended │ night; day │ b", "Difficulties: basic",
        "Personas: a nurse", "│    19 │     35.4k │         50 │ 0.5 USD │",
        "Written by writer, scored by judge. If all 6 rounds are needed.",
    ):  # fmt: skip
        assert told in text
    assert text.lower().count("at most") == 1


def test_a_plan_without_a_grid_shows_none(printed: Console) -> None:
    free = {"items": [BARE], "calls": 0, "how": "the embedded model costs nothing"}
    results.show_plan(PLAN.model_copy(update=free))
    text = printed.export_text()
    assert "│ b-gap1 │ 3    │\n" in text and "The embedded model costs nothing." in text
    for word in ("scenarios", "every 4th", "Difficulties", "Personas", "calls", "–"):
        assert word not in text


def test_a_grid_is_shown_of_the_items_that_have_one(printed: Console) -> None:
    results.show_plan(PLAN.model_copy(update={"items": [ITEM, BARE]}))
    (line,) = (line for line in printed.export_text().splitlines() if "b-gap1" in line)
    assert line.split() == ["│", "b-gap1", "│", "3", "│", "–", "│", "–", "│"]


Ask = Callable[..., dict[str, Any] | None]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, printed: Console) -> Ask:
    """The decision after these lines, every one of which is asked for."""

    def run(*lines: str, yes: bool = False) -> dict[str, Any] | None:
        left = iter(lines)
        monkeypatch.setattr("builtins.input", lambda *prompt: next(left))
        plan = PLAN.model_copy(update={"items": [ITEM, BARE]})
        payload = review.request("approve_synthesis", plan.model_dump(), "")
        found = Reviewer({}, yes, interactive=True)(Pending(payload))
        assert not list(left)
        assert found
        review.validate(payload, found)
        (decision,) = found["decisions"]
        return decision

    return run


def rows(decision: dict[str, Any] | None) -> list[int]:
    assert decision and decision["type"] == "edit"
    return [item["rows"] for item in decision["edited_action"]["args"]["items"]]


def test_an_edit_is_priced_before_it_is_approved(ask: Ask, printed: Console) -> None:
    assert rows(ask("edit", "200", "3", "approve")) == [200, 3]
    first, second = printed.export_text().split("What it takes at most")[1:]
    assert "0.5 USD" in first and "│    19 │" in first
    assert "0.5 USD" not in second and "for the edited rows" in second


@pytest.mark.parametrize("word", ["n", "no"])
def test_no_goes_back_to_the_plan(ask: Ask, printed: Console, word: str) -> None:
    assert rows(ask("edit", "5", "3", word, "edit", "", "7", "")) == [5, 7]
    assert "no rows will be synthesised" not in printed.export_text()


def test_an_edit_taken_back_is_no_edit(ask: Ask) -> None:
    assert ask("edit", "5", "", "edit", "2", "", "approve") == {"type": "approve"}


def test_a_rejection_is_said(ask: Ask, printed: Console) -> None:
    decision = ask("reject")
    assert decision and decision["type"] == "reject"
    assert "no rows will be synthesised" in printed.export_text()


def test_a_number_is_validated_where_it_is_asked_for(ask: Ask, printed: Console) -> None:
    assert rows(ask("edit", "-4", "many", "1.5", "0", "3", "approve")) == [0, 3]
    assert printed.export_text().count("Give a whole number, 0 or more.") == 3


def test_no_rows_at_all_are_a_rejection(ask: Ask, printed: Console) -> None:
    decision = ask("edit", "0", "0", "approve")
    assert decision and decision["type"] == "reject"
    text = printed.export_text()
    assert "No rows: nothing is spent." in text and "no rows will be synthesised" in text


def test_yes_shows_the_plan_without_the_question(ask: Ask, printed: Console) -> None:
    decision = ask(yes=True)
    assert decision and decision["type"] == "approve"
    text = printed.export_text()
    assert "2 of 20 recommended" in text and "reject" not in text


def test_the_yield_of_each_round_and_why_rows_are_missing(printed: Console) -> None:
    row = Candidate(id="c", input="q", output="a", origin="model")
    lines = [
        Round(number=1, asked=2, written=2, accepted=0, refused={"empty": 2}, failed=["gone"]),
        Round(number=2, asked=4, written=4, accepted=1, refused={"below the bar": 2}),
    ]
    outcome = SynthesisOutcome(item=ITEM, accepted=[row], rounds=lines, note="1 of 2 rows.")
    results.show_synthesis([outcome])
    text = printed.export_text()
    assert "Synthesised: 1 of 2 rows" in text and "a-gap1: 1 of 2 rows." in text
    assert "2 empty, 1 call failed" in text and "2 below the bar, 1 not" in text
    assert "By hand" not in text
    outcome.rejected = [row.model_copy(update={"by_hand": "dropped"})]
    results.show_synthesis([outcome])
    assert "By hand: 1 row dropped." in printed.export_text()


def test_without_a_synthesis_nothing_is_said(printed: Console) -> None:
    results.show_synthesis([])
    assert printed.export_text() == ""
