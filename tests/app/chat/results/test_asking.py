"""Questions about the results: what is suggested, and what an answer looks like."""

from hostile import BIG, HOSTILE, check
from reports import gap, report

from goalcover.app.chat.results import asking as ask_view
from goalcover.memory.records import Found, FoundRow, Sentence, Spent

NAMES = {"s": "Dosing", "t": "Red flags"}


def found(text: str, **changes: object) -> Found:
    row = FoundRow(row=3, nearness=0.5, excerpt=text, subgoal_id="s", explanation=text,
                   scores={"s": 0.8, "t": None})  # fmt: skip
    fields = {
        "question": text, "answer": [Sentence(text=text, cites=["row 3", "s"])], "rows": [row],
        "subgoals": report(text).coverage[:1], "gaps": [gap(text)], "searched": text,
    }  # fmt: skip
    return Found.model_validate(fields | changes)


def test_an_answer_shows_what_it_rests_on() -> None:
    page = str(ask_view.found_html(found("Doses"), NAMES))
    check(page)
    for told in ("Doses [row 3, Dosing]", "are wanted", "Gap of Dosing", "index 3 · near 0.50",
                 "Judge on Dosing: Doses", "0.8, supports it", "failed",
                 "index counts from 0"):  # fmt: skip
        assert told in page
    assert "Low rows" not in page
    low = found(
        "Doses", lowest=True, note="No subgoal is named.", spent=Spent(calls=1, tokens_in=9)
    )
    page = str(ask_view.found_html(low, NAMES))
    assert "Low rows" in page and "No subgoal is named." in page
    assert "spent: 1 call" in page
    none = str(ask_view.found_html(found("Doses", rows=[]), NAMES))
    assert "No row comes near the question." in none


def test_earlier_questions_are_folded_the_newest_first() -> None:
    page = str(ask_view.earlier_html([found("Oldest"), found("Newer")], NAMES))
    check(page)
    assert page.index("'>Newer</summary>") < page.index("'>Oldest</summary>")
    assert not ask_view.earlier_html([], NAMES)


def test_a_hostile_answer_is_shown_as_text() -> None:
    page = str(ask_view.found_html(found(HOSTILE, note=HOSTILE), {"s": HOSTILE}))
    check(page)
    assert "&lt;script&gt;" in page
    page = str(ask_view.found_html(found(BIG, searched="all"), {"s": BIG}))
    check(page)
    assert len(page) < 20_000


def test_suggestions_come_from_the_report() -> None:
    made = report("Dosing")
    first, second = made.coverage
    enough = first.model_copy(update={"verdict": "enough", "distinct_supporting": 9})
    thin = second.model_copy(update={"verdict": "thin", "distinct_supporting": 1})
    told = ask_view.suggestions(made.model_copy(update={"coverage": [enough, thin]}))
    assert told == ["Which rows show Dosing?", "Why is Dosing. thin?",
                    "Show the worst rows for Dosing.", "What is missing?"]  # fmt: skip
    none = made.model_copy(update={"coverage": [enough], "gaps": []})
    assert ask_view.suggestions(none) == ["Which rows show Dosing?"]


def test_this_means_the_subgoal_of_the_last_question() -> None:
    assert ask_view.about([found("x")], "t") == "s"
    assert ask_view.about([found("x", subgoals=[])], "t") == "t"
    assert ask_view.about([], None) == ""
