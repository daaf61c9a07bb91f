"""Is each subgoal one capability? What a model says of it, and what the grammar says."""

import pytest

from goalcover.agents.atomicity import AtomicAsk, AtomicVerdict, AtomicVerdicts, check_atomic
from goalcover.memory.records import Example, Finding, Goal, Specification, Subgoal
from goalcover.memory.store import Store
from goalcover.tools.model import Door
from goalcover.tools.scripted_model import ScriptedModel

GOAL = Specification(goal=Goal(text="Explain dosing of medicines, warn about side effects."))
DOSING = Subgoal(
    id="dosing",
    name="Dosing",
    description="Explains dosing.",
    example=Example(input="How much?", output="One tablet."),
)
RISKS = Subgoal(id="risks", name="Risks", description="Warns about effects and interactions.")
ASK = AtomicAsk(specification=GOAL, subgoals=(DOSING, RISKS))


def verdict(name: str, *parts: str, half: tuple[str, str] = ("Why?", "So.")) -> AtomicVerdict:
    """Atomic where there are no two parts."""
    return AtomicVerdict(
        subgoal_id=name,
        capabilities=list(parts),
        half_input=half[0],
        half_output=half[1],
        atomic=len(parts) < 2,
    )


async def checked(store: Store, *verdicts: AtomicVerdict) -> list[Finding]:
    model = ScriptedModel(checker=[AtomicVerdicts(verdicts=list(verdicts))])
    return await check_atomic(Door(model, store, "run"), GOAL, [DOSING, RISKS])


async def test_a_joined_subgoal_is_found_with_the_row_that_shows_half_of_it(store: Store) -> None:
    (found,) = await checked(
        store,
        verdict("risks", "Warns about effects.", "warns about interactions", half=("Safe?", "No.")),
        verdict("dosing", "explains dosing"),
    )
    assert (found.check, found.subgoal_ids, found.clause) == ("atomic", ["risks"], "")
    assert found.message == (
        "“Risks” joins 2 capabilities: “Warns about effects” and “warns about interactions”."
    )
    assert found.evidence == ["A row that shows one of them alone: Safe? → No."]


async def test_each_joined_subgoal_is_found_with_all_its_parts(store: Store) -> None:
    found = await checked(store, verdict("dosing", "a", "b", "c"), verdict("risks", "a", "b"))
    assert [f.subgoal_ids for f in found] == [["dosing"], ["risks"]]
    assert "joins 3 capabilities: “a”, “b” and “c”" in found[0].message


async def test_atomic_subgoals_have_no_finding_whatever_is_named(store: Store) -> None:
    named = verdict("risks", "effects", "interactions").model_copy(update={"atomic": True})
    assert await checked(store, verdict("dosing", "dosing"), named) == []


@pytest.mark.parametrize(
    ("verdicts", "reason"),
    [
        ([verdict("dosing")], "exactly one verdict for risks"),
        ([verdict("dosing"), verdict("risks"), verdict("risks")], "exactly one verdict for risks"),
        ([verdict("dosing"), verdict("Risks")], "there is no Risks"),
        (
            [verdict("dosing"), verdict("risks", "one").model_copy(update={"atomic": False})],
            "risks: name the capabilities that it joins",
        ),
        *(
            ([verdict("dosing"), verdict("risks", "a", "b", half=half)], "risks: write a row")
            for half in (("", ""), ("Why?", " "), ("\n", "So."))
        ),
    ],
)
def test_a_reply_that_cannot_be_used_is_refused(verdicts: list[AtomicVerdict], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ASK.check(AtomicVerdicts(verdicts=verdicts))


def test_a_reply_in_another_order_is_fine() -> None:
    ASK.check(AtomicVerdicts(verdicts=[verdict("risks", "a", "b"), verdict("dosing")]))


def test_what_is_atomic_needs_no_row() -> None:
    none = ("", "")
    ASK.check(AtomicVerdicts(verdicts=[verdict("dosing", half=none), verdict("risks", half=none)]))


def test_the_prompt_lists_the_subgoals_with_their_examples() -> None:
    system, user = ASK.messages()
    assert "not atomic" in system["content"] and GOAL.goal.text not in system["content"]
    assert GOAL.goal.text in user["content"]
    assert (
        "- dosing: Dosing. Explains dosing. Example: How much? → One tablet.\n"
        "- risks: Risks. Warns about effects and interactions."
    ) in user["content"]


@pytest.mark.parametrize(
    ("description", "parts"),
    [
        ("Explains dosing.", []),
        ("Explains dosing and warns about side effects.", ["Explains dosing", "warns about side "]),
        ("States dosing, in drops or in milligrams.", []),
        ("Names drugs such as aspirin and ibuprofen.", []),
        # An "and" between things joins two capabilities where the goal asks for each apart.
        ("Explains drug dosing and side effects.", ["Explains drug dosing", "Explains side ef"]),
        ("Explains trial and error.", []),
    ],
)  # fmt: skip
async def test_the_embedded_model_goes_by_grammar_and_goal(
    description: str, parts: list[str], embedded: Door
) -> None:
    subgoal = Subgoal(id="s", name="S", description=description)
    found = await check_atomic(embedded, GOAL, [DOSING, subgoal])
    assert [f.subgoal_ids for f in found] == ([["s"]] if parts else [])
    assert all(f"“{part}" in found[0].message for part in parts)
    assert all(f.evidence == [] for f in found), "it writes no rows"


async def test_a_clause_of_the_goal_that_holds_both_things_is_one_capability(
    embedded: Door,
) -> None:
    goal = Specification(goal=Goal(text="Explain the dosing of a medicine. Translate opera."))
    subgoal = Subgoal(id="s", name="S", description="Explains drug dosing and medicine dosages.")
    assert await check_atomic(embedded, goal, [subgoal]) == []


async def test_the_embedded_model_gives_a_verdict_for_each_subgoal(embedded: Door) -> None:
    found = (await embedded.ask(ASK)).verdicts
    assert [verdict.subgoal_id for verdict in found] == ["dosing", "risks"]
