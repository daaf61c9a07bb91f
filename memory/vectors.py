"""Vectors of texts in Chroma: nothing is embedded twice, and it can be searched."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from .records import content_hash

Encode = Callable[[Sequence[str]], Awaitable[np.ndarray]]
"""Turns n texts into an (n, d) array of unit vectors."""

BATCH = 1000


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
        with self._lock:
            found = self._collection(kind).query(
                query_embeddings=[vector.tolist()],
                ids=list(by_id),
                n_results=min(count, len(by_id)),
                include=[],
            )
        return [by_id[key] for key in found["ids"][0]]

    def _get(self, kind: str, ids: list[str]) -> dict[str, np.ndarray]:
        vectors: dict[str, np.ndarray] = {}
        with self._lock:
            collection = self._collection(kind)
            for start in range(0, len(ids), BATCH):
                found = collection.get(ids=ids[start : start + BATCH], include=["embeddings"])
                vectors.update(
                    zip(found["ids"], np.asarray(found["embeddings"], np.float32), strict=True)
                )
        return vectors

    def _add(self, kind: str, ids: list[str], vectors: np.ndarray, texts: list[str]) -> None:
        with self._lock:
            collection = self._collection(kind)
            for start in range(0, len(ids), BATCH):
                part = slice(start, start + BATCH)
                collection.upsert(
                    ids=ids[part], embeddings=vectors[part].tolist(), documents=texts[part]
                )

    def _collection(self, kind: str) -> Any:
        if self._client is None:
            import chromadb
            from chromadb.config import Settings

            self._client = chromadb.PersistentClient(
                path=str(self._home / "vectors"), settings=Settings(anonymized_telemetry=False)
            )
        return self._client.get_or_create_collection(
            f"{kind}-{self._embedder}",
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine"}},
        )
