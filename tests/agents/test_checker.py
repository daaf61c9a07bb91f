"""The checker: the three checks together, what a person overruled, and what was not checked."""

from typing import Any

import pytest

from goalcover.agents import checker
from goalcover.agents.atomicity import AtomicAsk, AtomicVerdict, AtomicVerdicts
from goalcover.agents.completeness import CoveredClause, Matrix, MatrixAsk
from goalcover.agents.decomposer import DecomposeAsk, decompose
from goalcover.agents.disjointness import (
    PlaceAsk,
    Placement,
    Placements,
    SeparateAsk,
    WrittenProbe,
    WrittenProbes,
)
from goalcover.memory.errors import ReplyFailure
from goalcover.memory.records import Contract, Goal, Specification, Subgoal
from goalcover.memory.store import Store
from goalcover.tools.embeddings import Embedder
from goalcover.tools.model import Door
from goalcover.tools.scripted_model import ScriptedModel

GOAL = Specification(goal=Goal(text="Explain dosing of medicines, warn about side effects."))
DOSING = Subgoal(id="dosing", name="Dosing", description="Explain dosing of medicines.")
EFFECTS = Subgoal(id="effects", name="Side effects", description="Warn about side effects.")
BOTH = [DOSING, EFFECTS]


async def checked(
    door: Door, embedder: Embedder, subgoals: list[Subgoal], goal: str = "", **overruled: str
) -> Contract:
    specification = Specification(goal=Goal(text=goal)) if goal else GOAL
    return await checker.check(door, embedder, specification, subgoals, overruled)


# The embedded model


async def test_a_sound_decomposition_has_no_findings(embedded: Door, embedder: Embedder) -> None:
    contract = await checked(embedded, embedder, BOTH)
    assert (contract.findings, contract.unchecked) == ([], [])
    assert [(c.text, c.subgoal_ids) for c in contract.matrix] == [
        ("Explain dosing of medicines", ["dosing"]),
        ("warn about side effects", ["effects"]),
    ]


async def test_a_compound_subgoal_is_found(embedded: Door, embedder: Embedder) -> None:
    text = "Warn about side effects and check the dose."
    both = EFFECTS.model_copy(update={"description": text})
    contract = await checked(embedded, embedder, [DOSING, both])
    assert ["effects"] in [f.subgoal_ids for f in contract.findings if f.check == "atomic"]


async def test_an_overlapping_pair_is_found(embedded: Door, embedder: Embedder) -> None:
    twin = Subgoal(id="twin", name="Dosing", description="Explains the dosing of medicines.")
    (found,) = (await checked(embedded, embedder, [*BOTH, twin])).findings
    assert (found.check, found.subgoal_ids) == ("disjoint", ["dosing", "twin"])


async def test_a_lost_clause_is_found(embedded: Door, embedder: Embedder) -> None:
    goal = f"{GOAL.goal.text} Translate opera librettos."
    (found,) = (await checked(embedded, embedder, BOTH, goal)).findings
    assert (found.check, found.subgoal_ids) == ("complete", [])
    assert found.clause == "Translate opera librettos"


