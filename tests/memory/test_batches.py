"""Batches under way, and the requests they hold."""

from pathlib import Path

import pytest

from goalcover.memory.batches import Batch
from goalcover.memory.records import Subgoal
from goalcover.memory.store import Store, open_store

DOSING = Subgoal(id="dosing", name="Dosing", description="States the dose.", target_count=3)
RISKS = Subgoal(id="risks", name="Risks", description="Names the risks.")


def batch(key: str, judge: str = "judge", **fields) -> Batch:
    return Batch(
        key=key, judge=judge, base_url="http://server/v1", form="plain", fields=["messages"],
        requests=2, **{"chunks": {"c": [DOSING]}, **fields},
    )  # fmt: skip


def test_a_batch_is_listed_until_it_is_dropped(tmp_path: Path) -> None:
    old, new = batch("b", created="2030-01-01"), batch("a", created="2030-01-02")
    with open_store(tmp_path) as store:
        store.batches.add(new, [("s1", "c", False)])
        store.batches.add(old, [("s1", "c", False)])
        store.batches.add(batch("z", "other judge"), [])
    with open_store(tmp_path) as store:
        assert store.batches.outstanding("judge") == [old, new]
        assert len(store.batches.outstanding()) == 3
        store.batches.mark("b", "in_progress", "batch_7")
        store.batches.mark("b", "finalizing")
        first = store.batches.outstanding("judge")[0]
        assert (first.id, first.state) == ("batch_7", "finalizing")
        store.batches.drop("b")
        assert store.batches.outstanding("judge") == [new]
        assert store.batches.left("b") == [] and len(store.batches.left("a")) == 1


def test_a_request_is_taken_once(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.batches.add(batch("a"), [("s1", "c", False), ("s2", "c", True)])
        assert store.batches.fresh("a") == 1
        assert store.batches.take("a", "s2", "c")
        assert not store.batches.take("a", "s2", "c")
        assert not store.batches.take("a", "s1", "another chunk")
        assert not store.batches.take("another batch", "s1", "c")
        assert store.batches.left("a") == [("s1", "c", False)]


def test_what_is_under_way_is_known_by_judge(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.batches.add(batch("a"), [("s1", "c", False)])
        chunks = {"c": [DOSING], "d": [RISKS]}
        store.batches.add(batch("b", chunks=chunks), [("s1", "d", False), ("s2", "d", False)])
        store.batches.add(batch("z", "other judge"), [("s3", "c", False)])
        assert store.batches.under_way("judge", "s1") == {DOSING.hash, RISKS.hash}
        assert store.batches.under_way("judge", "s2") == {RISKS.hash}
        assert store.batches.under_way("judge", "s3") == set()


def test_striking_off_belongs_to_the_transaction(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    store.batches.add(batch("a"), [("s1", "c", False)])
    with pytest.raises(RuntimeError), store.transaction():
        assert store.batches.take("a", "s1", "c")
        raise RuntimeError("the scores could not be kept")
    assert store.batches.left("a") == [("s1", "c", False)]
    store.close()
