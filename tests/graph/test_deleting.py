"""Deleting a run: nothing of it stays, and nothing of anyone else goes."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from answers import answer, support_rows
from fake_server import FakeServer

from goalcover.graph import deleting, reporting, session
from goalcover.memory.errors import UserError
from goalcover.memory.gaps import KIND, GapStore
from goalcover.memory.records import Subgoal
from goalcover.memory.runs import RunStore
from goalcover.memory.store import Store, open_store
from goalcover.memory.vectors import VectorStore
from goalcover.tools.report import Report

DOSING = Subgoal(id="dosing", name="Dosing", description="States the dose.")


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deleting, "PATIENCE", 0.0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "support.jsonl"
    path.write_text(support_rows(12))
    return path


def ran(data: Path, server: FakeServer, out: Path, memory: bool = True) -> Report:
    return session.run(
        data, "Help.", model="m", base_url=server.base_url, out=str(out), memory=memory, audit=0.5
    )


def entered(data: Path, out: Path) -> str:
    """A run in the list that has not begun."""
    config = session.configure(data, "Say the dose.", subgoals=[DOSING], synthesize=0, out=str(out))
    return session.new_run(config)


def traces(path: Path, run_id: str) -> Iterator[str]:
    """Tables of a SQLite file that hold a run's id anywhere."""
    with closing(sqlite3.connect(path)) as found:
        for (table,) in found.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
            if any(run_id in str(row) for row in found.execute(f"SELECT * FROM {table}")):
                yield table


def test_nothing_is_left_and_another_run_is_unharmed(
    data: Path, tmp_path: Path, own_home: Path
) -> None:
    with FakeServer(answer) as server:
        gone = ran(data, server, tmp_path / "gone")
        stays = ran(data, server, tmp_path / "stays", memory=False)  # else it names the first
    uploads = own_home / "chat" / gone.run / "uploads"
    uploads.mkdir(parents=True)
    (uploads / "rows.jsonl").write_text("{}")
    for name in ("survey", "beside"):  # what a kill leaves of these parts
        with open_store(own_home) as store:
            store.connection.execute(
                "INSERT INTO members VALUES (?, 0, 'x', 'y')", (f"{gone.run}/{name}",)
            )
    stores = [own_home / "store.db", own_home / "checkpoints.db"]
    assert {*traces(stores[0], gone.run)} == {"members", "usage", "runs"}
    assert {*traces(stores[1], gone.run)} >= {"checkpoints", "writes"}
    before = {path.name: path.read_bytes() for path in (tmp_path / "stays").iterdir()}
    with open_store(own_home) as store:
        (judged,) = store.connection.execute("SELECT COUNT(*) FROM scores").fetchone()

    session.delete_run(gone.run)

    assert [[*traces(path, gone.run)] for path in stores] == [[], []]
    assert not [path for path in own_home.rglob("*") if gone.run in path.name]
    assert not (tmp_path / "gone").exists()
    vectors = VectorStore(own_home)
    gaps = [*vectors.kept(KIND)]
    assert gaps and all(key.startswith(stays.run) for key in gaps)
    assert [run.id for run in session.list_runs()] == [stays.run]
    assert {path.name: path.read_bytes() for path in (tmp_path / "stays").iterdir()} == before
    with open_store(own_home) as store:
        assert len(store.scores.members(stays.run)) == 12
        assert store.ledger(stays.run).entries() == stays.usage
        assert store.connection.execute("SELECT COUNT(*) FROM scores").fetchone() == (judged,)
    assert gone.run in [one.id for one in session.approved().list()], "it has a command of its own"
    with pytest.raises(UserError, match=f"there is no run {gone.run}"):
        session.delete_run(gone.run)


def test_copies_of_uploaded_rows_go_with_the_session(own_home: Path) -> None:
    private = own_home / "chat" / "20261122-000000-abcd"
    private.mkdir(parents=True)
    (private / "upload.jsonl").write_text(support_rows(9))
    config = session.configure(
        private / "upload.jsonl", "Say the dose.", subgoals=[DOSING], synthesize=0,
        out=str(private / "results"),
    )  # fmt: skip
    run_id = session.new_run(config, private.name)
    session.resume(run_id)
    copies = [*own_home.rglob("*.arrow")]
    assert copies and all(path.is_relative_to(private) for path in copies)
    session.delete_run(run_id)
    assert not private.exists() and not (own_home / "datasets").exists()


async def test_a_run_that_is_under_way_is_not_deleted(data: Path, tmp_path: Path) -> None:
    run_id = entered(data, tmp_path / "out")
    async with session.open_session(run_id):
        with pytest.raises(UserError, match="is under way"):
            await session.delete_run_now(run_id)
    assert session.get_run(run_id)
    await session.delete_run_now(run_id)
    assert session.list_runs() == [] and not (tmp_path / "out").exists()


def test_a_run_killed_before_its_report_and_deleted_in_several_goes(
    data: Path, tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*args: object, **kwargs: object) -> None:
        raise RuntimeError("killed")

    out = tmp_path / "out"
    with FakeServer(answer) as server, monkeypatch.context() as patch:
        patch.setattr(reporting, "write", dies)
        with pytest.raises(RuntimeError):
            ran(data, server, out)
    (run,) = session.list_runs()
    assert {path.name for path in out.iterdir()} >= {"filtered.jsonl", "synthetic.jsonl"}
    for where, step in [(deleting, "_remove_folder"), (GapStore, "forget"), (Store, "forget"),
                        (RunStore, "drop")]:  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setattr(where, step, dies)
            with pytest.raises(RuntimeError, match="killed"):
                session.delete_run(run.id)
        assert [one.id for one in session.list_runs()] == [run.id]
    session.delete_run(run.id)
    assert not out.exists() and session.list_runs() == []
    assert [*traces(own_home / "store.db", run.id)] == []


def test_files_of_others_stay(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first, second = (entered(data, out) for _ in range(2))
    mine, elsewhere = out / "scores.jsonl", tmp_path / "filtered.jsonl"
    report = {"run": second, "files": {"scores": str(mine), "filtered": str(elsewhere)}}
    (out / "report.json").write_text(json.dumps(report))
    for path in (mine, elsewhere, out / "report.html", out / "notes.txt"):
        path.write_text("x")
    session.delete_run(first)
    assert {path.name for path in out.iterdir()} == {
        "report.json", "report.html", "scores.jsonl", "notes.txt"
    }  # fmt: skip
    session.delete_run(second)
    assert [path.name for path in out.iterdir()] == ["notes.txt"] and elsewhere.exists()


def test_an_unknown_run_is_said_and_makes_no_file(own_home: Path) -> None:
    with pytest.raises(UserError, match="there is no run"):
        session.delete_run("../../elsewhere")
    assert not (own_home / "locks").exists()
