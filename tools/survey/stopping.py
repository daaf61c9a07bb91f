"""A person ends the judging of a survey: calls under way are awaited, and no more are sent."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from ..cap import STOPPED, Stopped
from ..chat_model import ChatModel
from ..scorer import Scorer

POLL = 0.1
"""Seconds between looks whether a person has stopped it: less than before a second attempt."""


@asynccontextmanager
async def stopping(scorer: Scorer, stop: threading.Event | None) -> AsyncIterator[None]:
    """Within it, once `stop` is set, the scorer's door refuses with Stopped; so do calls that wait
    for their turn at a server, or for another attempt."""
    if stop is None:
        yield
        return
    door = scorer.door
    cap, door.cap = door.cap, replace(door.cap, stop=stop)
    watcher = asyncio.create_task(_watch(door.model, stop))
    try:
        yield
    finally:
        watcher.cancel()
        door.cap = cap


async def _watch(model: object, stop: threading.Event) -> None:
    while isinstance(model, ChatModel):
        if stop.is_set():  # again and again: a call that is under way now may fail, and wait later
            model.give_up(Stopped(STOPPED))
        await asyncio.sleep(POLL)
