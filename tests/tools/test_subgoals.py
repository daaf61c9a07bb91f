"""Sets of subgoals: read, refused, edited."""

import json
from math import ceil

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from goalcover.memory.errors import UserError
from goalcover.memory.records import Example, Subgoal
from goalcover.tools.subgoals import (
    added,
    merged,
    parse_subgoals,
    read_subgoals,
    removed,
    split,
)

SUBGOAL = {"id": "a", "name": "n", "description": "d"}


@pytest.mark.parametrize(
    "content",
    [
        '[{"id": "a", "name": "café \\ud83d\\ude00", "description": "d", "target_share":0.2}]',
        '\ufeff[\n\t{"id": "a", "name": "café 😀", "description": "d", "target_share": 0.2}\n]',
        "- id: a\n  name: café 😀\n  description: d\n  target_share: 0.2\n",
    ],
)
def test_subgoals_are_read_from_json_and_yaml(tmp_path, content):
    path = tmp_path / "subgoals"
    path.write_text(content, encoding="utf-8")
    (subgoal,) = read_subgoals(path)
    assert (subgoal.id, subgoal.name, subgoal.target_share) == ("a", "café 😀", 0.2)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"- id: [", "neither JSON nor YAML"),
        (b"\xff\xfe", "neither JSON nor YAML"),
        (b"- {id: a, name: n, description: 2024-13-45}", "neither JSON nor YAML"),
        (b"!!python/object/apply:os.system ['true']", "neither JSON nor YAML"),
        (b"", "list"),
        (b"just text", "list"),
    ],
)
def test_a_file_that_holds_no_subgoals_is_named(tmp_path, content, said):
    path = tmp_path / "subgoals.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=said) as raised:
        read_subgoals(path)
    assert str(path) in str(raised.value) and "\n" not in str(raised.value)


def test_a_missing_file_of_subgoals(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*none\.yaml"):
        read_subgoals(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "no subgoal"),
        ([SUBGOAL, SUBGOAL], "id a is there twice"),
        ([SUBGOAL, {"id": "b", "name": "n"}], "entry 2, description"),
        ([SUBGOAL | {"id": "two words"}], "entry 1, id"),
        ([SUBGOAL | {"colour": "red"}], "entry 1, colour"),
        ([SUBGOAL | {"counts": ["a"]}], "entry 1, counts"),
        ([SUBGOAL | {"example": {"input": "x"}}], "entry 1, example.output"),
        ([SUBGOAL | {"example": {"input": "x", "output": "y", "z": ""}}], "entry 1, example.z"),
        (["text"], "entry 1"),
    ],
)
def test_subgoals_that_are_not_valid_are_named(value, said):
    with pytest.raises(UserError, match=f"^here.*{said}"):
        parse_subgoals(value, "here")


def test_what_counts_and_an_example_are_read(tmp_path):
    path = tmp_path / "subgoals.json"
    said = {"counts": "c", "does_not_count": "n", "example": {"input": "x", "output": "y"}}
    path.write_text(json.dumps([SUBGOAL | said]))
    (found,) = read_subgoals(path)
    assert (found.counts, found.does_not_count) == ("c", "n")
    assert found.example == Example(input="x", output="y")


texts = st.text(min_size=1, max_size=5)
subgoals = st.builds(
    Subgoal,
    id=st.sampled_from(["a", "b", "c", "a_1", "a_2", "a_1_1", "b_1", "z"]),
    name=texts,
    description=texts,
    counts=st.text(max_size=3),
    does_not_count=st.text(max_size=3),
    example=st.none() | st.builds(Example, input=texts, output=texts),
    target_share=st.none() | st.floats(0.01, 1),
    target_count=st.none() | st.integers(1, 1000),
)
sets = st.lists(subgoals, min_size=1, max_size=6, unique_by=lambda subgoal: subgoal.id)


def ids(found: list[Subgoal]) -> list[str]:
    return [subgoal.id for subgoal in found]


