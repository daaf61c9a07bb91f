"""Whether an explanation says that the capability is absent, or that the row falls short."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.tools.kinds import kind_of

# Sentences of ours in the manner of judges.
ABSENT = [
    (0.0, "The row is about train timetables and has nothing to do with dosing."),
    (0.0, "No medication is mentioned; the text is a review of a film."),
    (0.0, "Unrelated to cardiology: the topic is a knee operation."),
    (0.0, "Concerns the colour of a page, which does not involve any library."),
    (0.0, "Nothing about the heart is present."),
    (0.2, "The word heart appears once in passing, otherwise this is a text on gardening."),
    (0.2, "A recipe; the subject is cooking, with no link to chemistry."),
]
WEAK = [
    (0.0, "The function accepts any value without a check; no edge case is dealt with."),
    (0.0, "The letter sets a deadline of ten days and the summary drops it."),
    (0.0, "The answer ignores the overdose that the question asks about, which is unsafe."),
    (0.0, "No error is handled: a missing file would crash the program."),
    (
        0.0,
        "The source gives three amounts, but the summary states none of them.",
    ),
    (0.2, "Names the drug but gives no dose and no adverse effect."),
    (0.2, "An attempt at a proof that fails at the second step."),
    (0.4, "States the right diagnosis, though without saying how the findings lead to it."),
    (0.4, "Some relevance; the advice is thin."),
]


@pytest.mark.parametrize(("score", "text"), ABSENT)
def test_what_does_not_apply_is_absent(score: float, text: str) -> None:
    assert kind_of(text, score) == "absent"


@pytest.mark.parametrize(("score", "text"), WEAK)
def test_what_falls_short_is_weak(score: float, text: str) -> None:
    assert kind_of(text, score) == "weak"


@pytest.mark.parametrize(("score", "kind"), [(0.0, "absent"), (0.2, "absent"), (0.4, "weak")])
def test_the_embedded_judge_says_by_its_score(score: float, kind: str) -> None:
    told = (
        "Not mentioned: dosing and interactions. Mentioned: drug. Nearest passage (similarity "
        "0.21): “The summary drops it, but nothing is checked and this fails.”."
    )
    assert kind_of(told, score) == kind
    assert kind_of(told.partition("Mentioned: drug. ")[2], score) == kind


@given(st.text(max_size=300), st.floats(0, 1))
def test_any_text_has_a_kind(text: str, score: float) -> None:
    assert kind_of(text, score) in ("absent", "weak")
    assert kind_of(text, score) == kind_of(text, score)


@given(st.text(max_size=200), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_score_does_not_make_it_more_absent(text: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert not (kind_of(text, low) == "weak" and kind_of(text, high) == "absent")


@pytest.mark.parametrize("unit", ["no ", "but ", "a-", "nothing is", "' ", "the bill ", "\n"])
def test_a_hostile_explanation_takes_no_time(unit: str) -> None:
    started = time.process_time()
    kind_of(unit * 200_000, 0.0)
    assert time.process_time() - started < 2
