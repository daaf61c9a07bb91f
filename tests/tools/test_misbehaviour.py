"""Scoring over a server that misbehaves: no paid reply is lost, and no failure becomes a number."""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from fake_server import Behaviour, Body, FakeServer, Kind
from judging import (
    THREE,
    VALUES,
    asked_ids,
    judged,
    kept_rows,
    sample,
    score_rows,
    stored,
    values,
    well_judged,
)
from judging import scorer_of as scorer_with

from goalcover.memory.errors import ModelUnavailable
from goalcover.memory.records import Sample
from goalcover.memory.store import Store
from goalcover.tools import chat_model
from goalcover.tools.chat_model import ChatModel
from goalcover.tools.judge import Mode
from goalcover.tools.scorer import OUTAGES, UNUSABLE, Scorer

AT_ONCE = 8
ROWS = [sample(i) for i in range(48)]
OK = Behaviour()
WHOLE = {"ok", "truncate", "wrong_schema", "refusal", "slow_drip"}
"""What arrives whole, and is paid for."""

Plan = Callable[[int, int, int], Behaviour]
"""What to do with a call: by its number, its row, and how often the row was asked about before."""


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_model, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(chat_model, "LONGEST_WAIT", 0.1)


def row_of(body: Body) -> int:
    found = re.search(r"<<<OUTPUT \w+\nanswer (\d+)\n", body["messages"][1]["content"])
    assert found
    return int(found.group(1))


@dataclass
class Follower:
    """Follows a plan, and notes what came of it."""

    plan: Plan
    whole: int = 0
    well: set[int] = field(default_factory=set)
    arrived: list[float] = field(default_factory=list)
    asked: Counter[int] = field(default_factory=Counter)

    def __call__(self, n: int, body: Body) -> Behaviour:
        self.arrived.append(time.monotonic())
        row = row_of(body)
        behaviour = self.plan(n, row, self.asked[row])
        self.asked[row] += 1
        self.whole += behaviour.kind in WHOLE
        if behaviour.kind in ("ok", "slow_drip"):
            self.well.add(row)
        return behaviour


def scorer_of(server: FakeServer, store: Store, mode: Mode = "joint", **options: Any) -> Scorer:
    sure: dict[str, Any] = {"retries": 60, "timeout": 30}
    model = ChatModel("m", server.base_url, **(sure | options))
    return scorer_with(model, store, AT_ONCE, mode)


async def score(scorer: Scorer, rows: list[Sample] = ROWS) -> None:
    try:
        async with asyncio.timeout(60):
            await score_rows(scorer, [*rows])
    finally:
        await scorer.model.aclose()


def failures(store: Store, scorer: Scorer) -> dict[int, set[str]]:
    """Ids that failed, by row. Every pair must have one record: a score, or a reason."""
    found: dict[int, set[str]] = {}
    for row in ROWS:
        scores = stored(store, scorer, row)
        assert scores.keys() == VALUES.keys()
        for name, kept in scores.items():
            if kept.value is None:
                assert kept.error and not kept.explanation
                found.setdefault(row.index, set()).add(name)
            else:
                assert 0 <= kept.value <= 1 and kept.error is None
    (count,) = store.connection.execute("SELECT count(*) FROM scores").fetchone()
    assert count == len(ROWS) * len(THREE)
    return found


async def mended(server: FakeServer, store: Store, scorer: Scorer) -> None:
    """On a healthy server the same call fills what failed, and asks for nothing else."""
    failed, before = failures(store, scorer), len(server.requests)
    server.behaviour, server.answer = None, well_judged
    await score(scorer)
    asked: dict[int, set[str]] = {}
    for body in server.requests[before:]:
        asked.setdefault(row_of(body), set()).update(asked_ids(body))
    assert asked == failed
    assert kept_rows(store, scorer, ROWS) == len(ROWS)


# --- trouble that passes


def when(trouble: Callable[[int, int, int], bool], kind: Kind, **options: Any) -> Plan:
    return lambda *call: Behaviour(kind, **options) if trouble(*call) else OK


