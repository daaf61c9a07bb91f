"""Replies that were paid for once, and the usage of each run."""

import sqlite3

from .records import Usage


class ReplyStore:
    """Replies by content key, and what each role of a run asked for."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def get(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM replies WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def put(self, key: str, role: str, model: str, value: str) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?)", (key, role, model, value)
        )

    def charge(self, run: str, usage: Usage) -> None:
        """Adds to what a role of a run has used."""
        self._db.execute(
            "INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " calls = calls + excluded.calls, from_store = from_store + excluded.from_store,"
            " tokens_in = tokens_in + excluded.tokens_in,"
            " tokens_out = tokens_out + excluded.tokens_out, seconds = seconds + excluded.seconds",
            (
                run,
                usage.role,
                usage.model,
                usage.calls,
                usage.from_store,
                usage.tokens_in,
                usage.tokens_out,
                usage.seconds,
            ),
        )

    def usage(self, run: str) -> list[Usage]:
        rows = self._db.execute(
            "SELECT role, model, calls, from_store, tokens_in, tokens_out, seconds"
            " FROM usage WHERE run = ? ORDER BY role, model",
            (run,),
        )
        return [
            Usage.model_validate(dict(zip(Usage.model_fields, row, strict=True))) for row in rows
        ]
