"""Phase 2 by the server's Batch API: half the price, within a day.

Requests go in files, and replies come in files, maybe after this process has ended: which batches
are under way is in the store, and the next scorer of the same judge collects them.
"""

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, cast

from filelock import FileLock, Timeout

from ..memory.batches import Batch, Request
from ..memory.errors import ModelUnavailable, ReplyFailure, UserError
from ..memory.records import RowCounts, Sample, Score, Spent, Subgoal, content_hash
from ..memory.store import Store, open_store
from .batch_api import ENDPOINT, BatchApi, Lost, message_of, one_line
from .chat_model import OPENAI, ChatModel
from .formats import Form, parse, problem_of
from .judge import JudgeAsk, Judgements, Mode, asks_of, scores_of
from .model import Door
from .scorer import UNUSABLE, Listener, ScoreProgress, Scorer, ignore
from .settings import home

if TYPE_CHECKING:
    from openai.types import Batch as ServerBatch

MOST_REQUESTS, MOST_BYTES = 50_000, 100_000_000
"""Of one file: what servers take, and half the bytes that OpenAI takes."""

ROUNDS = 3
"""How often a pair may fail. Rounds that taught how to ask, or waited their turn, do not count."""

FIRST_POLL, GROWTH, LONGEST_POLL = 1.0, 1.5, 60.0
"""Seconds before the first look at the batches, how they grow, and their bound."""

LOST_POLLS = 5
"""So many looks in a row may find no server before the scorer gives up waiting for it."""

AT_ONCE = 500
"""Replies kept in one transaction: other processes wait for its end."""

ENDED = {"completed", "failed", "expired", "cancelled"}

QUEUE_FULL, SMALLEST = "token_limit_exceeded", 100
"""Why OpenAI fails a batch that would queue more tokens than the account may; and the requests of
a batch that is not made smaller to fit."""


@dataclass
class _Round:
    """What came of one sending of all that had no value.

    rows: those that lacked one; requests: under way at its start, `ended` those whose batch has
    ended; fresh: replies to rows that had not failed before; usable: replies with judgements.
    learned: a refusal told how to ask; batches: sent; refused: those that found the queue full;
    put_off: something is not sent yet, because of that; smaller: batches are from now on.
    """

    rows: int = 0
    requests: int = 0
    ended: int = 0
    fresh: int = 0
    usable: int = 0
    learned: bool = False
    batches: int = 0
    refused: int = 0
    put_off: bool = False
    smaller: bool = False
    last: str = ""


