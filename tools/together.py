"""Several asks at the same time."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from ..memory.errors import ReplyFailure

T = TypeVar("T")


async def together(calls: Sequence[Coroutine[Any, Any, T]]) -> list[T | ReplyFailure]:
    """What each call gave, in their order; a ReplyFailure is given back, not raised.

    Any other error is raised once all calls have ended, so that none is left under way.
    """
    found = await asyncio.gather(*calls, return_exceptions=True)
    results: list[T | ReplyFailure] = []
    for one in found:
        if isinstance(one, BaseException) and not isinstance(one, ReplyFailure):
            raise one
        results.append(one)
    return results
