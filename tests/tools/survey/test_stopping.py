"""A stop is heard by calls that wait for their turn, too."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from fake_server import Behaviour, Body, FakeServer
from judging import kept_rows, sample, score_rows, well_judged

from goalcover.memory.store import Store
from goalcover.tools.cap import Cap, Stopped
from goalcover.tools.chat_model import ChatModel
from goalcover.tools.model import Door
from goalcover.tools.scorer import Scorer
from goalcover.tools.survey.stopping import stopping

ROWS = [sample(i) for i in range(20)]
Served = Callable[..., ChatModel]


async def _stopped(scorer: Scorer, stop: threading.Event) -> None:
    with pytest.raises(Stopped):
        async with stopping(scorer, stop):
            await score_rows(scorer, [*ROWS])
    assert scorer.door.cap == Cap(), "what comes later is not refused"


async def test_calls_that_wait_for_the_rate_are_not_sent(store: Store, served: Served) -> None:
    stop = threading.Event()

    def answer(body: Body) -> dict[str, Any]:
        stop.set()
        return well_judged(body)

    with FakeServer(answer) as server:
        model = served("m", server.base_url, rpm=4)  # one in 15 s
        scorer = Scorer(Door(model, store, "run"), store, 8)
        await _stopped(scorer, stop)
        assert server.calls == kept_rows(store, scorer, ROWS) == 1
        assert store.ledger("run").total().calls == 1


async def test_what_failed_is_not_tried_again(store: Store, served: Served) -> None:
    stop = threading.Event()

    def behaviour(call: int, body: Body) -> Behaviour:
        stop.set()
        return Behaviour("status", status=503)

    with FakeServer(well_judged, behaviour=behaviour) as server:
        scorer = Scorer(Door(served("m", server.base_url), store, "run"), store, 8)
        await _stopped(scorer, stop)
        assert server.calls <= 8
        assert kept_rows(store, scorer, ROWS) == 0, "no failure is recorded"


async def test_what_was_answered_before_is_charged_once(store: Store, served: Served) -> None:
    """Of rows whose first reply was invalid, the repair call waits when all is stopped."""
    stop, answered = threading.Event(), 0

    def behaviour(call: int, body: Body) -> Behaviour:
        nonlocal answered
        if call < 4:
            answered += 1
            return Behaviour("wrong_schema")
        stop.set()
        return Behaviour("status", status=503)

    with FakeServer(well_judged, behaviour=behaviour, latency=0.02) as server:
        scorer = Scorer(Door(served("m", server.base_url), store, "run"), store, 4)
        await _stopped(scorer, stop)
    assert store.ledger("run").total().calls == answered == 4
