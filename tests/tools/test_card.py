"""The data card: what it says, and what it does not let through."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from goalcover.memory.records import FilterResult, Subgoal, Subset
from goalcover.tools.card import About, Origin, card, foreseen

HOSTILE = [
    "<script>alert(1)</script>",
    "![x](http://example.com/x.png)",
    "[click](javascript:alert(1))",
    "a | b | <img src=http://example.com/x.png>",
    "line\n\n# heading\n- item\n\n<div>",
    "`code` **bold** _it_ ~~no~~ &lt;b&gt;",
    "see http://example.com or www.example.com or <http://example.com> or me@example.com",
    "\\![x](http://example.com) \\<b>",
]


def filled(text: str) -> str:
    subset = Subset(rows=2, means={"a": 0.5}, supporting={"a": 1}, diversity=0.7)
    result = FilterResult(
        rule=text, total=4, kept=2, reached=1, near_duplicates=1, floored={"a": 1}, aligned=subset,
        random=subset, original=subset, how_diverse=text, seed=3,
    )  # fmt: skip
    subgoals = [Subgoal(id="a", name=text or "x", description=text or "x")]
    about = About(judge=text, subgoals=subgoals, data=text, goal=text, notes=[text])
    origin = Origin(writer=text, gaps=[(text, text, 1)], changed=1)
    return card(text, about, result, 2, 2, True, origin)


def rendered(text: str) -> str:
    markdown = MarkdownIt("gfm-like", {"linkify": False})
    return markdown.enable("table").render(filled(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_the_data_becomes_markup(text: str) -> None:
    told = filled(text)
    assert "<" not in told.replace("&lt;", "")
    page = rendered(text)
    plain = rendered("plain")
    tags = re.compile(r"</?\w+")
    assert tags.findall(page) == tags.findall(plain)
    assert not re.search(r"<(a|img|script)\b", page)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_no_text_changes_the_shape_of_the_card(text: str) -> None:
    tags = re.compile(r"</?\w+")
    assert tags.findall(rendered(f"x{text}x")) == tags.findall(rendered("plain"))


def test_no_address_is_made_a_link() -> None:
    """What a renderer like GitHub's links by itself: http://, www., a mail address."""
    told = filled(HOSTILE[6])
    assert not re.search(r"(?<!\\)://|www\.|(?<!\\)@", told)


def test_it_says_what_was_kept() -> None:
    told = filled("Rule")
    for part in ("2 rows of Rule and 2 synthetic rows", "2 of 4 judged rows: Rule.", "Seed: 0.",
                 "Without the floors the rule keeps 1 of these.",
                 "left out: 1.", "| A: Rule | 0.500 | 0.500 | 0.500 |", "| 1 (50%) |",
                 "for a subgoal's floor alone: Rule: 1.", "Judge: Rule."):  # fmt: skip
        assert part in told


def test_without_a_filter_there_is_no_comparison() -> None:
    about = About(judge="m", subgoals=[], data="rows.jsonl")
    told = card("out.jsonl", about, None, 5)
    assert "5 rows of rows.jsonl." in told
    assert "## What was kept" not in told and "synthetic" not in told


def test_predictions_are_not_passed_off_as_judgements() -> None:
    subset = Subset(rows=2, means={"a": 0.5}, supporting={"a": 1})
    judged = FilterResult(
        rule="Rule", total=2_000, kept=1_500, reached=1_500, aligned=subset, random=subset,
        original=subset, seed=3,
    )  # fmt: skip
    told = card("x", ABOUT, judged, columns=True)
    assert "1,500 of 2,000 judged rows" in told and "predicted" not in told
    some = judged.model_copy(update={"predicted": 1_204, "unjudged": 1_600, "open": 40})
    told = card("x", ABOUT, some, columns=True, predicted=True)
    for part in ("1,500 of 2,000 scored rows: Rule.",
                 "1,204 of the kept rows were not judged but predicted, as were 1,600 of all 2,000",
                 "40 predicted rows, kept or not, lie so near the cut",
                 "`predicted_by_goalcover` tells rows of which some alignment was"):  # fmt: skip
        assert part in told
    assert "near the cut" not in card("x", ABOUT, some.model_copy(update={"open": 0}))
    one = some.model_copy(update={"predicted": 1})
    assert "1 of the kept rows was not judged but predicted, as were" in card("x", ABOUT, one)
    none = some.model_copy(update={"predicted": 0})
    told = card("x", ABOUT, none)
    assert "All kept rows were judged; 1,600 of all 2,000 were not judged but predicted." in told
    told = card("x", ABOUT, none.model_copy(update={"kept": 0}))
    assert "Not judged but predicted: 1,600 of all 2,000." in told


