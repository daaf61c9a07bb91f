"""The list of runs."""

import pytest

from goalcover.memory.errors import UserError
from goalcover.memory.store import open_store


def test_a_run_is_listed_with_how_far_it_got(tmp_path):
    with open_store(tmp_path) as store:
        store.runs.add("r1", "data.jsonl", "a goal", "out", "{}")
        assert (store.runs.get("r1").status, store.runs.get("r1").stage) == ("running", "start")
        store.runs.mark("r1", "waiting", "review")
        store.runs.mark("r1", "stopped")
        run = store.runs.get("r1")
    assert (run.status, run.stage) == ("stopped", "review")
    assert (run.data, run.goal, run.out, run.config) == ("data.jsonl", "a goal", "out", "{}")
    assert run.updated >= run.created


def test_the_newest_run_comes_first(tmp_path):
    with open_store(tmp_path) as store:
        for name in ("r1", "r2", "r3"):
            store.runs.add(name, "d", "g", "o", "{}")
        store.connection.execute("UPDATE runs SET created = '2031-01-01' WHERE id = 'r1'")
        assert [run.id for run in store.runs.list()] == ["r1", "r3", "r2"]


def test_an_unknown_run_is_named(tmp_path):
    with open_store(tmp_path) as store, pytest.raises(UserError, match="no run r9"):
        store.runs.get("r9")


def test_a_run_is_named_and_dropped(tmp_path):
    with open_store(tmp_path) as store:
        for name in ("r1", "r2"):
            store.runs.add(name, "d", "g", "o", "{}")
        assert store.runs.get("r1").name == ""
        store.runs.rename("r1", "mine")
        assert [run.name for run in store.runs.list()] == ["", "mine"]
        store.runs.drop("r2")
        assert [run.id for run in store.runs.list()] == ["r1"]
