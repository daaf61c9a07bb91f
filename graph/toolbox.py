"""What the nodes of one run work with. It is the graph's runtime context, never its state."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from langgraph.runtime import Runtime

from ..memory.approved import ApprovedStore
from ..memory.errors import UserError
from ..memory.records import Example, Sample, Spent, Subgoal, Survey
from ..memory.store import Store
from ..memory.vectors import VectorStore
from ..tools import exporters, filtering
from ..tools.cap import Cap
from ..tools.copies import copies_of
from ..tools.datasets import Table, digest, load
from ..tools.documents import read_passages
from ..tools.duplicates import NearDuplicates, text_of
from ..tools.embeddings import Embedder
from ..tools.model import Door
from ..tools.profile import CHATS
from ..tools.row_format import RowFormat, format_of
from ..tools.scored_rows import ScoredRow
from ..tools.scorer import Listener, Scorer
from ..tools.scoring import open_scorer, other_mode
from ..tools.settings import RunConfig, open_model, rows_cache
from ..tools.survey.sampling import drawn
from ..tools.text import excerpt, last_turn
from ..tools.topics import (
    Topic,
    as_example,
    embedded_rows,
    embedded_text,
    find_topics,
    sampled_samples,
)

FITTING = 0.5
"""A row this similar to a subgoal (cosine) may serve as its example."""

RELEVANT, COMPARED = 0.4, 500
"""Rows below this alignment are no exemplars, and no synthetic row for the subgoal is compared with
them by meaning; at most so many are compared."""


@dataclass
class Toolbox:
    """Everything is opened at its first use: a resumed run opens only what it needs. stop: set by a
    person who wants no more rows judged."""

    run: str
    config: RunConfig
    home: Path
    store: Store
    stop: threading.Event | None = None
    _topics: list[Topic] | None = field(default=None, init=False)
    _row_vectors: dict[str, np.ndarray] = field(default_factory=dict, init=False)
    indexing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    @cached_property
    def embedder(self) -> Embedder:
        return Embedder(self.config.embedder)

    @cached_property
    def vectors(self) -> VectorStore:
        return VectorStore(self.home, self.embedder.version)

    @cached_property
    def door(self) -> Door:
        return self._door(self.config.model)

    def _door(self, name: str | None, batch: bool = False) -> Door:
        model = open_model(name, self.config, self.embedder, batch)
        return Door(model, self.store, self.run, Cap.of(self.config))

    @cached_property
    def judge(self) -> Scorer:
        door = self._door(self.config.judge or self.config.model, self.config.batch)
        return open_scorer(self.config, door, self.store)

    @cached_property
    def caller(self) -> Scorer:
        """The judge by ordinary calls, for a few rows that are not worth a batch."""
        if not self.config.batch:
            return self.judge
        door = self._door(self.config.judge or self.config.model)
        return Scorer(door, self.store, self.config.max_concurrency, self.config.mode)

    @cached_property
    def auditor(self) -> Scorer:
        """The judge in the other mode."""
        mode = other_mode(self.config.mode)
        return open_scorer(self.config, self.judge.door, self.store, mode)

    @cached_property
    def table(self) -> Table:
        source = self.config.source
        if self.config.digest and digest(source) != self.config.digest:
            raise UserError(
                f"{source.path} is not the file that run {self.run} was started with. "
                "Put that back, or start a new run: what is judged already is not paid for again."
            )
        return load(source, self.cache)

    @cached_property
    def near_duplicates(self) -> dict[int, int]:
        """Row → the earlier row that it is a near-duplicate of."""
        return copies_of(self.table, self.cache)

    @cached_property
    def row_index(self) -> NearDuplicates:
        """All rows of the data, to tell whether another is a copy of one of them."""
        rows = (s for s in self.table if s and s.index not in self.near_duplicates)
        return NearDuplicates.of(((s.index, text_of(self.as_pair(s))) for s in rows), signs=False)

    @cached_property
    def row_format(self) -> RowFormat:
        return format_of([self.as_pair(s) for s in sampled_samples(self.table, self.config.seed)])

    @cached_property
    def usual_system(self) -> str:
        """The system message that most rows carry."""
        return exporters.usual_system(sampled_samples(self.table, self.config.seed))

    def as_pair(self, sample: Sample) -> Sample:
        """One question and one answer, as synthetic rows have them: of a chat the last turns."""
        if self.table.format not in CHATS:
            return sample
        return sample.model_copy(update={"input": last_turn(sample.input)})

    async def row_vectors(self, subgoal: Subgoal) -> np.ndarray:
        """Unit vectors (n, d) of the COMPARED rows that support a subgoal best."""
        if subgoal.hash not in self._row_vectors:
            best = self.best_rows(subgoal, COMPARED)
            rows = [self.table.sample(row) for row, value in best if value >= RELEVANT]
            texts = [embedded_text(sample) for sample in rows if sample]
            found = await self.vectors.embed("rows", texts, self.embedder.encode)
            self._row_vectors[subgoal.hash] = found
        return self._row_vectors[subgoal.hash]

    @cached_property
    def documents(self) -> dict[str, str]:
        return read_passages(self.config.documents)

    async def topics(self) -> list[Topic]:
        """What the rows are about: every round of questions and the heat map ask, one finds."""
        if self._topics is None:
            self._topics = await find_topics(
                self.table, self.vectors, self.embedder, self.config.seed
            )
        return self._topics

    async def fitting_rows(self, texts: list[str]) -> list[Example | None]:
        """For each text the sampled row that comes nearest to it, None where none is near."""
        samples, rows = await embedded_rows(
            self.table, self.vectors, self.embedder, self.config.seed
        )
        if not samples:
            return [None for _ in texts]
        nearness = await self.embedder.encode(texts) @ rows.T
        return [
            as_example(samples[row.argmax()]) if row.max() >= FITTING else None for row in nearness
        ]

    async def aclose(self) -> None:
        opened = vars(self)
        for one in (opened[name] for name in ("door", "judge", "caller") if name in opened):
            await one.model.aclose()

    def excerpt(self, row: int) -> str:
        """A row as a reader is shown it, in one line."""
        sample = self.table.sample(row)
        return excerpt(sample.input, sample.output) if sample else ""

    @cached_property
    def approved(self) -> ApprovedStore:
        return ApprovedStore(self.vectors)

    @property
    def cache(self) -> Path:
        """The folder for copies of the rows."""
        return rows_cache(self.home, self.config.source.path)

    @property
    def out(self) -> Path:
        return Path(self.config.out)

    @property
    def synthetic_run(self) -> str:
        """The name under which the synthetic rows of this run are scored."""
        return f"{self.run}/synthetic"

    @property
    def spent(self) -> Spent:
        """What the run has cost so far."""
        return self.store.ledger(self.run).total()

    def sampled_rows(self, survey: Survey | None) -> list[int]:
        """The rows that were drawn to be judged; all without a survey."""
        rows = self.store.scores.members(self.run)
        if survey is None:
            return rows
        return [rows[place] for place in drawn(len(rows), self.config.seed)[: survey.sampled]]

    def scored_rows(self, subgoals: list[Subgoal]) -> Iterator[ScoredRow]:
        """All rows with their scores, predicted where they were not judged."""
        rows = self.store.scores.rows(self.run, self.judge.judge, subgoals, predicted=True)
        return (filtering.values_of(row, scores) for row, _, _, scores in rows)

    def best_rows(self, subgoal: Subgoal, count: int) -> list[tuple[int, float]]:
        """The rows that support a subgoal best, as (row, value), near-duplicates once."""
        scores, copies = self.store.scores, self.near_duplicates
        best = scores.best_rows(self.run, self.judge.judge, subgoal, count + len(copies))
        return [(row, value) for row, value in best if row not in copies][:count]


Run = Runtime[Toolbox]


def tell(runtime: Run, stage: str, **details: Any) -> None:
    """Streams progress as a custom event."""
    runtime.stream_writer({"stage": stage, "spent": runtime.context.spent, **details})


def teller(runtime: Run, stage: str) -> Listener:
    """Passes a scorer's progress on."""
    return lambda progress: tell(runtime, stage, **vars(progress))
