"""The door: replies that were paid for once, and the usage of a run."""

import pytest

from goalcover.memory.errors import ReplyFailure
from goalcover.memory.records import Spent
from goalcover.memory.store import Store
from goalcover.tools.model import Ask, Door, Message, Reply, ReplySchema
from goalcover.tools.scripted_model import ScriptedModel


class Word(ReplySchema):
    word: str


class WordAsk(Ask[Word]):
    role = "tester"
    reply = Word

    about: str

    def messages(self) -> list[Message]:
        return [{"role": "user", "content": f"A word about {self.about}"}]


class FleetingAsk(WordAsk):
    remembered = False


class CountingModel(ScriptedModel):
    """Says what its calls cost."""

    def __init__(self, name: str, *words: str | Exception) -> None:
        answers = [word if isinstance(word, Exception) else Word(word=word) for word in words]
        super().__init__(tester=answers)
        self.name = name

    async def answer(self, ask: Ask) -> Reply:
        spent = Spent(calls=2, tokens_in=30, tokens_out=4)
        return Reply((await super().answer(ask)).value, spent)


async def test_the_same_ask_is_paid_for_once(store: Store) -> None:
    model = CountingModel("a", "tea", "milk")
    assert (await Door(model, store, "r1").ask(WordAsk(about="drinks"))).word == "tea"
    assert (await Door(model, store, "r2").ask(WordAsk(about="drinks"))).word == "tea"
    assert len(model.asked) == 1


async def test_another_question_and_another_model_are_asked_anew(store: Store) -> None:
    model, other = CountingModel("a", "tea", "bread"), CountingModel("b", "milk")
    door = Door(model, store, "r")
    await door.ask(WordAsk(about="drinks"))
    assert (await door.ask(WordAsk(about="food"))).word == "bread"
    assert (await Door(other, store, "r").ask(WordAsk(about="drinks"))).word == "milk"


async def test_what_is_not_remembered_is_asked_again(store: Store) -> None:
    door = Door(CountingModel("a", "tea", "milk"), store, "r")
    assert (await door.ask(FleetingAsk(about="drinks"))).word == "tea"
    assert (await door.ask(FleetingAsk(about="drinks"))).word == "milk"


async def test_a_failure_is_not_remembered(store: Store) -> None:
    door = Door(CountingModel("a", ReplyFailure("busy"), "tea"), store, "r")
    with pytest.raises(ReplyFailure, match="busy"):
        await door.ask(WordAsk(about="drinks"))
    assert (await door.ask(WordAsk(about="drinks"))).word == "tea"


async def test_usage_is_charged_to_the_run_that_asked(store: Store) -> None:
    model = CountingModel("a", "tea", "bread")
    first, second = Door(model, store, "r1"), Door(model, store, "r2")
    await first.ask(WordAsk(about="drinks"))
    await first.ask(WordAsk(about="food"))
    await second.ask(WordAsk(about="food"))
    (paid,), (free,) = store.ledger("r1").entries(), store.ledger("r2").entries()
    assert (paid.role, paid.model, paid.calls, paid.from_store) == ("tester", "a", 4, 0)
    assert (paid.tokens_in, paid.tokens_out) == (60, 8)
    assert (free.calls, free.from_store, free.tokens_in, free.seconds) == (0, 1, 0, 0.0)
