"""The conversation: what the data looks like, what was said, and what is asked now."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import streamlit as st

from ....graph import review
from ....memory.records import Answer, DataProfile, Question, Specification
from ....tools import profile as profiles
from ....tools.text import many
from ..keys import keys_of
from ..runner import Runner
from ..standing import Standing
from ..text import html, joined, label, line, show
from .answering import (
    Said,
    answer_text,
    chatted,
    decision,
    placeholder,
    standing_line,
    takes_several,
)
from .specification import Point, points, specification_html

SUGGESTION = 300
"""Characters of a suggestion that are shown on its button."""


def show_questions(found: Standing, runner: Runner) -> None:
    assert found.pending, "the stage says so"
    args = found.pending.args
    specification = Specification.model_validate(args["specification"])
    questions = [Question.model_validate(one) for one in args["questions"]]
    key = keys_of(found)
    chat, beside = st.columns([3, 2], gap="large")
    with beside, st.container(key="gc-beside"):
        show(specification_html(specification, _new_points(found.id, specification)))
    with chat:
        # Round 0 offers what an earlier session approved.
        title = f"Questions, round {args['round']}" if args["round"] else "Before the questions"
        show(html("<h2>{}</h2>", title))
        _show_earlier(DataProfile.model_validate(args["profile"]), specification)
        _take_back(questions, key)
        texts = {q.id: _ask(q, number, key) for number, q in enumerate(questions, start=1)}
        remark = _show_remark(key("remark"))
        said = Said({name: text for name, text in texts.items() if text}, remark)
        show(line(standing_line(questions, said), "gc-soft gc-small"))
        _show_buttons(found, runner, said, key)
        # Not at the bottom of the window: there it scrolls the page past the questions.
        text = st.chat_input(placeholder(questions, said), key=key("chat"))
    if text:
        said, sent = chatted(questions, said, text)
        if sent:
            st.session_state[key("said")] = dict(said.texts)
            _send(found, runner, sent)
        st.session_state[key("remark")] = said.remark
        st.rerun()


def _send(found: Standing, runner: Runner, answer: dict[str, Any]) -> None:
    runner.start(found.id, found.pending, answer)
    st.rerun()


def _take_back(questions: list[Question], key: Callable[..., str]) -> None:
    """What the chat box sent is typed text again where it was not taken: the box has forgotten
    it."""
    said: dict[str, str] = st.session_state.pop(key("said"), {})
    for question in questions:
        asked = [st.session_state.get(key(kind, question.id)) for kind in ("pick", "type")]
        if said.get(question.id) and not any(asked):
            st.session_state[key("type", question.id)] = said[question.id]


def _new_points(session_id: str, specification: Specification) -> frozenset[Point]:
    """What the last round added, as far as this page has seen the round before."""
    now = points(specification)
    before, last = st.session_state.get(f"{session_id}-points", (now, now))
    if last != now:
        before, last = last, now
    st.session_state[f"{session_id}-points"] = before, last
    return now - before


def _show_earlier(profile: DataProfile, specification: Specification) -> None:
    """Data, goal and answers as the conversation went; folded where newer questions wait below."""
    answers = specification.answers
    told = f"Earlier: your data, your goal and {many(len(answers), 'answer')}"
    with st.expander(told) if answers else nullcontext():
        _show_data(profile)
        with st.chat_message("user"):
            show(line(specification.goal.text, "gc-text"))
        for answer in answers:
            _show_answer(answer)


def _show_data(profile: DataProfile) -> None:
    with st.chat_message("assistant"):
        lines = profiles.lines(profile, by_index=True)
        rows = joined(html("<li dir='auto'>{}</li>", text) for text in lines)
        show(
            html(
                "<p>I have looked at your data:</p><ul class='gc-lines'>{}</ul>"
                "<details class='gc-soft gc-small'><summary>How this was found</summary>"
                "<p>{}</p></details>",
                rows,
                profile.how,
            )
        )


def _show_answer(answer: Answer) -> None:
    with st.chat_message("assistant"):
        show(line(answer.question.text, "gc-soft gc-text"))
    with st.chat_message("user"):
        if answer.given:
            show(line(answer.text, "gc-text"))
        else:
            show(html("<p class='gc-soft'>Not answered; assumed: {}</p>", answer.text))


def _ask(question: Question, number: int, key: Callable[..., str]) -> str:
    """A question with its suggestions; what is answered so far. number: in its round."""
    with st.chat_message("assistant"):
        show(
            html(
                "<h3 dir='auto'>{}. {}</h3>"
                "<p class='gc-soft gc-small' dir='auto'>{}<br>If left open: {}</p>",
                number,
                question.text,
                question.reason,
                question.default,
            )
        )
        # By what is shown of it, so that none is there twice.
        suggestions = {label(text, SUGGESTION): text for text in question.suggestions}
        picked = st.pills(
            f"Suggestions for question {number}",
            list(suggestions),
            selection_mode="multi" if takes_several(question) else "single",
            key=key("pick", question.id),
            label_visibility="collapsed",
            persist_state="session",  # it is shown again where sending fails
        )
        typed = st.text_area(
            f"Question {number} in your own words",
            key=key("type", question.id),
            placeholder="In your own words",
            height="content",
            label_visibility="collapsed",
            persist_state="session",
        )
    taken = picked if isinstance(picked, list) else filter(None, [picked])
    return answer_text([suggestions[name] for name in taken], typed or "")


def _show_remark(key: str) -> str:
    """What was said in the chat box and waits for the answers; it can be taken back."""
    remark: str = st.session_state.get(key, "")
    if remark:
        with st.chat_message("user"):
            show(line(remark, "gc-text"))
            show(line("Goes with your answers.", "gc-soft gc-small"))
            if st.button("Take it back", key=f"{key}-back"):
                del st.session_state[key]
                st.rerun()
    return remark


def _show_buttons(found: Standing, runner: Runner, said: Said, key: Callable[..., str]) -> None:
    with st.container(horizontal=True):
        if st.button("Send answers", type="primary", key=key("send")):
            if said.anything:
                _send(found, runner, decision(said))
            else:
                show(
                    html(
                        "<p role='alert'>Nothing is answered yet. “Skip these questions” takes "
                        "what is assumed.</p>"
                    )
                )
        # What was answered is not to be lost by a button beside the one that was meant.
        if st.button("Skip these questions", key=key("skip"), disabled=said.anything):
            _send(found, runner, review.approve())
        if st.button("Stop asking", key=key("stop")):
            _send(found, runner, decision(said, stop=True))
