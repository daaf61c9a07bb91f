"""The checker: is a decomposition atomic, disjoint and complete?"""

import pytest

from goalcover.agents.checker import CheckAsk, CheckFinding, Findings, check
from goalcover.agents.decomposer import decompose
from goalcover.memory.records import Finding, Goal, Specification, Subgoal
from goalcover.memory.store import Store
from goalcover.tools.model import Door
from goalcover.tools.scripted_model import ScriptedModel

GOAL = Specification(goal=Goal(text="Explain dosing of medicines, warn about side effects."))
DOSING = Subgoal(id="dosing", name="Dosing", description="Explain dosing of medicines.")
EFFECTS = Subgoal(id="effects", name="Side effects", description="Warn about side effects.")


async def test_a_sound_decomposition_has_no_findings(embedded: Door) -> None:
    assert await check(embedded, GOAL, [DOSING, EFFECTS]) == []


async def test_a_compound_subgoal_is_found(embedded: Door) -> None:
    both = EFFECTS.model_copy(update={"description": "Warn about side effects and allergies."})
    (found,) = await check(embedded, GOAL, [DOSING, both])
    assert (found.check, found.subgoal_ids) == ("atomic", ["effects"])
    assert "“Warn about allergies”" in found.message


async def test_an_overlapping_pair_is_found(embedded: Door) -> None:
    twin = Subgoal(id="twin", name="Dosing", description="Explains the dosing of medicines.")
    (found,) = await check(embedded, GOAL, [DOSING, EFFECTS, twin])
    assert (found.check, found.subgoal_ids) == ("disjoint", ["dosing", "twin"])


async def test_a_lost_clause_is_found(embedded: Door) -> None:
    goal = Specification(goal=Goal(text=f"{GOAL.goal.text} Translate opera librettos."))
    (found,) = await check(embedded, goal, [DOSING, EFFECTS])
    assert (found.check, found.subgoal_ids) == ("complete", [])
    assert "“Translate opera librettos”" in found.message


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
            [
                "Summarize bills.",
                "Keep monetary amounts.",
                "Affected parties.",
                "Timelines.",
            ],
        ),
    ],
)
async def test_decomposing_and_checking_converge(
    goal: str, expected: list[str], embedded: Door
) -> None:
    specification = Specification(goal=Goal(text=goal))
    subgoals: list[Subgoal] = []
    findings: list[Finding] = []
    for _ in range(3):
        subgoals = await decompose(embedded, specification, subgoals, findings)
        findings = await check(embedded, specification, subgoals)
        if not findings:
            break
    assert findings == []
    assert [s.description for s in subgoals] == expected


async def test_the_prompt_lists_the_subgoals(store: Store) -> None:
    model = ScriptedModel(checker=[Findings(findings=[])])
    await check(Door(model, store, "run"), GOAL, [DOSING, EFFECTS])
    system, user = model.asked[0].messages()
    for word in ("atomic", "disjoint", "complete"):
        assert f"- {word}:" in system["content"]
    assert GOAL.goal.text in user["content"]
    assert "- dosing: Dosing. Explain dosing of medicines.\n- effects:" in user["content"]


def test_a_finding_about_an_unknown_subgoal_is_refused() -> None:
    wrong = CheckFinding(check="atomic", subgoal_ids=["dosing", "weather"], message="?")
    with pytest.raises(ValueError, match="there is no subgoal weather"):
        CheckAsk(specification=GOAL, subgoals=(DOSING,)).check(Findings(findings=[wrong]))
