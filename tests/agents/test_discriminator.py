"""The discriminator: groups are judged against an anchor, by neutral ids, and failures reject."""

import re
from collections.abc import Callable

import pytest

from goalcover.agents.discriminator import (
    GROUP,
    REPEATED,
    Panel,
    Verdicts,
    discriminate,
)
from goalcover.agents.group_ask import GroupVerdict, GroupVerdicts, JudgeGroupAsk, Mark, reached
from goalcover.memory.errors import ModelUnavailable, ReplyFailure
from goalcover.memory.records import Candidate, Cell, Gap, Source, Subgoal
from goalcover.memory.store import Store
from goalcover.tools.model import Door
from goalcover.tools.scripted_model import ScriptedModel

RISKS = Subgoal(id="risks", name="Side effects", description="Warns about side effects.")
COST = Subgoal(id="cost", name="Cost", description="Says what it costs.")
GAP = Gap(
    id="risks-gap1",
    subgoal_id="risks",
    kind="absent",
    name="No warnings",
    claims=[],
    prevalence=1,
    interval=(0.2, 1),
    shortfall=1,
    rows=1,
    analysed=1,
    low=1,
)
ANCHOR = Source(id="row9", input="Is aspirin safe?", output="It may upset the stomach lining.")
REAL = [ANCHOR] + [Source(id=f"r{i}", input=f"real {i}?", output=f"It is {i}.") for i in range(5)]
DIMENSIONS = ("correctness", "completeness", "faithfulness", "format", "second")


def candidate(number: int, also: str = "") -> Candidate:
    return Candidate(
        id=f"c{number}",
        input=f"hazard {number}?",
        output=f"word{number} harms.",
        origin="model",
        cell=Cell(also=also),
    )


def verdicts(ask: JudgeGroupAsk, score: Callable[[str], float], **marks: float) -> GroupVerdicts:
    """Scores by the row's output; replies come in reverse order."""
    return GroupVerdicts(
        verdicts=[
            GroupVerdict(
                id=row.id,
                **{  # pyright: ignore[reportArgumentType]
                    name: Mark(explanation=f"{name} of it", score=marks.get(name, 0.8))
                    for name in DIMENSIONS
                },
                explanation=f"says {row.output[:5]}",
                score=score(row.output),
            )
            for row in reversed(ask.rows)
        ]
    )


def judge(scores: dict[str, float], **marks: float) -> ScriptedModel:
    """Scores by the first word of the output; 0.8 for all others."""
    return ScriptedModel(
        discriminator=lambda ask: verdicts(
            ask, lambda text: scores.get(text.split()[0], 0.8), **marks
        )
    )


async def run(
    model: ScriptedModel, store: Store, candidates: list[Candidate], start: int = 1, **panel
) -> Verdicts:
    fields = {"subgoal": RISKS, "gap": GAP, "format": "Short.", "real": REAL} | panel
    return await discriminate(Door(model, store, "run"), Panel(**fields), candidates, start)


def reasons(found: Verdicts) -> dict[str, str | None]:
    return {row.id: row.refused for row in found.rows}


@pytest.mark.parametrize(
    ("anchor", "refused"),
    [
        (1.0, [None, None, "below the anchor", "below the bar"]),  # one step below it is enough
        (0.8, [None, None, None, "below the bar"]),
        (0.2, [None, None, None, "below the bar"]),  # a weak anchor does not lower the bar
    ],
)
async def test_accepted_rows_hold_against_the_anchor(
    anchor: float, refused: list[str | None], store: Store
) -> None:
    model = judge({"word0": 1.0, "word1": 0.8, "word2": 0.6, "word3": 0.4, "It": anchor})
    found = await run(model, store, [candidate(i) for i in range(4)])
    assert list(reasons(found).values()) == refused
    assert {row.anchor for row in found.rows} == {anchor}


async def test_without_any_real_row_the_bar_is_good(store: Store) -> None:
    model = judge({"word0": 0.6, "word1": 0.4})
    found = await run(model, store, [candidate(0), candidate(1)], real=[])
    assert reasons(found) == {"c0": None, "c1": "below the bar"}
    assert len(model.asked[0].rows) == 2 and found.rows[0].anchor is None


async def test_verdicts_reach_their_own_row(store: Store) -> None:
    model = judge({"word0": 1.0, "word1": 0.6, "word2": 0.2})
    found = await run(model, store, [candidate(i) for i in range(3)])
    told = {row.id: (row.score, row.explanation.split("says ")[1][:5]) for row in found.rows}
    assert told == {"c0": (1.0, "word0"), "c1": (0.6, "word1"), "c2": (0.2, "word2")}


