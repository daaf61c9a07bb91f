"""Names of gaps: contrastive, and with quotes that stand in the rows."""

import pytest

from goalcover.agents.gap_names import ClaimReply, GapName, NameGapAsk, QuoteReply
from goalcover.memory.records import GapKind, LowRow, Subgoal
from goalcover.tools.model import Door

RISKS = Subgoal(id="risks", name="Side effects", description="Warns about side effects.")


def low_row(row: int, explanation: str, excerpt: str = "Which pill? → Take two.") -> LowRow:
    return LowRow(
        row=row, sample_id=f"id{row}", score=0.2, explanation=explanation, topic="", excerpt=excerpt
    )


def named(*quotes: tuple[int, str]) -> GapName:
    found = [QuoteReply(row=row, text=text) for row, text in quotes]
    return GapName(name="No risks", claims=[ClaimReply(text="No risk is named.", quotes=found)])


ROWS = (low_row(3, "No side effect is named."), low_row(8, "It hides the risk of bleeding."))
ASK = NameGapAsk(
    subgoal=RISKS,
    kind="weak",
    members=ROWS,
    others=(low_row(9, "The tone is off."),),
    topic="pills",
)


def test_quotes_come_as_they_stand_with_their_place() -> None:
    reply = named((3, "no side effect"), (8, "Take two."))
    ASK.check(reply)
    (claim,) = ASK.claims_of(reply)
    assert [(q.row, q.source, q.text) for q in claim.quotes] == [
        (3, "explanation", "No side effect"),
        (8, "row", "Take two."),
    ]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (
            named((3, "No side effect is listed")),
            "row 3 does not hold the words 'No side effect is",
        ),
        (named((8, "No side effect is named")), "row 8 does not hold"),
        (named((9, "The tone is off")), "row 9 does not hold"),
        (named((3, "named")), "at least two words"),
        (named(), "give a quote for the claim 'No risk is named.'"),
        (GapName(name=" ", claims=[]), "give a name"),
        (GapName(name="No risks", claims=[]), "at least one claim"),
    ],
)
def test_a_claim_without_a_true_quote_is_refused(reply: GapName, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ASK.check(reply)


def test_what_is_near_stands_apart_and_says_no_more_than_its_explanation() -> None:
    user = ASK.messages()[1]["content"]
    inside, near = user.split("<<<NEAR IT, NOT IN IT")
    assert "row 3 (score 0.2)" in inside and "explanation: It hides" in inside
    assert "The tone is off." in near and "The tone is off." not in inside
    assert "fall short of it" in inside


async def embedded_name(door: Door, *explanations: str) -> tuple[NameGapAsk, GapName]:
    rows = tuple(low_row(i, text) for i, text in enumerate(explanations))
    ask = NameGapAsk(subgoal=RISKS, kind="absent", members=rows, others=())
    return ask, await door.ask(ask)


async def test_an_embedded_name_says_what_the_rows_do_not_mention(embedded: Door) -> None:
    lacking = "Not mentioned: side, effects and warns. Nearest passage: “…”"
    ask, found = await embedded_name(embedded, lacking, lacking)
    assert found.name == "Side effects: not named"
    (claim,) = ask.claims_of(found)
    assert claim.text == "Most of these rows do not mention “side”, “effects” or “warns”."
    assert [quote.text for quote in claim.quotes] == ["Not mentioned: side, effects and warns"] * 2


async def test_an_embedded_name_of_a_judges_own_words_quotes_them(embedded: Door) -> None:
    said = "Speaks of doses alone; a risk is never named. It would need one."
    ask, found = await embedded_name(embedded, said)
    assert found.name == "Side effects: absent"
    (claim,) = ask.claims_of(found)
    assert claim.quotes[0].text in said
    ask.check(found)


async def test_a_word_within_another_is_not_the_word(embedded: Door) -> None:
    said = "Not mentioned: aside and effectsize. Nearest passage: “…”"
    _, found = await embedded_name(embedded, said)
    assert found.name == "Side effects: absent"


DATES = (
    "No expiry date is stated.",
    "It drops the expiry date and the deadline.",
    "Neither the expiry date nor a deadline is kept.",
)
MONEY = ("No dollar amounts are given.", "It drops the grants.", "The fee is left out.")


async def contrasted(door: Door, kind: GapKind, *explanations: str) -> tuple[NameGapAsk, GapName]:
    rows = tuple(low_row(i, text) for i, text in enumerate((*explanations, *MONEY)))
    inside, near = rows[: len(explanations)], rows[len(explanations) :]
    ask = NameGapAsk(subgoal=RISKS, kind=kind, members=inside, others=near)
    return ask, await door.ask(ask)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("weak", "Side effects: weak on expiry date and deadline"),
        ("absent", "Side effects: absent (expiry date, deadline)"),
    ],
)
async def test_an_embedded_name_says_what_those_near_it_do_not(
    embedded: Door, kind: GapKind, name: str
) -> None:
    ask, found = await contrasted(embedded, kind, *DATES)
    assert found.name == name
    ask.check(found)
    (claim,) = ask.claims_of(found)
    assert claim.text.endswith("the judge speaks of expiry date and deadline.")
    assert all("expiry date" in quote.text for quote in claim.quotes)


async def test_words_of_any_judgement_name_nothing(embedded: Door) -> None:
    said = (
        "The response lacks detail.",
        "The response lacks depth.",
        "The response is incomplete.",
    )
    _, found = await contrasted(embedded, "weak", *said)
    assert found.name == "Side effects: touched on only"


async def test_words_that_those_near_it_share_name_nothing(embedded: Door) -> None:
    said = ("It drops the grants.", "The dollar amounts are left out.", "No fee is given.")
    _, found = await contrasted(embedded, "absent", *said)
    assert found.name == "Side effects: absent"


async def test_an_explanation_of_one_word_is_quoted_by_its_row(embedded: Door) -> None:
    ask, found = await embedded_name(embedded, "Irrelevant.")
    ask.check(found)
    (claim,) = ask.claims_of(found)
    assert [quote.source for quote in claim.quotes] == ["row"]
