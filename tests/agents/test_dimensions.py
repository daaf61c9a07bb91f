"""What the embedded clarifier asks about, by the goal and by the data."""

import pytest

from goalcover.agents.dimensions import (
    BY_NAME,
    GENERAL,
    TOPIC_FROM,
    open_dimensions,
    topic_dimension,
    unmentioned,
    unnamed_scope,
)
from goalcover.memory.records import DataProfile, DataTopic, Draft, Example

EVERY = [dimension.name for dimension in GENERAL]


def profile(**found) -> DataProfile:
    return DataProfile(read=9, looked_at=9, embedded=9, format="messages", **found)


def topics(**shares: float) -> list[DataTopic]:
    row = Example(input="?", output=".")
    return [DataTopic(name=name, share=share, example=row) for name, share in shares.items()]


def test_every_dimension_settles_a_field_and_offers_its_default_or_more() -> None:
    for dimension in BY_NAME.values():
        assert dimension.field in Draft.model_fields
        assert 2 <= len(dimension.suggestions) <= 4
        assert dimension.default and dimension.reason and dimension.question.endswith("?")


@pytest.mark.parametrize(
    ("goal", "clauses", "expected"),
    [
        (set[str](), 1, ["scope", *EVERY]),
        (set[str](), 2, EVERY),
        ({"patients", "risks"}, 2, ["edge cases", "evidence"]),
        ({"cite"}, 2, ["safety", "edge cases", "audience"]),
    ],
)
def test_what_a_goal_leaves_open(goal: set[str], clauses: int, expected: list[str]) -> None:
    assert [d.name for d in open_dimensions(goal, clauses, profile())] == expected


@pytest.mark.parametrize(
    ("forms", "languages", "expected"),
    [
        ({"list": 0.1}, {}, ["format"]),
        ({"list": 0.09}, {}, []),
        ({"list": 0.9}, {}, ["format"]),
        ({"list": 0.91}, {}, []),
        ({}, {"English": 0.5, "German": 0.5}, ["language"]),
        ({}, {"English": 0.85, "other": 0.15}, ["language"]),
        ({}, {"English": 0.95, "other": 0.5}, []),  # "other" is many, and none of them
        ({"JSON": 0.5}, {"French": 0.5}, ["format", "language"]),
    ],
)
def test_form_and_language_are_open_where_the_data_is_mixed(
    forms: dict[str, float], languages: dict[str, float], expected: list[str]
) -> None:
    found = open_dimensions(set(), 2, profile(forms=forms, languages=languages))
    assert [d.name for d in found] == [*EVERY, *expected]


def test_a_mixed_form_that_the_goal_states_is_not_open() -> None:
    mixed = profile(forms={"JSON": 0.5}, languages={"French": 0.5})
    found = open_dimensions({"json", "french"}, 2, mixed)
    assert [d.name for d in found] == EVERY


def test_only_large_topics_without_a_word_of_the_goal_are_unmentioned() -> None:
    data = profile(topics=topics(billing=0.4, refunds=0.3, weather=0.2, opera=TOPIC_FROM / 2))
    found = unmentioned(data, "Explain bills and refunding.")
    assert [topic.name for topic in found] == ["weather"]


def test_the_scope_of_a_goal_that_names_no_topic_is_asked_with_them_all() -> None:
    scope = unnamed_scope(profile(topics=topics(billing=0.6, refunds=0.4)))
    assert scope.name == "scope" and "billing (60%); refunds (40%)" in scope.question


@pytest.mark.parametrize("found", [topics(billing=1.0), topics(**{"of the": 0.5, "12": 0.5})])
def test_a_single_topic_and_one_without_a_name_say_nothing(found: list[DataTopic]) -> None:
    assert unmentioned(profile(topics=found), "Help.") == []


def test_the_question_about_a_topic_tells_its_share() -> None:
    (opera,) = topics(opera=0.137)
    dimension = topic_dimension(opera)
    assert dimension.name == "topic opera"
    assert dimension.question.startswith("14% of your rows are about opera;")
    assert dimension.suggestions == ("in scope", "out of scope")
