"""What each run used: calls, tokens, money."""

import sqlite3

from .records import Spent, Usage

NAMES = list(Usage.model_fields)
COLUMNS = ", ".join(NAMES)


class Ledger:
    """The usage of one run, by role and model.

    Entries are kept in memory until `write`, so that they can share a transaction with what was
    paid for.
    """

    def __init__(self, connection: sqlite3.Connection, run: str) -> None:
        self._db = connection
        self._run = run
        rows = connection.execute(
            f"SELECT {COLUMNS} FROM usage WHERE run = ? ORDER BY role, model", (run,)
        )
        found = (Usage.model_validate(dict(zip(NAMES, row, strict=True))) for row in rows)
        self._entries = {(usage.role, usage.model): usage for usage in found}
        self._touched: set[tuple[str, str]] = set()  # by this process

    def add(self, usage: Usage) -> None:
        key = usage.role, usage.model
        known = self._entries.get(key)
        self._entries[key] = known + usage if known else usage
        self._touched.add(key)

    def write(self) -> None:
        """Writes what has changed, inside the caller's transaction if there is one.

        Totals are written, and written again the next time: a transaction may be rolled back.
        """
        marks = ", ".join("?" for _ in NAMES)
        for key in self._touched:
            values = [getattr(self._entries[key], name) for name in NAMES]
            self._db.execute(
                f"INSERT OR REPLACE INTO usage (run, {COLUMNS}) VALUES (?, {marks})",
                (self._run, *values),
            )

    def entries(self) -> list[Usage]:
        return [self._entries[key] for key in sorted(self._entries)]

    def total(self) -> Spent:
        """Of all roles and models."""
        return sum(self._entries.values(), Spent())