async def test_the_embedded_model_shows_no_probes_and_says_how_it_compares(
    embedded: Door, embedder: Embedder
) -> None:
    contract = await checked(embedded, embedder, BOTH)
    assert contract.probes == [] and contract.how == checker.EMBEDDED


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        (
            "Explain symptoms and causes of common illnesses, explain dosing of medicines, warn "
            "about side effects, say when symptoms need urgent care, advise on pregnancy and "
            "breastfeeding, and explain which drugs interact and why.",
            [
                "Explain symptoms.",
                "Explain causes of common illnesses.",
                "Explain dosing of medicines.",
                "Warn about side effects.",
                "Say when symptoms need urgent care.",
                "Advise on pregnancy.",
                "Advise on breastfeeding.",
                "Explain which drugs interact and why.",
            ],
        ),
        (
            "Summarize bills: keep monetary amounts, affected parties and timelines.",
            ["Summarize bills.", "Keep monetary amounts.", "Affected parties.", "Timelines."],
        ),
    ],
)
async def test_decomposing_and_checking_come_to_an_end(
    goal: str, expected: list[str], embedded: Door, embedder: Embedder
) -> None:
    """The person sees no more findings than the first proposal had, and every clause covered."""
    ask = DecomposeAsk(specification=Specification(goal=Goal(text=goal)))
    subgoals = await decompose(embedded, ask)
    assert [s.description for s in subgoals] == expected
    contract = await checked(embedded, embedder, subgoals, goal)
    again = ask.model_copy(
        update={"previous": tuple(subgoals), "findings": tuple(contract.findings)}
    )
    mended = await checked(embedded, embedder, await decompose(embedded, again), goal)
    assert len(mended.findings) <= len(contract.findings)
    assert not [f.clause for f in contract.findings if f.clause]


# A language model


class Answers:
    """A model that finds fault with what it is told to, and nothing else."""

    def __init__(self, fails: tuple[type, ...] = (), outage: bool = False) -> None:
        self.fails, self.outage = fails, outage
        self.compound: set[str] = set()
        self.overlapping: set[str] = set()
        self.lost: set[str] = set()
        self.unplaced = False

    def __call__(self, ask: Any) -> Any:
        if isinstance(ask, self.fails):
            raise ReplyFailure("no JSON", outage=self.outage)
        if isinstance(ask, AtomicAsk):
            return AtomicVerdicts(verdicts=[self._verdict(s.id) for s in ask.subgoals])
        if isinstance(ask, SeparateAsk):
            row = {"why": "", "possible": True, "output": "So."}
            return WrittenProbes(
                first_only=WrittenProbe(input=ask.first.id, **row),
                second_only=WrittenProbe(input=ask.second.id, **row),
            )
        if isinstance(ask, PlaceAsk):
            pair = {subgoal.id for subgoal in ask.subgoals}
            shown = {
                name: list(pair) if pair <= self.overlapping else [row.input]
                for name, row in ask.rows.items()
            }
            return Placements(
                placements=[
                    Placement(row=name, explanation="", shows=[] if self.unplaced else ids)
                    for name, ids in shown.items()
                ]
            )
        assert isinstance(ask, MatrixAsk)
        ids = [subgoal.id for subgoal in ask.subgoals]
        return Matrix(
            clauses=[
                CoveredClause(
                    clause_id=c.id,
                    subgoal_ids=[] if c.text in self.lost else ids,
                    qualifies=False,
                    missing="",
                )
                for c in ask.clauses
            ]
        )

    def _verdict(self, name: str) -> AtomicVerdict:
        joined = name in self.compound
        return AtomicVerdict(
            subgoal_id=name,
            capabilities=["one", "another"] if joined else ["one"],
            half_input="Why?",
            half_output="So.",
            atomic=not joined,
        )


def door_of(store: Store, answers: Answers) -> Door:
    return Door(ScriptedModel(checker=answers), store, "run")


async def test_what_the_three_checks_find_comes_together(store: Store, embedder: Embedder) -> None:
    answers = Answers()
    answers.compound, answers.overlapping = {"dosing"}, {"dosing", "effects"}
    answers.lost = {"warn about side effects"}
    contract = await checked(door_of(store, answers), embedder, BOTH)
    assert [(f.check, f.subgoal_ids, f.clause) for f in contract.findings] == [
        ("atomic", ["dosing"], ""),
        ("disjoint", ["dosing", "effects"], ""),
        ("complete", [], "warn about side effects"),
    ]
    assert contract.open == contract.findings
    assert len(contract.probes) == 2 and len(contract.matrix) == 2
    assert contract.how == checker.how("scripted")
    assert all("scripted" in line for line in contract.how)
    assert "closest pairs" in contract.how[1], "that not all pairs were probed is said"


