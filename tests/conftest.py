"""Fixtures for every room: a home and a store for each test, and one embedder for all of them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from goalcover.memory.store import Store
from goalcover.tools.embeddings import Embedder

# The console takes it as its width for good where it is set at import, as test workers do.
os.environ.pop("COLUMNS", None)

# A slow machine is no failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """GOALCOVER_HOME is a fresh folder, and no test talks to a paid model by accident."""
    home = tmp_path / "goalcover-home"
    monkeypatch.setenv("GOALCOVER_HOME", str(home))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    return home


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store.db")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The default embedder, loaded once (about 5 s).

    It keeps futures of the running loop: await it only inside a test's own loop, and never leave
    a call under way when the test ends.
    """
    return Embedder()
