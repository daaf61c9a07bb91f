"""What the tests of the command line share: rows, and the command in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest
from answers import support_rows
from typer.testing import CliRunner, Result

from goalcover.app import cli

Call = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "support.jsonl"
    path.write_text(support_rows(30))
    return path


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """`goalcover` in this process, without a terminal: a process of its own costs 3 s."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    runner = CliRunner()
    return lambda *args: runner.invoke(cli.app, [str(arg) for arg in args])