async def test_the_checks_are_paid_for_once(store: Store, embedder: Embedder) -> None:
    model = ScriptedModel(checker=Answers())
    door = Door(model, store, "run")
    first = await checked(door, embedder, BOTH)
    calls = len(model.asked)
    assert await checked(door, embedder, BOTH) == first
    assert len(model.asked) == calls == 4


async def test_an_overruled_finding_keeps_its_reason(store: Store, embedder: Embedder) -> None:
    answers = Answers()
    answers.compound, answers.lost = {"dosing"}, {"warn about side effects"}
    door = door_of(store, answers)
    atomic, lost = (await checked(door, embedder, BOTH)).findings
    contract = await checked(door, embedder, BOTH, **{atomic.id: "One team does both."})
    assert [f.overruled for f in contract.findings] == ["One team does both.", None]
    assert contract.open == [lost]
    both = {atomic.id: "One team does both.", lost.id: "Later."}
    assert (await checked(door, embedder, BOTH, **both)).open == []


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        ({"description": "Explains dosing and storage."}, False),
        ({"name": "Doses"}, False),
        ({"counts": "a figure"}, False),
        ({"target_count": 9}, True),
    ],
)
async def test_an_overruling_goes_when_the_subgoal_says_something_else(
    changed: dict[str, Any], kept: bool, store: Store, embedder: Embedder
) -> None:
    answers = Answers()
    answers.compound = {"dosing"}
    door = door_of(store, answers)
    (found,) = (await checked(door, embedder, BOTH)).findings
    edited = [DOSING.model_copy(update=changed), EFFECTS]
    (again,) = (await checked(door, embedder, edited, **{found.id: "why"})).findings
    assert again.overruled == ("why" if kept else None)


@pytest.mark.parametrize(
    ("failing", "said"),
    [
        (AtomicAsk, ["Whether the subgoals are atomic: no JSON"]),
        (SeparateAsk, ["Whether “Dosing” and “Side effects” are disjoint: no JSON"]),
        (PlaceAsk, ["Whether “Dosing” and “Side effects” are disjoint: no JSON"]),
        (MatrixAsk, ["Whether the subgoals are complete: no JSON"]),
    ],
)
async def test_a_check_without_a_usable_reply_is_said_and_the_others_stand(
    failing: type, said: list[str], store: Store, embedder: Embedder
) -> None:
    answers = Answers(fails=(failing,))
    answers.compound, answers.overlapping = {"dosing"}, {"dosing", "effects"}
    answers.lost = {"warn about side effects"}
    contract = await checked(door_of(store, answers), embedder, BOTH)
    lacking = {AtomicAsk: "atomic", MatrixAsk: "complete"}.get(failing, "disjoint")
    assert contract.unchecked == said
    assert {f.check for f in contract.findings} == {"atomic", "disjoint", "complete"} - {lacking}


async def test_what_could_not_be_checked_is_no_open_finding(
    store: Store, embedder: Embedder
) -> None:
    contract = await checked(door_of(store, Answers(fails=(MatrixAsk,))), embedder, BOTH)
    assert contract.open == [] and len(contract.unchecked) == 1


async def test_a_row_that_shows_neither_of_a_pair_is_said(store: Store, embedder: Embedder) -> None:
    answers = Answers()
    answers.unplaced = True
    contract = await checked(door_of(store, answers), embedder, BOTH)
    assert contract.findings == []
    assert [line.split(":")[0] for line in contract.unchecked] == [
        "Whether a row fits “Dosing” and not “Side effects”",
        "Whether a row fits “Side effects” and not “Dosing”",
    ]


@pytest.mark.parametrize("failing", [AtomicAsk, SeparateAsk, MatrixAsk])
async def test_a_server_that_is_out_of_order_stops_the_run(
    failing: type, store: Store, embedder: Embedder
) -> None:
    with pytest.raises(ReplyFailure, match="no JSON"):
        await checked(door_of(store, Answers((failing,), outage=True)), embedder, BOTH)
