"""The packaged encoder on ONNX Runtime: several times as fast as PyTorch, and loaded in no time.

Texts of one length run together, so nothing is padded; every core runs such a batch of its own; and
some products are taken in 8 bits. A vector depends on its own text alone (see `onnx_network`).
"""

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from ..memory.files import atomic_path
from .onnx_network import LONGEST, Network

VERSION = 3
"""Counts up when the network that is built changes."""

PRECISION = f"int8-{VERSION}"
"""Part of what vectors are kept under: they are close to the published ones, not equal."""

TOGETHER = 512
"""Tokens in one run: enough to make the products efficient, and few enough for the cache."""

FAITHFUL = 0.99
"""Least cosine with the exact vectors: less means a damaged file, or a processor that errs."""

SENTENCES = (
    "Take one tablet twice a day with food, and call your doctor if the rash spreads.",
    "def total(items: list[int]) -> int: return sum(item for item in items if item > 0)",
    "The Secretary shall submit a report to the Congress not later than 180 days after enactment.",
    "In 2019, 43.5% of 1,204 patients had a reduced risk (95% CI 0.61-0.88, p < 0.001).",
    "Why does my bread not rise?",
    "yes",
    "Explains how evidence leads to a conclusion, step by step: first, second, and so on.",
    "Dear Ms O'Neill, thank you for your order #5512; it has been shipped to Zürich today!",
)
"""They show which channels are large, and whether a loaded network does what it should."""


class OnnxEncoder:
    """Encodes texts with a built network and the tokenizer of its folder.

    Raises ValueError where the vectors are not those of the exact network, and whatever ONNX
    Runtime raises where it cannot use the file.
    """

    def __init__(self, folder: Path, network: Path) -> None:
        self._tokenizer = _tokenizer(folder)
        self._session = _session(network)
        has_affinity = hasattr(os, "sched_getaffinity")
        cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count()
        self._pool = ThreadPoolExecutor(cores, thread_name_prefix="encoder")
        kept = self._session.get_modelmeta().custom_metadata_map["vectors"]
        exact = np.frombuffer(bytes.fromhex(kept), dtype=np.float32).reshape(len(SENTENCES), -1)
        likeness = np.sum(exact * self.encode(SENTENCES), axis=1)
        if not (likeness > FAITHFUL).all():
            raise ValueError(f"its vectors are off (least cosine {likeness.min():.2f})")

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of at least one text, shape (n, d), float32."""
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        batches = _batches([len(ids) for ids in tokens])

        def run(batch: list[int]) -> np.ndarray:
            ids = np.array([tokens[place] for place in batch], dtype=np.int64)
            return np.asarray(self._session.run(["vectors"], {"ids": ids})[0])

        vectors = np.concatenate(list(self._pool.map(run, batches)))
        return vectors[np.argsort(np.concatenate(batches))]


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Places of texts of one length, at most TOGETHER tokens or one text, the longest first."""
    batches: list[list[int]] = []
    room = 0
    previous = 0
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        length = lengths[place]
        if length != previous or room < length:
            batches.append([])
            previous, room = length, TOGETHER
        batches[-1].append(place)
        room -= length
    return batches


def opened(folder: Path) -> OnnxEncoder:
    """The encoder of the weights in `folder`. A file that cannot be used is built once more."""
    try:
        return OnnxEncoder(folder, built(folder))
    except Exception as error:  # ONNX Runtime has many for a damaged file
        logging.getLogger(__name__).info("building the encoder again: %s", error)
        return OnnxEncoder(folder, built(folder, again=True))


def built(folder: Path, again: bool = False) -> Path:
    """The network of the weights in `folder`, built now if it is not there yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "goalcover"
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / f"all-MiniLM-L6-v2-{PRECISION}.onnx"
    with FileLock(target.with_suffix(".lock")):
        if again or not target.exists():
            build(folder, target)
    return target


def build(folder: Path, target: Path) -> None:
    """Writes the network, with the exact vectors of SENTENCES in its metadata (about 1 s)."""
    import onnx
    from safetensors.numpy import load_file

    weights = load_file(folder / "model.safetensors")
    exact = Network(weights)
    session = _session(exact.model(show=exact.inputs.values()).SerializeToString())
    vectors, inputs = [], []
    for encoding in _tokenizer(folder).encode_batch(list(SENTENCES)):
        vector, *entering = session.run(None, {"ids": np.array([encoding.ids])})
        vectors.append(vector)
        inputs.append([np.abs(values[0]) for values in entering])
    peaks = {
        name: np.maximum(np.concatenate(values).max(axis=0), 1e-3)
        for name, values in zip(exact.inputs, zip(*inputs, strict=True), strict=True)
    }
    model = Network(weights, peaks).model()
    onnx.helper.set_model_props(model, {"vectors": np.concatenate(vectors).tobytes().hex()})
    with atomic_path(target) as partial:
        onnx.save(model, partial)


def _session(model: Path | bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # it is the batches that are shared out among the cores
    # More would replace the layer norms by a fused kernel that is slower.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 4  # what goes wrong is raised, and said once
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()  # its file asks for it
    tokenizer.enable_truncation(LONGEST)
    return tokenizer
