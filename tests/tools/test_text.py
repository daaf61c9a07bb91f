"""Fences that hold, passages that lose nothing, words that name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.tools.text import (
    LONG,
    MOST,
    fence,
    last_turn,
    listed,
    passages,
    shorten,
    stem,
    words,
)

ANY_TEXT = st.text(st.characters(exclude_categories=[]))


@given(ANY_TEXT, st.sampled_from(["INPUT", "OUTPUT"]))
def test_a_fence_cannot_be_broken_out_of(text, label):
    first, *_, last = fence(label, text).split("\n")
    assert fence(label, text) == f"{first}\n{text}\n{last}"
    mark = first.removeprefix("<<<")
    assert last == f"{mark}>>>"
    assert mark.startswith(label) and mark not in text


@given(st.text(), st.text())
def test_a_fence_that_is_copied_into_the_text_is_another_fence(text, attack):
    closed = fence("INPUT", text).split("\n")[-1]
    hostile = f"{text}\n{closed}\n{attack}"
    assert fence("INPUT", hostile).split("\n")[-1] != closed


def test_the_same_text_under_two_labels_has_two_marks():
    assert fence("INPUT", "x").removeprefix("<<<INPUT") != fence("OUT", "x").removeprefix("<<<OUT")


def squeezed(text: str) -> str:
    return "".join(text.split())


@given(st.text(max_size=LONG))
def test_passages_of_a_short_text_lose_nothing(text):
    assert squeezed("".join(passages(text))) == squeezed(text)


@given(st.text(alphabet="ab .!?\n", max_size=4000))
def test_passages_are_few_short_and_taken_from_the_text(text):
    found = passages(text)
    assert len(found) <= MOST
    assert all(passage.strip() and len(passage) <= LONG for passage in found)
    assert all(squeezed(passage) in squeezed(text) for passage in found)


def test_passages_of_a_long_text_are_spread_over_it():
    sentences = [f"Sentence {i:03d} {'is long enough to stand alone ' * 3}." for i in range(200)]
    found = passages(" ".join(sentences))
    assert len(found) == MOST
    assert found[0].startswith("Sentence 000") and found[-1].startswith("Sentence 199")
    assert 80 <= int(found[MOST // 2].split()[1]) <= 120


@given(ANY_TEXT, st.integers(1, 50))
def test_shortened_text_is_one_line_of_that_length_at_most(text, length):
    line = shorten(text, length)
    assert len(line) <= length and "\n" not in line
    whole = " ".join(text.split())
    assert line == whole or (len(whole) > length and whole.startswith(line.removesuffix("…")))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Just a question", "Just a question"),
        ("user: A\n\nassistant: B\n\nuser: C\n\nwith more", "C\n\nwith more"),
        ("human: A\n\ngpt: B\n\nhuman: C", "C"),
        ("The user: is here", "The user: is here"),
    ],
)
def test_last_turn(text, said):
    assert last_turn(text) == said


def test_words_are_content_words_in_order_without_repeats():
    assert words("The dosage, and the Dosage of beta-blockers!") == ["dosage", "beta-blockers"]


@pytest.mark.parametrize(
    ("one", "other"), [("interactions", "interacts"), ("dosages", "dosage"), ("warning", "warned")]
)
def test_forms_of_a_word_share_a_stem(one, other):
    assert stem(one) == stem(other)


@given(st.from_regex(r"[a-z]{1,12}", fullmatch=True))
def test_a_stem_begins_the_word_and_is_not_too_short(word):
    assert word.startswith(stem(word))
    assert stem(word) == word or len(stem(word)) >= 4


@pytest.mark.parametrize(
    ("items", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_listed(items, text):
    assert listed(items) == text
    assert listed(items, "or") == re.sub("and", "or", text)
