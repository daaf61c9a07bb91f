"""Vectors of texts in Chroma: nothing is embedded twice, and it can be searched."""

import shutil
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from .errors import UserError
from .records import content_hash

Encode = Callable[[Sequence[str]], Awaitable[np.ndarray]]
"""Turns n texts into an (n, d) array of unit vectors."""

BATCH = 1000

ROOM = 64 * 2**20
"""Free bytes that a write needs: on a disk that fills up meanwhile, Chroma's upsert hangs."""


class VectorStore:
    """One Chroma collection per kind of text ("rows", "explanations") and embedder.

    A lock file serves one process at a time: Chroma's local files know no second writer.
    """

    def __init__(self, home: Path, embedder: str) -> None:
        self._home = home
        self._embedder = content_hash(embedder)[:12]
        self._lock = FileLock(home / "vectors.lock", mode=0o600)
        self._client: Any = None

    async def embed(self, kind: str, texts: Sequence[str], encode: Encode) -> np.ndarray:
        """Vectors of `texts`, shape (n, d), in their order. Only texts never seen are encoded."""
        if not texts:
            return np.zeros((0, 0), dtype=np.float32)
        ids = [content_hash(text) for text in texts]
        known = self._get(kind, list(dict.fromkeys(ids)))
        new = {key: text for key, text in zip(ids, texts, strict=True) if key not in known}
        if new:
            vectors = await encode(list(new.values()))
            self._add(kind, list(new), vectors, list(new.values()))
            known.update(zip(new, vectors, strict=True))
        return np.stack([known[key] for key in ids])

    def nearest(self, kind: str, vector: np.ndarray, among: Sequence[str], count: int) -> list[str]:
        """Those of the texts `among` (embedded before) that lie nearest to `vector`, best first."""
        by_id = {content_hash(text): text for text in among}
        if not by_id:
            return []
        with self._collection(kind) as collection:
            found = collection.query(
                query_embeddings=[vector.tolist()],
                ids=list(by_id),
                n_results=min(count, len(by_id)),
                include=[],
            )
        return [by_id[key] for key in found["ids"][0]]

    def _get(self, kind: str, ids: list[str]) -> dict[str, np.ndarray]:
        vectors: dict[str, np.ndarray] = {}
        with self._collection(kind) as collection:
            for start in range(0, len(ids), BATCH):
                found = collection.get(ids=ids[start : start + BATCH], include=["embeddings"])
                vectors.update(
                    zip(found["ids"], np.asarray(found["embeddings"], np.float32), strict=True)
                )
        return vectors

    def _add(self, kind: str, ids: list[str], vectors: np.ndarray, texts: list[str]) -> None:
        if shutil.disk_usage(self._home).free < ROOM + 8 * vectors.nbytes:
            raise self._failure("the disk is almost full")
        with self._collection(kind) as collection:
            for start in range(0, len(ids), BATCH):
                part = slice(start, start + BATCH)
                collection.upsert(
                    ids=ids[part], embeddings=vectors[part].tolist(), documents=texts[part]
                )

    @contextmanager
    def _collection(self, kind: str) -> Iterator[Any]:
        """The collection, locked. Raises UserError where Chroma cannot read or write its files."""
        import chromadb
        from chromadb.config import Settings
        from chromadb.errors import ChromaError

        place = self._home / "vectors"
        try:
            with self._lock:
                if self._client is None:
                    self._client = chromadb.PersistentClient(
                        path=str(place), settings=Settings(anonymized_telemetry=False)
                    )
                yield self._client.get_or_create_collection(
                    f"{kind}-{self._embedder}",
                    embedding_function=None,
                    configuration={"hnsw": {"space": "cosine"}},
                )
        except (ChromaError, OSError) as error:
            raise self._failure(" ".join(str(error).split())[:200]) from error

    def _failure(self, reason: str) -> UserError:
        return UserError(
            f"the vectors in {self._home / 'vectors'} failed: {reason}. Make room, "
            "or set GOALCOVER_HOME to another folder."
        )