@dataclass
class _RequestFile:
    """The requests of one batch. The file has no name: nothing is left of it after a kill."""

    file: IO[bytes]
    requests: list[Request] = field(default_factory=list)
    samples: set[str] = field(default_factory=set)
    chunks: dict[str, list[Subgoal]] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)
    size: int = 0


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
        self._chunks: dict[str, list[Subgoal]] = {}  # of all that is under way
        self._most_requests = MOST_REQUESTS
        self._most_batches: int | None = None  # under way at once, where the queue was full
        self._round = _Round()
        self._tell: Callable[[str], None] = lambda note: None

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
        where a batch was cancelled, or where another process sends batches to this judge.
        """
        self._store.scores.leave(run)
        self._open.clear()
        with self._alone():
            async with self._opened() as api:
                return await self._rounds(api, run, rows, total, subgoals, on_progress)

    async def _rounds(
        self,
        api: BatchApi,
        run: str,
        rows: Iterable[Sample | None],
        total: int,
        subgoals: Sequence[Subgoal],
        on_progress: Listener,
    ) -> RowCounts:
        first: RowCounts | None = None
        counts = RowCounts(read=0, usable=0)

        def tell(note: str) -> None:
            turn = self._round
            share = turn.ended / turn.requests if turn.requests else 0.0
            done = counts.read - turn.rows + int(turn.rows * share)
            spent = self.door.ledger.total()
            on_progress(ScoreProgress(done, total, self._failed, spent, note))

        self._tell = tell
        await self._recall(api)
        turns = 0
        while turns < ROUNDS:
            counts, self._round, self._failed = RowCounts(read=0, usable=0), _Round(), 0
            await self._send(api, run, rows, subgoals, counts)
            first = first or counts
            if counts.usable == 0:
                raise UserError("no row has an output to judge.")
            await self._wait(api)
            turn = self._round
            if not self._failed and not turn.learned and not turn.put_off:
                break
            if turn.fresh > UNUSABLE and not turn.usable and not turn.learned:
                raise ModelUnavailable(
                    f"all {turn.fresh} requests to {self.model.name} failed, the last with: "
                    f"{turn.last}. Go on when the server is well."
                )
            if turn.refused:
                self._most_batches = max(1, turn.batches - turn.refused)
            turns += not (turn.learned or turn.smaller or (turn.put_off and turn.usable))
        tell("")
        return first or counts

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

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[BatchApi]:
        api = BatchApi(self._chat.client.root_async_client, self._chat.place)
        try:
            yield api
        finally:
            await api.aclose()

    async def _recall(self, api: BatchApi) -> None:
        """Takes over the batches that an earlier process left, and collects what has ended."""
        left = self._batches.outstanding(self.judge)
        nameless = [batch for batch in left if not batch.id]
        known = await api.recent() if nameless else {}
        for batch in nameless:  # its process was killed while the server was asked to make it
            if found := known.get(batch.key):
                self._batches.mark(batch.key, found.status, found.id)
            else:
                self._drop(batch)
        for batch in left:
            self._chunks.update(batch.chunks)
        self._round = _Round()
        await self._look(api, recalled=True)

    def _drop(self, batch: Batch) -> None:
        with self._store.transaction():
            self._batches.drop(batch.key)

    # --- sending

    async def _send(
        self,
        api: BatchApi,
        run: str,
        rows: Iterable[Sample | None],
        subgoals: Sequence[Subgoal],
        counts: RowCounts,
    ) -> None:
        """Sends what has no value and is not under way."""
        jobs = self._jobs(run, rows, subgoals, counts)
        current = self._new_file()
        try:
            for job in jobs:
                if job is None:
                    # What follows is compared with this file's rows and, before it, the store's.
                    self._open.clear()
                    self._tell("writing requests")
                    await asyncio.sleep(0)
                    continue
                self._round.rows += 1
                if job.hash in current.samples:
                    continue
                busy = self._busy(job.hash)
                pending = [s for s in job.subgoals if s.hash not in busy]
                for ask in asks_of(job.sample, pending, self.mode):
                    if not self._write_request(current, job.hash, ask, job.again):
                        await self._submit(api, current)
                        current = self._new_file()
                        self._write_request(current, job.hash, ask, job.again)
            await self._submit(api, current)
        finally:
            jobs.close()
            current.file.close()
        sent = self._batches.outstanding(self.judge)
        self._round.batches = len(sent)
        self._round.requests = sum(batch.requests for batch in sent)

    def _busy(self, sample: str) -> set[str]:
        """Hashes of the subgoals that a sample is being judged on."""
        chunks = self._batches.under_way(self.judge, sample)
        return {subgoal.hash for chunk in chunks for subgoal in self._chunks[chunk]}

    def _new_file(self) -> _RequestFile:
        home().mkdir(parents=True, exist_ok=True, mode=0o700)
        return _RequestFile(TemporaryFile(dir=home()))

    def _write_request(self, file: _RequestFile, sample: str, ask: JudgeAsk, again: bool) -> bool:
        """Whether the file had room for it."""
        body = self._chat.request(ask, ask.messages())
        chunk = content_hash(*(subgoal.hash for subgoal in ask.subgoals))[:16]
        request = {
            "custom_id": f"{sample}-{chunk}",
            "method": "POST",
            "url": ENDPOINT,
            "body": body,
        }
        line = json.dumps(request).encode() + b"\n"
        full = len(file.requests) >= self._most_requests or file.size + len(line) > MOST_BYTES
        if full and file.requests:
            return False
        file.file.write(line)
        file.size += len(line)
        file.requests.append((sample, chunk, again))
        file.samples.add(sample)
        file.chunks[chunk] = list(ask.subgoals)
        file.fields = sorted(body)
        return True

    async def _submit(self, api: BatchApi, file: _RequestFile) -> None:
        """Makes a batch of a file, and closes it."""
        with file.file:
            if not file.requests:
                return
            under_way = len(self._batches.outstanding(self.judge))
            if self._most_batches and under_way >= self._most_batches:
                self._round.put_off = True
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
        with self._store.transaction():
            self._batches.add(batch, file.requests)
        try:
            made = await api.create(file_id, batch.key)
        except ModelUnavailable as error:
            if not isinstance(error, Lost):  # else it may have been made
                self._drop(batch)
            raise
        self._batches.mark(batch.key, made.status, made.id)
        self._chunks.update(batch.chunks)

    # --- waiting

    async def _wait(self, api: BatchApi) -> None:
        """Returns when all batches are collected."""
        pause, lost = FIRST_POLL, 0
        while self._batches.outstanding(self.judge):
            try:
                await self._look(api)
                lost = 0
            except Lost:
                lost += 1
                if lost >= LOST_POLLS:
                    raise
            if not self._batches.outstanding(self.judge):
                return
            await asyncio.sleep(pause)
            pause = min(pause * GROWTH, LONGEST_POLL)

    async def _look(self, api: BatchApi, recalled: bool = False) -> None:
        """Collects every batch that has ended. `recalled`: nobody has waited for them yet.

        Raises UserError, after a look at all, where one of them ended badly.
        """
        problem: UserError | None = None
        notes, completed = [], 0
        for batch in self._batches.outstanding(self.judge):
            found = await api.retrieve(batch.id or "")
            if found.status in ENDED:
                try:
                    await self._end(api, batch, found)
                except Lost:
                    raise
                except UserError as error:
                    problem = error
                self._round.ended += batch.requests
                continue
            if found.status != batch.state:
                self._batches.mark(batch.key, found.status)
            completed += (found.request_counts.completed or 0) if found.request_counts else 0
            notes.append(f"{batch.id} {found.status}")
        self._round.ended += completed
        others = f", and {len(notes) - 1} more" if len(notes) > 1 else ""
        self._tell(f"{notes[0]}{others}" if notes else "")
        self._round.ended -= completed
        if problem and not recalled:
            raise problem

    # --- collecting

    async def _end(self, api: BatchApi, batch: Batch, found: "ServerBatch") -> None:
        """Keeps what came of a batch that has ended. Raises UserError where it ended badly."""
        if found.status == "failed":
            self._refused(batch, found)
            return
        for file_id in (found.output_file_id, found.error_file_id):
            if file_id:
                async with api.lines(file_id, home()) as lines:
                    await self._collect(batch, lines)
        cancelled = found.status == "cancelled"
        with self._store.transaction():
            for request in self._batches.left(batch.key) if not cancelled else []:
                why = "expired before it was judged" if found.status == "expired" else "lacks it"
                self._fail(batch, request, f"the batch {batch.id} {why}")
            self._batches.drop(batch.key)
        if cancelled:
            raise UserError(
                f"the batch {batch.id} was cancelled. What it had done is kept; "
                "the same command sends the rest anew."
            )

    def _refused(self, batch: Batch, found: "ServerBatch") -> None:
        """The server would not begin with a batch. Raises ModelUnavailable where it never will."""
        errors = (found.errors.data if found.errors else None) or []
        said = one_line((errors[0].message if errors else None) or "it gives no reason")
        self._drop(batch)
        if errors and errors[0].code == QUEUE_FULL and self._make_room(batch):
            self._round.refused += 1
            self._round.put_off = True
        elif not self._learn(batch, said):
            raise ModelUnavailable(
                f"{self._chat.place} refused the batch {batch.id}: {said.rstrip('.')}. "
                "What was judged is kept; the same command sends the rest anew."
            )

    def _make_room(self, batch: Batch) -> bool:
        """Whether a batch that found the queue full may fit in the next round."""
        if self._batches.outstanding(self.judge) or self._round.usable:
            return True  # the others make room
        if batch.requests <= SMALLEST:
            return False
        self._most_requests = max(SMALLEST, batch.requests // 2)
        self._round.smaller = True
        return True

    def _learn(self, batch: Batch, refusal: str) -> bool:
        """Whether a refusal told how to ask in the next round."""
        asked = dict.fromkeys(batch.fields)
        learned = self._chat.learn(refusal, asked, cast(Form, batch.form))
        self._round.learned |= learned
        return learned

    async def _collect(self, batch: Batch, lines: IO[bytes]) -> None:
        """Keeps the replies of one file, some at a time, with what they cost."""
        while some := list(islice(lines, AT_ONCE)):
            with self._store.transaction():
                for line in some:
                    self._keep_line(batch, line)
                self.door.ledger.write()
            await asyncio.sleep(0)

    def _keep_line(self, batch: Batch, line: bytes) -> None:
        """Keeps a reply, or why there is none, unless that was done before."""
        try:
            entry = json.loads(line)
            sample, _, chunk = entry["custom_id"].partition("-")
        except (ValueError, TypeError, KeyError, AttributeError):
            return  # the request stays, and is found to lack a reply
        if _dict(entry.get("error")).get("code") == "batch_cancelled":
            return
        request = self._batches.take(batch.key, sample, chunk)
        if request is None:
            return
        self._round.fresh += not request[2]
        subgoals = batch.chunks[chunk]
        try:
            reply = self._read(batch, entry)
        except ReplyFailure as failure:
            self._record_failure(sample, subgoals, str(failure))
            return
        self._round.usable += 1
        self._keep_scores(sample, scores_of(reply, subgoals))

    def _read(self, batch: Batch, entry: dict[str, Any]) -> Judgements:
        """The reply in a line of output, charged. Raises ReplyFailure where it holds none."""
        if error := entry.get("error"):
            expired = _dict(error).get("code") == "batch_expired"
            said = message_of(error) or "an error without a message"
            raise ReplyFailure(
                f"the batch {batch.id} expired before it was judged" if expired else said
            )
        response = _dict(entry.get("response"))
        status, body = response.get("status_code"), response.get("body")
        if status != 200:
            said = f"status {status}: {message_of(body)}".removesuffix(": ")
            if status not in (400, 422):
                raise ReplyFailure(said)
            self._learn(batch, said)
            raise ReplyFailure(f"bad request: {said}")
        try:
            text, spent = self._chat.read(body, cast(Form, batch.form))
        except ReplyFailure as failure:
            self._charge(failure.spent)
            raise
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            # One line that makes no sense must not keep a batch from being collected.
            raise ReplyFailure(f"unreadable reply: {one_line(error)}") from error
        self._charge(spent)
        try:
            return parse(Judgements, text)
        except ValueError as error:
            raise ReplyFailure(f"invalid reply: {problem_of(error)}") from error

    def _charge(self, spent: Spent) -> None:
        self.door.charge(JudgeAsk.role, spent)

    def _fail(self, batch: Batch, request: Request, reason: str) -> None:
        sample, chunk, again = request
        self._round.fresh += not again
        self._record_failure(sample, batch.chunks[chunk], reason)

    def _record_failure(self, sample: str, subgoals: Sequence[Subgoal], reason: str) -> None:
        self._round.last = one_line(reason)
        self._keep_scores(sample, {s.hash: Score(error=self._round.last) for s in subgoals})

    def _keep_scores(self, sample: str, scores: dict[str, Score]) -> None:
        """By subgoal hash. A failure leaves a value alone that has come another way meanwhile."""
        if any(score.value is None for score in scores.values()):
            known = self._store.scores.known(self.judge, [sample])
            scores = {
                key: score
                for key, score in scores.items()
                if score.value is not None or not known.get((sample, key))
            }
        self._failed += sum(score.value is None for score in scores.values())
        self._store.scores.put(self.judge, sample, scores)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


# --- for the command line


def outstanding_batches() -> list[Batch]:
    """All batches that are not collected, the oldest first."""
    with open_store(home()) as store:
        return store.batches.outstanding()


def cancel_batch(batch_id: str) -> str:
    """Asks the server to cancel a batch, and says what became of it.

    Raises UserError where no such batch is under way.
    """
    with open_store(home()) as store:
        found = [batch for batch in store.batches.outstanding() if batch.id == batch_id]
        if not found:
            raise UserError(
                f"there is no batch {batch_id} under way. `goalcover batches` lists them."
            )
        status = asyncio.run(_cancel(found[0]))
        if status == "unknown":
            with store.transaction():
                store.batches.drop(found[0].key)
            return f"the server knows no batch {batch_id}: it is given up."
        store.batches.mark(found[0].key, status)
    return f"{batch_id} {status}: the run's next command collects what it has done."


async def _cancel(batch: Batch) -> str:
    import openai

    key = os.environ.get("OPENAI_API_KEY", "").strip() or "none"
    client = openai.AsyncOpenAI(base_url=batch.base_url, api_key=key)
    api = BatchApi(client, batch.base_url.partition("://")[2])
    try:
        return await api.cancel(batch.id or "")
    finally:
        await api.aclose()
        await client.close()
