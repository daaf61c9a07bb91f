"""Features of rows that the head predicts from: sentence embeddings and cheap counts of the text.

They are kept on disk, a part of the rows a file, so an interrupted survey goes on where it was, a
second one of the same file encodes nothing, and memory stays flat.
"""

import asyncio
import re
import shutil
import tempfile
import weakref
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ...memory.files import atomic_path
from ...memory.records import Sample, content_hash
from ..datasets import Table, digest
from ..embeddings import Embedder
from ..text import last_turn

VERSION = 1
"""Counts up when features change, so that what is kept is not taken for the new."""

INPUT, OUTPUT = 600, 1000
"""Characters of a row's last turn and of its output that are encoded."""

SHARE = 0.2
"""Weight of a standardised count beside the unit vectors."""

PART = 2_000
"""Rows of the table in one file."""

AT_ONCE = 256
"""Rows whose texts are encoded in one go."""

COUNTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\n",
        r"\d+",
        r"[$€£¥]",
        r"[{}()\[\];=<>]",
        r"(?m)^\s*(?:[-*•]|\d+[.)])\s",  # list items
        r"\b(?:19|20)\d\d\b",  # years
        r"\d\s?%",
        r"\b[A-Z]{2,}\b",
        r"#|//|/\*|\"\"\"",  # comments
    )
)
"""What is counted in an output."""

NUMBERS = len(COUNTS) + 7
"""Of `counts_of`."""


class RowFeatures:
    """Features of the rows with an output: the vectors of x and of y, and SHARE of each count.

    Satisfies `head.Features`. rows: (m,), their indices in the table, ascending.
    """

    def __init__(self, parts: list[Path]) -> None:
        found = [_read(part, "rows", "counts") for part in parts]
        self._parts = parts
        self.rows = np.concatenate([rows for rows, _ in found])
        self._starts = np.cumsum([0, *(len(rows) for rows, _ in found)])
        counts = np.concatenate([counts for _, counts in found]).astype(np.float64)
        rows = max(1, len(counts))
        self._mean = counts.sum(axis=0) / rows
        spread = (((counts - self._mean) ** 2).sum(axis=0) / rows) ** 0.5
        self._scale = SHARE / np.where(spread > 0, spread, 1)

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, at: np.ndarray) -> np.ndarray:
        """Features at the given places of `rows`, (len(at), p), float32."""
        owner = np.searchsorted(self._starts, at, side="right") - 1
        found: list[tuple[np.ndarray, np.ndarray]] = []
        for part in np.unique(owner):
            wanted = np.flatnonzero(owner == part)
            found.append((wanted, self._part(part, at[wanted] - self._starts[part])))
        taken = np.empty((len(at), found[0][1].shape[1] if found else 0), np.float32)
        for wanted, features in found:
            taken[wanted] = features
        return taken

    def times(self, weights: np.ndarray) -> np.ndarray:
        """The product with weights (p, t), (m, t), a part of the rows at a time."""
        product = np.zeros((len(self), weights.shape[1]))
        for part, start in enumerate(self._starts[:-1]):
            stop = self._starts[part + 1]
            if stop > start:
                product[start:stop] = self._part(part) @ weights.astype(np.float32)
        return product

    def _part(self, part: int, picked: np.ndarray | slice = slice(None)) -> np.ndarray:
        vectors, counts = _read(self._parts[part], "vectors", "counts")
        scaled = (counts[picked] - self._mean) * self._scale
        return np.hstack([vectors[picked].astype(np.float32), scaled.astype(np.float32)])


async def features_of(
    table: Table, embedder: Embedder, cache: Path, on_progress: Callable[[int, int], None]
) -> RowFeatures:
    """Features of a table's rows; on_progress is told the rows that are done, and all.

    Kept in a folder of `cache` for the file's content, the way it is read, and the encoder; those
    of a hub data set, whose content has no digest, for as long as the result is in use. Raises
    UserError where the disk is full, or the encoder's weights cannot be had.
    """
    content = await asyncio.to_thread(digest, table.source)
    encoder = await asyncio.to_thread(lambda: embedder.version)
    how = table.source.model_dump_json(exclude={"path"})
    key = content_hash(content, how, encoder, str(VERSION))
    folder = cache / f"{key}.features" if content else Path(tempfile.mkdtemp())
    try:
        parts = await _written(table, embedder, folder, on_progress)
        features = RowFeatures(parts)
    except BaseException:
        if not content:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    if not content:
        weakref.finalize(features, shutil.rmtree, folder, ignore_errors=True)
    return features


async def _written(
    table: Table, embedder: Embedder, folder: Path, on_progress: Callable[[int, int], None]
) -> list[Path]:
    """The files of all parts; those that are not there yet, or are damaged, are made."""
    total = len(table)
    parts = [folder / f"{start:09}.npz" for start in range(0, total, PART)]
    missing = {part for part in parts if not _whole(part)}
    if not missing:
        on_progress(total, total)
        return parts
    for done, (part, samples) in enumerate(zip(parts, _in_parts(table), strict=True), start=1):
        if part in missing:
            await _write(part, samples, embedder)
        on_progress(min(total, done * PART), total)
    return parts


def _in_parts(table: Table) -> Iterator[list[Sample]]:
    """The samples of PART rows of the table after PART others."""
    samples: list[Sample] = []
    for row, sample in enumerate(table, start=1):
        if sample:
            samples.append(sample)
        if row % PART == 0 or row == len(table):
            yield samples
            samples = []


async def _write(part: Path, samples: list[Sample], embedder: Embedder) -> None:
    encoded: list[np.ndarray] = []
    for start in range(0, len(samples), AT_ONCE):
        some = samples[start : start + AT_ONCE]
        texts = [last_turn(sample.input)[:INPUT] for sample in some]
        vectors = await embedder.encode([*texts, *(sample.output[:OUTPUT] for sample in some)])
        encoded.append(np.hstack([vectors[: len(some)], vectors[len(some) :]]).astype(np.float16))
    with atomic_path(part) as partial:
        np.savez(
            partial,
            rows=np.array([sample.index for sample in samples], np.int64),
            vectors=np.concatenate(encoded) if encoded else np.zeros((0, 0), np.float16),
            counts=np.array([*map(counts_of, samples)], np.float32).reshape(-1, NUMBERS),
        )


def counts_of(sample: Sample) -> list[float]:
    """Lengths and counts as log(1 + n), two flags, and the share of words that are new."""
    text, words = sample.output, sample.output.lower().split()
    numbers = [
        len(sample.input),
        len(text),
        len(words),
        len(re.findall(r"\d", sample.input)),
        *(sum(1 for _ in pattern.finditer(text)) for pattern in COUNTS),
    ]
    flags = "```" in text, "?" in text
    return [*np.log1p(numbers), *map(float, flags), len(set(words)) / (1 + len(words))]


def _whole(part: Path) -> bool:
    try:
        _read(part, "rows", "counts")
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return False
    return True


def _read(part: Path, *names: str) -> list[np.ndarray]:
    with np.load(part) as arrays:
        return [arrays[name] for name in names]
