"""The conversation: what is asked is shown, and what a person says is what the graph is told."""

import time
from pathlib import Path

import pytest
from shown_reviews import (
    AUDIENCE,
    EDGES,
    OFFER,
    SPECIFICATION,
    Waiting,
    asked,
    button,
    page,
    pills,
    shown,
    waiting,
)
from streamlit.testing.v1 import AppTest

from goalcover.app.chat.runner import Runner
from goalcover.app.chat.standing import standing
from goalcover.app.chat.talk.answering import (
    ADD,
    SEND,
    Said,
    answer_text,
    chatted,
    decision,
    placeholder,
    standing_line,
    takes_several,
)
from goalcover.graph import session
from goalcover.graph.session import Pending
from goalcover.memory.records import Goal, Specification

BOTH = [AUDIENCE, EDGES]


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    return waiting(asked(AUDIENCE, EDGES), monkeypatch)


# --- what is said


def test_suggestions_and_own_words_are_joined_as_in_the_terminal() -> None:
    assert answer_text(["patients", "nurses"], " and aunts ") == "patients; nurses; and aunts"
    assert answer_text([], " \n") == ""


def test_only_the_offer_takes_one_suggestion() -> None:
    assert takes_several(AUDIENCE) and not takes_several(OFFER)


def test_nothing_is_sent_that_was_not_said() -> None:
    args = decision(Said({"audience": "nurses"}))["decisions"][0]["edited_action"]["args"]
    assert args == {"answers": {"audience": "nurses"}}
    args = decision(Said({}, "Be brief."), stop=True)["decisions"][0]["edited_action"]["args"]
    assert args == {"answers": {}, "message": "Be brief.", "stop": True}


def test_a_line_answers_the_only_question() -> None:
    said, sent = chatted([AUDIENCE], Said({}, "Be brief."), " nurses ")
    assert said.texts == {"audience": "nurses"}
    assert sent == decision(said) and said.remark == "Be brief."


@pytest.mark.parametrize("texts", [{}, {"audience": "a"}, {"audience": "a", "edge-cases": "b"}])
def test_a_line_is_else_a_remark_that_waits(texts: dict[str, str]) -> None:
    said, sent = chatted(BOTH, Said(texts, "First."), "Second.")
    assert sent is None and said == Said(texts, "First.\nSecond.")


@pytest.mark.parametrize("texts", [{}, {"audience": "nurses"}])
def test_a_line_that_wants_no_more_ends_the_questions(texts: dict[str, str]) -> None:
    _, sent = chatted(BOTH, Said(texts), "Stop asking, please.")
    assert sent == decision(Said(texts), stop=True)


def test_the_chat_box_says_what_it_does() -> None:
    assert placeholder(BOTH, Said({})) == placeholder(BOTH, Said({"audience": "x"})) == ADD
    assert placeholder([AUDIENCE], Said({"audience": "x"})) == ADD
    assert placeholder([AUDIENCE], Said({})) == SEND


def test_it_is_told_how_many_are_answered() -> None:
    assert standing_line(BOTH, Said({})).startswith("0 of 2 answered; those left open take")
    assert standing_line([AUDIENCE], Said({})).startswith("0 of 1 answered; this one takes")
    assert standing_line([AUDIENCE], Said({"audience": "x"})) == "All are answered."


# --- the page


def pick(at: AppTest, question: str, *suggestions: str) -> AppTest:
    (group,) = [one for one in pills(at) if str(one.key).endswith(f"pick-{question}")]
    return group.set_value(list(suggestions)).run()


def type_in(at: AppTest, question: str, text: str) -> AppTest:
    (area,) = [one for one in at.text_area if str(one.key).endswith(f"type-{question}")]
    return area.set_value(text).run()


