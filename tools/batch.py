"""Phase 2 by the server's Batch API: half the price, within a day.

Requests go in files, and replies come in files, maybe after this process has ended: which batches
are under way is in the store, and the next scorer of the same judge collects them.
"""

import asyncio
import math
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager

from filelock import FileLock, Timeout

from ..memory.batches import Batch
from ..memory.errors import BudgetSpent, ModelUnavailable, UserError
from ..memory.records import RowCounts, Sample, Subgoal, content_hash
from ..memory.store import Store
from . import batch_collect
from .batch_api import ENDED, BatchApi, KeyRefused, Lost, Stuck, completed_of
from .batch_collect import Collector, Round
from .batch_file import RequestFile
from .cap import Reserve
from .chat_model import OPENAI, ChatModel
from .judge import Mode, asks_of
from .model import Door
from .scorer import Job, Listener, ScoreProgress, Scorer, ignore
from .settings import home

ROUNDS = 3
"""How often a pair may fail. Rounds that taught how to ask, or waited their turn, do not count."""

FIRST_POLL, GROWTH, LONGEST_POLL = 1.0, 1.5, 60.0
"""Seconds before the first look at the batches, how they grow, and their bound."""

LOST_POLLS = 5
"""So many looks in a row may go wrong before the scorer gives up waiting."""


