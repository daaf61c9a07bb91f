"""What a person sees of a synthesis: the plan before, the yield after."""

import pytest
from rich.console import Console

from goalcover.app import terminal
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
    grid=Grid(scenarios=["night", "day"], difficulties=["basic"], personas=["a nurse"]),
    also=["b"],
)


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(width=140, record=True, quiet=False)
    monkeypatch.setattr(terminal, "out", console)
    monkeypatch.setattr(terminal, "err", console)
    return console


def test_the_plan_says_what_is_written_and_what_it_takes(printed: Console) -> None:
    plan = SynthesisPlan(
        items=[ITEM], rounds=6, calls=19, tokens_in=100, tokens_out=50, cost_usd=0.5,
        how="at most", model="writer", judge="judge",
    )  # fmt: skip
    terminal.show_plan(plan.model_dump())
    text = printed.export_text()
    for told in (
        "a-gap1", "night; day", "│ b", "Difficulties: basic", "Personas: a nurse",
        "writer, scored by judge: at most 19 calls, 100 tokens in, 50 out, 0.50 USD",
    ):  # fmt: skip
        assert told in text


def test_the_yield_of_each_round_and_why_rows_are_missing(printed: Console) -> None:
    row = Candidate(id="c", input="q", output="a", origin="model")
    lines = [
        Round(number=1, asked=2, written=2, accepted=0, refused={"empty": 2}, failed=["gone"]),
        Round(number=2, asked=4, written=4, accepted=1, refused={"below the bar": 2}),
    ]
    outcome = SynthesisOutcome(item=ITEM, accepted=[row], rounds=lines, note="1 of 2 rows.")
    terminal.show_synthesis([outcome])
    text = printed.export_text()
    assert "Synthesised: 1 of 2 rows" in text and "a-gap1: 1 of 2 rows." in text
    assert "2 empty, 1 call failed" in text and "2 below the bar, 1 not needed" in text


def test_without_a_synthesis_nothing_is_said(printed: Console) -> None:
    terminal.show_synthesis([])
    assert printed.export_text() == ""