@pytest.mark.parametrize("name", ["correctness", "completeness", "faithfulness", "format"])
async def test_a_fault_in_one_dimension_rejects_whatever_the_score(name: str, store: Store) -> None:
    leaflet = Source(id="leaflet#1", input="", output="It may cause a rash.")
    model = judge({"word0": 1.0}, **{name: 0.4})
    (row,) = (await run(model, store, [candidate(0)], documents=[leaflet])).rows
    assert row.refused == "below the bar" and getattr(row, name) == 0.4
    assert f"{name} 0.4: {name} of it" in row.explanation
    assert leaflet.output in model.asked[0].messages()[1]["content"]


async def test_what_does_not_apply_does_not_count(store: Store) -> None:
    """Without a source there is nothing to be faithful to, without a pair no second subgoal."""
    (row,) = (await run(judge({}, faithfulness=0.0, second=0.0), store, [candidate(0)])).rows
    assert row.refused is None and row.faithfulness is None
    assert set(row.explanations) == {"correctness", "completeness", "format"}


async def test_a_paired_row_must_show_both_subgoals(store: Store) -> None:
    model = judge({}, second=0.4)
    rows = [candidate(0, "cost"), candidate(1)]
    found = await run(model, store, rows, seconds={"cost": COST})
    assert reasons(found) == {"c0": "below the bar", "c1": None}
    (paired,) = (row.id for row in model.asked[0].rows if "word0" in row.output)
    assert f"SECOND SUBGOAL OF {paired}" in model.asked[0].messages()[1]["content"]


async def test_the_judge_sees_neutral_ids_in_a_shuffled_order(store: Store) -> None:
    model = judge({})
    await run(model, store, [candidate(i) for i in range(3 * GROUP)])
    groups = [ask.messages()[1]["content"] for ask in model.asked[:3]]
    places = []
    for text in groups:
        assert re.findall(r"<<<ROW (\S+)", text) == [f"row{i + 1}" for i in range(GROUP + 1)]
        assert not re.search(r"\bc\d+\b|row9|anchor|exemplar", text, re.IGNORECASE)
        rows = text.split("<<<ROW ")[1:]
        places.append(next(i for i, row in enumerate(rows) if "Is aspirin safe?" in row))
    assert set(places) != {GROUP}, "the anchor is not always the last"


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [4]), (2, [4]), (3, [4]), (7, [8]), (8, [5, 5]), (15, [6, 6, 6])]
)
async def test_groups_are_even_and_hold_four_to_eight_rows(
    count: int, sizes: list[int], store: Store
) -> None:
    model = judge({})
    found = await run(model, store, [candidate(i) for i in range(count)])
    assert [len(ask.rows) for ask in model.asked] == sizes and found.groups == len(sizes)
    for ask in model.asked:
        assert sum(row.output == ANCHOR.output for row in ask.rows) == 1


async def test_one_group_in_four_is_judged_again_in_reverse(store: Store) -> None:
    model = judge({})
    found = await run(model, store, [candidate(i) for i in range(9 * GROUP)], start=3)
    orders = [[row.output for row in ask.rows] for ask in model.asked]
    again = [order for order in orders if order[::-1] in orders]
    assert REPEATED == 4 and len(orders) == 9 + 2 and len(again) == 4, "groups 4 and 8"
    assert [len(group) for group in found.reordered] == [GROUP, GROUP]


async def test_the_first_order_decides(store: Store) -> None:
    calls: list[JudgeGroupAsk] = []

    def script(ask: JudgeGroupAsk) -> GroupVerdicts:
        calls.append(ask)
        return verdicts(ask, lambda text: 0.8 if len(calls) == 1 else 0.2)

    found = await run(ScriptedModel(discriminator=script), store, [candidate(0)], start=0)
    assert reasons(found) == {"c0": None}
    ((one,),) = found.reordered
    assert one.scores == (0.8, 0.2) and one.accepts == (True, False)


async def test_a_second_judgement_that_fails_measures_nothing(store: Store) -> None:
    replies = iter([None, ReplyFailure("gone")])

    def script(ask: JudgeGroupAsk) -> GroupVerdicts:
        if failure := next(replies):
            raise failure
        return verdicts(ask, lambda text: 0.8)

    found = await run(ScriptedModel(discriminator=script), store, [candidate(0)], start=0)
    assert reasons(found) == {"c0": None} and found.reordered == []


