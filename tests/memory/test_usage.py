"""The usage of runs: it adds up, it survives, and a cost that is unknown once stays unknown."""

import asyncio
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.memory.records import Spent, Usage
from goalcover.memory.store import open_store
from goalcover.memory.usage import pace

PAID = Usage(
    role="scorer", model="m", calls=1, tokens_in=10, tokens_cached=4, tokens_out=5, seconds=0.5,
    cost_usd=0.25,
)  # fmt: skip


def test_usage_adds_up_by_run_role_and_model(tmp_path):
    with open_store(tmp_path) as store:
        ledger = store.ledger("run")
        for _ in range(3):
            ledger.add(PAID)
            ledger.write()
        ledger.add(Usage(role="scorer", model="m", from_store=1))
        ledger.add(Usage(role="scorer", model="a", calls=1))
        store.ledger("other").add(PAID)
        before = ledger.entries()
        ledger.write()
    with open_store(tmp_path) as store:
        other_model, scorer = store.ledger("run").entries()
        assert store.ledger("other").entries() == [], "what was not written is not kept"
    assert [other_model, scorer] == before
    assert other_model == Usage(role="scorer", model="a", calls=1)
    assert scorer == Usage(
        role="scorer", model="m", calls=3, from_store=1, tokens_in=30, tokens_cached=12,
        tokens_out=15, seconds=1.5, cost_usd=0.75,
    )  # fmt: skip


def test_what_was_rolled_back_is_written_the_next_time(tmp_path):
    with open_store(tmp_path) as store:
        ledger = store.ledger("run")
        ledger.add(PAID)
        with pytest.raises(ZeroDivisionError), store.transaction():
            ledger.write()
            raise ZeroDivisionError
        ledger.write()
    with open_store(tmp_path) as store:
        assert store.ledger("run").entries() == [PAID]


def test_a_run_that_asked_nothing_has_no_usage(tmp_path):
    with open_store(tmp_path) as store:
        assert store.ledger("run").entries() == []
        assert store.ledger("run").total() == Spent()


def test_roles_of_a_run_share_its_ledger(tmp_path):
    with open_store(tmp_path) as store:
        store.ledger("run").add(PAID)
        store.ledger("run").add(PAID.model_copy(update={"role": "analyzer"}))
        assert store.ledger("run").total().calls == 2


async def test_who_waits_for_the_end_of_a_call_is_woken_with_nothing_left_over(store):
    ledger = store.ledger("run")
    with ledger.call(0.1):
        with ledger.call(0.2):
            assert ledger.under_way == 2 and ledger.expected == pytest.approx(0.3)
            waiting = asyncio.create_task(ledger.next_end())
            await asyncio.sleep(0)
            assert not waiting.done()
        await waiting
        assert ledger.under_way == 1 and ledger.expected == pytest.approx(0.1)
    assert ledger.under_way == 0 and ledger.expected == 0.0


def test_the_pace_is_that_of_calls_somebody_waited_for(tmp_path):
    with open_store(tmp_path) as store:
        for run, calls, seconds in (("a", 4, 2.0), ("b", 1, 3.0), ("batch", 50, 0.0)):
            store.ledger(run).add(Usage(role="scorer", model="m", calls=calls, seconds=seconds))
            store.ledger(run).write()
        assert pace(store.connection, "scorer", "m") == 1.0
        assert pace(store.connection, "scorer", "other") is None


def test_an_unknown_cost_stays_unknown(tmp_path):
    with open_store(tmp_path) as store:
        store.ledger("run").add(PAID)
        store.ledger("run").add(PAID.model_copy(update={"cost_usd": None}))
        store.ledger("run").write()
    with open_store(tmp_path) as store:
        store.ledger("run").add(PAID)
        assert store.ledger("run").total().cost_usd is None
        assert store.ledger("run").total().tokens_in == 30


def test_a_store_of_the_first_version_is_opened(tmp_path):
    with sqlite3.connect(tmp_path / "store.db") as old:
        old.execute(
            "CREATE TABLE usage (run TEXT, role TEXT, model TEXT, calls INTEGER,"
            " from_store INTEGER, tokens_in INTEGER, tokens_out INTEGER, seconds REAL,"
            " PRIMARY KEY (run, role, model)) WITHOUT ROWID"
        )
        old.execute("INSERT INTO usage VALUES ('run', 'scorer', 'm', 3, 0, 30, 15, 1.5)")
    with open_store(tmp_path) as store:
        store.ledger("run").add(PAID)
        (usage,) = store.ledger("run").entries()
    assert (usage.calls, usage.tokens_in, usage.tokens_cached) == (4, 40, 4)
    assert usage.cost_usd is None, "what it cost then was not kept"


@given(st.lists(st.tuples(st.integers(0, 9), st.none() | st.integers(0, 9))))
def test_sums_are_those_of_plain_python(parts):
    total = sum((Spent(calls=calls, cost_usd=cost) for calls, cost in parts), Spent())
    costs = [cost for _, cost in parts]
    assert total.calls == sum(calls for calls, _ in parts)
    assert total.cost_usd == (None if None in costs else sum(cost or 0 for cost in costs))
