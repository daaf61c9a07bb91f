"""Vectors in a real Chroma: nothing is encoded twice, and the nearest are found."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest

from goalcover.memory import vectors
from goalcover.memory.errors import UserError
from goalcover.memory.vectors import VectorStore


class Encoder:
    """Unit vectors from hashes; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        return np.stack([vector_of(text) for text in texts])


def vector_of(text: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
    vector = np.random.default_rng(seed).normal(size=8).astype(np.float32)
    return vector / np.linalg.norm(vector)


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


async def test_vectors_come_in_the_order_of_their_texts(tmp_path, encoder):
    texts = ["b", "a", "b", "c \u2028 😀", ""]
    found = await VectorStore(tmp_path, "e").embed("rows", texts, encoder)
    assert found.shape == (5, 8)
    np.testing.assert_allclose(found, [vector_of(text) for text in texts], atol=1e-6)


async def test_nothing_is_encoded_twice(tmp_path, encoder):
    store = VectorStore(tmp_path, "e")
    await store.embed("rows", ["a", "b", "a"], encoder)
    again = await store.embed("rows", ["c", "b", "a"], encoder)
    assert encoder.asked == ["a", "b", "c"]
    np.testing.assert_allclose(again, [vector_of(t) for t in "cba"], atol=1e-6)


async def test_the_texts_themselves_are_not_kept(tmp_path, encoder):
    await VectorStore(tmp_path, "e").embed("rows", ["a row that was deleted"], encoder)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files and not any(b"a row that was deleted" in path.read_bytes() for path in files)


LEAK = """
import asyncio, sys
from pathlib import Path
import numpy as np
from goalcover.memory.vectors import VectorStore

async def encode(texts):
    return np.eye(len(texts), 8, dtype=np.float32)

used = [bytearray(b"sk-a-key-that-was-freed " * 750) for _ in range(4000)]
del used[::4]
asyncio.run(VectorStore(Path(sys.argv[1]), "e").embed("rows", ["a", "b"], encode))
"""


def test_no_memory_that_was_freed_gets_into_the_files(tmp_path):
    """One arena, so that Chroma's threads are given what was freed. Its own files hold the key some
    thousand times."""
    run = [sys.executable, "-c", LEAK, str(tmp_path)]
    subprocess.run(run, check=True, env=os.environ | {"MALLOC_ARENA_MAX": "1"})
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "data_level0.bin" for path in files), "Chroma's files are others"
    assert [path for path in files if b"sk-a-key" in path.read_bytes()] == []


async def test_an_index_larger_than_its_first_capacity_keeps_all(tmp_path, encoder):
    texts = [str(number) for number in range(130)]
    for start in range(0, 130, 13):
        await VectorStore(tmp_path, "e").embed("rows", texts[start : start + 13], encoder)
    store = VectorStore(tmp_path, "e")
    found = await store.embed("rows", texts, encoder)
    np.testing.assert_allclose(found, [vector_of(text) for text in texts], atol=1e-6)
    assert len(encoder.asked) == 130
    assert store.nearest("rows", vector_of("77"), texts, 1) == ["77"]


async def test_kinds_and_embedders_are_kept_apart(tmp_path, encoder):
    await VectorStore(tmp_path, "e").embed("rows", ["a"], encoder)
    await VectorStore(tmp_path, "e").embed("rows", ["a"], encoder)
    await VectorStore(tmp_path, "e").embed("explanations", ["a"], encoder)
    await VectorStore(tmp_path, "other/embedder").embed("rows", ["a"], encoder)
    assert encoder.asked == ["a", "a", "a"]


async def test_no_text_needs_no_encoder(tmp_path, encoder):
    assert len(await VectorStore(tmp_path, "e").embed("rows", [], encoder)) == 0
    assert encoder.asked == []


async def test_more_texts_than_a_batch(tmp_path, encoder):
    texts = [str(number) for number in range(2100)]
    store = VectorStore(tmp_path, "e")
    await store.embed("rows", texts, encoder)
    again = await store.embed("rows", texts[::-1], encoder)
    assert len(encoder.asked) == 2100
    np.testing.assert_allclose(again, [vector_of(t) for t in texts[::-1]], atol=1e-6)


async def test_an_encoder_that_fails_leaves_nothing_half(tmp_path, encoder):
    async def fails(texts: Sequence[str]) -> np.ndarray:
        raise RuntimeError("no weights")

    store = VectorStore(tmp_path, "e")
    with pytest.raises(RuntimeError):
        await store.embed("rows", ["a"], fails)
    await store.embed("rows", ["a"], encoder)
    assert encoder.asked == ["a"]


