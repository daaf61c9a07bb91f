"""Batches that a server works on: which requests they hold, until their replies are collected."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import Field

from .records import Record, Subgoal


class Batch(Record):
    """One batch that is not collected yet.

    key: ours, which the server keeps with the batch; id: the server's, None until it is known.
    form, fields: how its requests ask for JSON, and the names of what they consist of. chunks: the
    subgoals that requests ask about, by a short key of their hashes.
    """

    key: str
    judge: str
    base_url: str
    id: str | None = None
    form: str
    fields: list[str]
    created: str = Field(
        default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"),
        description="UTC",
    )
    state: str = "sending"
    requests: int
    chunks: dict[str, list[Subgoal]]


Request = tuple[str, str, bool]
"""Sample hash, chunk key, and whether some of it has failed before."""


class BatchStore:
    """Batches and their requests. A request is struck off when its reply is kept, in the same
    transaction, so that a batch may be collected in pieces, and by one process after another."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def add(self, batch: Batch, requests: Iterable[Request]) -> None:
        self._db.execute(
            "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                batch.key,
                batch.judge,
                batch.base_url,
                batch.id,
                batch.form,
                json.dumps(batch.fields),
                batch.created,
                batch.state,
                batch.requests,
                json.dumps({k: [s.model_dump() for s in v] for k, v in batch.chunks.items()}),
            ),
        )
        self._db.executemany(
            "INSERT INTO batch_requests VALUES (?, ?, ?, ?)",
            ((batch.key, *request) for request in requests),
        )

    def outstanding(self, judge: str | None = None) -> list[Batch]:
        """Batches that are not collected, the oldest first; of one judge, or of all."""
        rows = self._db.execute(
            "SELECT * FROM batches WHERE ?1 IS NULL OR judge = ?1 ORDER BY created, key", (judge,)
        )
        found = (dict(zip(Batch.model_fields, row, strict=True)) for row in rows)
        return [
            Batch.model_validate(
                {**row, "fields": json.loads(row["fields"]), "chunks": json.loads(row["chunks"])}
            )
            for row in found
        ]

    def mark(self, key: str, state: str, batch_id: str | None = None) -> None:
        """What the server says of a batch, and by what id it knows it."""
        self._db.execute(
            "UPDATE batches SET state = ?, batch = COALESCE(?, batch) WHERE key = ?",
            (state, batch_id, key),
        )

    def under_way(self, judge: str, sample: str) -> set[str]:
        """Hashes of the subgoals that a sample is being judged on."""
        rows = self._db.execute(
            "SELECT r.chunk, b.chunks FROM batches b JOIN batch_requests r ON r.batch = b.key"
            " WHERE b.judge = ? AND r.sample = ?",
            (judge, sample),
        )
        asked = [subgoal for chunk, chunks in rows for subgoal in json.loads(chunks)[chunk]]
        return {Subgoal.model_validate(subgoal).hash for subgoal in asked}

    def take(self, key: str, sample: str, chunk: str) -> bool:
        """Strikes a request off. False where the batch does not hold it, or no longer."""
        struck = self._db.execute(
            "DELETE FROM batch_requests WHERE batch = ? AND sample = ? AND chunk = ?",
            (key, sample, chunk),
        )
        return struck.rowcount > 0

    def fresh(self, key: str) -> int:
        """How many requests of a batch were not struck off, and had not failed before."""
        (count,) = self._db.execute(
            "SELECT COUNT(*) FROM batch_requests WHERE batch = ? AND NOT again", (key,)
        ).fetchone()
        return count

    def left(self, key: str) -> list[Request]:
        """Requests of a batch that were not struck off."""
        rows = self._db.execute(
            "SELECT sample, chunk, again FROM batch_requests WHERE batch = ?", (key,)
        )
        return [(sample, chunk, bool(again)) for sample, chunk, again in rows]

    def drop(self, key: str) -> None:
        """Forgets a batch and what is left of its requests."""
        self._db.execute("DELETE FROM batch_requests WHERE batch = ?", (key,))
        self._db.execute("DELETE FROM batches WHERE key = ?", (key,))
