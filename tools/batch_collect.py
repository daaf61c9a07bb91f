"""What comes of batches that have ended: judgements, failures, and what they cost."""

import asyncio
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, cast

from ..memory.batches import Batch
from ..memory.errors import BudgetSpent, ModelUnavailable, UserError
from ..memory.records import RowCounts, Score
from ..memory.store import Store
from .batch_api import BatchApi, files_of, refusal_of
from .batch_replies import failed, read_line
from .chat_model import ChatModel
from .formats import Form
from .judge import JudgeAsk
from .model import Door
from .scorer import UNUSABLE
from .settings import home

if TYPE_CHECKING:
    from openai.types import Batch as ServerBatch

AT_ONCE = 500
"""Replies kept in one transaction: other processes wait for its end."""

QUEUE_FULL, SMALLEST = "token_limit_exceeded", 100
"""Why OpenAI fails a batch that would queue more tokens than the account may; and the requests of
a batch that is not made smaller to fit."""


@dataclass
class Round:
    """What came of one sending of all that had no value.

    known: rows that had all values; rows: those that lacked one; put_off: those of them that are
    not sent, as the queue is full; requests: under way when all was sent; answered: those that
    ended, with judgements (usable) or without; refused: requests of the largest batch that found
    the queue full; learned: a refusal told how to ask; last: why the last request failed; capped:
    why the rows after those sent were not.
    """

    counts: RowCounts = field(default_factory=lambda: RowCounts(read=0, usable=0))
    known: int = 0
    rows: int = 0
    put_off: int = 0
    requests: int = 0
    answered: int = 0
    usable: int = 0
    refused: int = 0
    learned: bool = False
    last: str = ""
    capped: BudgetSpent | None = None

    def done(self, more: int) -> int:
        """About how many rows are judged, where `more` requests are but not collected."""
        share = min(1.0, (self.answered + more) / self.requests) if self.requests else 0.0
        return self.known + int((self.rows - self.put_off) * share)


class Collector:
    """Keeps what comes of the batches of one judge, and tells it to `turn`."""

    def __init__(self, door: Door, chat: ChatModel, store: Store, judge: str) -> None:
        self.turn = Round()
        self._door = door
        self._chat = chat
        self._store = store
        self._batches = store.batches
        self._judge = judge

    def drop(self, batch: Batch) -> None:
        with self._store.transaction():
            self._batches.drop(batch.key)

    async def end(self, api: BatchApi, batch: Batch, found: "ServerBatch") -> UserError | None:
        """Keeps what came of a batch that has ended. Returns how it ended badly."""
        if found.status == "failed":
            return self._refused(batch, *refusal_of(found))
        turn = self.turn
        fresh, usable = self._batches.fresh(batch.key), turn.usable
        for file_id in files_of(found):
            async with api.lines(found, file_id, home()) as lines:
                await self._collect(batch, lines)
        if found.status == "cancelled":
            self.drop(batch)
            return UserError(
                f"the batch {batch.id} was cancelled. What it had done is kept; "
                "the same command sends the rest anew."
            )
        with self._store.transaction():
            why = "expired before it was judged" if found.status == "expired" else "lacks it"
            for sample, chunk, _ in self._batches.left(batch.key):
                self._keep_scores(sample, failed(batch, chunk, f"the batch {batch.id} {why}"))
            self._batches.drop(batch.key)
        if fresh > UNUSABLE and turn.usable == usable and not turn.learned:
            return ModelUnavailable(
                f"all {fresh} requests to {self._chat.name} failed, the last with: "
                f"{turn.last}. Go on when the server is well."
            )
        return None

    def _refused(self, batch: Batch, code: Any, said: str) -> UserError | None:
        """The server would not begin with a batch. Returns an error where it never will."""
        turn = self.turn
        self.drop(batch)
        others = turn.answered or self._batches.outstanding(self._judge)  # they make room
        if code == QUEUE_FULL and (others or batch.requests > SMALLEST):
            turn.refused = max(turn.refused, batch.requests)
        elif not self._learn(batch, said):
            return ModelUnavailable(
                f"{self._chat.place} refused the batch {batch.id}: {said.rstrip('.')}. "
                "What was judged is kept; the same command sends the rest anew."
            )
        return None

    def _learn(self, batch: Batch, refusal: str) -> bool:
        """Whether a refusal told how to ask in the next round."""
        asked = dict.fromkeys(batch.fields)
        learned = self._chat.learn(refusal, asked, cast(Form, batch.form))
        self.turn.learned |= learned
        return learned

    async def _collect(self, batch: Batch, lines: IO[bytes]) -> None:
        """Keeps the replies of one file, some at a time, with what they cost."""
        while some := list(islice(lines, AT_ONCE)):
            found = [read_line(batch, line, self._chat) for line in some]
            with self._store.transaction():
                for judged in found:
                    if not judged or not self._batches.take(batch.key, judged.sample, judged.chunk):
                        continue  # it makes no sense, or was kept before
                    if judged.refusal:
                        self._learn(batch, judged.refusal)
                    if judged.spent.calls:
                        self._door.charge(JudgeAsk.role, judged.spent)
                    self._keep_scores(judged.sample, judged.scores)
                self._door.ledger.write()
            await asyncio.sleep(0)

    def _keep_scores(self, sample: str, scores: dict[str, Score]) -> None:
        """Books a request, by its scores by subgoal hash."""
        self._store.scores.put(self._judge, sample, scores)
        self.turn.answered += 1
        self.turn.usable += any(score.value is not None for score in scores.values())
        for score in scores.values():
            self.turn.last = score.error or self.turn.last
