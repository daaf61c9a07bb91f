"""Rows as cards: scores, words, and long rows in parts."""

from hostile import BIG, HOSTILE, check

from goalcover.app.chat.results import row_cells, whole_row
from goalcover.app.chat.results import rows as rows_view
from goalcover.graph.browsing import BrowsedRow
from goalcover.memory.records import Score

NAMES = {"s": "Dosing", "t": "Red flags"}


def row(text: str = "Take 5 mg.", **scores: Score) -> BrowsedRow:
    return BrowsedRow(row=7, sample_id=text, system="", input=text, output=text, cut=0,
                      scores=scores)  # fmt: skip


def test_scores_say_where_they_come_from() -> None:
    predicted = Score(value=0.41, source="predicted", interval=(0.2, 0.6), supports=0.1)
    said = row_cells.score_text
    assert said(Score(value=0.6)) == "0.6, supports it" and said(Score(value=0.4)) == "0.4"
    assert said(predicted) == "predicted 0.41 (0.20–0.60)"
    failed = predicted.model_copy(update={"error": "no JSON"})
    assert said(failed) == "predicted 0.41 (0.20–0.60), judgement failed"
    assert said(Score(value=None, error="no JSON")) == "failed" and said(None) == "not judged"
    page = str(row_cells.scores_html({"s": Score(value=0.8), "t": predicted}, NAMES))
    assert "<li class='gc-supports'" in page and "<li class='gc-predicted'" in page


def test_a_card_shows_the_row_and_why() -> None:
    scored = {"s": Score(value=0.2, explanation="It names no dose."),
              "t": Score(value=None, error="timed out")}  # fmt: skip
    page = str(rows_view.row_html(row("Take it.", **scored), NAMES))
    for told in ("index 7", "Take it.", "It names no dose.", "Failed: timed out",
                 "Why: 2 explanations"):  # fmt: skip
        assert told in page
    assert "Why" not in rows_view.row_html(row("Take it.", s=Score(value=0.2)), NAMES)


def test_a_hostile_row_is_shown_as_text() -> None:
    scored = {"s": Score(value=0.2, explanation=HOSTILE), "t": Score(value=None, error=HOSTILE)}
    page = str(rows_view.row_html(row(HOSTILE, **scored), {"s": HOSTILE, "t": HOSTILE}))
    check(page)
    assert "&lt;script&gt;" in page


def test_a_megabyte_is_cut_on_a_card_and_whole_in_parts() -> None:
    big = row(BIG, s=Score(value=0.2, explanation=BIG))
    page = str(rows_view.row_html(big, NAMES))
    check(page)
    assert len(page) < 10_000 and "more characters" in page
    parts = whole_row.parts_of(big)
    assert all(sum(len(text) for _, text in part) <= whole_row.PART for part in parts)
    assert "".join(text for part in parts for _, text in part) == BIG + BIG, "nothing is lost"
    titles = [title for part in parts for title, _ in part]
    assert titles.count("Input") == titles.count("Output") == 1
    check(str(whole_row.part_html(parts[0])))
    assert whole_row.parts_of(row("")) == [[]]


def test_the_whole_range_of_scores_asks_for_nothing() -> None:
    asked = rows_view.query_of("x", "s", (0.0, 1.0), order="lowest")
    assert (asked.least, asked.most, asked.order) == (None, None, "lowest")
    asked = rows_view.query_of("", "s", (0.0, 0.4), gap="g")
    assert (asked.least, asked.most, asked.gap) == (0.0, 0.4, "g")
    assert rows_view.query_of("", None, (0.0, 0.4)).most is None, "values are of a subgoal"
