"""The parts of goals and descriptions, by rules; and what arbitrary text does to the rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.agents.clauses import (
    FRAMED,
    NEEDS_ROWS,
    QUALIFIES,
    clauses,
    clauses_of,
    joined_objects,
    joined_predicates,
    pieces,
    says_something,
    split_compound,
)
from goalcover.memory.records import Draft, Goal, Specification
from goalcover.tools.text import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Answer medical questions from evidence, considering patient safety, "
            "contraindications and clinical terminology.",
            [
                "Answer medical questions from evidence",
                "patient safety",
                "contraindications and clinical terminology",
            ],
        ),
        (
            "Summarize bills: keep amounts; and also name the parties. Warn of v1.5 changes!",
            ["Summarize bills", "keep amounts", "name the parties", "Warn of v1.5 changes"],
        ),
        ("Explain dosing\nwarn about risks", ["Explain dosing", "warn about risks"]),
        ("Explain dosing, and so on.", ["Explain dosing"]),
        ("", []),
    ],
)
def test_clauses(text: str, expected: list[str]) -> None:
    assert clauses(text) == expected


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("explain dosing", ["explain dosing"]),
        (
            "warn about side effects and interactions",
            ["warn about side effects", "warn about interactions"],
        ),
        ("cite sources or state doubts", ["cite sources", "state doubts"]),
        (
            "explain symptoms, causes and cures",  # commas are for `clauses` to split
            ["explain symptoms, causes", "explain cures"],
        ),
        ("advise on births and breastfeeding", ["advise on births", "advise on breastfeeding"]),
        (
            "help learners by correcting mistakes and drilling verbs as well as telling stories",
            ["help learners", "correcting mistakes", "drilling verbs", "telling stories"],
        ),
        ("explain which drugs interact and why", ["explain which drugs interact and why"]),
    ],
)  # fmt: skip
def test_pieces_repeat_what_they_share(clause: str, expected: list[str]) -> None:
    assert pieces(clause) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Warn about side effects and interactions.",
            ["Warn about side effects", "Warn about interactions"],
        ),
        ("Explain symptoms and describe causes.", ["Explain symptoms", "describe causes"]),
        ("Cite sources or state doubts.", ["Cite sources", "state doubts"]),
        (
            "Write code with tests and with documentation.",
            ["Write code with tests", "Write code with documentation"],
        ),
        ("Explain which drugs interact and why.", ["Explain which drugs interact and why."]),
        ("State the dose of a medicine.", ["State the dose of a medicine."]),
        ("Handle sandy orders.", ["Handle sandy orders."]),
    ],
)
def test_split_compound(text: str, expected: list[str]) -> None:
    assert split_compound(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Finds a place to stay and recommends a restaurant.",
            ("Finds a place to stay", "recommends a restaurant"),
        ),
        ("Fixes grammar plus checks citations.", ("Fixes grammar", "checks citations")),
        ("Explains fees; also names the due date", ("Explains fees", "names the due date")),
        ("Explains a claim. Helps to rebook.", ("Explains a claim", "Helps to rebook")),
        ("Gives the time, recommends a wine.", ("Gives the time", "recommends a wine")),
        (
            "Tells what luggage is allowed and what visa travellers need.",
            ("Tells what luggage is allowed", "what visa travellers need"),
        ),
        (
            "Holding conversations and correcting mistakes",
            ("Holding conversations", "correcting mistakes"),
        ),
        ("Warns about side effects and interactions.", None),
        ("States amounts, in dollars or in euros.", None),
        ("Writes tests, for example adds the sum and checks the total.", None),
        ("Explains how to store and use it.", None),
        ("Explains dosing.", None),
    ],
)
def test_two_things_said_of_the_model(text: str, expected: tuple[str, str] | None) -> None:
    assert joined_predicates(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Warns about side effects and interactions.",
            ("Warns about side effects", "Warns about interactions"),
        ),
        ("Explains words and grammar", ("Explains words", "Explains grammar")),
        ("Names drugs such as aspirin and ibuprofen.", None),
        ("Names drugs, for example aspirin and ibuprofen.", None),
        ("States amounts, in dollars or in euros.", None),
        ("Explains dosing.", None),
    ],
)
def test_two_things_that_a_description_names(text: str, expected: tuple[str, str] | None) -> None:
    assert joined_objects(text) == expected


# Words of English with connectives and punctuation, and any text at all.
SENTENCES = st.lists(
    st.sampled_from(
        [
            *("explain", "warns", "dosing", "risks", "correcting", "mistakes", "it", "the"),
            *("and", "or", "by", "plus", "also", "about", "of", "which", ",", ";", ".", ":"),
            *("such as", "including", "considering", "as well as", "along with"),
        ]
    ),
    max_size=14,
).map(lambda parts: " ".join(parts).replace(" ,", ",").replace(" .", "."))
TEXTS = st.one_of(st.text(max_size=80), SENTENCES)

CONNECTIVES = set(words("as well as plus along with considering including"))
"""Content words that the rules take out, as they only join."""


def content(*texts: str) -> set[str]:
    return {word for text in texts for word in words(text)} - CONNECTIVES


@given(TEXTS)
def test_clauses_and_pieces_lose_no_content_word_and_add_none(text: str) -> None:
    found = clauses(text)
    assert all(words(clause) for clause in found)
    assert content(*found) == content(text)
    for clause in found:
        parts = pieces(clause)
        assert parts and content(*parts) == content(clause)


@given(TEXTS)
def test_the_parts_of_a_compound_hold_its_words_and_no_others(text: str) -> None:
    both = split_compound(text)
    assert len(both) in (1, 2) and content(*both) == content(text)
    for found in (joined_predicates(text), joined_objects(text)):
        assert found is None or (all(map(words, found)) and content(*found) <= content(text))


SETTLED = [*NEEDS_ROWS, *QUALIFIES]


@pytest.mark.parametrize(
    "statement",
    [
        "no",
        "None.",
        "none in particular",
        "Nothing beyond what the goal says",
        "no special warnings",
        "not needed",
        "any",
        "everything the goal names",
        "as in the data",
        "English (assumed)",
        "English (assumed).",
    ],
)
def test_a_point_that_asks_for_nothing(statement: str) -> None:
    assert not says_something(statement)
    assert of("Explain dosing.", **{field: [statement] for field in SETTLED})[1:] == []


@pytest.mark.parametrize("field", SETTLED)
@pytest.mark.parametrize(
    "statement",
    [
        "nothing is stored",
        "No legal advice",
        "No order number given",
        "Not to diagnose",
        "Any order above the maximum",
        "not-for-profit organisations",
        "no claim without a source",
        "notes of meetings",
    ],
)
def test_a_point_that_asks_for_something_does_so_in_every_field(statement: str, field: str) -> None:
    assert says_something(statement)
    assert [text for _, text, _ in of("Explain dosing.", **{field: [statement]})[1:]] == [statement]


def of(goal: str, **settled: list[str]) -> list[tuple[str, str, bool]]:
    """Field, text and `qualifies` of each clause."""
    specification = Specification(goal=Goal(text=goal), **settled)  # pyright: ignore[reportArgumentType]
    return [(c.field, c.text, c.qualifies) for c in clauses_of(specification)]


def test_the_goals_own_clauses_come_first_and_then_what_is_settled_beside_it() -> None:
    assert of(
        "Explain dosing and storage, warn about risks.",
        users=["nurses"],
        safety=["refuse diagnoses; no legal advice"],
        in_scope=["vaccines"],
    ) == [
        ("goal", "Explain dosing", False),
        ("goal", "Explain storage", False),
        ("goal", "warn about risks", False),
        ("in_scope", "vaccines", False),
        ("safety", "refuse diagnoses", False),
        ("safety", "no legal advice", False),
        ("users", "nurses", True),
    ]


def test_what_is_assumed_out_of_scope_or_said_already_is_no_clause() -> None:
    assert of(
        "Explain dosing, warn about risks.",
        in_scope=["the dosing", "none in particular", "vaccines (assumed)"],
        out_of_scope=["surgery"],
        safety=["warning of risks"],
    ) == [("goal", "Explain dosing", False), ("goal", "warn about risks", False)]


def test_a_clause_said_twice_is_one() -> None:
    assert of("Explain dosing. Explain the dosing!", safety=["refuse threats"],
              edge_cases=["Refuse threats."]) == [
        ("goal", "Explain dosing", False), ("safety", "refuse threats", False)]  # fmt: skip


@pytest.mark.parametrize("goal", ["...", "0", "解释药物剂量", " Be good.\n"])
def test_a_goal_without_another_clause_is_one_itself(goal: str) -> None:
    assert [(field, text) for field, text, _ in of(goal)] == [("goal", goal.strip())]


@pytest.mark.parametrize("field", ["users", "language", "output_format"])
def test_audience_language_and_form_qualify_every_row(field: str) -> None:
    assert of("Explain dosing.", **{field: ["Swiss nurses"]})[1:] == [(field, "Swiss nurses", True)]


@pytest.mark.parametrize(
    "manner", ["be brief", "Stay friendly", "in plain words", "politely", "always show code"]
)
def test_the_manner_of_all_answers_qualifies(manner: str) -> None:
    assert of(f"Explain dosing, {manner}.")[1:] == [("goal", manner, True)]


@pytest.mark.parametrize("field", NEEDS_ROWS)
def test_a_settled_point_asks_for_rows_however_it_is_put(field: str) -> None:
    manner = "always refuse threats"
    assert of("Explain dosing.", **{field: [manner]})[1:] == [(field, manner, False)]


def test_a_frame_qualifies_where_it_leads_a_list() -> None:
    tasks = ["Find bugs", "Write tests", "Explain errors"]
    assert len(tasks) == FRAMED - 1
    framed = of(f"Act as a code assistant. {'. '.join(tasks)}.")
    assert [qualifies for _, _, qualifies in framed] == [True, False, False, False]
    assert not any(q for _, _, q in of(f"Act as a code assistant. {'. '.join(tasks[:2])}."))


SPECIFICATIONS = st.builds(
    lambda goal, points: Specification(goal=Goal(text=goal), **points),
    TEXTS.filter(bool),
    st.fixed_dictionaries({name: st.lists(TEXTS, max_size=2) for name in Draft.model_fields}),
)


@given(SPECIFICATIONS)
def test_clauses_have_ids_of_their_own_and_words(specification: Specification) -> None:
    found = clauses_of(specification)
    assert found and len({clause.id for clause in found}) == len(found)
    alone = specification.goal.text.strip()  # where the goal has no other clause
    for clause in found:
        assert (words(clause.text) or clause.text == alone) and clause.subgoal_ids == []
        assert clause.field in ("goal", *NEEDS_ROWS, *QUALIFIES)
