"""What a line of a batch's output says, whatever the server wrote there."""

import json
from dataclasses import dataclass, field
from typing import Any, cast

from ..memory.batches import Batch
from ..memory.errors import ReplyFailure
from ..memory.records import Score, Spent
from .batch_api import message_of
from .chat_model import ChatModel
from .formats import Form, parse, problem_of
from .judge import Judgements, scores_of
from .text import one_line


@dataclass(frozen=True)
class Judged:
    """What came of a request: scores by subgoal hash, and what they cost.

    refusal: the text of a 400 or 422, which may tell how to ask.
    """

    sample: str
    chunk: str
    scores: dict[str, Score]
    spent: Spent = field(default_factory=Spent)
    refusal: str = ""


def read_line(batch: Batch, line: bytes, chat: ChatModel) -> Judged | None:
    """None where the line answers no request of the batch: it is found to lack a reply."""
    try:
        entry = json.loads(line)
        sample, _, chunk = entry["custom_id"].partition("-")
        subgoals = batch.chunks[chunk]
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    if _dict(entry.get("error")).get("code") == "batch_cancelled":
        return None
    spent, refusal = Spent(), ""
    try:
        text, spent = _text(batch, entry, chat)
        scores = scores_of(parse(Judgements, text), subgoals)
    except ReplyFailure as failure:
        scores, spent = failed(batch, chunk, str(failure)), failure.spent
        refusal = str(failure) if isinstance(failure, _BadRequest) else ""
    except ValueError as error:
        scores = failed(batch, chunk, f"invalid reply: {problem_of(error)}")
    return Judged(sample, chunk, scores, spent, refusal)


def failed(batch: Batch, chunk: str, reason: str) -> dict[str, Score]:
    """The scores of a request that has no usable reply."""
    error = one_line(reason)
    return {subgoal.hash: Score(error=error) for subgoal in batch.chunks[chunk]}


class _BadRequest(ReplyFailure):
    pass


def _text(batch: Batch, entry: dict[str, Any], chat: ChatModel) -> tuple[str, Spent]:
    """The reply's text in a line of output, and its cost. Raises ReplyFailure where it has none."""
    if error := entry.get("error"):
        if _dict(error).get("code") == "batch_expired":
            raise ReplyFailure(f"the batch {batch.id} expired before it was judged")
        raise ReplyFailure(message_of(error) or "an error without a message")
    response = _dict(entry.get("response"))
    status, body = response.get("status_code"), response.get("body")
    if status != 200:
        said = f"status {status}: {message_of(body)}".removesuffix(": ")
        raise _BadRequest(f"bad request: {said}") if status in (400, 422) else ReplyFailure(said)
    try:
        return chat.read(body, cast(Form, batch.form))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # One line that makes no sense must not keep a batch from being collected.
        raise ReplyFailure(f"unreadable reply: {one_line(error)}") from error


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
