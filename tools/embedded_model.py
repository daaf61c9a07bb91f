"""The model that needs no key and no network: each ask answers itself from embeddings."""

from .embeddings import Embedder
from .model import Ask, R, Reply
from .prices import FREE, Price

VERSION = 6
"""Counts up when an embedded answer changes, so that stored ones are not taken for it."""

HONESTY = (
    "The embedded model matches topics by sentence similarity. It does not judge skill, "
    "correctness or style; name a model and a judge for that."
)


def says_topical(note: str) -> bool:
    """Whether a note of a report is HONESTY, in the words of this or an earlier version."""
    return note.startswith(HONESTY.partition(";")[0])


class EmbeddedModel:
    """Deterministic answers from sentence embeddings and plain text rules."""

    price: Price | None = FREE

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def name(self) -> str:
        return f"embedded-{VERSION} ({self._embedder.version})"

    async def answer(self, ask: Ask[R]) -> Reply[R]:
        return Reply(await ask.embedded(self._embedder))

    async def aclose(self) -> None:
        """It has no connections."""
