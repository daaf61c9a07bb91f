"""The cap: what would exceed it is not sent, whoever asks, and nothing is recorded for it."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from fake_batches import FakeBatches
from fake_server import Behaviour, FakeServer
from hypothesis import given
from hypothesis import strategies as st
from judging import (
    DOSING,
    RISKS,
    THREE,
    judged,
    kept_rows,
    sample,
    score_rows,
    stored,
    well_judged,
)

from goalcover.memory.errors import BudgetSpent, ModelUnavailable, UserError
from goalcover.memory.records import Spent, Usage
from goalcover.memory.store import SCHEMA, Store, open_store
from goalcover.memory.usage import Ledger
from goalcover.tools import batch
from goalcover.tools.batch import BatchScorer
from goalcover.tools.cap import Cap, Reserve, Stopped
from goalcover.tools.chat_model import ChatModel
from goalcover.tools.embedded_model import EmbeddedModel
from goalcover.tools.embeddings import Embedder
from goalcover.tools.judge import JudgeAsk, Judgements, Mode
from goalcover.tools.model import Ask, Door, Message, Reply, ReplySchema
from goalcover.tools.prices import FREE, Price
from goalcover.tools.scorer import Scorer
from goalcover.tools.scripted_model import ScriptedModel

Served = Callable[..., ChatModel]
PRICES = {"m": Price(input=10.0, output=30.0)}
ROWS = [sample(i) for i in range(60)]


class Word(ReplySchema):
    word: str


class WordAsk(Ask[Word]):
    role = "tester"
    reply = Word

    about: str

    def messages(self) -> list[Message]:
        return [{"role": "user", "content": f"A word about {self.about}"}]

    async def embedded(self, embedder: Embedder) -> Word:
        return Word(word=self.about)


class Paid(ScriptedModel):
    """Costs so much a call; None: its server counts no tokens."""

    def __init__(self, cost: float | None, price: Price | None = PRICES["m"]) -> None:
        super().__init__(tester=lambda ask: Word(word=ask.about))
        self.cost, self.price = cost, price

    async def answer(self, ask: Ask) -> Reply:
        spent = Spent(calls=1, tokens_in=10, cost_usd=self.cost)
        return Reply((await super().answer(ask)).value, spent)


def judge(ask: JudgeAsk) -> Judgements:
    return judged(list(ask.order))


def ledger() -> Ledger:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(SCHEMA)
    return Ledger(connection, "run")


def scorer_of(
    model: ChatModel | ScriptedModel, store: Store, cap: Cap, mode: Mode = "joint", run: str = "run"
) -> Scorer:
    return Scorer(Door(model, store, run, cap), store, 8, mode)


# --- arithmetic


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.floats(0.001, 2)),
        st.tuples(st.just("answer"), st.floats(0, 4)),
    ),
    max_size=80,
)


@given(st.integers(1, 20), st.floats(0.01, 10), STEPS)
def test_spent_and_under_way_never_exceed_the_cap(calls: int, usd: float, steps) -> None:
    """Money: but for what calls in flight cost more than was expected of them."""
    cap, book = Cap(calls, usd), ledger()
    flying: list[tuple[float, AbstractContextManager[None]]] = []
    answered, spent, excess = 0, 0.0, 0.0
    for step, amount in steps:
        if step == "ask":
            expected = sum(cost for cost, _ in flying)
            fits = answered + len(flying) < calls and spent + expected + amount <= usd
            try:
                cap.check(book, usd=amount)
            except BudgetSpent:
                assert not fits or spent + expected + amount == pytest.approx(usd)
                continue
            assert fits or spent + expected + amount == pytest.approx(usd)
            call = book.call(amount)
            call.__enter__()
            flying.append((amount, call))
            excess = 0.0
        elif flying:
            expected, call = flying.pop(0)
            book.add(Usage(role="r", model="m", calls=1, tokens_in=1, cost_usd=amount))
            call.__exit__(None, None, None)
            answered, spent = answered + 1, spent + amount
            excess += max(0.0, amount - expected)
        assert answered + len(flying) <= calls
        assert spent + sum(cost for cost, _ in flying) <= usd + excess + 1e-6
    assert book.under_way == len(flying)


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 5), st.floats(0.01, 1))
def test_what_is_left_can_be_asked_and_no_more(
    calls: int, answered: int, under_way: int, cost: float
) -> None:
    book = ledger()
    cap = Cap(calls, 10.0)
    book.add(Usage(role="r", model="m", calls=answered, tokens_in=1, cost_usd=answered * 0.1))
    book.under_way, book.expected = under_way, under_way * 0.1
    left = cap.left(book, cost)
    assert left is not None
    if left:
        cap.check(book, left, left * cost * 0.999999)
    with pytest.raises(BudgetSpent):
        cap.check(book, left + 1, (left + 1) * cost * 1.000001)


def test_no_cap_leaves_any_number() -> None:
    assert Cap().left(ledger(), 1.0) is None and not Cap()
    assert Cap(usd=1.0).left(ledger(), 0.0) is None, "what costs nothing is not bounded by money"


def test_a_stop_refuses_whatever_the_cap_allows() -> None:
    stop, book = threading.Event(), ledger()
    cap = Cap(stop=stop)
    assert cap and not cap.bounded
    cap.check(book, 1000, 1000.0)
    stop.set()
    for stopped in (cap, Cap(calls=5, stop=stop)):
        with pytest.raises(Stopped, match="a person stopped it"), stopped.noting(book):
            stopped.check(book)
    assert book.capped == "", "what comes after the scoring may be asked"


@given(st.integers(0, 10), st.lists(st.integers(1, 4)))
def test_a_reserve_takes_all_of_a_row_or_nothing(before: int, rows: list[int]) -> None:
    reserve, taken = Reserve(Cap(20), ledger(), before), 0
    for requests in rows:
        fits = before + taken + requests <= 20
        try:
            reserve.take([0.0] * requests)
        except BudgetSpent:
            assert not fits
        else:
            assert fits
            taken += requests
    assert reserve.calls == taken


# --- the door


async def test_an_ask_beyond_the_cap_is_not_sent_nor_charged(store: Store) -> None:
    model = Paid(0.1)
    door = Door(model, store, "run", Cap(calls=2))
    for word in ("tea", "milk"):
        await door.ask(WordAsk(about=word))
    with pytest.raises(BudgetSpent, match=r"^the cap of 2 calls is met$"):
        await door.ask(WordAsk(about="bread"))
    assert len(model.asked) == 2 and door.ledger.total().calls == 2
    assert (await door.ask(WordAsk(about="tea"))).word == "tea", "what is remembered is free"
    assert store.ledger("run").capped == "the cap of 2 calls is met"


async def test_the_cap_holds_over_roles_models_and_a_resume(tmp_path: Path) -> None:
    for _ in range(2):
        with open_store(tmp_path) as store:
            first = Door(Paid(0.1), store, "run", Cap(calls=2))
            second = Door(ScriptedModel(scorer=judge), store, "run", Cap(calls=2))
            await first.ask(WordAsk(about="tea"))
            scorer = Scorer(second, store)
            with pytest.raises(BudgetSpent):
                await score_rows(scorer, [sample(0), sample(1), sample(2)])
            assert store.ledger("run").total().calls == 2
            assert kept_rows(store, scorer, [sample(i) for i in range(3)]) == 1


async def test_money_is_expected_by_what_calls_of_a_role_cost_so_far(store: Store) -> None:
    door = Door(Paid(0.3), store, "run", Cap(usd=1.0))
    for word in ("tea", "milk", "bread"):
        await door.ask(WordAsk(about=word))
    assert door.calls_left(WordAsk(about="salt")) == 0
    with pytest.raises(BudgetSpent, match=r"^the budget of 1.00 USD is spent$"):
        await door.ask(WordAsk(about="salt"))


async def test_the_first_calls_are_expected_to_cost_what_their_prompts_say(store: Store) -> None:
    model = Paid(0.1)
    door = Door(model, store, "run", Cap(usd=0.5))
    long = WordAsk(about="tea " * 1_000_000)  # a million tokens in: 10 USD
    assert door.expected(long) == pytest.approx(10, rel=0.01)
    with pytest.raises(BudgetSpent):
        await door.ask(long)
    assert model.asked == []


async def test_a_budget_needs_a_price_and_a_server_that_counts(store: Store) -> None:
    with pytest.raises(UserError, match="the price of scripted is not known: give --prices, or --"):
        Door(Paid(None, price=None), store, "run", Cap(usd=1.0))
    Door(Paid(None, price=None), store, "run", Cap(calls=1))
    door = Door(Paid(None), store, "run", Cap(usd=1.0))
    await door.ask(WordAsk(about="tea"))
    with pytest.raises(ModelUnavailable, match=r"does not say how many tokens.*--max-calls"):
        await door.ask(WordAsk(about="milk"))


async def test_the_embedded_model_is_capped_as_a_judge_alone(
    store: Store, embedder: Embedder
) -> None:
    cap = Cap(calls=1, usd=0.01)
    door = Door(EmbeddedModel(embedder), store, "run", cap)
    assert door.model.price is FREE
    for word in ("tea", "milk"):
        await door.ask(WordAsk(about=word))
    scorer = Scorer(door, store)
    with pytest.raises(BudgetSpent):
        await score_rows(scorer, [sample(0), sample(1)])
    assert len(stored(store, scorer, sample(0))) == 3 and not stored(store, scorer, sample(1))
    await door.ask(WordAsk(about="bread"))


# --- scoring, over HTTP


async def test_eight_at_once_never_make_a_call_too_many(store: Store, served: Served) -> None:
    with FakeServer(well_judged, latency=0.005) as server:
        scorer = scorer_of(served("m", server.base_url), store, Cap(calls=20))
        with pytest.raises(BudgetSpent):
            await score_rows(scorer, [*ROWS])
        assert server.calls == 20 and server.in_flight_peak > 1
        assert kept_rows(store, scorer, ROWS) == 20
        assert sum(bool(stored(store, scorer, row)) for row in ROWS) == 20, "no failure is recorded"
        with pytest.raises(BudgetSpent):
            await score_rows(scorer, [*ROWS])
        assert server.calls == 20
        await score_rows(scorer_of(served("m", server.base_url), store, Cap(), run="b"), [*ROWS])
        assert server.calls == 60 and kept_rows(store, scorer, ROWS) == 60


async def test_repairs_add_one_call_for_each_in_flight_at_most(
    store: Store, served: Served
) -> None:
    def every_third(n: int, body) -> Behaviour:
        return Behaviour("wrong_schema") if n % 3 == 0 else Behaviour()

    with FakeServer(well_judged, behaviour=every_third, latency=0.005) as server:
        scorer = scorer_of(served("m", server.base_url), store, Cap(calls=20))
        with pytest.raises(BudgetSpent):
            await score_rows(scorer, [*ROWS])
        assert 20 <= server.calls <= 20 + 8
        assert store.ledger("run").total().calls == server.calls


async def test_eight_at_once_keep_to_the_budget(store: Store, served: Served) -> None:
    with FakeServer(well_judged, latency=0.005) as server:
        model = served("m", server.base_url, prices=PRICES)
        once = scorer_of(model, store, Cap(), run="before")
        await score_rows(once, [sample(99)])
        dear = 1.1 * (store.ledger("before").total().cost_usd or 0)
        budget = 15 * dear
        scorer = scorer_of(model, store, Cap(usd=budget))
        with pytest.raises(BudgetSpent, match="the budget of"):
            await score_rows(scorer, [*ROWS])
        spent = store.ledger("run").total()
        assert server.calls == spent.calls + 1
        assert spent.cost_usd is not None and budget - 3 * dear < spent.cost_usd
        assert spent.cost_usd <= budget + 8 * dear


async def test_a_row_of_many_subgoals_keeps_what_it_has(store: Store) -> None:
    many = [DOSING.model_copy(update={"id": f"s{i}"}) for i in range(14)]
    scorer = scorer_of(ScriptedModel(scorer=judge), store, Cap(calls=2))
    with pytest.raises(BudgetSpent):
        await score_rows(scorer, [sample(0)], many)
    assert len(store.scores.get(scorer.judge, sample(0).hash)) == 12
    again = scorer_of(ScriptedModel(scorer=judge), store, Cap(calls=1), run="again")
    await score_rows(again, [sample(0)], many)
    assert len(store.scores.get(scorer.judge, sample(0).hash)) == 14


async def test_pairs_that_the_cap_leaves_out_are_no_failures(store: Store) -> None:
    scorer = scorer_of(ScriptedModel(scorer=judge), store, Cap(calls=4), mode="pairwise")
    with pytest.raises(BudgetSpent):
        await score_rows(scorer, [sample(0), sample(1)], [DOSING, RISKS, *THREE[2:]])
    kept = [score for i in (0, 1) for score in stored(store, scorer, sample(i)).values()]
    assert len(kept) == 4 and all(score.value is not None for score in kept)


async def test_a_dead_server_is_told_rather_than_a_cap_that_is_met(store: Store) -> None:
    async def dies(ask: Ask) -> Reply:
        await asyncio.sleep(0.01)
        raise ModelUnavailable("the server is gone")

    model = ScriptedModel()
    model.answer = dies
    with pytest.raises(ModelUnavailable, match="gone"):
        await score_rows(scorer_of(model, store, Cap(calls=2)), [*ROWS])


# --- batches


@pytest.mark.parametrize(("mode", "rows", "sent"), [("joint", 5, 5), ("pairwise", 1, 3)])
async def test_a_batch_holds_no_more_requests_than_the_cap_allows(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, mode: Mode, rows: int, sent: int
) -> None:
    monkeypatch.setattr(batch, "FIRST_POLL", 0.005)
    monkeypatch.setattr(batch, "GROWTH", 1.0)
    samples = ROWS[:12]
    with FakeServer(well_judged, batches=FakeBatches()) as server, open_store(own_home) as store:
        model = ChatModel("m", server.base_url, prices=PRICES, batch=True)
        for _ in range(2):
            door = Door(model, store, "run", Cap(calls=5))
            scorer = BatchScorer(door, store, mode=mode)
            with pytest.raises(BudgetSpent, match="the cap of 5 calls is met"):
                await score_rows(scorer, [*samples])
            assert kept_rows(store, scorer, samples) == rows, "a row is sent whole, or not"
            assert door.ledger.total().calls == sent
        free = BatchScorer(Door(model, store, "free"), store, mode=mode)
        await score_rows(free, [*samples])
        assert kept_rows(store, free, samples) == 12


async def test_a_batch_keeps_to_the_budget(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "FIRST_POLL", 0.005)
    with FakeServer(well_judged, batches=FakeBatches()) as server, open_store(own_home) as store:
        model = ChatModel("m", server.base_url, prices=PRICES, batch=True)
        door = Door(model, store, "run", Cap(usd=0.1))
        with pytest.raises(BudgetSpent, match=r"the budget of 0.1 USD is spent"):
            await score_rows(BatchScorer(door, store), [*ROWS])
        spent = door.ledger.total()
        assert spent.cost_usd is not None and spent.calls > 0
        assert 0.09 < spent.cost_usd <= 0.1
