"""The specification beside the chat: all that is settled, what is new, and nothing as markup."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shown_reviews import SPECIFICATION

from goalcover.app import contract_words
from goalcover.app.chat.talk.specification import points, specification_html
from goalcover.memory.records import Draft, Goal, Specification, Subgoal


def test_every_field_is_shown() -> None:
    filled: Any = {name: [f"{name} one", f"{name} two"] for name in Draft.model_fields}
    whole = Specification(
        goal=Goal(text="the goal", domain="the domain", task="the task"),
        open_points=["an open point"],
        ended="3 rounds were asked",
        based_on="run-7",
        **filled,
    )
    page = specification_html(whole)
    told = [text for points in filled.values() for text in points]
    for text in [*told, "the goal", "the domain", "the task", "an open point", "3 rounds", "run-7"]:
        assert text in page
    for name in Draft.model_fields:
        assert f"<dt>{name.replace('_', ' ').capitalize()}</dt>" in page


def test_what_is_empty_takes_no_room() -> None:
    page = specification_html(Specification(goal=Goal(text="g")))
    assert page.count("<dt>") == 1 and "No more questions" not in page


def test_what_nobody_said_is_marked_in_words() -> None:
    page = specification_html(SPECIFICATION)
    assert "English <span class='gc-chip gc-unknown'>assumed</span>" in page
    assert "(assumed)" not in page
    assert "typing errors</li>" in page, "an answer that was given is not marked"
    assert "anyone <span class='gc-chip gc-unknown'>assumed</span></li>" in page


def test_what_a_round_added_is_marked() -> None:
    later = SPECIFICATION.model_copy(update={"safety": ["no dosing"], "in_scope": ["dosing", "x"]})
    new = points(later) - points(SPECIFICATION)
    assert new == {("safety", "no dosing"), ("in scope", "x")}
    page = specification_html(later, new)
    assert page.count(">new<") == 2 and "no dosing <span class='gc-chip gc-enough'>new" in page


@given(st.text(alphabet="<>&\"'![]()/ab\x00", min_size=1, max_size=30))
def test_no_text_becomes_markup(text: str) -> None:
    page = specification_html(Specification(goal=Goal(text=text), safety=[text], ended=text))
    page.encode()
    bare = specification_html(Specification(goal=Goal(text="a"), safety=["a"], ended="a"))
    assert page.count("<") == bare.count("<")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, ""),
        ({"target_count": 1200}, "1,200 rows"),
        ({"target_share": 0.125}, "12.5 %"),
        ({"target_share": 0.07}, "7 %"),
    ],
)
def test_rows_wanted_in_words(fields: dict[str, float], told: str) -> None:
    subgoal = Subgoal.model_validate({"id": "a", "name": "A", "description": "Says a."} | fields)
    assert contract_words.wanted(subgoal) == told
