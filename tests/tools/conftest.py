"""Models whose connections are closed after it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from goalcover.tools.chat_model import ChatModel


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
