"""The near-duplicates among the rows of a data set, found once for a file."""

import json
from pathlib import Path

from ..memory.files import atomic_text
from ..memory.records import content_hash
from .datasets import Table, digest
from .duplicates import first_of, text_of

VERSION = 1
"""Counts up when other rows count as near-duplicates, so that what is kept is not taken for it."""


def copies_of(table: Table, cache: Path) -> dict[int, int]:
    """Row → the earlier row that it is a near-duplicate of; see `duplicates.first_of`.

    Kept in the folder `cache` for the file's content and the way it is read. Raises UserError where
    the disk is full.
    """
    content = digest(table.source)
    how = table.source.model_dump_json(exclude={"path"})
    place = cache / f"{content_hash(content, how, str(VERSION))}.copies.json"
    if content and place.is_file():
        return {int(row): first for row, first in json.loads(place.read_text()).items()}
    found = first_of((sample.index, text_of(sample)) for sample in table if sample)
    if content:
        with atomic_text(place) as file:
            json.dump(found, file)
    return found
