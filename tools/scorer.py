"""Phase 2: judges every row against every subgoal, straight into the score store.

What is judged already is not asked again, so a killed run goes on where it was.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..memory.errors import ModelUnavailable, ReplyFailure, UserError
from ..memory.records import RowCounts, Sample, Score, Subgoal
from ..memory.store import Store
from .embedded_model import EmbeddedModel
from .judge import RUBRIC_VERSION, JudgeAsk
from .model import Door, Model

MOST_SUBGOALS = 6
"""Subgoals in one call."""

EMBEDDED_CONCURRENCY = 128
"""Rows under way at once with the embedded model: they share the encoder's batches."""

OUTAGES, UNUSABLE = 10, 30
"""So many failed calls in a row stop the run: outages of the server, or any failures. Rows that
failed in an earlier run do not count: they may fail for good, and come one after another."""


@dataclass(frozen=True)
class ScoreProgress:
    """`done` of `total` rows; `failed` counts pairs without a judgement."""

    done: int
    total: int
    failed: int


def judge_id(model: Model) -> str:
    """What judgements are kept under: model, mode and rubric."""
    return f"{model.name}, joint, rubric {RUBRIC_VERSION}"


class Scorer:
    """Judges rows for one run through one door."""

    def __init__(self, door: Door, store: Store, concurrency: int = 16) -> None:
        self.model = door.model
        self._door = door
        self._store = store
        embedded = isinstance(door.model, EmbeddedModel)
        self._concurrency = EMBEDDED_CONCURRENCY if embedded else concurrency
        self.judge = judge_id(door.model)
        self._failed = 0
        self._failed_in_a_row = 0

    async def score(
        self,
        run: str,
        rows: Iterable[Sample | None],
        total: int,
        subgoals: Sequence[Subgoal],
        on_progress: Callable[[ScoreProgress], None] = lambda progress: None,
    ) -> RowCounts:
        """Judges `rows` (None: a row with an empty output, which is left out).

        Every pair ends with a value or a recorded failure. Raises ModelUnavailable when going on
        is pointless; calls in flight are awaited first, so that no paid reply is lost.
        """
        counts = RowCounts(read=0, usable=0)
        self._failed = self._failed_in_a_row = 0
        under_way: dict[asyncio.Task[None], str] = {}
        self._store.scores.leave(run)
        ticker = _Ticker(on_progress)

        async def settle(everything: bool = False) -> None:
            when = asyncio.ALL_COMPLETED if everything else asyncio.FIRST_COMPLETED
            done, _ = await asyncio.wait(under_way, return_when=when)
            for task in done:
                del under_way[task]
                task.result()

        try:
            for batch in _batches(rows):
                self._store.scores.join(run, [sample for sample in batch if sample])
                for sample in batch:
                    counts.read += 1
                    if sample is None:
                        counts.empty += 1
                    else:
                        counts.usable += 1
                        counts.cut += sample.cut > 0
                        pending, failed = self._pending(sample, subgoals)
                        if pending and sample.hash not in under_way.values():
                            task = asyncio.create_task(self._judge(sample, pending, failed))
                            under_way[task] = sample.hash
                    while len(under_way) >= self._concurrency:
                        await settle()
                    done = counts.read - len(under_way)
                    ticker(ScoreProgress(done, total, self._failed))
                await asyncio.sleep(0)
            if under_way:
                await settle(everything=True)
        except ModelUnavailable:
            await asyncio.gather(*under_way, return_exceptions=True)
            raise
        finally:
            for task in under_way:
                task.cancel()
        ticker(ScoreProgress(counts.read, total, self._failed), last=True)
        if counts.usable == 0:
            raise UserError("no row has an output to judge.")
        return counts

    def _pending(self, sample: Sample, subgoals: Sequence[Subgoal]) -> tuple[list[Subgoal], bool]:
        """Subgoals without a value, and whether one failed before; failures are tried again."""
        known = self._store.scores.get(self.judge, sample.hash)
        pending = [s for s in subgoals if s.hash not in known or known[s.hash].value is None]
        return pending, any(s.hash in known for s in pending)

    async def _judge(self, sample: Sample, subgoals: list[Subgoal], failed: bool) -> None:
        for start in range(0, len(subgoals), MOST_SUBGOALS):
            chunk = subgoals[start : start + MOST_SUBGOALS]
            scores = await self._ask(sample, chunk, failed)
            self._store.scores.put(self.judge, sample.hash, scores)
            self._failed += sum(score.value is None for score in scores.values())

    async def _ask(
        self, sample: Sample, subgoals: list[Subgoal], known_to_fail: bool
    ) -> dict[str, Score]:
        """Scores by subgoal hash. Replies are matched by id, never by position."""
        order = [subgoal.id for subgoal in subgoals]
        random.Random(sample.hash).shuffle(order)
        ask = JudgeAsk(
            system=sample.system,
            input=sample.input,
            output=sample.output,
            subgoals=tuple(subgoals),
            order=tuple(order),
        )
        try:
            reply = await self._door.ask(ask)
        except ReplyFailure as failure:
            self._failed_in_a_row += not known_to_fail
            if self._failed_in_a_row >= (OUTAGES if failure.outage else UNUSABLE):
                raise ModelUnavailable(
                    f"{self._failed_in_a_row} calls to {self.model.name} failed in a row, the last "
                    f"with: {failure}. What was judged is kept; go on when the server is well."
                ) from failure
            return {subgoal.hash: Score(error=str(failure)) for subgoal in subgoals}
        self._failed_in_a_row = 0
        found: dict[str, list[Score]] = {}
        for judgement in reply.judgements:
            value = judgement.score
            score = (
                Score(value=value, explanation=judgement.explanation)
                if 0 <= value <= 1
                else Score(error=f"the score {value:g} is not between 0 and 1")
            )
            found.setdefault(judgement.id, []).append(score)
        return {subgoal.hash: _only(found.get(subgoal.id, [])) for subgoal in subgoals}


def _only(scores: list[Score]) -> Score:
    if not scores:
        return Score(error="the reply lacks this subgoal's id")
    if len(scores) > 1:
        return Score(error="the reply has this subgoal's id more than once")
    return scores[0]


def _batches(rows: Iterable[Sample | None], size: int = 256) -> Iterator[list[Sample | None]]:
    batch: list[Sample | None] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


class _Ticker:
    """Passes progress on, at most ten times a second."""

    def __init__(self, listener: Callable[[ScoreProgress], None]) -> None:
        self._listener = listener
        self._next = 0.0

    def __call__(self, progress: ScoreProgress, last: bool = False) -> None:
        now = time.monotonic()
        if last or now >= self._next:
            self._next = now + 0.1
            self._listener(progress)
