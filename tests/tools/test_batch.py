"""Judging by batches: what ordinary calls would find, paid for once, whatever happens meanwhile."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from aiohttp.web import Response, json_response
from answers import SUBGOALS, answer, judged_row, schema_of, support_rows
from fake_batches import FakeBatches, error
from fake_server import Behaviour, Body, FakeServer

from goalcover.graph import review, session
from goalcover.memory.batches import Batch
from goalcover.memory.errors import ModelUnavailable, UserError
from goalcover.memory.records import Sample, Score, Subgoal
from goalcover.memory.store import Store, open_store
from goalcover.tools import batch, batch_api, batch_collect, batch_file, batch_list
from goalcover.tools.batch import BatchScorer
from goalcover.tools.chat_model import ChatModel
from goalcover.tools.embedded_model import EmbeddedModel
from goalcover.tools.embeddings import Embedder
from goalcover.tools.model import Door
from goalcover.tools.prices import Price
from goalcover.tools.scorer import ScoreProgress, Scorer
from goalcover.tools.scoring import collect_ended

THREE = [Subgoal.model_validate(subgoal) for subgoal in SUBGOALS]
EIGHT = [*THREE, *(Subgoal(id=f"s{i}", name=f"S{i}", description=f"Does {i}.") for i in range(5))]
COUNTLESS = {"choices": [{"message": {"content": "{}"}}], "usage": {"prompt_tokens": "many"}}
NONSENSE: list[dict[str, Any]] = [
    {"error": "\ud83d"},
    {"error": [1]},
    {"response": 5},
    {"response": {"status_code": []}},
    {"response": {"status_code": 200, "body": []}},
    {"response": {"status_code": 200, "body": COUNTLESS}},
]
PRICES = {"m": Price(input=2.0, output=8.0)}


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "FIRST_POLL", 0.005)
    monkeypatch.setattr(batch, "GROWTH", 1.0)
    monkeypatch.setattr(batch_api, "RETRIES", 0)
    monkeypatch.setattr(batch_api, "PAUSE", 0.002)


@pytest.fixture
def store(own_home: Path) -> Iterator[Store]:
    with open_store(own_home) as opened:
        yield opened


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(verdicts, batches=FakeBatches()) as running:
        yield running
    assert running.errors == []


def batches_of(server: FakeServer) -> FakeBatches:
    assert server.batches
    return server.batches


def judged_ids(body: Body) -> list[str]:
    prompt = body["messages"][-1]["content"]
    return [line[2:].partition(":")[0] for line in prompt.splitlines() if line.startswith("- ")]


def verdicts(body: Body) -> Body:
    row = judged_row(body).lower()
    scores = {name: 0.8 if name[:6] in row else 0.2 for name in judged_ids(body)}
    judgements = [{"id": k, "explanation": f"of {k}", "score": v} for k, v in scores.items()]
    return {"judgements": judgements}


def sample(index: int, text: str = "") -> Sample:
    topic = ("billing", "refunds", "hours")[index % 3]
    output = text or f"About {topic}: {index}."
    return Sample(index=index, id=f"id{index}", input=f"question {index}", output=output)


def samples(count: int) -> list[Sample | None]:
    return [sample(index) for index in range(count)]


def scorer_of(
    server: FakeServer, store: Store, run: str = "run", kind: type[Scorer] = BatchScorer,
    **options: Any,
) -> Scorer:  # fmt: skip
    model = ChatModel("m", server.base_url, prices=PRICES, batch=True)
    return kind(Door(model, store, run), store, **options)


async def judge(
    scorer: Scorer, rows: Sequence[Sample | None], subgoals: list[Subgoal] = THREE
) -> list[ScoreProgress]:
    told: list[ScoreProgress] = []
    await scorer.score("run", rows, len(rows), subgoals, told.append)
    return told


def kept(store: Store, scorer: Scorer, rows: Sequence[Sample | None]) -> list[dict[str, Score]]:
    return [store.scores.get(scorer.judge, row.hash) for row in rows if row]


def by_row(times: int, text: str, kind: Behaviour) -> Callable[[int, Body], Behaviour]:
    """The first calls about rows that hold a text are treated so."""
    seen: Counter[str] = Counter()

    def behave(n: int, body: Body) -> Behaviour:
        row = judged_row(body)
        seen[row] += 1
        return kind if text in row and seen[row] <= times else Behaviour()

    return behave


# --- the same scores as by calls


@pytest.mark.parametrize("mode", ["joint", "pairwise"])
async def test_batches_find_what_calls_find(
    server: FakeServer, store: Store, tmp_path: Path, mode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_collect, "AT_ONCE", 7)
    rows = [*samples(20), None, sample(3), *samples(2)]  # with an empty one, and some twice
    scorer = scorer_of(server, store, mode=mode)
    told = await judge(scorer, rows, EIGHT)

    other = Store(tmp_path / "calls.db")
    plain = scorer_of(server, other, kind=Scorer, mode=mode)
    await judge(plain, rows, EIGHT)
    assert kept(store, scorer, rows) == kept(other, plain, rows)
    await plain.model.aclose()
    other.close()

    asks = 2 if mode == "joint" else 8
    fake = batches_of(server)
    assert len(fake.billed) == len(set(fake.billed)) == 20 * asks
    assert all(len(name) <= 64 for name in fake.billed)
    assert (told[-1].done, told[-1].total, told[-1].failed) == (len(rows), len(rows), 0)
    assert any(progress.note.startswith("batch_0") for progress in told) or fake.polls == 1
    await judge(scorer, rows, EIGHT)
    assert len(fake.made) == 1, "what is judged already is not asked again"


async def test_usage_is_charged_once_at_half_the_price(server: FakeServer, store: Store) -> None:
    scorer = scorer_of(server, store)
    await judge(scorer, samples(12))
    await judge(scorer_of(server, store), samples(12))
    (usage,) = store.ledger("run").entries()
    assert (usage.role, usage.model, usage.calls) == ("scorer", scorer.model.name, 12)
    lines = batches_of(server).lines
    tokens_in = sum(len(json.dumps(b["messages"], ensure_ascii=False)) // 4 for b in lines)
    assert usage.tokens_in == tokens_in and usage.tokens_out > 0
    full = PRICES["m"].cost(usage.tokens_in, 0, usage.tokens_out)
    assert usage.cost_usd == pytest.approx(full / 2)


@pytest.mark.parametrize("limit", ["MOST_REQUESTS", "MOST_BYTES"])
async def test_files_are_split(
    server: FakeServer, store: Store, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    most = 7 if limit == "MOST_REQUESTS" else 30_000
    monkeypatch.setattr(batch_file, limit, most)
    rows = [*samples(20), *samples(20)]
    scorer = scorer_of(server, store)
    await judge(scorer, rows, EIGHT)
    fake = batches_of(server)
    files = [fake.files[made["input_file_id"]] for made in fake.made]
    assert len(files) > 3
    for content in files:
        assert content.count(b"\n") <= 7 if limit == "MOST_REQUESTS" else len(content) <= most
    assert len(fake.billed) == len(set(fake.billed)) == 40
    assert all(len(scores) == 8 for scores in kept(store, scorer, rows))


# --- failures


@pytest.mark.parametrize(
    "kind",
    [
        Behaviour("status", status=500),
        Behaviour("status", status=429),
        Behaviour("refusal"),
        Behaviour("truncate"),
        Behaviour("wrong_schema"),
        Behaviour("hang"),
        Behaviour("drop"),
    ],
    ids=lambda kind: f"{kind.kind}",
)
async def test_failures_are_sent_again(server: FakeServer, store: Store, kind: Behaviour) -> None:
    server.behaviour = by_row(2, "question 1", kind)  # 1, 10 and 11
    rows = samples(12)
    scorer = scorer_of(server, store)
    told = await judge(scorer, rows)
    sent = [made["request_counts"]["total"] for made in batches_of(server).made]
    assert sent == [12, 3, 3]
    assert all(s.value is not None for scores in kept(store, scorer, rows) for s in scores.values())
    assert told[-1].failed == 0


async def test_failures_that_stay_are_recorded_and_end(server: FakeServer, store: Store) -> None:
    server.behaviour = by_row(99, "question", Behaviour("refusal"))
    failing = samples(40)
    with pytest.raises(ModelUnavailable, match=r"all 40 requests .* the model refused"):
        await judge(scorer_of(server, store), failing)
    fake = batches_of(server)
    assert len(fake.made) == 1
    server.behaviour = by_row(99, "question 1", Behaviour("refusal"))
    scorer = scorer_of(server, store)
    told = await judge(scorer, failing)  # more than the breaker's 30, but they have failed before
    assert [made["request_counts"]["total"] for made in fake.made] == [40, 40, 11, 11]
    assert told[-1].failed == 33
    for row, scores in zip(failing, kept(store, scorer, failing), strict=True):
        refused = row is not None and row.input.startswith("question 1")
        assert all((s.value is None) == refused for s in scores.values())
        assert not refused or "refused" in str(scores[THREE[0].hash].error)


async def test_lines_that_make_no_sense_are_failures(server: FakeServer, store: Store) -> None:
    fake = batches_of(server)
    add = fake._add_file
    odd = [b"[]", b"7", b"\xff{", b"{}", b'{"custom_id": 3}', b'{"custom_id": "a-b", "error": ""}']

    def spoil(content: bytes) -> str:
        lines = content.splitlines()
        if b'"method"' not in content:
            names = [json.loads(line)["custom_id"] for line in lines[:6]]
            spoilt = [{"custom_id": k} | v for k, v in zip(names, NONSENSE, strict=True)]
            kept = lines[7:]  # one is missing, and the others come twice
            spoilt_lines = [json.dumps(line).encode() for line in spoilt]
            lines = [*odd, *spoilt_lines, *kept, *kept]
        return add(b"\n".join(lines))

    fake._add_file = spoil
    rows = samples(10)
    scorer = scorer_of(server, store)
    await judge(scorer, rows)
    assert sum(usage.calls for usage in store.ledger("run").entries()) == 3
    errors = [scores[THREE[0].hash].error for scores in kept(store, scorer, rows)]
    assert errors.count(None) == 3
    assert {"the batch batch_2 lacks it", "[1]", "?", "status None", "status []"} <= set(errors)


async def test_a_value_that_came_another_way_outlives_a_failure(
    server: FakeServer, store: Store
) -> None:
    scorer = scorer_of(server, store)
    rows = samples(2)
    value = Score(value=0.4, explanation="by a call")
    server.behaviour = by_row(99, "question", Behaviour("status", status=500))
    assert rows[0]
    fake = batches_of(server)
    fake.hold = True
    task = asyncio.create_task(judge(scorer, rows))
    await until(task, lambda: fake.polls)
    store.scores.put(scorer.judge, rows[0].hash, {THREE[0].hash: value})
    fake.hold = False
    await task
    assert kept(store, scorer, rows)[0][THREE[0].hash] == value
    assert kept(store, scorer, rows)[0][THREE[1].hash].value is None


async def test_a_format_that_the_server_refuses_is_left_in_the_next_round(
    server: FakeServer, store: Store
) -> None:
    server.structured = frozenset()
    rows = samples(40)
    scorer = scorer_of(server, store)
    told = await judge(scorer, rows)
    fake = batches_of(server)
    assert len(fake.made) == 4, "json_schema, tools, json_object, plain"
    assert len(fake.billed) == 40 and told[-1].failed == 0
    assert all(s.value is not None for scores in kept(store, scorer, rows) for s in scores.values())


async def test_a_temperature_that_the_model_refuses_is_left_out(
    server: FakeServer, store: Store
) -> None:
    original = server._unfit
    no_temperature = (400, "Unsupported value: 'temperature' does not support 0.0", None)
    server._unfit = lambda body: no_temperature if "temperature" in body else original(body)
    await judge(scorer_of(server, store), samples(3))
    assert ["temperature" in body for body in batches_of(server).lines] == [True] * 3 + [False] * 3


# --- batches that do not end well


async def test_what_an_expired_batch_has_done_is_kept(server: FakeServer, store: Store) -> None:
    fake = batches_of(server)
    fake.expire, fake.partly = (lambda n: n == 0), 5
    rows = samples(12)
    scorer = scorer_of(server, store)
    await judge(scorer, rows)
    assert [made["request_counts"]["total"] for made in fake.made] == [12, 7]
    assert len(fake.billed) == len(set(fake.billed)) == 12
    assert all(len(scores) == 3 for scores in kept(store, scorer, rows))


async def test_rows_that_expire_every_time_are_failures(server: FakeServer, store: Store) -> None:
    fake = batches_of(server)
    fake.expire = lambda n: True
    rows = samples(2)
    scorer = scorer_of(server, store)
    await judge(scorer, rows)
    assert len(fake.made) == 3 and fake.billed == []
    errors = {s.error for scores in kept(store, scorer, rows) for s in scores.values()}
    assert errors == {"the batch batch_2 expired before it was judged"}


async def test_a_batch_that_the_server_refuses_is_one_line(
    server: FakeServer, store: Store
) -> None:
    fake = batches_of(server)
    fake.refuse = lambda n: ("model_not_found", "The model 'm' cannot be used\nin batches.")
    with pytest.raises(
        ModelUnavailable, match=r"The model 'm' cannot be used in batches\. What"
    ) as caught:
        await judge(scorer_of(server, store), samples(3))
    assert "\n" not in str(caught.value)
    assert store.batches.outstanding() == []
    fake.refuse = lambda n: None
    scorer = scorer_of(server, store)
    await judge(scorer, samples(3))
    assert all(len(scores) == 3 for scores in kept(store, scorer, samples(3)))


async def test_batches_wait_their_turn_where_the_queue_is_full(
    server: FakeServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_file, "MOST_REQUESTS", 3)
    monkeypatch.setattr(batch_collect, "SMALLEST", 2)
    fake = batches_of(server)
    fake.looks, fake.queue = 1, 6
    scorer = scorer_of(server, store)
    await judge(scorer, samples(18))
    assert len(fake.billed) == len(set(fake.billed)) == 18
    refused = [made["status"] == "failed" for made in fake.made]
    assert refused == [False] * 2 + [True] * 4 + [False] * 4, "then two at a time"


async def test_batches_become_smaller_where_one_fills_the_queue(
    server: FakeServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_collect, "SMALLEST", 2)
    fake = batches_of(server)
    fake.looks, fake.queue = 1, 6
    scorer = scorer_of(server, store)
    await judge(scorer, samples(20))
    assert len(fake.billed) == len(set(fake.billed)) == 20
    assert [made["request_counts"]["total"] for made in fake.made] == [20, 10, 5, 5, 5, 5]
    fake.queue = 0
    with pytest.raises(ModelUnavailable, match="token limit reached"):
        await judge(scorer, [sample(77)])


@pytest.mark.parametrize("has", [True, False])
async def test_a_server_without_batches_or_with_another_key(
    store: Store, has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "wrong-key")
    fake = FakeBatches() if has else None
    with FakeServer(answer, api_key="right", batches=fake) as server:
        expected = "refuses the key in OPENAI_API_KEY" if has else "has no Batch API: leave --batch"
        with pytest.raises(ModelUnavailable, match=expected) as caught:
            await judge(scorer_of(server, store), samples(2))
        assert "wrong-key" not in str(caught.value)
        assert not (has and server.batches and server.batches.made)


def test_the_embedded_model_has_no_batches(store: Store, embedder: Embedder) -> None:
    with pytest.raises(UserError, match="--batch needs a model of a server"):
        BatchScorer(Door(EmbeddedModel(embedder), store, "run"), store)


# --- lost connections, other processes


async def test_a_batch_whose_making_was_not_confirmed_is_not_made_twice(
    server: FakeServer, store: Store
) -> None:
    fake = batches_of(server)
    fake.unanswered = 1
    await judge(scorer_of(server, store), samples(5))
    assert len(fake.made) == 1 and len(fake.billed) == 5


async def test_a_batch_is_found_by_its_key_or_sent_anew(server: FakeServer, store: Store) -> None:
    """As a kill leaves them: one while the server made it, one before it was asked to."""
    fake = batches_of(server)
    fake.hold = True
    rows = samples(6)
    await abandoned(scorer_of(server, store), rows[:3], fake)
    store.connection.execute("UPDATE batches SET batch = NULL")
    (known,) = store.batches.outstanding()
    requests = [(row.hash, "c", False) for row in rows[3:] if row]
    lost = Batch(**known.model_dump(exclude={"key", "chunks"}), key="lost", chunks={"c": THREE})
    store.batches.add(lost, requests)
    fake.hold = False
    scorer = scorer_of(server, store)
    await judge(scorer, rows)
    assert [made["request_counts"]["total"] for made in fake.made] == [3, 3]
    assert len(fake.billed) == len(set(fake.billed)) == 6
    assert store.batches.outstanding() == []


async def test_the_rest_is_sent_while_left_batches_go_on(server: FakeServer, store: Store) -> None:
    fake = batches_of(server)
    fake.hold = True
    await abandoned(scorer_of(server, store), samples(3), fake)
    scorer = scorer_of(server, store)
    task = asyncio.create_task(judge(scorer, samples(5), EIGHT))
    await until(task, lambda: len(fake.made) > 1)
    fake.hold = False
    await task
    asked = [set(judged_ids(body)) for body in fake.lines]
    billing = {"billing", "refunds", "returns"}
    assert asked.count(billing) == 3
    assert sum(bool(ids & billing) for ids in asked) == 5, "no pair is asked about twice"
    assert all(len(scores) == 8 for scores in kept(store, scorer, samples(5)))


async def test_a_batch_is_collected_in_pieces(
    server: FakeServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies while it collects leaves the rest to the next, and no reply is lost."""
    monkeypatch.setattr(batch_collect, "AT_ONCE", 4)
    scorer = scorer_of(server, store)
    ledger, written = store.ledger("run"), []

    def fail_at_the_third() -> None:
        written.append(1)
        if len(written) == 3:
            raise KeyboardInterrupt
        type(ledger).write(ledger)

    monkeypatch.setattr(ledger, "write", fail_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        await scorer.score("run", samples(20), 20, THREE)
    store._ledgers.clear()
    assert store.ledger("run").total().calls == 8
    again = scorer_of(server, store)
    await judge(again, samples(20))
    fake = batches_of(server)
    assert len(fake.made) == 1 and len(fake.billed) == 20
    assert store.ledger("run").total().calls == 20
    assert all(len(scores) == 3 for scores in kept(store, again, samples(20)))


async def test_a_server_that_goes_away_while_it_is_waited_for(
    server: FakeServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = batches_of(server)
    fake.hold = True
    monkeypatch.setattr(batch, "LOST_POLLS", 10**6)
    task = asyncio.create_task(judge(scorer_of(server, store), samples(3)))
    await until(task, lambda: fake.polls)
    await asyncio.to_thread(server.stop)
    await asyncio.sleep(0.1)
    server.start()
    polls = fake.polls
    await until(task, lambda: fake.polls > polls)
    assert not task.done()
    monkeypatch.setattr(batch, "LOST_POLLS", 2)
    await asyncio.to_thread(server.stop)
    with pytest.raises(ModelUnavailable, match="the same command collects them"):
        await task
    server.start()
    fake.hold = False
    await judge(scorer_of(server, store), samples(3))
    assert len(fake.made) == 1 and len(fake.billed) == 3


async def test_a_download_that_breaks_off_is_made_again(server: FakeServer, store: Store) -> None:
    fake = batches_of(server)
    fake.cut = 2
    await judge(scorer_of(server, store), samples(9))
    assert len(fake.made) == 1 and store.ledger("run").total().calls == 9
    fake.cut = 99
    with pytest.raises(ModelUnavailable, match="the same command collects them"):
        await judge(scorer_of(server, store), [sample(77)])
    fake.cut = 0
    await judge(scorer_of(server, store), [sample(77)])
    assert len(fake.made) == 2 and store.ledger("run").total().calls == 10


async def test_a_batch_that_the_server_has_forgotten_can_be_given_up(
    server: FakeServer, store: Store
) -> None:
    fake = batches_of(server)
    fake.hold = True
    await abandoned(scorer_of(server, store), samples(3), fake)
    fake.hold = False
    fake.made[0]["id"] = "another"
    with pytest.raises(ModelUnavailable, match="goalcover batches --cancel batch_0"):
        await judge(scorer_of(server, store), samples(3))
    said = await asyncio.to_thread(batch_list.cancel_batch, "batch_0")
    assert "given up" in said
    await judge(scorer_of(server, store), samples(3))
    assert len(fake.made) == 2 and len(fake.billed) == 3


async def test_a_cancelled_batch_is_collected_and_the_rest_is_sent_anew(
    server: FakeServer, store: Store
) -> None:
    fake = batches_of(server)
    fake.hold, fake.partly = True, 5
    task = asyncio.create_task(judge(scorer_of(server, store), samples(12)))
    await until(task, lambda: fake.polls)
    assert "cancelling" in await asyncio.to_thread(batch_list.cancel_batch, "batch_0")
    fake.hold = False
    with pytest.raises(UserError, match="batch_0 was cancelled"):
        await task
    scorer = scorer_of(server, store)
    rows = samples(12)
    assert sum(bool(scores) for scores in kept(store, scorer, rows)) == 5, "no failures are noted"
    await judge(scorer, rows)
    assert [made["request_counts"]["total"] for made in fake.made] == [12, 7]
    assert len(fake.billed) == len(set(fake.billed)) == 12


async def test_two_scorers_of_one_judge_do_not_send_the_same(
    server: FakeServer, store: Store
) -> None:
    fake = batches_of(server)
    fake.hold = True
    task = asyncio.create_task(judge(scorer_of(server, store), samples(3)))
    await until(task, lambda: fake.polls)
    with pytest.raises(UserError, match="another process has batches under way"):
        await judge(scorer_of(server, store), samples(3))
    fake.hold = False
    await task


async def until(task: asyncio.Task[Any], condition: Callable[[], object]) -> None:
    while not condition():
        assert not task.done(), task.exception()
        await asyncio.sleep(0.005)


async def abandoned(scorer: Scorer, rows: Sequence[Sample | None], fake: FakeBatches) -> None:
    """Sends rows, and gives up waiting for them."""
    task, before = asyncio.create_task(judge(scorer, rows)), fake.polls
    await until(task, lambda: fake.polls > before)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# --- answers that make no sense


def times(count: int, wanted: str, answer: Callable[[], Response]) -> Callable[..., Any]:
    """So many requests whose "METHOD /path" begins so are answered so."""
    seen = []

    def odd(method: str, path: str) -> Response | None:
        if len(seen) == count or not f"{method} {path}".startswith(wanted):
            return None
        seen.append(path)
        return answer()

    return odd


def html() -> Response:
    return Response(text="<html>Sign in</html>", content_type="text/html")


def cut_json() -> Response:
    return Response(text='{"id": "batch_0", "sta', content_type="application/json")


ODD_ANSWERS = {"html": html, "cut": cut_json, "empty": Response, "503": lambda: error(503, "busy")}
ODD_ANSWERS |= {"404": lambda: error(404, "gone"), "405": lambda: error(405, "no")}


@pytest.mark.parametrize("kind", ODD_ANSWERS)
@pytest.mark.parametrize("wanted", ["GET /batches/", "GET /files/", "POST /batches"])
async def test_an_odd_answer_once_is_gone_by(
    server: FakeServer, store: Store, wanted: str, kind: str
) -> None:
    fake = batches_of(server)
    fake.odd = times(1, wanted, ODD_ANSWERS[kind])
    if wanted == "POST /batches" and kind in ("404", "405"):
        with pytest.raises(ModelUnavailable, match="no Batch API: leave --batch out"):
            await judge(scorer_of(server, store), samples(5))
    await judge(scorer_of(server, store), samples(5))
    assert len(fake.made) == 1 and len(fake.billed) == 5
    assert store.ledger("run").total().calls == 5


@pytest.mark.parametrize("kind", ODD_ANSWERS)
@pytest.mark.parametrize("wanted", ["POST /files", "POST /batches", "GET /batches", "GET /files/"])
async def test_odd_answers_that_stay_are_one_line_and_nothing_is_paid_twice(
    server: FakeServer, store: Store, wanted: str, kind: str
) -> None:
    fake = batches_of(server)
    fake.unanswered = wanted == "GET /batches"
    fake.odd = times(999, wanted, ODD_ANSWERS[kind])
    with pytest.raises(ModelUnavailable) as caught:
        await judge(scorer_of(server, store), samples(5))
    assert "\n" not in str(caught.value)
    assert ("leave --batch out" in str(caught.value)) <= (not fake.made)
    fake.odd = lambda method, path: None
    await judge(scorer_of(server, store), samples(5))
    assert len(fake.made) == 1 and len(fake.billed) == 5
    assert store.ledger("run").total().calls == 5


async def test_a_server_that_lists_nonsense_is_one_line(server: FakeServer, store: Store) -> None:
    fake = batches_of(server)
    fake.hold = True
    await abandoned(scorer_of(server, store), samples(3), fake)
    store.connection.execute("UPDATE batches SET batch = NULL")
    for data in ("nonsense", ["nonsense"], [{"id": 7, "metadata": "goalcover"}], 5):
        fake.odd = times(1, "GET /batches", partial(json_response, {"data": data}))
        with pytest.raises(ModelUnavailable, match="not answer as a Batch API does: the batches"):
            await judge(scorer_of(server, store), samples(3))
    fake.hold = False
    await judge(scorer_of(server, store), samples(3))
    assert len(fake.made) == 1 and len(fake.billed) == 3


@pytest.mark.parametrize("counts", ["many", [], None, {"completed": "5"}])
async def test_counts_of_any_shape_are_passed_over(
    server: FakeServer, store: Store, counts: Any
) -> None:
    fake = batches_of(server)
    fake.looks, fake.show = 2, lambda batch: batch | {"request_counts": counts}
    await judge(scorer_of(server, store), samples(3))
    assert len(fake.billed) == 3


@pytest.mark.parametrize("errors", ["bad", ["bad"], [{"message": "bad"}], {"data": "bad"}, 7, {}])
async def test_reasons_of_any_shape_are_one_line(
    server: FakeServer, store: Store, errors: Any
) -> None:
    fake = batches_of(server)
    fake.refuse = lambda n: ("code", "reason")
    fake.show = lambda batch: batch | {"errors": errors}
    with pytest.raises(ModelUnavailable, match=r"refused the batch batch_0: (bad|it gives no)"):
        await judge(scorer_of(server, store), samples(3))


async def test_a_status_that_nobody_knows_leaves_the_batch(
    server: FakeServer, store: Store
) -> None:
    fake = batches_of(server)
    fake.show = lambda batch: batch | {"status": "on\nits way"}
    with pytest.raises(ModelUnavailable, match="the batch batch_0 is 'on its way', which is no"):
        await judge(scorer_of(server, store), samples(3))
    assert fake.polls == batch.LOST_POLLS and store.batches.outstanding()
    seen = []
    fake.show = lambda made: seen.append(1) or (made | {"status": "odd"} if seen[3:] else made)
    await judge(scorer_of(server, store), samples(3))
    assert len(fake.made) == 1 and len(fake.billed) == 3


async def test_a_key_that_is_refused_while_a_batch_is_waited_for_stops_at_once(
    server: FakeServer, store: Store
) -> None:
    fake = batches_of(server)
    fake.odd = times(999, "GET /batches/", lambda: error(401, "no such key"))
    with pytest.raises(ModelUnavailable, match="refuses the key"):
        await judge(scorer_of(server, store), samples(3))
    fake.odd = times(1, "GET /batches/", lambda: error(401, "no such key"))
    with pytest.raises(ModelUnavailable, match="refuses the key"):
        await judge(scorer_of(server, store), samples(3))
    await judge(scorer_of(server, store), samples(3))
    assert len(fake.made) == 1


async def test_replies_that_the_server_has_lost_are_not_paid_for_again(
    server: FakeServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other batches are collected, and the lost one can be given up."""
    monkeypatch.setattr(batch_file, "MOST_REQUESTS", 3)
    fake = batches_of(server)
    rows, scorer = samples(6), scorer_of(server, store)
    fake.odd = times(999, "GET /files/file-2/", lambda: error(404, "No such File object"))
    lost = "does not give the file file-2, with replies of the batch batch_0.* --cancel batch_0"
    with pytest.raises(ModelUnavailable, match=lost):
        await judge(scorer, rows)
    assert [len(scores) for scores in kept(store, scorer, rows)] == [0, 0, 0, 3, 3, 3]
    assert len(fake.made) == 2 and [left.id for left in store.batches.outstanding()] == ["batch_0"]
    said = await asyncio.to_thread(batch_list.cancel_batch, "batch_0")
    assert said == "the server does not give the file file-2 of the batch batch_0: it is given up."
    await judge(scorer_of(server, store), rows)
    assert len(fake.made) == 3 and store.batches.outstanding() == []


async def test_rows_are_not_sent_where_the_server_redirects_to(
    server: FakeServer, store: Store
) -> None:
    fake = batches_of(server)
    moved = {"Location": f"{server.base_url}/elsewhere"}
    fake.odd = times(1, "POST /files", lambda: Response(status=307, headers=moved))
    with pytest.raises(ModelUnavailable, match=r"redirects to .*/elsewhere: give --base-url"):
        await judge(scorer_of(server, store), samples(2))
    assert not fake.files


# --- progress, and rounds that bring nothing


async def test_progress_never_goes_back_and_says_what_is_known_to_have_failed(
    server: FakeServer, store: Store
) -> None:
    server.behaviour = by_row(1, "question 1", Behaviour("refusal"))  # 1, 10 to 19, 100
    rows = samples(101)
    told = await judge(scorer_of(server, store), rows)
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)
    failing = [progress.failed for progress in told]
    assert [count for count, _ in groupby(failing)] == [0, 36, 0]
    assert told[-1].done == 101


async def test_rows_that_wait_their_turn_are_not_shown_as_done(
    server: FakeServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_file, "MOST_REQUESTS", 3)
    monkeypatch.setattr(batch_collect, "SMALLEST", 3)
    fake = batches_of(server)
    fake.looks, fake.queue = 1, 3
    told = await judge(scorer_of(server, store), samples(12))
    done = [progress.done for progress in told if not progress.note]
    assert [count for count, _ in groupby(done)] == [3, 6, 9, 12]


async def test_a_queue_that_lets_only_failures_through_ends_in_one_line(
    server: FakeServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_file, "MOST_REQUESTS", 3)
    monkeypatch.setattr(batch_collect, "SMALLEST", 3)
    fake = batches_of(server)
    fake.looks, fake.queue = 1, 3
    server.behaviour = by_row(99, "question", Behaviour("refusal"))
    with pytest.raises(ModelUnavailable, match=r"brought a judgement, .* the model refused"):
        await judge(scorer_of(server, store), samples(12))
    assert [made["status"] for made in fake.made].count("completed") == 3


# --- the command line


async def test_a_batch_that_is_not_confirmed_can_be_given_up(
    server: FakeServer, store: Store
) -> None:
    fake = batches_of(server)
    fake.hold = True
    await abandoned(scorer_of(server, store), samples(3), fake)
    store.connection.execute("UPDATE batches SET batch = NULL")
    (left,) = store.batches.outstanding()
    assert "batch_0 cancelling" in await asyncio.to_thread(batch_list.cancel_batch, left.key)
    assert store.batches.outstanding()[0].id == "batch_0"
    store.connection.execute("UPDATE batches SET batch = NULL")
    await asyncio.to_thread(server.stop)
    said = await asyncio.to_thread(batch_list.cancel_batch, left.key)
    assert f"there is a batch {left.key}: it is given up" in said
    assert store.batches.outstanding() == []


def test_a_batch_that_has_ended_is_not_given_up(server: FakeServer, store: Store) -> None:
    fake = batches_of(server)
    fake.odd = times(999, "GET /files/", lambda: error(503, "busy"))
    with pytest.raises(ModelUnavailable, match="busy"):
        asyncio.run(judge(scorer_of(server, store), samples(3)))
    fake.odd = lambda method, path: None
    assert "batch_0 completed: the run" in batch_list.cancel_batch("batch_0")
    asyncio.run(judge(scorer_of(server, store), samples(3)))
    assert len(fake.made) == 1 and len(fake.billed) == 3


def test_a_proxy_that_cannot_be_used_is_one_line(
    server: FakeServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for proxy in ("socks5://user:secret@127.0.0.1:1", "odd://127.0.0.1"):
        monkeypatch.setenv("ALL_PROXY", proxy)
        with pytest.raises(UserError, match="cannot use the proxy") as caught:
            asyncio.run(judge(scorer_of(server, store), samples(3)))
        assert "secret" not in str(caught.value)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "rows.jsonl").write_text(support_rows(12))
    (tmp_path / "subgoals.json").write_text(json.dumps(SUBGOALS))
    return tmp_path


def command(*args: object) -> list[str]:
    return [sys.executable, "-m", "goalcover.app.cli", *map(str, args)]


def scoring(server: FakeServer, out: str, *more: object) -> list[str]:
    return command(
        "score", "rows.jsonl", "--subgoals", "subgoals.json", "--out", out, "--judge", "m",
        "--base-url", server.base_url, *more,
    )  # fmt: skip


def done(args: list[str], folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        args, cwd=folder, env=os.environ | env, text=True, capture_output=True, timeout=120,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_killed_and_called_again(files: Path, own_home: Path) -> None:
    key, fake = "a-secret-key", FakeBatches(hold=True)
    with FakeServer(answer, api_key=key, batches=fake) as server:
        first = subprocess.Popen(
            scoring(server, "killed.jsonl", "--batch"), cwd=files,
            env=os.environ | {"OPENAI_API_KEY": key}, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + 60
        while not fake.polls and time.monotonic() < end:
            time.sleep(0.02)
        first.send_signal(signal.SIGKILL)
        first.wait()
        fake.hold = False
        again = done(scoring(server, "killed.jsonl", "--batch"), files, OPENAI_API_KEY=key)
        assert again.returncode == 0, again.stderr
        assert len(fake.made) == 1 and len(fake.billed) == 12
    rows = [json.loads(line) for line in (files / "killed.jsonl").read_text().splitlines()]
    assert [list(row["scores"].values()) for row in rows] == [
        [0.8, 0.0, 0.0],
        [0.0, 0.8, 0.0],
        [0.0, 0.0, 0.0],
    ] * 4
    written = [path for path in own_home.rglob("*") if path.is_file()]
    assert not any(key.encode() in path.read_bytes() for path in written)
    assert not list(own_home.rglob("*.jsonl")), "no request is left on disk"


def test_cancelled_from_the_command_line(files: Path, own_home: Path) -> None:
    fake = FakeBatches(hold=True)
    with FakeServer(answer, batches=fake) as server:
        waiting = subprocess.Popen(
            scoring(server, "scores.jsonl", "--batch"), cwd=files, text=True, stderr=subprocess.PIPE
        )
        end = time.monotonic() + 60
        while not fake.polls and time.monotonic() < end:
            time.sleep(0.02)
        listed = done(command("batches"), files, COLUMNS="200")
        assert "batch_0" in listed.stdout and "12" in listed.stdout
        cancelled = done(command("batches", "--cancel", "batch_0"), files)
        assert cancelled.returncode == 0 and "batch_0 cancelling" in cancelled.stderr
        fake.hold = False
        _, errors = waiting.communicate(timeout=60)
        assert waiting.returncode == 2
        assert "batch_0 was cancelled" in errors and "Traceback" not in errors
    with pytest.raises(UserError, match="no batch batch_0 under way"):
        batch_list.cancel_batch("batch_0")


def test_a_refused_batch_is_one_line_and_exit_code_2(files: Path) -> None:
    fake = FakeBatches(refuse=lambda n: ("invalid", "Billing hard limit has been reached."))
    with FakeServer(answer, batches=fake) as server:
        failed = done(scoring(server, "scores.jsonl", "--batch"), files)
    assert failed.returncode == 2
    (line,) = [line for line in failed.stderr.splitlines() if line.startswith("goalcover:")]
    assert "Billing hard limit has been reached. What was judged is kept" in line


async def test_a_whole_run_judges_by_batches(files: Path) -> None:
    fake = FakeBatches()
    with FakeServer(answer, batches=fake) as server:
        config = session.configure(
            files / "rows.jsonl", "Help customers.", out=str(files / "out"), model="writer",
            judge="judge", base_url=server.base_url, batch=True, audit=0.5,
        )  # fmt: skip
        run_id = session.new_run(config)
        report = await session.drive(run_id, lambda pending: review.approve(), lambda p: None)
        called = [body for body in server.requests if schema_of(body) == "Judgements"]
    by_id = {c.subgoal.id: c for c in report.coverage}
    assert by_id["billing"].supporting == by_id["refunds"].supporting == 4
    assert report.ledger
    sent = [made["request_counts"]["total"] for made in fake.made]
    assert sent[:2] == [12, 18], "the rows, then the audited ones by pairs"
    usage = next(usage for usage in report.usage if usage.role == "scorer")
    assert usage.calls == sum(sent) + len(called)
    rows = {judged_row(body) for body in batches_of(server).lines}
    assert not rows & {judged_row(body) for body in called}, "calls judge synthetic rows alone"


async def test_ordinary_calls_collect_what_a_cancelled_batch_has_done(
    server: FakeServer, store: Store
) -> None:
    rows, fake = samples(6), batches_of(server)
    fake.hold, fake.partly = True, 2
    await abandoned(scorer_of(server, store), rows, fake)
    ordinary = scorer_of(server, store, kind=Scorer)
    with pytest.raises(UserError, match=r"row 1 is being judged in a batch"):
        await collect_ended(ordinary)
        await judge(ordinary, rows)
    await asyncio.to_thread(batch_list.cancel_batch, "batch_0")
    fake.hold = False
    await collect_ended(ordinary)
    await judge(ordinary, rows)
    await ordinary.model.aclose()
    assert [len(scores) for scores in kept(store, ordinary, rows)] == [len(THREE)] * 6
    assert len(fake.billed) == 2 and store.ledger("run").total().calls == 6, "none is paid twice"