async def test_the_nearest_are_found_among_the_given_texts_only(tmp_path, encoder):
    texts = [str(number) for number in range(30)]
    store = VectorStore(tmp_path, "e")
    await store.embed("rows", texts, encoder)
    among, aim = texts[10:20], vector_of("4")
    by_hand = sorted(among, key=lambda text: -float(vector_of(text) @ aim))
    assert store.nearest("rows", aim, among, 3) == by_hand[:3]
    assert store.nearest("rows", aim, among, 99) == by_hand
    assert store.nearest("rows", aim, [], 3) == []


ELSEWHERE = """
import asyncio, sys
from pathlib import Path
import numpy as np
from goalcover.memory.vectors import VectorStore

async def encode(texts):
    return np.eye(8, dtype=np.float32)[: len(texts)]

asyncio.run(VectorStore(Path(sys.argv[1]), "e").embed("rows", ["b"], encode))
"""


async def test_what_another_process_adds_is_found(tmp_path, encoder):
    store = VectorStore(tmp_path, "e")
    await store.embed("rows", ["a"], encoder)
    await store.embed("rows", ["a"], encoder)
    subprocess.run([sys.executable, "-c", ELSEWHERE, str(tmp_path)], check=True)
    found = await store.embed("rows", ["a", "b"], encoder)
    assert encoder.asked == ["a"]
    np.testing.assert_allclose(found, [vector_of("a"), np.eye(8)[0]], atol=1e-6)
    assert store.nearest("rows", np.eye(8)[0], ["a", "b"], 1) == ["b"]


async def test_records_are_found_by_their_text_the_most_similar_first(tmp_path, encoder):
    store = VectorStore(tmp_path, "e")
    for key in "abcd":
        await store.keep("notes", {key: (f"text {key}", f"record {key}")}, encoder)
    found = await store.similar("notes", "text c", encoder)
    assert found[0] == ("record c", pytest.approx(1))
    by_hand = {f"record {k}": float(vector_of(f"text {k}") @ vector_of("text c")) for k in "abcd"}
    assert [record for record, _ in found] == sorted(by_hand, key=lambda r: -by_hand[r])
    assert dict(found) == pytest.approx(by_hand, abs=1e-5)


async def test_records_of_every_embedder_are_kept_and_dropped(tmp_path, encoder):
    await VectorStore(tmp_path, "e").keep("notes", {"a": ("text", "old")}, encoder)
    await VectorStore(tmp_path, "e").keep("notes", {"b": ("text", "b")}, encoder)
    await VectorStore(tmp_path, "f").keep("notes", {"a": ("text", "new")}, encoder)
    await VectorStore(tmp_path, "f").keep("notes-e", {"c": ("text", "of another kind")}, encoder)
    store = VectorStore(tmp_path)
    assert store.kept("notes") == {"a": "new", "b": "b"}
    assert await VectorStore(tmp_path, "e").similar("notes", "text", encoder) == [
        ("b", pytest.approx(1))
    ]
    store.drop("notes", ["b", "b", "none"])
    store.drop("notes", [])
    assert store.kept("notes") == {"a": "new"}
    assert await VectorStore(tmp_path, "e").similar("notes", "text", encoder) == []
    assert list(store.kept("notes-e")) == ["c"]


async def test_nothing_is_made_where_nothing_was_kept(tmp_path, encoder):
    store = VectorStore(tmp_path / "home")
    store.drop("notes", ["a"])
    assert store.kept("notes") == {}
    assert await store.similar("notes", "text", encoder) == []
    assert not (tmp_path / "home").exists()


async def test_nothing_is_written_on_a_disk_that_is_almost_full(tmp_path, encoder, monkeypatch):
    store = VectorStore(tmp_path, "e")
    await store.keep("notes", {"a": ("text", "record")}, encoder)
    monkeypatch.setattr(vectors, "ROOM", 2**62)
    with pytest.raises(UserError, match="almost full"):
        await store.embed("rows", ["a"], encoder)
    with pytest.raises(UserError, match="almost full"):
        await store.keep("notes", {"b": ("text", "record")}, encoder)
    with pytest.raises(UserError, match="almost full"):
        store.drop("notes", ["a"])
    assert store.kept("notes") == {"a": "record"}


def test_a_database_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "vectors").mkdir()
    (tmp_path / "vectors" / "chroma.sqlite3").write_text("no database " * 100)
    with pytest.raises(UserError, match=r"the vectors in .* failed"):
        VectorStore(tmp_path).kept("notes")
