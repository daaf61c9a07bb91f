"""Do the subgoals say all that is asked for, and nothing else?"""

from typing import Any

import pytest

from goalcover.agents.clauses import clauses_of
from goalcover.agents.completeness import CoveredClause, Matrix, MatrixAsk, check_complete
from goalcover.memory.records import ClauseCover, Finding, Goal, Specification, Subgoal
from goalcover.memory.store import Store
from goalcover.tools.model import Door
from goalcover.tools.scripted_model import ScriptedModel

GOAL = Specification(
    goal=Goal(text="Explain dosing of medicines, warn about side effects."),
    edge_cases=["overdoses of children"],
)
DOSING = Subgoal(id="dosing", name="Dosing", description="Explains dosing of medicines.")
EFFECTS = Subgoal(id="effects", name="Side effects", description="Warns about side effects.")
OPERA = Subgoal(id="opera", name="Opera", description="Recommends an opera singer.")
BOTH = [DOSING, EFFECTS]
ASK = MatrixAsk(specification=GOAL, clauses=tuple(clauses_of(GOAL)), subgoals=tuple(BOTH))


def line(clause: str, *subgoals: str, qualifies: bool = False, missing: str = "") -> CoveredClause:
    return CoveredClause(
        clause_id=clause, subgoal_ids=list(subgoals), qualifies=qualifies, missing=missing
    )


COVERED = [line("c1", "dosing"), line("c2", "effects"), line("c3", "dosing")]


async def checked(
    store: Store, lines: list[CoveredClause], subgoals: list[Subgoal] = BOTH
) -> tuple[list[Finding], list[ClauseCover]]:
    model = ScriptedModel(checker=[Matrix(clauses=lines)])
    return await check_complete(Door(model, store, "run"), GOAL, subgoals)


async def test_covered_clauses_have_no_finding_and_stand_in_the_matrix(store: Store) -> None:
    findings, matrix = await checked(store, [line("c2", "effects"), line("c3", "effects", "dosing",
                                     "effects"), line("c1", "dosing")])  # fmt: skip
    assert findings == []
    assert [(c.id, c.field, c.text, c.subgoal_ids) for c in matrix] == [
        ("c1", "goal", "Explain dosing of medicines", ["dosing"]),
        ("c2", "goal", "warn about side effects", ["effects"]),
        ("c3", "edge_cases", "overdoses of children", ["effects", "dosing"]),
    ]


async def test_a_clause_that_nothing_covers_is_lost(store: Store) -> None:
    findings, matrix = await checked(store, [*COVERED[:2], line("c3")])
    (found,) = findings
    assert (found.check, found.subgoal_ids) == ("complete", [])
    assert found.clause == "overdoses of children"
    assert found.message == "No subgoal covers “overdoses of children” (settled as edge cases)."
    assert matrix[2].subgoal_ids == []


async def test_the_words_that_are_missing_of_a_covered_clause_are_lost(store: Store) -> None:
    partly = line("c1", "dosing", missing="of medicines")
    (found,), matrix = await checked(store, [partly, *COVERED[1:]])
    assert found.clause == "of medicines"
    assert found.message == "No subgoal covers “of medicines” (of the goal)."
    assert matrix[0].subgoal_ids == ["dosing"]


async def test_a_clause_that_qualifies_needs_no_subgoal(store: Store) -> None:
    findings, matrix = await checked(store, [*COVERED[:2], line("c3", qualifies=True)])
    assert findings == []
    assert [clause.qualifies for clause in matrix] == [False, False, True]


async def test_a_clause_that_a_subgoal_covers_does_not_qualify(store: Store) -> None:
    lines = [*COVERED[:2], line("c3", "effects", qualifies=True)]
    findings, matrix = await checked(store, lines)
    assert findings == [] and matrix[2].qualifies is False


async def test_a_subgoal_that_nothing_asks_for_is_found(store: Store) -> None:
    (found,), _ = await checked(store, COVERED, [*BOTH, OPERA])
    assert (found.check, found.subgoal_ids, found.clause) == ("complete", ["opera"], "")
    assert found.message == "Nothing in the specification asks for “Opera”."