async def test_the_order_is_the_same_when_a_run_is_resumed(store: Store) -> None:
    first, second = judge({}), judge({})
    rows = [candidate(i) for i in range(5)]
    assert await run(first, store, rows) == await run(second, store, rows)
    assert second.asked == [], "answered from the store"


async def test_a_failed_judgement_rejects_its_group_and_no_other(store: Store) -> None:
    def script(ask: JudgeGroupAsk) -> GroupVerdicts:
        if any("word0 " in row.output for row in ask.rows):
            raise ReplyFailure("the model refused")
        return verdicts(ask, lambda text: 0.8)

    rows = [candidate(i) for i in range(GROUP + 1)]
    found = await run(ScriptedModel(discriminator=script), store, rows)
    assert list(reasons(found).values()) == ["not judged"] * 4 + [None] * 4
    assert found.rows[0].explanation == "It could not be judged: the model refused"
    assert found.rows[0].score is None


async def test_an_outage_stops_the_run(store: Store) -> None:
    model = ScriptedModel(discriminator=[ModelUnavailable("gone")])
    with pytest.raises(ModelUnavailable):
        await run(model, store, [candidate(0)])


def asked(**fields) -> JudgeGroupAsk:
    rows = tuple(Source(id=f"row{i}", input="q", output="a") for i in (1, 2))
    return JudgeGroupAsk(subgoal=RISKS, gap=GAP, format="Short.", rows=rows, **fields)


@pytest.mark.parametrize(
    ("names", "score", "reason"),
    [
        (["row1"], 0.8, "exactly one verdict"),
        (["row1", "row1", "row2"], 0.8, "exactly one verdict"),
        (["row1", "row3"], 0.8, "exactly one verdict"),
        (["row1", "row2"], 1.2, "the score of row1 is not between 0 and 1"),
        (["row1", "row2"], -0.2, "not between 0 and 1"),
        (["row1", "row2"], float("nan"), "not between 0 and 1"),
    ],
)
def test_a_reply_that_cannot_be_used_is_refused(
    names: list[str], score: float, reason: str
) -> None:
    reply = verdicts(asked(), lambda text: score)
    reply.verdicts = [reply.verdicts[0].model_copy(update={"id": name}) for name in names]
    with pytest.raises(ValueError, match=reason):
        asked().check(reply)


def test_a_dimension_that_applies_needs_a_score() -> None:
    reply = verdicts(asked(), lambda text: 0.8)
    reply.verdicts[0].faithfulness = reply.verdicts[0].second = Mark(explanation="", score=None)
    asked().check(reply)
    leaflet = Source(id="leaflet#1", input="", output="It may cause a rash.")
    for fields, name in (
        ({"documents": (leaflet,)}, "faithfulness"),
        ({"seconds": {"row2": COST}}, "second"),
    ):
        with pytest.raises(ValueError, match=f"give a score for the {name} of row2"):
            asked(**fields).check(reply)


def test_a_score_between_two_anchors_counts_as_the_lower() -> None:
    scores = [0.0, 0.19, 0.2, 0.59, 0.6, 0.6 - 1e-12, 0.7, 0.99, 1.0]
    assert [reached(score) for score in scores] == [0.0, 0.0, 0.2, 0.4, 0.6, 0.6, 0.6, 0.8, 1.0]


def test_true_is_no_score() -> None:
    with pytest.raises(ValueError, match="not true or false"):
        Mark.model_validate({"explanation": "", "score": True})


def test_the_system_prompt_holds_the_rubric() -> None:
    system, user = asked().messages()
    for anchor in ("1.0 perfect", "0.8 strong", "0.6 good", "0.4 weak", "0.2 poor", "0.0 none"):
        assert anchor in system["content"]
    assert "Side effects. Warns about" in user["content"] and "\nShort.\n" in user["content"]


async def test_the_embedded_judge_accepts_what_is_on_the_subgoal(embedded: Door) -> None:
    on = candidate(0).model_copy(
        update={"output": "The medicine warns about side effects: nausea, rash and dizziness."}
    )
    off = candidate(1).model_copy(update={"output": "The library opens at nine."})
    panel = Panel(subgoal=RISKS, gap=GAP, format="Short.", real=[])
    found = await discriminate(embedded, panel, [on, off])
    assert reasons(found) == {"c0": None, "c1": "below the bar"}
    assert "Topic only" in found.rows[0].explanation and found.rows[0].correctness is None
