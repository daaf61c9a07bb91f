"""Finding the JSON of a schema in whatever a model wraps it in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.tools.formats import FORMATS, messages_for, options_of, parse, problem_of
from goalcover.tools.judge import Judgement, Judgements
from goalcover.tools.model import Message

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
# What judges quote, of rows that hold such things themselves.
quotes = st.sampled_from(["</think>", "<think>", "```json", '{"judgements": []}', "}", "{", "\\"])
explanations = st.lists(texts | quotes, max_size=4).map("".join)
judgements = st.lists(
    st.builds(Judgement, id=texts, explanation=explanations, score=st.floats(0, 1)), max_size=4
).map(lambda found: Judgements(judgements=found))
prose = texts.filter(lambda text: not {"{", "}", "</think>"} & {*text, text} and "</t" not in text)


def wrapped(body: str, before: str, after: str) -> list[str]:
    fenced = f"{before}\n```json\n{body}\n```\n{after}"
    return [
        body,
        f" \n{body}\n",
        f"{before}{body}{after}",
        fenced,
        f"<think>{before}</think>{body}",
        f"<think>{{{before}}}</think>\n{fenced}",
        f"Hm, {before} {{perhaps}} {after}</think>{body}",  # without its opening mark
        f'<think>{{"judgements": []}} or…</think>{fenced}',
    ]


@given(value=judgements, before=prose, after=prose, escaped=st.booleans())
def test_a_reply_comes_back_whatever_is_around_it(
    value: Judgements, before: str, after: str, escaped: bool
) -> None:
    body = json.dumps(value.model_dump(), ensure_ascii=escaped)
    for text in wrapped(body, before, after):
        assert parse(Judgements, text) == value


@given(st.lists(texts | quotes | st.sampled_from(["[", "1e999", "NaN", ":", '"']), max_size=12))
def test_any_text_is_a_reply_or_a_value_error(parts: list[str]) -> None:
    text = "".join(parts)
    try:
        parse(Judgements, text)
    except ValueError as error:
        assert problem_of(error)


@pytest.mark.parametrize("text", ["[" * 50_000, '{"a":' * 50_000 + "}", "{" + "[" * 50_000 + "}"])
def test_what_is_nested_too_deeply_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse(Judgements, text)


def test_a_draft_in_the_reasoning_is_no_reply() -> None:
    for text in ('<think>{"judgements": []}</think> sorry', '{} hm {"judgements": []}</think>'):
        with pytest.raises(ValueError):
            parse(Judgements, text)


@pytest.mark.parametrize("form", FORMATS)
def test_the_schema_is_told_once_in_every_form(form) -> None:
    messages: list[Message] = [{"role": "user", "content": "Judge."}]
    told = str(messages_for(Judgements, form, messages)) + str(options_of(Judgements, form))
    assert told.count("what supports the capability and what is missing") == 1
    assert messages == [{"role": "user", "content": "Judge."}]