async def test_lost_clauses_and_unasked_subgoals_are_told_apart(store: Store) -> None:
    lines = [line("c1"), *COVERED[1:2], line("c3")]
    findings, _ = await checked(store, lines)
    assert [(f.clause, f.subgoal_ids) for f in findings] == [
        ("Explain dosing of medicines", []),
        ("overdoses of children", []),
        ("", ["dosing"]),
    ]
    assert len({f.id for f in findings}) == 3


@pytest.mark.parametrize("goal", ["Be good.", "...", "解释药物剂量"])
async def test_a_goal_without_clauses_is_asked_about_as_a_whole(goal: str, store: Store) -> None:
    model = ScriptedModel(checker=[Matrix(clauses=[line("c1")])])
    bare = Specification(goal=Goal(text=goal))
    findings, (only,) = await check_complete(Door(model, store, "run"), bare, [DOSING])
    assert only.text == goal and len(model.asked) == 1
    assert [(f.clause, f.subgoal_ids) for f in findings] == [(goal, []), ("", ["dosing"])]


async def test_the_same_words_lost_of_two_clauses_are_two_findings(store: Store) -> None:
    goal = Specification(goal=Goal(text="Dose medicines of children, warn of children in pain."))
    lines = [line(name, "dosing", missing="children") for name in ("c1", "c2")]
    model = ScriptedModel(checker=[Matrix(clauses=lines)])
    first, second = (await check_complete(Door(model, store, "run"), goal, [DOSING]))[0]
    assert first.clause == second.clause == "children" and first.id != second.id


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (COVERED[:2], "exactly one line for c3"),
        ([*COVERED, line("c3")], "exactly one line for c3"),
        ([*COVERED, line("c4")], "there is no c4"),
        ([*COVERED[:2], line("c3", "Dosing")], "there is no subgoal Dosing"),
        ([*COVERED[:2], line("c3", missing="overdose of children")], "c3: copy the missing words"),
        ([*COVERED[:2], line("c3", missing="side effects")], "c3: copy the missing words"),
    ],
)
def test_a_reply_that_cannot_be_used_is_refused(lines: list[CoveredClause], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ASK.check(Matrix(clauses=lines))


@pytest.mark.parametrize("missing", ["", "children", "overdoses of children"])
def test_missing_words_are_copied_or_none(missing: str) -> None:
    ASK.check(Matrix(clauses=[*COVERED[:2], line("c3", missing=missing)]))


def test_the_prompt_lists_clauses_with_their_fields_and_subgoals() -> None:
    _, user = ASK.messages()
    for text in (
        "- c1 (goal): Explain dosing of medicines\n- c2 (goal): warn about side effects\n"
        "- c3 (edge_cases): overdoses of children",
        "- dosing: Dosing. Explains dosing of medicines.\n- effects: Side effects.",
        "edge cases: overdoses of children",
    ):
        assert text in user["content"]


async def embedded_findings(embedded: Door, goal: str, subgoals: Any) -> list[tuple[str, Any]]:
    specification = Specification(goal=Goal(text=goal))
    findings, _ = await check_complete(embedded, specification, subgoals)
    return [(f.clause, f.subgoal_ids) for f in findings]


@pytest.mark.parametrize(
    ("more", "subgoals", "expected"),
    [
        ("", BOTH, []),
        ("Translate librettos.", BOTH, [("Translate librettos", [])]),
        ("", [*BOTH, OPERA], [("", ["opera"])]),
        ("", [DOSING, OPERA], [("warn about side effects", []), ("", ["opera"])]),
        ("Be brief.", BOTH, []),  # qualifies
    ],
)
async def test_the_embedded_model_goes_by_similarity(
    more: str, subgoals: list[Subgoal], expected: list[tuple[str, list[str]]], embedded: Door
) -> None:
    goal = f"{GOAL.goal.text} {more}"
    assert await embedded_findings(embedded, goal, subgoals) == expected


async def test_the_embedded_answer_passes_its_own_check(embedded: Door) -> None:
    ASK.check(await embedded.ask(ASK))


async def test_clauses_that_all_qualify_lose_nothing(embedded: Door) -> None:
    found = await embedded_findings(embedded, "Be brief, stay friendly.", [DOSING])
    assert found == [("", ["dosing"])]
