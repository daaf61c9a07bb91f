"""Phase 2: judges every row against every subgoal, straight into the score store.

What is judged already is not asked again, so a killed run goes on where it was.
"""

import asyncio
import gc
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from ..memory.errors import BudgetSpent, ModelUnavailable, ReplyFailure, UserError
from ..memory.records import Look, RowCounts, Sample, Score, Spent, Subgoal
from ..memory.store import Store
from .embedded_model import EmbeddedModel
from .judge import JudgeAsk, Mode, asks_of, scores_of
from .model import Door, Model
from .rubric import RUBRIC_VERSION

if TYPE_CHECKING:
    from threadpoolctl import threadpool_limits

EMBEDDED_CONCURRENCY = 128
"""Rows under way at once with the embedded model: they share the encoder's batches."""

OUTAGES, UNUSABLE = 10, 30
"""So many failed calls in a row stop the run: outages of the server, or any failures. Rows that
failed in an earlier run do not count: they may fail for good, and come one after another."""

READ_AT_ONCE = 32
"""Rows that are looked up in the store together."""


@dataclass(frozen=True)
class ScoreProgress:
    """`done` of `total` rows; `failed` counts pairs without a judgement.

    `spent` is what the run has cost so far, all its roles together; `stored` of the rows needed no
    call; `look` is a survey's latest.
    """

    done: int
    total: int
    failed: int
    spent: Spent = field(default_factory=Spent)
    note: str = ""
    stored: int = 0
    look: Look | None = None


Listener = Callable[[ScoreProgress], None]


def ignore(progress: ScoreProgress) -> None:
    """Listens to nothing."""


@dataclass(frozen=True)
class Job:
    """What is still to be judged of a row. `again`: some of it failed in an earlier run."""

    hash: str
    sample: Sample
    subgoals: tuple[Subgoal, ...]
    again: bool


def judge_id(model: Model, mode: Mode) -> str:
    """What judgements are kept under: model, mode and rubric."""
    return f"{model.name}, {mode}, rubric {RUBRIC_VERSION}"