@pytest.mark.parametrize(
    ("expected", "said"), [(None, False), (0, False), (98, False), (99, True), (1_337, True)]
)
def test_that_more_rows_probably_reach_the_cut_is_said(expected: int | None, said: bool) -> None:
    subset = Subset(rows=2, means={"a": 0.5}, supporting={"a": 1})
    result = FilterResult(
        rule="Rule", total=2_000, kept=82, reached=82, aligned=subset, random=subset,
        original=subset, seed=3, unjudged=1_600, predicted=20, expected=expected,
    )  # fmt: skip
    told = foreseen(result)
    assert len(told) == 1 + said and (told[0] in card("x", ABOUT, result))
    if said:
        assert told[0].startswith(f"About {expected:,} rows probably reach the cut; which,")


def test_a_card_of_no_rows() -> None:
    empty = Subset(rows=0, means={"a": None}, supporting={"a": 0})
    result = FilterResult(
        rule="Rule", total=4, kept=0, reached=0, aligned=empty, random=empty, original=empty, seed=0
    )
    told = card("out.jsonl", About(judge="m", subgoals=[]), result)
    assert "No rows." in told and "| A: a | – | – | – |" in told and "alone: none" in told


ABOUT = About(judge="judge", subgoals=[], data="rows.jsonl")
ORIGIN = Origin(writer="writer", gaps=[("No dose", "Dosing", 3), ("No units", "Dosing", 1)])


def test_synthetic_rows_are_named_with_their_writer_their_judge_and_their_gaps() -> None:
    told = card("both.jsonl", ABOUT, None, 30, 4, origin=ORIGIN)
    for part in ("30 rows of rows.jsonl and 4 synthetic rows.",
                 "Here: rows 31 to 34, counted from 1, after the others.",
                 "Written for gaps of the data and accepted by writer, judged by judge.",
                 "- No dose (Dosing): 3 rows\n- No units (Dosing): 1 rows",
                 "`synthetic.provenance.jsonl`"):  # fmt: skip
        assert part in told
    assert "extractive" not in told and "changed" not in told and "by_goalcover" not in told


def test_a_card_says_what_was_done_by_hand() -> None:
    by_hand = ORIGIN.model_copy(update={"by_hand": (2, 1)})
    told = card("both.jsonl", ABOUT, None, 30, 4, origin=by_hand)
    assert "judged by judge. By hand: 2 rows accepted and 1 dropped." in told
    assert "By hand" not in card("both.jsonl", ABOUT, None, 30, 4, origin=ORIGIN)


def test_a_card_of_synthetic_rows_alone_speaks_of_no_others() -> None:
    told = card("made.jsonl", ABOUT, None, 0, 4, origin=ORIGIN)
    assert "Here: all rows." in told and "others" not in told and "rows.jsonl" not in told
    assert "Here: row 31, counted" in card("both.jsonl", ABOUT, None, 30, 1)


def test_extractive_rows_are_not_passed_off_as_written() -> None:
    told = card("x", ABOUT, None, 0, 4, origin=ORIGIN.model_copy(update={"extractive": True}))
    assert "passages of your own texts, to try the loop; do not train on them" in told
    assert "Written" not in told


def test_only_columns_that_are_there_are_spoken_of() -> None:
    assert "synthetic_by_goalcover" not in card("d", ABOUT, None, 5, 0, columns=True)
    both = card("d", ABOUT, None, 5, 2, columns=True)
    assert "`synthetic_by_goalcover` tells synthetic rows" in both
    assert "as synthetic rows are" not in both
