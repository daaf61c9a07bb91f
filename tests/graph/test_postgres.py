"""Checkpoints in a real Postgres: a run waits in one session and goes on in another."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from answers import answer, support_rows
from fake_server import FakeServer

from goalcover.graph import review, session
from goalcover.graph.specify import START_FROM

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
CTL = shutil.which("pg_ctl") or (str(PROGRAMS[-1] / "pg_ctl") if PROGRAMS else None)


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a fresh cluster on loopback."""
    if CTL is None:
        pytest.skip("no Postgres is installed")
    folder = tmp_path_factory.mktemp("postgres")
    # Postgres refuses to run as root.
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    as_user = as_user if os.getuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")
        for parent in list(folder.parents)[:3]:
            parent.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = str(folder / "data")
    options = f"-p {port} -h 127.0.0.1 -k {folder}"

    def control(*args: str) -> None:
        subprocess.run(
            [*as_user, str(CTL), "-D", data, *args],
            check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip

    control("initdb", "-o", "-A trust -U me")
    control("-o", options, "-l", str(folder / "log"), "-w", "start")
    yield f"postgresql://me@127.0.0.1:{port}/postgres"
    control("-m", "immediate", "stop")


def rows_of(url: str, run_id: str) -> int:
    """How many rows of all tables of checkpoints are of a run."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    tables = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")
    with psycopg.connect(url) as connection:
        counts = (
            connection.execute(
                SQL("SELECT COUNT(*) FROM {} WHERE thread_id = %s").format(Identifier(table)),
                (run_id,),
            ).fetchone()
            for table in tables
        )
        return sum(count[0] for count in counts if count)


def stop_at_approval(pending: session.Pending) -> dict[str, Any] | None:
    return None if pending.name == "approve_subgoals" else review.approve()


async def test_a_run_waits_and_goes_on(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    monkeypatch.setenv("GOALCOVER_CHECKPOINTS", postgres)
    data = tmp_path / "support.jsonl"
    data.write_text(support_rows(9))
    with FakeServer(answer) as server:
        for similar in (False, True):  # the second is offered what was approved in the first
            config = session.configure(
                data, "Help.", model="m", base_url=server.base_url, out=str(tmp_path), memory=True
            )
            run_id = session.new_run(config)
            with pytest.raises(session.Waiting) as first:
                await session.drive(run_id, lambda pending: None, lambda p: None)
            questions = first.value.pending.args["questions"]
            assert (questions[0]["id"] == START_FROM) == similar
            with pytest.raises(session.Waiting) as second:
                await session.drive(run_id, stop_at_approval, lambda p: None)
            with pytest.raises(session.Waiting) as again:
                await session.drive(run_id, lambda pending: None, lambda p: None)
            assert again.value.pending == second.value.pending
            report = await session.drive(run_id, lambda pending: review.approve(), lambda p: None)
            assert report.coverage[0].judged == 9
            assert report.contract.model_dump() == second.value.pending.args["contract"]
        for run in session.list_runs():
            assert rows_of(postgres, run.id)
            await session.delete_run_now(run.id)
            assert not rows_of(postgres, run.id)
    assert session.list_runs() == []
    assert not (own_home / "checkpoints.db").exists()
