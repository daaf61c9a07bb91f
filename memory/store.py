"""The store: one SQLite file for scores, replies, usage and the list of runs.

Scores and replies are keyed by content, so a run that was killed pays for nothing twice and two
runs share what they have in common. Under the write-ahead log a committed transaction survives a
kill -9 of the process.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from .batches import BatchStore
from .errors import UserError
from .predictions import PredictionStore
from .replies import ReplyStore
from .runs import RunStore
from .scores import ScoreStore
from .usage import Ledger

OF_A_RUN = ("members", "predictions", "usage")
"""Tables whose lines belong to one run, under its id or under "ID/part" (its survey, its synthetic
rows, what was judged beside it or in the other mode)."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS scores (
  judge TEXT, sample TEXT, subgoal TEXT, value REAL, explanation TEXT, error TEXT,
  PRIMARY KEY (judge, sample, subgoal)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members (
  run TEXT, row INTEGER, sample TEXT, sample_id TEXT, PRIMARY KEY (run, row)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS predictions (
  run TEXT, row INTEGER, subgoal TEXT, value REAL, low REAL, high REAL, supports REAL,
  PRIMARY KEY (run, row, subgoal)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS replies (
  key TEXT PRIMARY KEY, role TEXT, model TEXT, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS usage (
  run TEXT, role TEXT, model TEXT, calls INTEGER, from_store INTEGER,
  tokens_in INTEGER, tokens_out INTEGER, seconds REAL,
  tokens_cached INTEGER DEFAULT 0, cost_usd REAL,
  PRIMARY KEY (run, role, model)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
  id TEXT PRIMARY KEY, created TEXT, updated TEXT, status TEXT, stage TEXT,
  data TEXT, goal TEXT, out TEXT, config TEXT, name TEXT DEFAULT '') WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (
  key TEXT PRIMARY KEY, judge TEXT, base_url TEXT, batch TEXT, form TEXT, fields TEXT,
  created TEXT, state TEXT, requests INTEGER, chunks TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batch_requests (
  batch TEXT, sample TEXT, chunk TEXT, again INTEGER,
  PRIMARY KEY (batch, sample, chunk)) WITHOUT ROWID;
"""


COLUMNS = {
    "usage": {"tokens_cached": "INTEGER DEFAULT 0", "cost_usd": "REAL"},
    "runs": {"name": "TEXT DEFAULT ''"},
}
"""What tables have gained since the first version: added to a store that lacks them."""


class Store:
    """Opens `path` (created if missing, private to its owner) and gives its tables."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Autocommit; the scorer writes from the event loop's thread only.
        self.connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=30
        )
        path.chmod(0o600)
        # One process at a time: changing to the write-ahead log does not wait for a busy file.
        with FileLock(path.with_suffix(".lock"), mode=0o600):
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = NORMAL")
            # 40 MB of log: a checkpoint stops the scorer for a moment, and later ones move less.
            self.connection.execute("PRAGMA wal_autocheckpoint = 10000")
            self.connection.executescript(SCHEMA)
            for table, columns in COLUMNS.items():
                found = self.connection.execute(f"PRAGMA table_info({table})")
                for name in columns.keys() - {row[1] for row in found}:
                    kind = columns[name]
                    self.connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
        self.scores = ScoreStore(self.connection)
        self.predictions = PredictionStore(self.connection)
        self.replies = ReplyStore(self.connection)
        self.runs = RunStore(self.connection)
        self.batches = BatchStore(self.connection)
        self._ledgers: dict[str, Ledger] = {}

    def ledger(self, run: str) -> Ledger:
        """The one ledger of a run: its roles share it."""
        if run not in self._ledgers:
            self._ledgers[run] = Ledger(self.connection, run)
        return self._ledgers[run]

    def forget(self, run: str) -> None:
        """Drops what the tables hold of a run, but for its line in the list. Judgements and paid
        replies stay: they belong to everyone."""
        with self.transaction():
            for table in OF_A_RUN:
                # "0" follows "/": a range, which the primary key finds at once.
                self.connection.execute(
                    f"DELETE FROM {table} WHERE run = ?1 OR (run >= ?1 || '/' AND run < ?1 || '0')",
                    (run,),
                )
        self._ledgers.pop(run, None)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes of the block, or none. Other processes wait."""
        self.connection.execute("BEGIN IMMEDIATE")
        with self.connection:  # commits, or rolls back
            yield

    def close(self) -> None:
        self.connection.close()


@contextmanager
def open_store(home: Path) -> Iterator[Store]:
    """The store under `home`. Raises UserError where SQLite cannot read or write it."""
    path = home / "store.db"
    try:
        store = Store(path)
    except (sqlite3.Error, OSError) as error:
        raise _failed(path, error) from error
    try:
        yield store
    except sqlite3.Error as error:
        raise _failed(path, error) from error
    finally:
        store.close()


def _failed(path: Path, error: Exception) -> UserError:
    return UserError(
        f"the store {path} failed: {error}. Make room, or set GOALCOVER_HOME to another folder."
    )
