"""Planted gaps (`planted.py`) with clusters and without: the parameter that a run has."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from ...memory.records import Record
from ...memory.vectors import VectorStore
from ...tools.clustering import rand_index
from ...tools.embeddings import Embedder
from ...tools.model import Door
from ..gaps.delivered import Outcome, deliver
from ..gaps.grouping import matches
from ..gaps.planted import DOMAINS, PlantedSet, pooled_sets, task_sets
from .measures import Values

EACH = 3
"""Sets of each capability, and of each domain, twice: subgoals, and subgoals by kind."""


class PlantedPair(Record):
    """One set. group: its capability or domain: sets of one share rows. split: see `planted`."""

    id: str
    family: str
    group: str
    split: str
    clustered: dict[str, float | None]
    listed: dict[str, float | None]


def sets_in(data: Path | None, seed: int) -> list[PlantedSet]:
    """Sets of what lies in the folder: none, or those of one or both kinds of file."""
    if data is None:
        return []
    found = task_sets(data, EACH, seed) if (data / "biggen_bench.jsonl").is_file() else []
    if all((data / "gold" / f"{domain}.jsonl").is_file() for domain in DOMAINS):
        found += pooled_sets(data, EACH, seed) + pooled_sets(data, EACH, seed, by_kind=True)
    return found


async def both(
    door: Door,
    vectors: VectorStore,
    embedder: Embedder,
    sets: Sequence[PlantedSet],
    seed: int,
    on_done: Callable[[], None],
) -> list[PlantedPair]:
    """The found gaps of each set against the planted ones, with clusters and without."""
    clustered = await deliver(door, vectors, embedder, sets, seed, on_done)
    listed = await deliver(door, vectors, embedder, sets, seed, on_done, clustering=False)
    return await asyncio.to_thread(
        lambda: [
            PlantedPair(
                id=planted.id,
                family=planted.family,
                group=planted.id.rpartition("-")[0],
                split=planted.split,
                clustered=_figures(with_clusters, planted),
                listed=_figures(without, planted),
            )
            for planted, with_clusters, without in zip(sets, clustered, listed, strict=True)
        ]
    )


def _figures(own: Outcome, planted: PlantedSet) -> Values:
    hits, ours, theirs = matches(own.labels, planted.labels)
    return {
        "recall": hits / theirs,
        "precision": hits / ours if ours else None,
        "agreement": rand_index(own.labels, planted.labels),
    }