def test_all_that_the_round_holds_is_shown(two: Waiting) -> None:
    at = page()
    text = shown(at)
    for part in ("3 rows of texts", "fever 50 %", "Explain medicines.", "typing errors"):
        assert part in text
    assert "Not answered; assumed: anyone" in text
    for question in BOTH:
        assert question.text in text and f"If left open: {question.default}" in text
    assert AUDIENCE.reason in text and "What the model shall do, so far" in text
    assert [o for one in pills(at) for o in one.options] == [
        "patients", "nurses", "doctors", "none in particular",
    ]  # fmt: skip
    assert "0 of 2 answered" in text and at.chat_input[0].placeholder == ADD
    assert two.sent == []


def test_suggestions_own_words_and_a_remark_are_sent_together(two: Waiting) -> None:
    at = pick(page(), "audience", "patients", "doctors")
    at = type_in(at, "edge-cases", "typing errors")
    at = at.chat_input[0].set_value("Never guess.").run()
    assert "Never guess." in shown(at) and two.sent == [], "it waits for the answers"
    button(at, "Send answers").click().run()
    assert two.args == {
        "answers": {"audience": "patients; doctors", "edge-cases": "typing errors"},
        "message": "Never guess.",
    }


def test_a_remark_can_be_taken_back(two: Waiting) -> None:
    at = page().chat_input[0].set_value("Never guess.").run()
    at = button(at, "Take it back").click().run()
    assert "Never guess." not in shown(at)
    at = type_in(at, "audience", "nurses")
    button(at, "Send answers").click().run()
    assert two.args == {"answers": {"audience": "nurses"}}


def test_the_chat_box_answers_the_only_question(two: Waiting) -> None:
    two.pending = asked(AUDIENCE)
    at = page()
    assert at.chat_input[0].placeholder == SEND
    at.chat_input[0].set_value("nurses").run()
    assert two.args == {"answers": {"audience": "nurses"}}


def test_a_line_is_not_taken_for_the_last_open_question(two: Waiting) -> None:
    at = pick(page(), "audience", "nurses").chat_input[0].set_value("Short answers only.").run()
    assert two.sent == [] and "Goes with your answers." in shown(at)
    button(at, "Send answers").click().run()
    assert two.args == {"answers": {"audience": "nurses"}, "message": "Short answers only."}


def test_nothing_answered_is_not_sent_by_mistake(two: Waiting) -> None:
    at = button(page(), "Send answers").click().run()
    assert two.sent == [] and "Nothing is answered yet" in shown(at)


def test_skipping_takes_the_defaults_and_loses_no_answer(two: Waiting) -> None:
    at = type_in(page(), "audience", "nurses")
    assert button(at, "Skip these questions").disabled
    at = type_in(at, "audience", "")
    button(at, "Skip these questions").click().run()
    assert two.decision == {"type": "approve"}


def test_stop_keeps_what_was_answered(two: Waiting) -> None:
    at = type_in(page(), "audience", "nurses")
    button(at, "Stop asking").click().run()
    assert two.args == {"answers": {"audience": "nurses"}, "stop": True}


def test_stop_by_word(two: Waiting) -> None:
    page().chat_input[0].set_value("stop asking").run()
    assert two.args == {"answers": {}, "stop": True}


def test_the_offer_is_a_question_with_one_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = waiting(asked(OFFER), monkeypatch)
    at = page()
    (group,) = pills(at)
    at = group.set_value("start from them").run()
    button(at, "Send answers").click().run()
    assert offered.args == {"answers": {"start-from": "start from them"}}


def test_another_tab_was_faster(two: Waiting) -> None:
    """What was typed in this tab is not sent as the answer to what the run asks now."""
    at = pick(page(), "audience", "nurses")
    two.pending = asked(AUDIENCE, turn=2)
    at = button(at, "Send answers").click().run()
    assert two.sent == [] and "Questions, round 2" in shown(at)
    assert pills(at)[0].value == []
    two.busy = True
    at = button(type_in(at, "audience", "x"), "Send answers").click().run()
    assert two.sent == [] and "another tab started it" in shown(at)