@given(sets, subgoals)
def test_an_added_subgoal_comes_last(old, new):
    before = list(old)
    if new.id in ids(old):
        with pytest.raises(UserError, match=f"id {new.id} .* twice"):
            added(old, new)
    else:
        assert added(old, new) == [*before, new]
    assert old == before


@given(sets, st.data())
def test_a_removed_subgoal_is_gone_and_the_last_one_stays(old, data):
    gone = data.draw(st.sampled_from(old))
    before = list(old)
    if len(old) == 1:
        with pytest.raises(UserError, match=f"^{gone.id} is the only"):
            removed(old, gone.id)
    else:
        assert removed(old, gone.id) == [one for one in old if one.id != gone.id]
    assert old == before


@given(sets, st.data())
def test_merged_subgoals_take_the_place_of_the_first(old, data):
    assume(len(old) > 1)
    before = list(old)
    parts = data.draw(st.lists(st.sampled_from(old), min_size=2, unique_by=lambda one: one.id))
    found = merged(old, ids(parts), "whole", "all of it")
    gone = ids(parts[1:])
    assert ids(found) == [one.id for one in old if one.id not in gone]
    whole = found.pop(ids(found).index(parts[0].id))
    assert found == [one for one in old if one not in parts]
    assert (whole.name, whole.description, whole.does_not_count) == ("whole", "all of it", "")
    assert whole.counts == "; ".join(part.counts for part in parts if part.counts)
    assert whole.example in [part.example for part in parts]
    shares = [part.target_share for part in parts]
    assert whole.target_share == (None if None in shares else min(1, sum(shares)))
    counts = [part.target_count for part in parts]
    assert whole.target_count == (None if None in counts else sum(counts))
    assert old == before


@given(sets, st.data(), st.lists(st.tuples(texts, texts), min_size=2, max_size=4))
def test_parts_take_the_place_of_the_whole(old, data, parts):
    whole = data.draw(st.sampled_from(old))
    before, place = list(old), old.index(whole)
    found = split(old, whole.id, parts)
    new = found[place : place + len(parts)]
    assert found == [*old[:place], *new, *old[place + 1 :]]
    assert len(set(ids(found))) == len(found) and whole.id not in ids(found)
    assert [(one.name, one.description) for one in new] == parts
    for one in new:
        assert one.id.startswith(f"{whole.id}_") and one.example is None
        assert one.counts == one.does_not_count == ""
        share, rows = whole.target_share, whole.target_count
        assert one.target_share == (share and pytest.approx(share / len(parts)))
        assert one.target_count == (rows and ceil(rows / len(parts)))
    assert old == before


def test_the_numbers_of_parts_pass_over_ids_that_are_taken():
    old = [Subgoal(id=id, name="n", description="d") for id in ("a_1", "a", "a_3")]
    found = split(old, "a", [("x", "d"), ("y", "d")])
    assert ids(found) == ["a_1", "a_2", "a_4", "a_3"]


PAIR = parse_subgoals([SUBGOAL, SUBGOAL | {"id": "b"}], "here")
TWO = [("x", "d"), ("y", "d")]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda: removed(PAIR, "c"), "no subgoal c; there are a, b"),
        (lambda: merged(PAIR, ["a", "c"], "n", "d"), "no subgoal c"),
        (lambda: merged(PAIR, ["a", "b", "a"], "n", "d"), "id a is named twice"),
        (lambda: merged(PAIR, ["a"], "n", "d"), "two subgoals or more"),
        (lambda: merged(PAIR, ["a", "b"], "", "d"), "the merged subgoal, entry 1, name"),
        (lambda: split(PAIR, "c", TWO), "no subgoal c"),
        (lambda: split(PAIR, "a", TWO[:1]), "two parts or more"),
        (lambda: split(PAIR, "a", [*TWO, ("z", "")]), "the parts of a, entry 3, description"),
    ],
)
def test_an_edit_that_cannot_be_made_says_why(edit, said):
    with pytest.raises(UserError, match=said) as raised:
        edit()
    assert "\n" not in str(raised.value)