def every_second(n: int, row: int, before: int) -> bool:
    return before % 2 == 0


def at_first(n: int, row: int, before: int) -> bool:
    return n < 30


def once_for_some(n: int, row: int, before: int) -> bool:
    return row % 12 == 0 and before == 0


PASSING: dict[str, Plan] = {
    "429 every second time": when(every_second, "status", status=429),
    "429 with Retry-After every second time": when(
        every_second, "status", status=429, retry_after=0.05
    ),
    "429 at first": when(at_first, "status", status=429),
    "429 with Retry-After at first": when(at_first, "status", status=429, retry_after=0.05),
    "500": when(every_second, "status", status=500),
    "503 with Retry-After": when(every_second, "status", status=503, retry_after=0.05),
    "hang": when(once_for_some, "hang"),
    "truncate": when(every_second, "truncate"),
    "broken body": when(every_second, "broken_json"),
    "wrong schema": when(every_second, "wrong_schema"),
    "drop": when(every_second, "drop"),
    "slow drip": when(every_second, "slow_drip", seconds=0.1),
}


@pytest.mark.parametrize("name", PASSING)
async def test_trouble_that_passes_costs_no_row(name: str, store: Store) -> None:
    server = FakeServer(well_judged, behaviour=(follower := Follower(PASSING[name])))
    with server:
        scorer = scorer_of(server, store, timeout=1.5 if name == "hang" else 30)
        await score(scorer)
        assert failures(store, scorer) == {}
        assert kept_rows(store, scorer, ROWS) == len(ROWS)
        assert scorer.door.ledger.total().calls == follower.whole
        await mended(server, store, scorer)
    assert server.errors == []


async def test_a_server_with_room_for_four_calls_gets_no_more_for_long(store: Store) -> None:
    def crowded(n: int, row: int, before: int) -> Behaviour:
        return Behaviour("status", status=429) if server._in_flight > 4 else OK

    server = FakeServer(well_judged, latency=0.02, behaviour=(follower := Follower(crowded)))
    with server:
        scorer = scorer_of(server, store)
        await score(scorer)
    assert kept_rows(store, scorer, ROWS) == len(ROWS)
    assert scorer.door.ledger.total().calls == follower.whole == len(ROWS)


async def test_a_server_that_starts_again_is_waited_for(store: Store) -> None:
    with FakeServer(well_judged, latency=0.02) as server:
        scorer = scorer_of(server, store, retries=1000)
        scoring = asyncio.create_task(score(scorer))
        while server.calls < 20:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(0.3)
        server.start()
        await scoring
    assert kept_rows(store, scorer, ROWS) == len(ROWS)
    assert scorer.door.ledger.total().calls == len(ROWS)
    assert server.calls <= len(ROWS) + AT_ONCE


# --- replies of another kind


def without(body: Body) -> list[str]:
    return asked_ids(body)[1:]


def doubled(body: Body) -> list[str]:
    return [*asked_ids(body), asked_ids(body)[0]]


def strange(body: Body) -> list[str]:
    return [*asked_ids(body)[1:], "weather"]


def with_more(body: Body) -> list[str]:
    return [*asked_ids(body), "weather", "politics"]


@pytest.mark.parametrize(
    ("ids", "failing"), [(without, 1), (doubled, 1), (strange, 1), (with_more, 0)]
)
async def test_ids_that_are_wrong_cost_themselves_only(
    ids: Callable[[Body], list[str]], failing: int, store: Store
) -> None:
    """In every fourth row."""

    def answer(body: Body) -> dict[str, Any]:
        return judged(ids(body)).model_dump() if row_of(body) % 4 == 0 else well_judged(body)

    with FakeServer(answer) as server:
        scorer = scorer_of(server, store)
        await score(scorer)
        failed = failures(store, scorer)
        assert failed.keys() == ({row.index for row in ROWS[::4]} if failing else set())
        assert all(len(names) == failing for names in failed.values())
        for row in ROWS:
            scores = values(stored(store, scorer, row))
            assert all(value in (None, VALUES[name]) for name, value in scores.items())
        assert scorer.door.ledger.total().calls == len(ROWS)
        await mended(server, store, scorer)


