"""Vectors of texts in Chroma: nothing is embedded twice, and it can be searched."""

import shutil
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from .errors import UserError
from .hnsw_files import clear_unused
from .records import content_hash

Encode = Callable[[Sequence[str]], Awaitable[np.ndarray]]
"""Turns n texts into an (n, d) array of unit vectors."""

BATCH = 1000

ROOM = 64 * 2**20
"""Free bytes that a write needs: on a disk that fills up meanwhile, Chroma's upsert hangs."""


class VectorStore:
    """One Chroma collection per kind of text ("rows", "explanations") and embedder.

    A lock file serves one process at a time: Chroma's local files know no second writer. `kept` and
    `drop` need no embedder, so that looking at what is kept loads none.
    """

    def __init__(self, home: Path, embedder: str = "") -> None:
        self._home = home
        self._place = home / "vectors"
        self._embedder = content_hash(embedder)[:12]
        self._lock = FileLock(home / "vectors.lock", mode=0o600)

    async def embed(self, kind: str, texts: Sequence[str], encode: Encode) -> np.ndarray:
        """Vectors of `texts`, shape (n, d), in their order. Only texts never seen are encoded."""
        if not texts:
            return np.zeros((0, 0), dtype=np.float32)
        ids = [content_hash(text) for text in texts]
        known = self._get(kind, list(dict.fromkeys(ids)))
        new = {key: text for key, text in zip(ids, texts, strict=True) if key not in known}
        if new:
            vectors = await encode(list(new.values()))
            self._add(kind, list(new), vectors)
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

    async def keep(self, kind: str, entries: dict[str, tuple[str, str]], encode: Encode) -> None:
        """Keeps (text, record) by key, to be found by the text. Each replaces that of the same key,
        whichever embedder kept it."""
        if not entries:
            return
        texts, records = ([*some] for some in zip(*entries.values(), strict=True))
        vectors = await encode(texts)
        with self._collection(kind) as own, self._siblings(kind) as collections:
            self._check_room(vectors.nbytes + sum(map(len, records)))
            own.upsert(
                ids=[*entries],
                embeddings=vectors.tolist(),
                documents=texts,
                metadatas=[{"record": record} for record in records],
            )
            for other in collections:
                if other.name != own.name:
                    other.delete(ids=[*entries])

    async def similar(self, kind: str, text: str, encode: Encode) -> list[tuple[str, float]]:
        """(record, cosine similarity) of all that this embedder kept, the most similar first."""
        (vector,) = await encode([text])
        with self._siblings(kind) as collections:
            for own in collections:
                if own.name == self._name(kind) and (count := own.count()):
                    found = own.query(
                        query_embeddings=[vector.tolist()],
                        n_results=count,
                        include=["metadatas", "distances"],
                    )
                    pairs = zip(found["metadatas"][0], found["distances"][0], strict=True)
                    return [(_record(held), min(1.0, 1 - apart)) for held, apart in pairs]
        return []

    def kept(self, kind: str) -> dict[str, str]:
        """All records by key, whichever embedder kept them."""
        records: dict[str, str] = {}
        with self._siblings(kind) as collections:
            for collection in collections:
                found = collection.get(include=["metadatas"])
                records.update(zip(found["ids"], map(_record, found["metadatas"]), strict=True))
        return records

    def drop(self, kind: str, keys: Sequence[str]) -> None:
        """Deletes records, whichever embedder kept them. Unknown keys are passed over."""
        ids = list(dict.fromkeys(keys))
        with self._siblings(kind) as collections:
            for collection in collections:
                self._check_room(0)
                for start in range(0, len(ids), BATCH):
                    collection.delete(ids=ids[start : start + BATCH])

    def _get(self, kind: str, ids: list[str]) -> dict[str, np.ndarray]:
        vectors: dict[str, np.ndarray] = {}
        with self._collection(kind) as collection:
            for start in range(0, len(ids), BATCH):
                found = collection.get(ids=ids[start : start + BATCH], include=["embeddings"])
                vectors.update(
                    zip(found["ids"], np.asarray(found["embeddings"], np.float32), strict=True)
                )
        return vectors

    def _add(self, kind: str, ids: list[str], vectors: np.ndarray) -> None:
        self._check_room(vectors.nbytes)
        with self._collection(kind) as collection:
            for start in range(0, len(ids), BATCH):
                part = slice(start, start + BATCH)
                # Without their texts: vectors outlive the run whose rows they are of.
                collection.upsert(ids=ids[part], embeddings=vectors[part].tolist())

    def _check_room(self, size: int) -> None:
        if shutil.disk_usage(self._home).free < ROOM + 8 * size:
            raise self._failure("the disk is almost full")

    def _name(self, kind: str) -> str:
        return f"{kind}-{self._embedder}"

    @contextmanager
    def _collection(self, kind: str) -> Iterator[Any]:
        """This embedder's collection, locked; made where there is none."""
        with self._open() as client:
            yield client.get_or_create_collection(
                self._name(kind),
                embedding_function=None,
                configuration={"hnsw": {"space": "cosine"}},
            )

    @contextmanager
    def _siblings(self, kind: str) -> Iterator[list[Any]]:
        """The collections of every embedder, locked; where there is no database, none is made."""
        if not (self._place / "chroma.sqlite3").is_file():
            yield []
            return
        with self._open() as client:
            found = client.list_collections()
            yield [one for one in found if one.name.rpartition("-")[0] == kind]

    @contextmanager
    def _open(self) -> Iterator[Any]:
        """A client, locked. Raises UserError where Chroma cannot read or write its files.

        It is closed again, because an open one does not see the vectors that other processes add.
        """
        import chromadb
        from chromadb.config import Settings
        from chromadb.errors import ChromaError

        try:
            with self._lock:
                client: Any = chromadb.PersistentClient(
                    path=str(self._place), settings=Settings(anonymized_telemetry=False)
                )
                try:
                    with client:
                        yield client
                finally:
                    clear_unused(self._place)
        except (ChromaError, OSError) as error:
            raise self._failure(" ".join(str(error).split())[:200]) from error

    def _failure(self, reason: str) -> UserError:
        return UserError(
            f"the vectors in {self._place} failed: {reason}. Make room, "
            "or set GOALCOVER_HOME to another folder."
        )


def _record(metadata: dict[str, Any] | None) -> str:
    """What `keep` was given; an empty text where the database holds something else."""
    return str((metadata or {}).get("record", ""))
