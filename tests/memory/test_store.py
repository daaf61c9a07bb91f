"""The SQLite store as a file: full disks, two writers, a killed writer."""

import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from goalcover.memory.errors import UserError
from goalcover.memory.records import Sample, Score, Usage
from goalcover.memory.store import open_store

TINY_DISK = "512k"
WRITER = """
import sys
from pathlib import Path
from goalcover.memory.records import Score
from goalcover.memory.store import open_store

with open_store(Path(sys.argv[1])) as store:
    for number in range(int(sys.argv[3])):
        store.scores.put("judge", f"{sys.argv[2]}{number}", {"s": Score(value=0.4)})
        print(number, flush=True)
"""


def writer(home: Path, name: str, rows: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(home), name, str(rows)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_is_private_to_its_owner(tmp_path):
    with open_store(tmp_path / "new" / "home"):
        pass
    (tmp_path / "other").mkdir()
    assert (tmp_path / "new" / "home").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "new" / "home" / "store.db").stat().st_mode & 0o777 == 0o600


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path):
    with open_store(tmp_path) as store:
        store.scores.put("judge", "sample", {"s": Score(value=0.8, explanation="é 😀")})
    with open_store(tmp_path) as store:
        assert store.scores.get("judge", "sample")["s"] == Score(value=0.8, explanation="é 😀")


def test_two_processes_write_one_store(tmp_path):
    writers = [writer(tmp_path, name, 100) for name in "ab"]
    for process in writers:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    with open_store(tmp_path) as store:
        for name in "ab":
            assert all(store.scores.get("judge", f"{name}{n}") for n in range(100))


def test_processes_may_open_a_fresh_store_at_once(tmp_path):
    code = """
import sys, time
from pathlib import Path
from goalcover.memory.store import open_store
for number in range(40):
    time.sleep(max(0, float(sys.argv[2]) + number * 0.05 - time.time()))
    with open_store(Path(sys.argv[1]) / str(number)) as store:
        store.replies.put(sys.argv[3], "role", "model", "value")
"""
    start = str(time.time() + 2)
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), start, name]) for name in "abc"
    ]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]


def test_a_killed_writer_loses_no_score_it_had_committed(tmp_path):
    process = writer(tmp_path, "a", 1_000_000)
    assert process.stdout
    for line in process.stdout:
        if int(line) >= 50:
            break
    process.send_signal(signal.SIGKILL)
    said = [int(line) for line in process.stdout if line.endswith("\n")]
    assert process.wait() == -signal.SIGKILL
    process.communicate()
    with open_store(tmp_path) as store:
        for number in range(max([50, *said]) + 1):
            assert store.scores.get("judge", f"a{number}") == {"s": Score(value=0.4)}


def test_a_full_disk_is_said_in_one_line_and_keeps_what_was_committed(tiny_disk):
    written = 0
    with pytest.raises(UserError, match="GOALCOVER_HOME") as raised, open_store(tiny_disk) as store:
        for number in range(1000):
            store.scores.put("judge", str(number), {"s": Score(value=0.2, explanation="x" * 2000)})
            written = number + 1
    assert str(tiny_disk) in str(raised.value) and "\n" not in str(raised.value)
    assert written
    database = sqlite3.connect(f"file:{tiny_disk / 'store.db'}?mode=ro", uri=True)
    assert database.execute("SELECT COUNT(*) FROM scores").fetchone()[0] >= written
    database.close()


@pytest.mark.parametrize("home", ["file", "file/below"])
def test_a_home_that_is_a_file_is_said_in_one_line(tmp_path, home):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="GOALCOVER_HOME"), open_store(tmp_path / home):
        pytest.fail("the block must not run")


def test_a_store_that_is_no_database_is_said_in_one_line(tmp_path):
    (tmp_path / "store.db").write_bytes(b"no database" * 1000)
    with pytest.raises(UserError, match=r"store\.db"), open_store(tmp_path):
        pytest.fail("the block must not run")


def test_errors_of_others_are_not_blamed_on_the_store(tmp_path):
    with pytest.raises(PermissionError), open_store(tmp_path):
        raise PermissionError("another file")


def test_runs_of_a_store_from_before_they_had_names_are_listed_and_named(tmp_path):
    with open_store(tmp_path) as store:
        store.connection.execute("DROP TABLE runs")
        store.connection.execute(
            "CREATE TABLE runs (id TEXT PRIMARY KEY, created TEXT, updated TEXT, status TEXT,"
            " stage TEXT, data TEXT, goal TEXT, out TEXT, config TEXT) WITHOUT ROWID"
        )
        store.connection.execute(
            "INSERT INTO runs VALUES ('old', '', '', 'finished', '', 'd', 'g', 'o', '{}')"
        )
    with open_store(tmp_path) as store:
        assert (store.runs.get("old").name, store.runs.get("old").config) == ("", "{}")
        store.runs.rename("old", "mine")
        store.runs.add("new", "d", "g", "o", "{}")
        assert {run.id: run.name for run in store.runs.list()} == {"old": "mine", "new": ""}


def test_a_run_is_forgotten_with_its_parts_and_no_other(tmp_path):
    runs = ("r1", "r1/audit", "r1/synthetic", "r1-more", "r10", "r1.x", "r2")
    one = np.full(1, 0.5)
    with open_store(tmp_path) as store:
        for run in runs:
            store.scores.join(run, [Sample(index=0, id="a", input="q", output="x")])
            store.predictions.put(run, "s", [0], one, one, one, one)
            ledger = store.ledger(run)
            ledger.add(Usage(role="judge", model="m", calls=1))
            ledger.write()
        store.scores.put("judge", "sample", {"s": Score(value=0.8)})
        store.forget("r1")
        for table in ("members", "predictions", "usage"):
            left = {run for (run,) in store.connection.execute(f"SELECT run FROM {table}")}
            assert left == {"r1-more", "r10", "r1.x", "r2"}
        assert store.ledger("r1").entries() == []
        assert store.scores.get("judge", "sample")