class BatchScorer(Scorer):
    """Judges rows for one run in batches, through the door of a server's model.

    A kill loses nothing and pays for nothing twice: a batch is entered in the store before the
    server gets it, with our key, by which it is found there.
    """

    def __init__(
        self, door: Door, store: Store, concurrency: int = 16, mode: Mode = "joint"
    ) -> None:
        """Raises UserError where the door's model has no server."""
        if not isinstance(door.model, ChatModel):
            raise UserError("--batch needs a model of a server: give --judge (or --model).")
        super().__init__(door, store, concurrency, mode)
        self._chat = door.model
        self._batches = store.batches
        self._collector = Collector(door, door.model, store, self.judge)
        self._room = math.inf  # requests that the server's queue holds
        self._reserve = Reserve(door.cap, door.ledger)
        self._run, self._rows, self._subgoals = "", (), ()
        self._total, self._listener, self._done = 0, ignore, 0

    async def score(
        self,
        run: str,
        rows: Iterable[Sample | None],
        total: int,
        subgoals: Sequence[Subgoal],
        on_progress: Listener = ignore,
    ) -> RowCounts:
        """As Scorer.score does; `rows` are iterated once a round.

        Batches of the same judge that an earlier process left are collected too. Raises UserError
        where a batch was cancelled, or where another process sends batches to this judge. Where
        the cap is met, raises BudgetSpent once what was sent is collected; a request is one call.
        """
        self.store.scores.leave(run)
        self._open.clear()
        self._run, self._rows, self._subgoals = run, rows, subgoals
        self._total, self._listener = total, on_progress
        self._collector.turn, self._done, self._failed = Round(), 0, 0
        with self._alone():
            async with BatchApi.at(self._chat.base_url or OPENAI, self._chat.timeout) as api:
                await self._recall(api)
                counts = await self._rounds(api)
        self._tell("")
        return counts

    async def collect_ended(self) -> None:
        """Collects batches that an earlier process left, those that have ended. Sends nothing."""
        with self._alone():
            async with BatchApi.at(self._chat.base_url or OPENAI, self._chat.timeout) as api:
                await self._recall(api)

    async def _rounds(self, api: BatchApi) -> RowCounts:
        first: RowCounts | None = None
        counted = 0
        while True:
            turn = self._collector.turn = Round()
            await self._send(api)
            first = first or turn.counts
            if turn.counts.usable == 0:
                raise UserError("no row has an output to judge.")
            if bad := await self._wait(api):
                raise bad
            waiting = turn.put_off or turn.refused
            if turn.capped and not (waiting or turn.answered):
                raise turn.capped
            waiting = waiting or turn.capped  # what was sent may have cost less than expected
            if not (turn.last or turn.learned or waiting):
                return first
            if turn.refused:
                self._room = max(turn.answered, turn.refused // 2, batch_collect.SMALLEST)
            smaller = turn.refused and not turn.answered
            counted += not (turn.learned or smaller or (waiting and turn.usable))
            if counted < ROUNDS:
                continue
            if waiting:
                raise ModelUnavailable(
                    f"no request to {self.model.name} brought a judgement, the last failed with: "
                    f"{turn.last}. What was judged is kept; go on when the server is well."
                )
            return first

    def _tell(self, note: str, more: int = 0) -> None:
        """Reports progress, which never goes back; `more` requests are done but not collected."""
        self._done = max(self._done, self._collector.turn.done(more))
        spent = self.door.ledger.total()
        self._listener(ScoreProgress(self._done, self._total, self._failed, spent, note))

    def _count_failed(self) -> None:
        reasons = self.store.scores.failures(self._run, self.judge, self._subgoals, -1)
        self._failed = sum(pairs for _, pairs in reasons)

    # --- what is there

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Holds the lock of this judge: two processes would send the same rows."""
        folder = home() / "locks"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"batch-{content_hash(self.judge)}.lock"
        lock = FileLock(folder / name, timeout=0, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            raise UserError(
                f"another process has batches under way at {self.model.name}: "
                "wait until it ends, or stop it."
            ) from None
        try:
            yield
        finally:
            lock.release()

    async def _recall(self, api: BatchApi) -> None:
        """Takes over the batches that an earlier process left, and collects what has ended."""
        left = self._batches.outstanding(self.judge)
        nameless = [batch for batch in left if not batch.id]
        known = await api.recent() if nameless else {}
        for batch in nameless:  # its process was killed while the server was asked to make it
            if found := known.get(batch.key):
                self._batches.mark(batch.key, found.status, found.id)
            else:
                self._collector.drop(batch)
        await self._wait(api, recalled=True)

    # --- sending

    async def _send(self, api: BatchApi) -> None:
        """Sends what has no value and is not under way."""
        turn = self._collector.turn
        file = self._new_file()
        sent = sum(batch.requests for batch in self._batches.outstanding(self.judge))
        self._reserve = Reserve(self.door.cap, self.door.ledger, sent)
        jobs = self._jobs(self._run, self._rows, self._subgoals, turn.counts)
        with closing(jobs):
            for job in jobs:
                if job is None:
                    # What follows is compared with this file's rows and, before it, the store's.
                    self._open.clear()
                    turn.known = turn.counts.read - turn.rows
                    self._tell("writing requests")
                    await asyncio.sleep(0)
                    continue
                turn.rows += 1
                if turn.put_off:
                    turn.put_off += 1
                elif job.hash not in file.samples:
                    try:
                        file = await self._add(api, file, job)
                    except BudgetSpent as spent:
                        turn.capped = spent
                        break
            self._open.clear()
            await self._submit(api, file)
        turn.requests = sum(batch.requests for batch in self._batches.outstanding(self.judge))
        self._count_failed()

    def _new_file(self) -> RequestFile:
        return RequestFile(home(), self._room)

    async def _add(self, api: BatchApi, file: RequestFile, job: Job) -> RequestFile:
        """Adds what a row needs to a file, or to the one after it, which is returned. Raises
        BudgetSpent, and adds nothing, where the cap does not allow all of it."""
        busy = self._batches.under_way(self.judge, job.hash)
        pending = [subgoal for subgoal in job.subgoals if subgoal.hash not in busy]
        asks = list(asks_of(job.sample, pending, self.mode))
        self._reserve.take([self.door.expected(ask) for ask in asks])
        for ask in asks:
            request = job.hash, ask.subgoals, self._chat.request(ask, ask.messages()), job.again
            if not file.add(*request):
                await self._submit(api, file)
                file = self._new_file()
                file.add(*request)
        return file

    async def _submit(self, api: BatchApi, file: RequestFile) -> None:
        """Makes a batch of a file, and closes it."""
        with file:
            if not file.requests:
                return
            under_way = sum(batch.requests for batch in self._batches.outstanding(self.judge))
            if under_way and under_way + len(file.requests) > self._room:
                self._collector.turn.put_off += len(file.samples)
                return
            batch = Batch(
                key=secrets.token_hex(8),
                judge=self.judge,
                base_url=self._chat.base_url or OPENAI,
                form=self._chat.form,
                fields=file.fields,
                requests=len(file.requests),
                chunks=file.chunks,
            )
            self._tell(f"uploading {batch.requests} requests")
            file.file.seek(0)
            file_id = await api.upload(file.file, batch.key)
        with self.store.transaction():
            self._batches.add(batch, file.requests)
        try:
            made = await api.create(file_id, batch.key)
        except ModelUnavailable as error:
            if not isinstance(error, Lost):  # else it may have been made
                self._collector.drop(batch)
            raise
        self._batches.mark(batch.key, made.status, made.id)

    # --- waiting

    async def _wait(self, api: BatchApi, recalled: bool = False) -> UserError | None:
        """Returns when all batches are collected, or how one of them ended badly.

        `recalled`: nobody has waited for them yet, and one look will do, however they ended.
        """
        pause, wrong = FIRST_POLL, 0
        while self._batches.outstanding(self.judge):
            try:
                bad = await self._look(api)
                if bad or recalled:
                    return bad
                wrong = 0
            except KeyRefused:
                raise
            except ModelUnavailable:
                wrong += 1
                if wrong >= LOST_POLLS:
                    raise
            if not self._batches.outstanding(self.judge):
                break
            await asyncio.sleep(pause)
            pause = min(pause * GROWTH, LONGEST_POLL)
        return None

    async def _look(self, api: BatchApi) -> UserError | None:
        """Collects every batch that has ended. Returns how one of them ended badly."""
        bad: UserError | None = None
        stuck: Stuck | None = None
        notes, completed = [], 0
        for batch in self._batches.outstanding(self.judge):
            try:
                found = await api.retrieve(batch.id or "")
                if found.status in ENDED:
                    bad = await self._collector.end(api, batch, found) or bad
                    self._count_failed()
                    continue
            except Stuck as error:
                stuck = error
                continue
            if found.status != batch.state:
                self._batches.mark(batch.key, found.status)
            completed += completed_of(found)
            notes.append(f"{batch.id} {found.status}")
        others = f", and {len(notes) - 1} more" if len(notes) > 1 else ""
        self._tell(f"{notes[0]}{others}" if notes else "", completed)
        if stuck and not bad:
            raise stuck
        return bad