@pytest.mark.parametrize(
    ("kind", "calls", "reason"),
    [
        ("refusal", 1, "the model refused"),
        ("truncate", 2, "also after repair"),
        ("wrong_schema", 2, "also after repair"),
    ],
)
async def test_what_is_no_judgement_is_a_failure_with_its_reason(
    kind: Kind, calls: int, reason: str, store: Store
) -> None:
    server = FakeServer(well_judged)
    server.behaviour = Follower(when(lambda n, row, before: row % 4 == 0, kind))
    with server:
        scorer = scorer_of(server, store)
        await score(scorer)
        assert failures(store, scorer) == {row.index: {*VALUES} for row in ROWS[::4]}
        assert all(reason in str(s.error) for s in stored(store, scorer, ROWS[0]).values())
        assert scorer.door.ledger.total().calls == 36 + 12 * calls == server.behaviour.whole
        await mended(server, store, scorer)


# --- all of it


def storm(seed: int) -> Plan:
    """For each row some trouble that passes, and then a reply, or what is none."""
    chance = random.Random(seed)
    passing = [
        Behaviour("status", status=429),
        Behaviour("status", status=429, retry_after=0.03),
        Behaviour("status", status=500),
        Behaviour("status", status=503, retry_after=0.02),
        Behaviour("drop"),
        Behaviour("broken_json"),
    ]
    once = [Behaviour("truncate"), Behaviour("wrong_schema")]
    scripts: dict[int, list[Behaviour]] = {}
    for row in ROWS:
        script = chance.choices(passing, k=chance.randrange(3))
        script += chance.sample(once, chance.choice([0, 0, 0, 1]))
        script += chance.choices(passing, k=chance.randrange(2))
        script += [chance.choice([OK, OK, Behaviour("slow_drip", seconds=0.1)])]
        scripts[row.index] = script
    for row in chance.sample(range(len(ROWS)), 4):
        scripts[row][-1:] = [Behaviour("refusal")]
    scripts[chance.randrange(len(ROWS))].insert(0, Behaviour("hang"))
    return lambda n, row, before: dict(enumerate(scripts[row])).get(before, OK)


@pytest.mark.parametrize(("seed", "mode"), [(0, "joint"), (1, "joint"), (2, "pairwise")])
async def test_in_a_storm_nothing_is_lost(seed: int, mode: Mode, store: Store) -> None:
    server = FakeServer(well_judged, behaviour=(follower := Follower(storm(seed))))
    with server:
        scorer = scorer_of(server, store, mode, timeout=1.5)
        await score(scorer)
        failed = failures(store, scorer)
        for row in ROWS:
            scores = values(stored(store, scorer, row))
            assert scores == VALUES | dict.fromkeys(failed.get(row.index, ()))
        if mode == "joint":  # a row is asked about once: what came well is there
            assert follower.well == {row.index for row in ROWS} - failed.keys()
            assert len(failed) == 4
        assert scorer.door.ledger.total().calls == follower.whole
        await mended(server, store, scorer)
    assert server.errors == []


# --- how long it waits


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_retry_after_is_a_lower_bound(status: int, store: Store) -> None:
    seen: dict[int, list[float]] = {}

    def plan(n: int, row: int, before: int) -> Behaviour:
        seen.setdefault(row, []).append(time.monotonic())
        return Behaviour("status", status=status, retry_after=0.1) if before == 0 else OK

    with FakeServer(well_judged, behaviour=Follower(plan)) as server:
        await score(scorer_of(server, store), ROWS[:AT_ONCE])
    assert len(seen) == AT_ONCE
    assert all(second - first >= 0.1 for first, second in seen.values())


async def test_after_a_429_no_row_is_sent_before_the_server_allows_it(store: Store) -> None:
    plan = when(lambda n, row, before: n == 15, "status", status=429, retry_after=0.5)
    with FakeServer(well_judged, behaviour=(follower := Follower(plan))) as server:
        await score(scorer_of(server, store))
    after = follower.arrived[15:]
    gaps = [later - earlier for earlier, later in pairwise(after)]
    pause = next(i for i, gap in enumerate(gaps) if gap > 0.3)
    assert pause < AT_ONCE, "calls that were under way are all that come before the pause"
    assert len(follower.asked) == len(ROWS)


