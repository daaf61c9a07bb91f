"""A store of its own for each test, and models whose connections are closed after it."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from goalcover.memory.store import Store
from goalcover.tools.chat_model import ChatModel


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store.db")
    yield opened
    opened.close()


@pytest.fixture
async def served() -> AsyncIterator[Callable[..., ChatModel]]:
    """Makes models of a server."""
    models: list[ChatModel] = []

    def make(*args: Any, **options: Any) -> ChatModel:
        models.append(ChatModel(*args, **options))
        return models[-1]

    yield make
    for model in models:
        await model.aclose()
