"""The data's form and length, and rows that have another."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.memory.records import Sample
from goalcover.tools.row_format import RowFormat, format_of


def samples(outputs: list[str], question: str = "How does one do this?") -> list[Sample]:
    return [
        Sample(index=i, id=str(i), input=question, output=text) for i, text in enumerate(outputs)
    ]


PROSE = format_of(samples(["It takes about an hour and some patience, so plan for it." * 2] * 30))
JSON = format_of(samples(['{"steps": ["wash", "dry"]}'] * 30))


@pytest.mark.parametrize(
    ("text_in", "text_out", "said"),
    [
        ("Why?", "User: Why?\nAssistant: Because.", "role labels"),
        ("Why?", "**Output:** because of the rain that fell all night.", "role labels"),
        ("Human: Why?", "Because of the rain that fell all night.", "role labels"),
        ("Why?", 'Sure: {"input": "Why?", "output": "Because."}', "a row as JSON"),
        ("Why?", '```json\n{ "messages": [] }\n```', "a row as JSON"),
        ("Why so?", json.dumps({"steps": ["wash", "dry"]}), "no output of the data is"),
        ("Why so?", "Wet.", "The output has 4 characters; the data's have 114 to 114."),
        ("Why so?", "So it is. " * 60, "The output has 600 characters"),
        ("Why?" * 200, "Because of the rain that fell all night.", "The input has 800"),
    ],
)
def test_another_format_is_told(text_in: str, text_out: str, said: str) -> None:
    assert said in PROSE.fault(text_in, text_out)


@pytest.mark.parametrize(
    "text",
    [
        "Note this: the question: is it wet? No: it is dry, and so it will stay.",
        "It depends.\nAnswer: yes, if the rain that fell all night has gone away.",
        "Two things:\n- the rain that fell\n- the wind, which was not so bad at all",
    ],
)
def test_the_data_s_own_format_is_let_through(text: str) -> None:
    assert PROSE.fault("Why so?", text) == ""


def test_a_form_that_nearly_all_outputs_have_is_demanded() -> None:
    assert "holds no JSON; 100% of the data's outputs do" in JSON.fault("Why so?", "Wash, dry.")
    assert JSON.fault("Why so?", '{"steps": ["iron", "fold"]}') == ""
    mixed = format_of(samples(['{"a": 1}'] * 26 + ["Plain text, as it were."] * 4))
    assert mixed.fault("Why so?", "Plain text, as it is.") == ""


def test_labels_that_the_data_has_are_its_format() -> None:
    labelled = format_of(samples(["Answer: it takes an hour and some patience."] * 30))
    assert labelled.fault("Why so?", "Answer: it takes a day and some patience.") == ""


def test_few_rows_say_nothing_of_lengths() -> None:
    few = format_of(samples(["Yes."] * 5))
    assert few.fault("Why so?", "A very long answer. " * 100) == ""
    assert format_of([]).lines().startswith("Inputs: 0 to 0 characters")


def test_the_lines_hold_figures_and_no_text_of_the_data() -> None:
    assert PROSE.lines() == (
        "Inputs: 21 to 21 characters, mostly about 21.\n"
        "Outputs: 114 to 114 characters, mostly about 114.\n"
        "Forms of the outputs: plain text only."
    )
    assert "JSON 100%" in JSON.lines()


@given(st.lists(st.text(min_size=1, max_size=300), min_size=20, max_size=40), st.data())
def test_no_row_of_middling_length_is_too_long(texts: list[str], data: st.DataObject) -> None:
    made: RowFormat = format_of(samples(texts))
    text = data.draw(st.sampled_from(texts))
    low, _, high = made.outputs
    if low <= len(text) <= high:
        assert "characters" not in made.fault("How does one do this?", text)
