"""The discriminator: groups are judged against an anchor, by neutral ids, and failures reject."""

import re

import pytest

from goalcover.agents.discriminator import (
    GROUP,
    GroupVerdict,
    GroupVerdicts,
    JudgeGroupAsk,
    discriminate,
)
from goalcover.memory.errors import ModelUnavailable, ReplyFailure
from goalcover.memory.records import Candidate, Gap, Source, Subgoal
from goalcover.memory.store import Store
from goalcover.tools.model import Door
from goalcover.tools.scripted_model import ScriptedModel

RISKS = Subgoal(id="risks", name="Side effects", description="Warns about side effects.")
GAP = Gap(
    id="risks-gap1",
    subgoal_id="risks",
    name="No warnings",
    description="None.",
    prevalence=1,
    rows=1,
    analysed=1,
    low=1,
)
ANCHOR = Source(id="row9", input="Is aspirin safe?", output="It may upset the stomach lining.")
NOUNS = ["lamp", "kettle", "jacket", "novel", "tent", "radio", "carpet", "guitar", "saddle", "whip"]


def candidate(number: int, text: str | None = None) -> Candidate:
    noun = NOUNS[number % 10] * (1 + number // 10)
    return Candidate(
        id=f"c{number}",
        input=f"{noun} hazards?",
        output=text or f"{noun} {noun}ing causes {noun}ache, {noun}itis plus {noun}mania.",
        origin="model",
    )


def verdicts(ask: JudgeGroupAsk, scores: dict[str, float]) -> GroupVerdicts:
    """Scores by a word of the row; replies come in reverse order."""
    found = []
    for row in reversed(ask.rows):
        score = next((s for word, s in scores.items() if word in row.output), 0.8)
        found.append(
            GroupVerdict(
                id=row.id,
                explanation=f"says {row.output[:12]}",
                correctness=score,
                completeness=score,
                faithfulness=score,
                score=score,
            )
        )
    return GroupVerdicts(verdicts=found)


def judge(**scores: float) -> ScriptedModel:
    return ScriptedModel(discriminator=lambda ask: verdicts(ask, scores))


async def run(
    model: ScriptedModel,
    store: Store,
    candidates: list[Candidate],
    anchor: Source | None = ANCHOR,
    accepted: list[Candidate] | None = None,
    exemplars: list[Source] | None = None,
) -> tuple[list[Candidate], list[Candidate]]:
    door = Door(model, store, "run")
    return await discriminate(
        door, RISKS, GAP, candidates, [], anchor, accepted or [], exemplars or [ANCHOR]
    )


def ids(candidates: list[Candidate]) -> list[str]:
    return [candidate.id for candidate in candidates]


@pytest.mark.parametrize(
    ("anchor", "accepted"),
    [
        (1.0, ["c0", "c1"]),  # at most one step below the anchor
        (0.8, ["c0", "c1", "c2"]),
        (0.2, ["c0", "c1", "c2"]),  # a weak anchor does not lower the bar
    ],
)
async def test_accepted_rows_hold_against_the_anchor(
    anchor: float, accepted: list[str], store: Store
) -> None:
    model = judge(lamp=1.0, kettle=0.8, jacket=0.6, novel=0.4, aspirin=anchor, stomach=anchor)
    good, refused = await run(model, store, [candidate(i) for i in range(4)])
    assert ids(good) == accepted
    assert sorted(ids(good) + ids(refused)) == ["c0", "c1", "c2", "c3"]


async def test_without_an_anchor_the_bar_is_good(store: Store) -> None:
    model = judge(lamp=0.6, kettle=0.5)
    good, refused = await run(model, store, [candidate(0), candidate(1)], anchor=None)
    assert (ids(good), ids(refused)) == (["c0"], ["c1"])
    assert len(model.asked[0].rows) == 2  # pyright: ignore[reportAttributeAccessIssue]


async def test_verdicts_reach_their_own_row(store: Store) -> None:
    model = judge(lamp=1.0, kettle=0.6, jacket=0.2)
    good, refused = await run(model, store, [candidate(i) for i in range(3)])
    found = {c.id: (c.score, c.explanation.split()[1]) for c in good + refused}
    assert found == {"c0": (1.0, "lamp"), "c1": (0.6, "kettle"), "c2": (0.2, "jacket")}


async def test_the_judge_sees_neutral_ids_in_a_shuffled_order(store: Store) -> None:
    model = judge()
    await run(model, store, [candidate(i) for i in range(3 * GROUP)])
    groups = [ask.messages()[1]["content"] for ask in model.asked]
    assert len(groups) == 3
    places = []
    for text in groups:
        assert re.findall(r"<<<ROW (\S+)", text) == [f"row{i + 1}" for i in range(GROUP + 1)]
        assert not re.search(r"\bc\d|row9|anchor|exemplar", text, re.IGNORECASE)
        rows = text.split("<<<ROW ")[1:]
        places.append(next(i for i, row in enumerate(rows) if "Is aspirin safe?" in row))
    assert set(places) != {GROUP}, "the anchor is not always the last"


async def test_the_order_is_the_same_when_a_run_is_resumed(store: Store) -> None:
    first, second = judge(), judge()
    rows = [candidate(i) for i in range(5)]
    assert await run(first, store, rows) == await run(second, store, rows)
    assert second.asked == [], "answered from the store"


async def test_the_system_prompt_holds_the_rubric(store: Store) -> None:
    model = judge()
    await run(model, store, [candidate(0)])
    system, user = model.asked[0].messages()
    for anchor in ("1.0 perfect", "0.8 strong", "0.6 good", "0.4 weak", "0.2 poor", "0.0 none"):
        assert anchor in system["content"]
    assert "Side effects. Warns about" in user["content"]


async def test_copies_are_refused_without_asking(store: Store) -> None:
    model = ScriptedModel()
    copy = Candidate(id="c1", input=ANCHOR.input, output=ANCHOR.output, origin="model")
    again = candidate(2).model_copy(update={"id": "c3"})
    blank = candidate(4, "   ")
    good, refused = await run(model, store, [copy, again, blank], accepted=[candidate(2)])
    assert (good, model.asked) == ([], [])
    assert {c.id: c.explanation for c in refused} == {
        "c1": "copies an exemplar",
        "c3": "copies an earlier row",
        "c4": "the input or the output is empty",
    }


async def test_of_two_alike_in_one_batch_the_first_is_judged(store: Store) -> None:
    model = judge()
    twin = candidate(2).model_copy(update={"id": "twin"})
    good, refused = await run(model, store, [candidate(2), twin])
    assert (ids(good), ids(refused)) == (["c2"], ["twin"])


async def test_a_failed_judgement_rejects_its_group_and_no_other(store: Store) -> None:
    def script(ask: JudgeGroupAsk) -> GroupVerdicts:
        if any("lamp" in row.output for row in ask.rows):
            raise ReplyFailure("the model refused")
        return verdicts(ask, {})

    rows = [candidate(i) for i in range(GROUP + 2)]
    good, refused = await run(ScriptedModel(discriminator=script), store, rows)
    assert ids(good) == ids(rows[GROUP:])
    assert ids(refused) == ids(rows[:GROUP])
    assert {(c.score, c.explanation) for c in refused} == {(None, "not judged: the model refused")}


async def test_an_outage_stops_the_run(store: Store) -> None:
    model = ScriptedModel(discriminator=[ModelUnavailable("gone")])
    with pytest.raises(ModelUnavailable):
        await run(model, store, [candidate(0)])


@pytest.mark.parametrize(
    ("names", "score", "reason"),
    [
        (["row1"], 0.8, "exactly one verdict"),
        (["row1", "row1", "row2"], 0.8, "exactly one verdict"),
        (["row1", "row3"], 0.8, "exactly one verdict"),
        (["row1", "row2"], 1.2, "not between 0 and 1"),
        (["row1", "row2"], float("nan"), "not between 0 and 1"),
    ],
)
def test_a_reply_that_cannot_be_used_is_refused(
    names: list[str], score: float, reason: str
) -> None:
    rows = tuple(Source(id=f"row{i}", input="q", output="a") for i in (1, 2))
    reply = GroupVerdicts(
        verdicts=[
            GroupVerdict(
                id=name,
                explanation="",
                correctness=1,
                completeness=1,
                faithfulness=1,
                score=score,
            )
            for name in names
        ]
    )
    with pytest.raises(ValueError, match=reason):
        JudgeGroupAsk(subgoal=RISKS, gap=GAP, rows=rows).check(reply)


async def test_the_embedded_judge_accepts_what_is_on_the_subgoal(embedded: Door) -> None:
    on = candidate(0, "The medicine warns about side effects: nausea, rash and dizziness.")
    off = candidate(1, "The library opens at nine and closes at six.")
    good, refused = await discriminate(embedded, RISKS, GAP, [on, off], [], None, [], [])
    assert (ids(good), ids(refused)) == (["c0"], ["c1"])
    assert "Topic only" in good[0].explanation


async def test_a_fault_in_one_dimension_rejects_whatever_the_score(store: Store) -> None:
    def unfaithful(ask: JudgeGroupAsk) -> GroupVerdicts:
        reply = verdicts(ask, {})
        for verdict in reply.verdicts:
            verdict.score, verdict.faithfulness, verdict.completeness = 1.0, 0.2, None
        return reply

    model = ScriptedModel(discriminator=unfaithful)
    source = Source(id="leaflet#1", input="", output="It may cause a rash.")
    row = Candidate(id="c0", input="Is it safe?", output="It cures all.", origin="model")
    good, (refused,) = await discriminate(
        Door(model, store, "run"), RISKS, GAP, [row], [source], None, [], []
    )
    assert not good and refused.faithfulness == 0.2 and refused.completeness is None
    assert source.output in model.asked[0].messages()[1]["content"]
