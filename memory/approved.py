"""Memory across runs: what was approved before is a starting point for a goal that resembles it."""

from collections.abc import Sequence

from pydantic import ValidationError

from .errors import UserError
from .records import Approved, Goal
from .vectors import Encode, VectorStore

KIND = "approved"

RESEMBLES = 0.65
"""Cosine similarity from which an old goal's subgoals are offered. With the default embedder, 26
pairs of goals: of 10 that say one purpose in other words, 9 lie at 0.66 or more and one, in two
languages, at 0.63; of 16 with another purpose, one lies at 0.76 (two kinds of medical questions),
all others at 0.63 or less."""


class ApprovedStore:
    """Specifications and subgoals that a person approved, by run.

    `list`, `forget` and `clear` see those of every embedder and need none; `nearest` knows only
    what its own embedder kept. A record that cannot be read, because it is damaged or of an older
    version, is passed over. All raise UserError where the files cannot be read or written.
    """

    def __init__(self, vectors: VectorStore) -> None:
        self._vectors = vectors

    async def keep(self, approved: Approved, encode: Encode) -> None:
        """Keeps what was approved in a run; again for the same run replaces it."""
        record = approved.model_copy(update={"similarity": None}).model_dump_json()
        text = _text(approved.specification.goal)
        await self._vectors.keep(KIND, {approved.id: (text, record)}, encode)

    async def nearest(self, goal: Goal, encode: Encode) -> Approved | None:
        """The one whose goal is most similar, however little, with its similarity."""
        for record, similarity in await self._vectors.similar(KIND, _text(goal), encode):
            if found := _read(record):
                return found.model_copy(update={"similarity": similarity})
        return None

    def list(self) -> list[Approved]:
        """All, the newest first."""
        found = [one for record in self._vectors.kept(KIND).values() if (one := _read(record))]
        return sorted(found, key=lambda one: one.created, reverse=True)

    def forget(self, ids: Sequence[str]) -> None:
        """Deletes by id. Raises UserError, and deletes nothing, where one is not there."""
        known = self._vectors.kept(KIND)
        if unknown := [one for one in ids if one not in known]:
            raise UserError(f"nothing is kept under {', '.join(unknown)}.")
        self._vectors.drop(KIND, ids)

    def clear(self) -> int:
        """Deletes all, also what cannot be read. Says how many they were."""
        known = [*self._vectors.kept(KIND)]
        self._vectors.drop(KIND, known)
        return len(known)


def _text(goal: Goal) -> str:
    return "\n".join(part for part in (goal.text, goal.domain, goal.task) if part)


def _read(record: str) -> Approved | None:
    try:
        return Approved.model_validate_json(record)
    except ValidationError:
        return None