def test_answers_outlive_a_send_that_failed(two: Waiting) -> None:
    """Another process had the run, or a person paused it: its questions are asked again."""
    at = type_in(pick(page(), "audience", "patients"), "edge-cases", "typing errors")
    two.then = "stopped"
    at = button(at, "Send answers").click().run()
    assert "It stopped" in shown(at) and not pills(at)
    two.then = two.meanwhile = None
    at = button(at.run(), "Send answers").click().run()
    first, second = (sent["decisions"][0]["edited_action"]["args"] for sent in two.sent)
    assert first == second == {"answers": {"audience": "patients", "edge-cases": "typing errors"}}


def test_what_the_chat_box_sent_is_typed_text_again_where_sending_failed(two: Waiting) -> None:
    two.pending = asked(AUDIENCE)
    at = page()
    two.then = "stopped"
    at = at.chat_input[0].set_value("nurses").run()
    two.then = two.meanwhile = None
    at = at.run()
    assert "All are answered" in shown(at)
    button(at, "Send answers").click().run()
    assert two.sent[0] == two.sent[1]


def test_what_a_round_added_is_marked(two: Waiting) -> None:
    at = page()
    assert ">new<" not in shown(at)
    later = SPECIFICATION.model_copy(update={"safety": ["no dosing"]})
    two.pending = asked(EDGES, specification=later, turn=2)
    for _ in range(2):
        at = at.run()
        assert "no dosing <span class='gc-chip gc-enough'>new" in shown(at)


def test_texts_of_rows_and_models_are_no_markdown(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = "![x](http://127.0.0.1:9/a.png) <img src=x> :smile:"
    hostile = AUDIENCE.model_copy(
        update={"text": bad, "reason": bad, "default": bad, "suggestions": [bad, bad, " "]}
    )
    told = Specification(goal=Goal(text=bad), in_scope=[bad])
    found = waiting(asked(hostile, specification=told), monkeypatch)
    at = page()
    text = shown(at)
    assert "<img" not in text and text.count("&lt;img") >= 5
    (group,) = pills(at)
    labels = [group.label, *group.options, *(one.label for one in at.text_area)]
    assert not any("![x](" in name or ":smile:" in name for name in labels)
    assert group.label == "Suggestions for question 1", "what a screen reader says is no Markdown"
    at = group.set_value([group.options[0]]).run()
    button(at, "Send answers").click().run()
    assert found.args == {"answers": {"audience": bad}}, "it is sent as it was"


# --- a run


def through(at: AppTest, run_id: str, stage: str, after: Pending | None = None) -> AppTest:
    """The page once the run waits there for another answer; it shows how it goes meanwhile."""
    patience = time.monotonic() + 120
    while (found := standing(run_id, Runner())).stage != stage or found.pending == after:
        assert time.monotonic() < patience
        at = at.run()
        time.sleep(0.1)  # the run needs the processor too
    return at.run()


def test_a_conversation_from_the_first_question_to_the_subgoals(data: Path) -> None:
    """With the embedded model, on disk, in two tabs."""
    config = session.configure(str(data), "Help customers with billing and refunds.")
    run_id = session.new_run(config, session.new_id())
    Runner().start(run_id)
    first = through(page(run_id), run_id, "answer_questions")
    second = page(run_id)
    (box, *_) = [area for area in first.text_area if area.key and "-type-" in area.key]
    name = str(box.key).split("-type-")[1]
    type_in(first, name, "Never promise a date.")
    first = through(button(first, "Stop asking").click().run(), run_id, "approve_subgoals")
    text = shown(first)
    assert "Never promise a date." in text and "you asked for no more questions" in text
    # The second tab still shows the questions: what it sends now answers nothing.
    second = button(second, "Skip these questions").click().run()
    assert "Approval" in shown(second)
    before = standing(run_id, Runner()).pending
    first = button(first, "Remove 1").click().run()
    first = through(button(first, "Check").click().run(), run_id, "approve_subgoals", before)
    found = standing(run_id, Runner())
    assert found.pending and "not checked yet" not in shown(first)
    assert f"{len(found.pending.args['subgoals'])} subgoal" in shown(first)
