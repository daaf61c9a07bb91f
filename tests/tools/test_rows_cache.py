"""Where copies of rows lie: those of a private file are as private as it is."""

from pathlib import Path

import pytest

from goalcover.tools.settings import rows_cache


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("chat/one/upload.jsonl", "chat/one/datasets"),
        ("chat/one/results/filtered.jsonl", "chat/one/datasets"),
        ("chat/../rows.jsonl", "datasets"),
        ("chat/rows.jsonl", "datasets"),
        ("elsewhere/chat/one/rows.jsonl", "datasets"),
    ],
)
def test_the_folder_follows_the_file(tmp_path: Path, path: str, folder: str) -> None:
    assert rows_cache(tmp_path, str(tmp_path / path)) == tmp_path / folder


def test_a_hub_name_is_shared(tmp_path: Path) -> None:
    assert rows_cache(tmp_path, "owner/name:part") == tmp_path / "datasets"