HOPELESS = {
    "asks to wait 100000 s": Behaviour("status", status=429, retry_after=100_000),
    "asks to wait 400 s": Behaviour("status", status=503, retry_after=400),
    "wants a key": Behaviour("status", status=401),
    "knows no model": Behaviour("status", status=404),
    "quota is used up": Behaviour("status", status=402),
}


@pytest.mark.parametrize("reason", HOPELESS)
async def test_what_is_hopeless_stops_at_once(reason: str, store: Store) -> None:
    """Also the calls that wait for their turn: here for a minute, and for the first to end."""
    with FakeServer(well_judged, behaviour=lambda n, body: HOPELESS[reason]) as server:
        scorer = scorer_of(server, store, rpm=1)
        with pytest.raises(ModelUnavailable, match=reason) as caught:
            await score(scorer)
        assert server.calls == 1
        assert "\n" not in str(caught.value)
        again = scorer_of(server, store)  # without a pace all are under way
        with pytest.raises(ModelUnavailable, match=reason):
            await score(again)
        assert server.calls <= 1 + AT_ONCE
        server.behaviour = None
        await score(again)
    assert kept_rows(store, again, ROWS) == len(ROWS)


async def test_replies_in_flight_are_kept_when_the_key_is_withdrawn(store: Store) -> None:
    plan = when(lambda n, row, before: n >= 20 and n % 2 == 0, "status", status=401)
    server = FakeServer(well_judged, latency=0.02, behaviour=(follower := Follower(plan)))
    with server:
        scorer = scorer_of(server, store)
        with pytest.raises(ModelUnavailable, match="wants a key"):
            await score(scorer)
        assert kept_rows(store, scorer, ROWS) == len(follower.well) == follower.whole >= 20
        assert scorer.door.ledger.total().calls == follower.whole
        server.behaviour = None
        await score(scorer)
    assert kept_rows(store, scorer, ROWS) == len(ROWS)
    assert scorer.door.ledger.total().calls == len(ROWS)


@pytest.mark.parametrize(
    ("kind", "most", "reason"),
    [
        ("status", OUTAGES, "status 500"),
        ("drop", OUTAGES, "connection lost"),
        ("refusal", UNUSABLE, "the model refused"),
    ],
)
async def test_failures_in_a_row_stop_it_and_it_goes_on_later(
    kind: Kind, most: int, reason: str, store: Store
) -> None:
    plan = when(lambda n, row, before: n >= 10, kind)
    with FakeServer(well_judged, behaviour=(follower := Follower(plan))) as server:
        scorer = scorer_of(server, store, retries=0)
        with pytest.raises(ModelUnavailable, match=rf"\d\d calls .* in a row.*{reason}") as caught:
            await score(scorer)
        assert "\n" not in str(caught.value)
        assert kept_rows(store, scorer, ROWS) == len(follower.well) == 10
        assert server.calls >= 10 + most
        assert server.calls <= 10 + most + AT_ONCE
        server.behaviour = None
        await score(scorer)
    assert kept_rows(store, scorer, ROWS) == len(ROWS)


async def test_a_reply_is_paid_for_though_its_repair_finds_no_server(store: Store) -> None:
    spoilt_then_shut = [Behaviour("wrong_schema"), Behaviour("status", status=401)]
    with FakeServer(well_judged, behaviour=lambda n, body: spoilt_then_shut[min(n, 1)]) as server:
        scorer = scorer_with(ChatModel("m", server.base_url), store, concurrency=1)
        with pytest.raises(ModelUnavailable, match="wants a key"):
            await score(scorer)
    assert scorer.door.ledger.total().calls == 1
    reasons = {score.error for score in stored(store, scorer, ROWS[0]).values()}
    assert len(reasons) == 1 and "invalid reply, and no other" in str(reasons)
