"""The model of the other tests keeps the contract of a model."""

import pytest

from goalcover.memory.errors import ModelUnavailable, ReplyFailure
from goalcover.memory.records import Goal
from goalcover.tools.model import Ask, Message, ReplySchema
from goalcover.tools.scripted_model import ScriptedModel


class Word(ReplySchema):
    word: str


class WordAsk(Ask[Word]):
    role = "tester"
    reply = Word

    goal: Goal

    def messages(self) -> list[Message]:
        return []

    def check(self, value: Word) -> None:
        if not value.word:
            raise ValueError("say a word")


ASK = WordAsk(goal=Goal(text="Speak."))


async def test_a_list_is_answered_in_order_and_kept() -> None:
    model = ScriptedModel(tester=[Word(word="a"), ModelUnavailable("gone"), Word(word="b")])
    assert (await model.answer(ASK)).value.word == "a"
    with pytest.raises(ModelUnavailable, match="gone"):
        await model.answer(ASK)
    assert (await model.answer(ASK)).value.word == "b"
    assert model.asked == [ASK, ASK, ASK]


async def test_a_function_sees_the_ask() -> None:
    model = ScriptedModel(tester=lambda ask: Word(word=ask.goal.text))
    assert (await model.answer(ASK)).value.word == "Speak."


async def test_a_role_without_a_script_fails() -> None:
    with pytest.raises(ReplyFailure, match="tester"):
        await ScriptedModel(judge=[]).answer(ASK)


async def test_a_script_is_held_to_the_checks_of_the_ask() -> None:
    with pytest.raises(ValueError, match="say a word"):
        await ScriptedModel(tester=[Word(word="")]).answer(ASK)
