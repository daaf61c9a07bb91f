"""The gate in front of a server: how many calls are under way, and how fast they follow."""

import asyncio
import json
import math
import time
from collections.abc import Iterator
from itertools import combinations

import pytest
from fake_server import Behaviour, Body, FakeServer
from hypothesis import given
from hypothesis import strategies as st
from judging import kept_rows, sample, score_rows, scorer_of, well_judged

from goalcover.memory.store import Store
from goalcover.tools import throttle
from goalcover.tools.chat_model import ChatModel
from goalcover.tools.throttle import Pace, Throttle


class Clock:
    """Stands still unless it is moved."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(throttle, "time", clock)
    yield clock


# --- the limit


async def test_it_doubles_per_round_trip_until_the_first_push_back(clock: Clock) -> None:
    gate = Throttle(most=1000)
    start = gate.limit
    for _ in range(int(start)):  # a round trip of all calls under way
        gate.went_well(0)
    assert gate.limit == 2 * start


async def test_it_halves_and_then_grows_by_one_per_round_trip(clock: Clock) -> None:
    gate = Throttle(most=64)
    gate.limit = 64.0
    gate.pushed_back(clock.now, 0)
    assert gate.limit == 32
    for _ in range(32):
        gate.went_well(0)
    assert gate.limit == pytest.approx(33, abs=0.05)


async def test_calls_of_one_round_trip_halve_it_once(clock: Clock) -> None:
    gate = Throttle(most=16)
    sent = clock.now
    clock.now += 1
    for _ in range(16):
        gate.pushed_back(sent, 0)
    assert gate.limit == 8
    clock.now += 1
    gate.pushed_back(clock.now, 0)
    assert gate.limit == 4


@given(most=st.integers(1, 40), went_well=st.lists(st.booleans(), max_size=200))
def test_it_stays_between_one_and_most(most: int, went_well: list[bool]) -> None:
    async def drive() -> None:
        gate = Throttle(most)
        for well in went_well:
            if well:
                gate.went_well(0)
            else:
                gate.pushed_back(math.inf, 0)
            assert 1 <= gate.limit <= most

    asyncio.run(drive())


EVENTS = st.lists(
    st.tuples(st.sampled_from(["ask", "cancel", "well", "pushed", "lost"]), st.integers(0, 30)),
    max_size=80,
)


@given(most=st.integers(1, 6), events=EVENTS)
def test_no_slot_is_lost_and_none_is_made_up(most: int, events: list[tuple[str, int]]) -> None:
    """Whatever comes when: calls that start, are cancelled, go well or are pushed back."""

    async def drive() -> None:
        gate = Throttle(most)
        under_way: list[tuple[float, asyncio.Event]] = []
        joined: list[tuple[int, list[int]]] = []
        limits = [int(gate.limit)]

        async def call() -> None:
            started = await gate.enter(0)
            joined.append((len(under_way), limits[-2:]))
            done = asyncio.Event()
            under_way.append((started, done))
            try:
                await done.wait()
            finally:
                under_way.remove((started, done))
                gate.leave()

        calls: list[asyncio.Task[None]] = []
        for kind, which in events:
            if kind == "ask":
                calls.append(asyncio.create_task(call()))
            elif kind == "cancel" and calls:
                calls[which % len(calls)].cancel()
            elif under_way and kind in ("well", "pushed", "lost"):
                started, done = under_way[which % len(under_way)]
                done.set()
                if kind == "well":
                    gate.went_well(0)
                elif kind == "pushed":
                    gate.pushed_back(started, 0)
            limits.append(int(gate.limit))
            for _ in range(which % 4):
                await asyncio.sleep(0)
                limits.append(int(gate.limit))
        while not all(task.done() for task in calls):
            for _, done in under_way:
                done.set()
            await asyncio.sleep(0)
        for task in calls:
            assert task.cancelled() or task.exception() is None
        # Calls from before a decrease may still be under way; no new one joins them.
        assert all(others < max(limits) for others, limits in joined)
        assert gate._under_way == 0
        for _ in range(int(gate.limit)):  # all slots are there
            await asyncio.wait_for(gate.enter(0), 10)

    asyncio.run(drive())


async def test_who_waits_when_calls_are_given_up_raises_the_error() -> None:
    gate = Throttle(most=1, rpm=1)
    await gate.enter(0)
    gate.leave()
    at_the_pace = asyncio.create_task(gate.enter(0))  # a minute from now
    await asyncio.sleep(0)
    at_the_slot = asyncio.create_task(gate.enter(0))
    backing_off = asyncio.create_task(gate.pause(60))
    await asyncio.sleep(0)
    gate.give_up(ValueError("no use"))
    for waiting in (at_the_pace, at_the_slot, backing_off):
        with pytest.raises(ValueError, match="no use"):
            await waiting
    assert gate._under_way == 0
    await gate.pause(0)  # later calls are let through


def test_it_serves_one_event_loop_after_another() -> None:
    gate = Throttle(most=1)

    async def one_by_one() -> None:
        async def call() -> None:
            await gate.enter(0)
            await asyncio.sleep(0)
            gate.leave()

        await asyncio.gather(*[call() for _ in range(3)])

    asyncio.run(one_by_one())
    asyncio.run(one_by_one())


# --- the pace


def test_a_pace_is_even(clock: Clock) -> None:
    pace = Pace(rate=120)
    assert [pace.reserve(1) - clock.now for _ in range(4)] == [0, 0.5, 1, 1.5]


def test_a_pace_does_not_make_up_for_a_pause(clock: Clock) -> None:
    pace = Pace(rate=60)
    pace.reserve(1)
    clock.now += 3600
    assert [pace.reserve(1) - clock.now for _ in range(3)] == [0, 1, 2]


def test_a_pace_is_corrected_by_what_was_really_spent(clock: Clock) -> None:
    pace = Pace(rate=60)
    pace.reserve(10)
    pace.correct(-4)
    assert pace.reserve(10) - clock.now == 6
    pace.correct(5)
    assert pace.reserve(1) - clock.now == 21


@given(
    rate=st.floats(1, 1e6),
    spent=st.lists(st.tuples(st.floats(0, 60), st.floats(0, 1000)), min_size=1, max_size=50),
)
def test_no_window_holds_more_than_the_rate(rate: float, spent: list[tuple[float, float]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr(throttle, "time", clock)
        pace, starts = Pace(rate), []
        for wait, units in spent:
            clock.now += wait
            starts.append((pace.reserve(units), units))
    for i, j in combinations(range(len(starts)), 2):
        minutes = (starts[j][0] - starts[i][0]) / 60
        assert sum(units for _, units in starts[i:j]) <= minutes * rate * (1 + 1e-6) + 1e-3


# --- against a server


async def test_requests_a_minute_are_kept(store: Store) -> None:
    seen: list[float] = []

    def behaviour(n: int, body: Body) -> Behaviour:
        seen.append(time.monotonic())
        return Behaviour()

    rows = [sample(i) for i in range(12)]
    with FakeServer(well_judged, behaviour=behaviour) as server:
        model = ChatModel("m", server.base_url, rpm=1200)
        scorer = scorer_of(model, store, concurrency=8)
        start = time.monotonic()
        await score_rows(scorer, [*rows])
        await model.aclose()
    assert kept_rows(store, scorer, rows) == 12
    assert all(when >= start + n * 0.05 for n, when in enumerate(sorted(seen)))


@pytest.mark.parametrize("expected", [0, 100_000])
async def test_tokens_a_minute_are_kept_as_the_server_counts_them(
    store: Store, expected: int
) -> None:
    """However wrong the estimate of the first reply's length: it would take minutes, or no time."""
    seen: list[float] = []

    def wordy(body: Body) -> str:
        seen.append(time.monotonic())
        return json.dumps(well_judged(body)) + " " * 2000

    tpm = 1_000_000
    with FakeServer(wordy) as server:
        model = ChatModel("m", server.base_url, tpm=tpm)
        model._last_tokens_out = expected
        scorer = scorer_of(model, store, concurrency=1)
        start = time.monotonic()
        await score_rows(scorer, [sample(i) for i in range(8)])
        await model.aclose()
    spent = scorer.door.ledger.total()
    a_call = (spent.tokens_in + spent.tokens_out) / 8
    assert a_call > 500
    # The margin is for prompts of different lengths.
    assert all(when >= start + n * (a_call - 5) * 60 / tpm for n, when in enumerate(seen))
    assert model._throttle._tokens
    assert model._throttle._tokens._next <= seen[-1] + (a_call + 5) * 60 / tpm
