"""What a person's answers say, in whatever words."""

import pytest
from hypothesis import given as anything
from hypothesis import strategies as st

from goalcover.agents.answers import asks_to_stop, placed, understood
from goalcover.memory.records import Answer, DataProfile, Question

ASKED = Question(id="q", dimension="scope", text="Which?", default="all of them")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n",
        "?",
        "...",
        "-",
        "I don't know",
        "I don’t know.",
        "i dont know",
        "I do not know yet",
        "I really don't know!",
        "I don't really know",
        "I don't know, sorry.",
        "Don't know",
        "Sorry, no idea",
        "I have no idea.",
        "no clue",
        "Not sure",
        "I'm not sure yet",
        "I am not sure",
        "unsure",
        "It depends.",
        "can't say",
        "I cannot tell",
        "unknown",
        "n/a",
        "skip",
        "Skip this.",
        "you decide",
        "Up to you",
        "whatever",
        "no opinion",
        "no preference",
        "I don't mind",
    ],
)
def test_not_knowing_takes_the_default(text: str) -> None:
    assert understood(ASKED, text) == Answer(question=ASKED, text="all of them", given=False)


@pytest.mark.parametrize(
    "text",
    [
        "I don't know the details but patients",
        "Not sure, maybe patients",
        "It depends on the age",
        "whatever the data says",
        "Skip greetings",
        "Unknown senders",
        "I can't say no to firms",
        "Do not.",  # a refusal, where the question was what it must do
        "Don't diagnose",
        "No",
        "None",
        "nothing",
        "no idea is too small",
        "stop asking for receipts",
        "患者",
    ],
)
def test_anything_else_is_an_answer_in_the_persons_words(text: str) -> None:
    assert understood(ASKED, f" {text}\n") == Answer(question=ASKED, text=text)


@pytest.mark.parametrize(
    "text",
    [
        "stop",
        "STOP!",
        "Please stop.",
        "stop asking",
        "Stop asking, please",
        "stop asking questions",
        "Stop asking me questions!",
        "stop the questions",
        "stop these questions now",
        "no more questions",
        "No more questions, thanks.",
        "no further questions",
        "enough",
        "OK, enough",
        "that's enough",
        "That’s enough!",
        "that is enough questions",
        "go on",
        "Just go on, please",
    ],
)
def test_a_person_can_end_the_questions(text: str) -> None:
    assert asks_to_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stop asking for receipts",
        "Stop words are removed",
        "It must stop when the user says so",
        "enough detail for a beginner",
        "no more questions than three in a quiz",
        "Questions",
        "no",
        "no more",
        "go on to explain the risks",
        "please",
        "I don't know",
    ],
)
def test_an_answer_that_speaks_of_stopping_is_no_wish_to_stop(text: str) -> None:
    assert not asks_to_stop(text)


@anything(st.text(max_size=80))
def test_any_text_is_an_answer_or_takes_the_default(text: str) -> None:
    answer = understood(ASKED, text)
    assert answer.text == (text.strip() if answer.given else ASKED.default)
    assert isinstance(asks_to_stop(text), bool)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("yes", [("in_scope", "lists")]),
        ("Yes, but only for firms", [("in_scope", "lists (only for firms)")]),
        (
            "Yes, but only Python lists; no C++ arrays",
            [("in_scope", "lists (only Python lists)"), ("out_of_scope", "no C++ arrays")],
        ),
        ("No. Explain sorting.", [("out_of_scope", "lists"), ("in_scope", "Explain sorting")]),
    ],
)  # fmt: skip
def test_a_condition_under_a_topic_keeps_what_it_leaves_out(
    text: str, found: list[tuple[str, str]]
) -> None:
    question = Question(id="q", dimension="topic lists", text="Is that in scope?")
    profile = DataProfile(read=1, looked_at=1, embedded=1, format="messages")
    assert placed(Answer(question=question, text=text), profile) == found