class Scorer:
    """Judges rows for one run through one door, up to `concurrency` at a time.

    A row counts as under way until its scores are committed: what a kill can lose of paid replies
    is what was under way.
    """

    def __init__(
        self,
        door: Door,
        store: Store,
        concurrency: int = 16,
        mode: Mode = "joint",
        variant: str = "",
        shuffle: int | None = None,
    ) -> None:
        """variant: judgements are kept under a name of their own, so that they are asked for anew;
        shuffle: see `asks_of`."""
        self.model = door.model
        self.mode: Mode = mode
        self.judge = judge_id(door.model, mode) + (f", {variant}" if variant else "")
        self._shuffle = shuffle
        self.door = door
        self.store = store
        embedded = isinstance(door.model, EmbeddedModel)
        self._concurrency = EMBEDDED_CONCURRENCY if embedded else concurrency
        self._open: set[str] = set()
        self._batched = False  # an earlier process left batches of this judge
        self.stored = self._failed = self._failed_in_a_row = self._outages_in_a_row = 0
        self._unwritten: list[tuple[str, dict[str, Score], asyncio.Future[None]]] = []

    async def score(
        self,
        run: str,
        rows: Iterable[Sample | None],
        total: int,
        subgoals: Sequence[Subgoal],
        on_progress: Listener = ignore,
    ) -> RowCounts:
        """Judges `rows` (None: a row with an empty output, which is left out).

        Every pair ends with a value or a recorded failure. Raises ModelUnavailable when going on
        is pointless, BudgetSpent when the cap is met; calls in flight are awaited first, so that no
        paid reply is lost. A row that the cap leaves out has no failure: nobody tried.
        """
        counts = RowCounts(read=0, usable=0)
        self.stored = self._failed = self._failed_in_a_row = self._outages_in_a_row = 0
        self._open.clear()
        self._batched = bool(self.store.batches.outstanding(self.judge))
        self.store.scores.leave(run)
        jobs = self._jobs(run, rows, subgoals, counts)
        ticker = _Ticker()

        def tell(last: bool = False) -> None:
            if last or ticker.due():
                done, spent = counts.read - len(self._open), self.door.ledger.total()
                on_progress(ScoreProgress(done, total, self._failed, spent, "", self.stored))

        async def work() -> None:
            try:
                for job in jobs:  # shared: each takes the next
                    await (self._judge(job) if job else asyncio.sleep(0))
                    tell()
            except BaseException:
                jobs.close()  # the others finish what they have, and take no more
                raise

        limited = self._one_blas_thread()
        gc.freeze()  # else full collections, over all that libraries hold, stop the calls for 0.1 s
        workers = [asyncio.create_task(work()) for _ in range(self._concurrency)]
        try:
            ended = await asyncio.gather(*workers, return_exceptions=True)
        finally:
            for worker in workers:
                worker.cancel()
            gc.unfreeze()
            if limited:
                limited.restore_original_limits()
            self._write()  # what came in the last turn, and usage without a reply
        if errors := [error for error in ended if error]:
            raise next((e for e in errors if not isinstance(e, BudgetSpent)), errors[0])
        tell(last=True)
        if counts.usable == 0:
            raise UserError("no row has an output to judge.")
        return counts

    def _one_blas_thread(self) -> "threadpool_limits | None":
        """The embedded judge multiplies small matrices beside an encoder that has all cores: more
        threads of BLAS would only take them from it (a fifth of the whole time on two cores)."""
        if not isinstance(self.model, EmbeddedModel):
            return None
        from threadpoolctl import threadpool_limits

        return threadpool_limits(1, "blas")

    def _jobs(
        self,
        run: str,
        rows: Iterable[Sample | None],
        subgoals: Sequence[Subgoal],
        counts: RowCounts,
    ) -> Generator[Job | None]:
        """What is to be judged, read as it is taken; None where others should have a turn."""
        source = iter(rows)
        while batch := list(islice(source, READ_AT_ONCE)):
            samples = [sample for sample in batch if sample]
            counts.read += len(batch)
            counts.usable += len(samples)
            counts.empty += len(batch) - len(samples)
            counts.cut += sum(sample.cut > 0 for sample in samples)
            with self.store.transaction():
                self.store.scores.join(run, samples)
            distinct = {sample.hash: sample for sample in samples}
            known = self.store.scores.known(self.judge, list(distinct))
            jobs = []
            for key, sample in distinct.items():
                pending = [s for s in subgoals if not known.get((key, s.hash))]
                if pending and key not in self._open:  # identical rows are judged once
                    self._open.add(key)
                    again = any((key, s.hash) in known for s in pending)
                    jobs.append(Job(key, sample, tuple(pending), again))
            self.stored += len(batch) - len(jobs)
            yield from jobs
            yield None

    async def _judge(self, job: Job) -> None:
        if self._batched and self.store.batches.under_way(self.judge, job.hash):
            raise UserError(
                f"row {job.sample.index + 1} is being judged in a batch (see `goalcover batches`): "
                "give --batch to wait for it, or cancel it and try again when it has ended."
            )
        for ask in asks_of(job.sample, job.subgoals, self.mode, self._shuffle):
            scores = await self._ask(ask, job.again)
            await self._keep(job.hash, scores)
            self._failed += sum(score.value is None for score in scores.values())
        self._open.discard(job.hash)

    async def _ask(self, ask: JudgeAsk, again: bool) -> dict[str, Score]:
        """Scores by subgoal hash."""
        try:
            reply = await self.door.ask(ask)
        except BudgetSpent:
            raise
        except ReplyFailure as failure:
            self._failed_in_a_row += not again
            self._outages_in_a_row = failure.outage * (self._outages_in_a_row + (not again))
            if self._outages_in_a_row >= OUTAGES or self._failed_in_a_row >= UNUSABLE:
                raise ModelUnavailable(
                    f"{self._failed_in_a_row} calls to {self.model.name} failed in a row, the last "
                    f"with: {failure}. What was judged is kept; "
                    + ("go on when the server is well." if failure.outage else "try another model.")
                ) from failure
            return {subgoal.hash: Score(error=str(failure)) for subgoal in ask.subgoals}
        self._failed_in_a_row = self._outages_in_a_row = 0
        return scores_of(reply, ask.subgoals)

    async def _keep(self, sample: str, scores: dict[str, Score]) -> None:
        """Returns when the scores are committed, with all that came in this turn of the loop."""
        loop = asyncio.get_running_loop()
        if not self._unwritten:
            loop.call_soon(self._write)
        committed: asyncio.Future[None] = loop.create_future()
        self._unwritten.append((sample, scores, committed))
        await committed

    def _write(self) -> None:
        """Commits scores and usage together."""
        unwritten, self._unwritten = self._unwritten, []
        error: Exception | None = None
        try:
            with self.store.transaction():
                for sample, scores, _ in unwritten:
                    self.store.scores.put(self.judge, sample, scores)
                self.door.ledger.write()
        except Exception as failure:  # whoever waits raises it
            error = failure
        if error and not unwritten:
            raise error
        for *_, committed in unwritten:
            if committed.done():  # cancelled
                continue
            if error:
                committed.set_exception(error)
            else:
                committed.set_result(None)


class _Ticker:
    """Says when progress is due: at most ten times a second."""

    def __init__(self) -> None:
        self._next = 0.0

    def due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + 0.1
        return True
