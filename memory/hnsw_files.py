"""The files of Chroma's HNSW indexes, cleared of what they have no business to hold."""

import os
import struct
from pathlib import Path

HEADER = struct.Struct("=i4Q")
"""The start of header.bin: version, offset of the links, capacity, elements, bytes of an element
(`HierarchicalNSW::persistHeader` of chroma-core/hnswlib)."""

LENGTH = 4
"""Bytes of an element in length.bin."""


def clear_unused(place: Path) -> None:
    """Zeroes what lies behind the elements of each index in `place`.

    hnswlib writes a new index at its full capacity, as `malloc` gave it: pieces of this process's
    memory, with the keys and rows that were freed there. Nothing reads them, but files are kept.
    Elements that are added later are written whole.
    """
    for header in place.glob("*/header.bin"):
        with header.open("rb") as file:
            start = file.read(HEADER.size)
        if len(start) == HEADER.size:
            version, _, _, count, size = HEADER.unpack(start)
            if version == 1:
                _zero(header.with_name("data_level0.bin"), count * size)
                _zero(header.with_name("length.bin"), count * LENGTH)


def _zero(path: Path, start: int) -> None:
    """From `start` to the end, in place; its length is kept. Nothing is written to zeroes."""
    with path.open("r+b") as file:
        left = file.seek(0, os.SEEK_END) - start
        file.seek(start)
        if left > 0 and file.read(left).strip(b"\0"):
            file.seek(start)
            file.write(bytes(left))
