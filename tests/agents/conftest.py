"""A store of its own for each test, and the door of the embedded model."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from goalcover.memory.store import Store
from goalcover.tools.embedded_model import EmbeddedModel
from goalcover.tools.embeddings import Embedder
from goalcover.tools.model import Door


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store.db")
    yield opened
    opened.close()


@pytest.fixture
def embedded(store: Store, embedder: Embedder) -> Door:
    return Door(EmbeddedModel(embedder), store, "run")
