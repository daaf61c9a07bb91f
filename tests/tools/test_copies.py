"""Near-duplicates of a file: found once, and anew when the file is another."""

from pathlib import Path

import pytest

from goalcover.tools import copies
from goalcover.tools.copies import copies_of
from goalcover.tools.datasets import DataSource, Table, load

ROW = '{"prompt": "What helps against a cold?", "completion": "Rest, and tea with honey."}\n'
OTHER = '{"prompt": "How do I cook rice?", "completion": "Twice as much water as rice."}\n'


def table_of(path: Path, text: str) -> Table:
    path.write_text(text)
    return load(DataSource(path=str(path)), path.parent / "cache")


def test_a_file_is_looked_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, path = tmp_path / "cache", tmp_path / "rows.jsonl"
    table = table_of(path, ROW + OTHER + ROW)
    assert copies_of(table, cache) == {2: 0}
    with monkeypatch.context() as patch:
        patch.setattr(copies, "first_of", lambda rows: pytest.fail("it is known"))
        assert copies_of(table, cache) == {2: 0}
    assert copies_of(table_of(path, ROW + ROW + OTHER), cache) == {1: 0}, "another file"


def test_what_is_read_otherwise_is_looked_through_anew(tmp_path: Path) -> None:
    cache, path = tmp_path / "cache", tmp_path / "rows.jsonl"
    table = table_of(path, ROW + OTHER + ROW)
    swapped = DataSource(path=str(path), input_columns=["completion"], output_column="prompt")
    assert copies_of(table, cache) == copies_of(load(swapped, cache), cache) == {2: 0}
    assert len(list(cache.glob("*.copies.json"))) == 2
