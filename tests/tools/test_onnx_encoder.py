"""The ONNX encoder against its reference, the published weights on PyTorch."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from goalcover.memory.records import Subgoal
from goalcover.tools import onnx_encoder
from goalcover.tools.embedded_judge import matches_of
from goalcover.tools.embeddings import DEFAULT_EMBEDDER, Embedder, packaged, sentence_transformer
from goalcover.tools.onnx_encoder import TOGETHER, OnnxEncoder, _batches
from goalcover.tools.onnx_network import Network
from goalcover.tools.text import passages

EXAMPLE = Path(__file__).parents[2] / "examples" / "clinical_qa.jsonl"


@pytest.fixture(scope="module")
def texts() -> list[str]:
    rows = [json.loads(line) for line in EXAMPLE.read_text().splitlines()[:40]]
    found = [p for row in rows for turn in row["messages"] for p in passages(turn["content"])]
    return ["", "word " * 2000, "a word", *dict.fromkeys(found)]


@pytest.fixture(scope="module")
def exact(texts: list[str]) -> np.ndarray:
    return sentence_transformer(str(packaged()))([text or " " for text in texts])


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return onnx_encoder.opened(packaged())


def test_vectors_are_close_to_those_of_the_reference(encoder, texts, exact):
    quick = encoder.encode(texts)
    assert quick.shape == exact.shape and quick.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(quick, axis=1), 1, atol=1e-5)
    likeness = np.sum(quick * exact, axis=1)
    assert likeness.min() > 0.995 and likeness.mean() > 0.999
    # No two texts may be as near to each other as this, or a swap would not be seen.
    others = exact @ exact.T - 2 * np.eye(len(texts))
    assert others.max() < 0.995


def test_similarities_are_those_of_the_reference(encoder, texts, exact):
    quick = encoder.encode(texts)
    pairs = np.triu_indices(len(texts), 1)
    near, right = (quick @ quick.T)[pairs], (exact @ exact.T)[pairs]
    assert np.corrcoef(rankdata(near), rankdata(right))[0, 1] > 0.998
    assert np.abs(near - right).max() < 0.03 and np.abs(near - right).mean() < 0.003


async def test_the_judge_gives_the_anchors_of_the_reference(encoder):
    rows = [json.loads(line)["messages"] for line in EXAMPLE.read_text().splitlines()[:20]]
    subgoals = [
        Subgoal(id="dose", name="Dosing", description="States the dose of a medicine."),
        Subgoal(id="risk", name="Risks", description="Warns about risks of a treatment."),
    ]
    anchors = []
    for encode in (encoder.encode, sentence_transformer(str(packaged()))):
        embedder = Embedder()
        embedder._loaded = (encode, "")
        asked = (
            matches_of(embedder, row[-2]["content"], row[-1]["content"], subgoals) for row in rows
        )
        anchors.append(
            [match.score for matches in await asyncio.gather(*asked) for match in matches]
        )
    quick, right = map(np.array, anchors)
    assert len(set(right)) > 2 and np.abs(quick - right).max() < 0.3  # next to a cut it may tip
    assert (quick == right).mean() >= 0.9


def test_without_rounding_the_network_is_the_reference(tmp_path, texts, exact):
    from safetensors.numpy import load_file

    network = Network(load_file(packaged() / "model.safetensors")).model()
    session = onnx_encoder._session(network.SerializeToString())
    for text, vector in zip(texts[1:20], exact[1:20], strict=True):
        ids = np.array([onnx_encoder._tokenizer(packaged()).encode(text).ids])
        np.testing.assert_allclose(session.run(None, {"ids": ids})[0][0], vector, atol=2e-6)


def test_a_vector_does_not_depend_on_its_neighbours(encoder, texts):
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert np.array_equal(together, alone)
    assert np.array_equal(encoder.encode(texts[::-1])[::-1], alone)
    assert np.array_equal(encoder.encode([texts[5]] * 100), np.repeat(alone[5:6], 100, axis=0))


@pytest.mark.parametrize("threads", [1, 3, 8])
def test_a_vector_does_not_depend_on_the_number_of_threads(encoder, texts, threads, monkeypatch):
    usual = encoder.encode(texts)
    with ThreadPoolExecutor(threads) as pool:
        monkeypatch.setattr(encoder, "_pool", pool)
        assert np.array_equal(encoder.encode(texts), usual)


@given(st.lists(st.integers(2, 256), min_size=1))
def test_a_batch_holds_texts_of_one_length(lengths):
    batches = _batches(lengths)
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len({lengths[place] for place in batch}) == 1
        assert len(batch) == 1 or len(batch) * lengths[batch[0]] <= TOGETHER


async def test_the_version_tells_that_vectors_are_rounded():
    embedder = Embedder()
    assert embedder.version == f"{DEFAULT_EMBEDDER} {onnx_encoder.PRECISION}"
    assert "int8" in embedder.version
    assert Embedder("some/other").version == "some/other"  # nothing is loaded for it


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "goalcover"


async def test_where_nothing_can_be_built_pytorch_serves(cache, monkeypatch, texts, exact):
    def fails(*args: object) -> None:
        raise RuntimeError("no builder")

    monkeypatch.setattr(onnx_encoder, "build", fails)
    embedder = Embedder()
    assert np.allclose(await embedder.encode(texts[3:6]), exact[3:6], atol=1e-5)
    assert embedder.version == DEFAULT_EMBEDDER


def test_it_is_built_once_and_whole(cache):
    first = onnx_encoder.built(packaged())
    stamp = first.stat().st_mtime_ns
    assert onnx_encoder.built(packaged()).stat().st_mtime_ns == stamp
    assert [path.suffix for path in cache.iterdir() if path.suffix != ".lock"] == [".onnx"]


def test_those_who_want_it_at_once_build_it_once(cache, monkeypatch):
    calls = []

    def build(folder: Path, target: Path) -> None:
        calls.append(target)
        target.write_bytes(b"network")

    monkeypatch.setattr(onnx_encoder, "build", build)
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(onnx_encoder.built, [packaged()] * 8))) == 1
    assert len(calls) == 1


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _blank(content: bytes) -> bytes:
    """The last megabytes of the weights set to zero: it still loads."""
    return content[:-9_000_000] + bytes(8_000_000) + content[-1_000_000:]


@pytest.mark.parametrize("harm", [_cut, _blank, lambda content: b"", lambda content: b"not ONNX"])
def test_a_damaged_file_is_built_again(cache, harm, encoder, texts):
    path = onnx_encoder.built(packaged())
    content = path.read_bytes()
    path.write_bytes(harm(content))
    again = onnx_encoder.opened(packaged())
    assert path.read_bytes() == content
    assert np.array_equal(again.encode(texts[:9]), encoder.encode(texts[:9]))


async def test_a_processor_that_errs_is_not_trusted(cache, monkeypatch, texts, exact):
    run = OnnxEncoder.encode

    def wrong(self: OnnxEncoder, texts: list[str]) -> np.ndarray:
        return -run(self, texts)

    monkeypatch.setattr(OnnxEncoder, "encode", wrong)
    embedder = Embedder()
    assert np.allclose(await embedder.encode(texts[3:6]), exact[3:6], atol=1e-5)
    assert embedder.version == DEFAULT_EMBEDDER
