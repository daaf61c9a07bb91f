"""Vectors in a real Chroma: nothing is encoded twice, and the nearest are found."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest

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
