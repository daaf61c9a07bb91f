"""A model for tests: replies by role, from a list or a function."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from ..memory.errors import ReplyFailure
from .model import Ask, R, Reply
from .prices import FREE, Price

Script = Callable[[Any], BaseModel] | Iterable[BaseModel | Exception]


class ScriptedModel:
    """Answers each role from its script and keeps what it was asked in `asked`."""

    name = "scripted"
    price: Price | None = FREE

    def __init__(self, **scripts: Script) -> None:
        self._scripts: dict[str, Callable[[Any], BaseModel] | Iterator[BaseModel | Exception]] = {
            role: script if callable(script) else iter(script) for role, script in scripts.items()
        }
        self.asked: list[Any] = []

    async def answer(self, ask: Ask[R]) -> Reply[R]:
        self.asked.append(ask)
        script = self._scripts.get(ask.role)
        if script is None:
            raise ReplyFailure(f"no script for the role {ask.role}")
        value = script(ask) if callable(script) else next(script)
        if isinstance(value, Exception):
            raise value
        ask.check(value)  # pyright: ignore[reportArgumentType]
        return Reply(value)  # pyright: ignore[reportArgumentType, reportReturnType]

    async def aclose(self) -> None:
        """It has no connections."""
