"""The ONNX encoder against its reference, the published weights on PyTorch."""

import json
from pathlib import Path

import numpy as np
import pytest

from goalcover.tools import onnx_encoder
from goalcover.tools.embeddings import Embedder, packaged, sentence_transformer
from goalcover.tools.text import passages

EXAMPLE = Path(__file__).parents[2] / "examples" / "clinical_qa.jsonl"


@pytest.fixture(scope="module")
def texts() -> list[str]:
    rows = [json.loads(line) for line in EXAMPLE.read_text().splitlines()[:40]]
    found = [p for row in rows for turn in row["messages"] for p in passages(turn["content"])]
    return ["", "word " * 2000, *dict.fromkeys(found)]


async def test_vectors_are_those_of_the_reference(texts: list[str]) -> None:
    quick = await Embedder().encode(texts)
    exact = sentence_transformer(str(packaged()))([text or " " for text in texts])
    assert np.allclose(quick, exact, atol=1e-5)


async def test_a_vector_does_not_depend_on_its_neighbours(texts: list[str]) -> None:
    together = await Embedder().encode(texts[:20])
    for place, text in enumerate(texts[:20]):
        assert np.array_equal((await Embedder().encode([text]))[0], together[place])


async def test_where_nothing_can_be_exported_pytorch_serves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(folder: Path) -> Path:
        raise RuntimeError("no exporter")

    monkeypatch.setattr(onnx_encoder, "exported", fails)
    assert (await Embedder().encode(["text"])).shape == (1, 384)


def test_it_is_exported_once_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = onnx_encoder.exported(packaged())
    stamp = first.stat().st_mtime_ns
    assert onnx_encoder.exported(packaged()).stat().st_mtime_ns == stamp
    assert [path.suffix for path in first.parent.iterdir() if path.suffix != ".lock"] == [".onnx"]
