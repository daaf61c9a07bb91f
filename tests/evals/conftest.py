"""The door of the embedded model."""

import pytest

from goalcover.memory.store import Store
from goalcover.tools.embedded_model import EmbeddedModel
from goalcover.tools.embeddings import Embedder
from goalcover.tools.model import Door


@pytest.fixture
def embedded(store: Store, embedder: Embedder) -> Door:
    return Door(EmbeddedModel(embedder), store, "run")
