"""What a person took home from the chat: the files of a run, and that a secret is in none."""

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

TITLES = {
    "report": "report.html",
    "report as data": "report.json",
    "recommendations": "",
    "filtered rows": "filtered.jsonl",
    "data card": "",
    "synthetic rows": "synthetic.jsonl",
    "provenance": "",
    "scores": "scores.jsonl",
}
"""Of the downloads, with the file's name where it is always the same."""


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


class Words(HTMLParser):
    """The text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.text += data


def check_files(got: Mapping[str, Path], results: Path) -> None:
    """Each is a file of the run, byte by byte, and none is there twice."""
    written = {path.read_bytes(): path.name for path in results.iterdir() if path.is_file()}
    names = {title: written[path.read_bytes()] for title, path in got.items()}
    assert len(set(names.values())) == len(TITLES)
    assert all(names[title] == name for title, name in TITLES.items() if name)


def check_contents(got: Mapping[str, Path], goal: str, data: Path, synthetic: int) -> None:
    """data: what was uploaded; synthetic: the rows that were kept."""
    assert goal in Words(got["report"].read_text()).text
    kept, uploaded = lines(got["filtered rows"]), lines(data)
    assert 0 < len(kept) < len(uploaded) and all(row in uploaded for row in kept)
    assert len(lines(got["synthetic rows"])) == len(lines(got["provenance"])) == synthetic
    assert [line["index"] for line in lines(got["scores"])] == list(range(len(uploaded)))
    assert f"{len(kept)} of {len(uploaded)} judged rows" in got["data card"].read_text()


def check_nowhere(secret: str, folder: Path) -> None:
    """In no file of a server's folders, its logs included."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"stdout", "stderr", "store.db"} <= {path.name for path in files}
    assert [path for path in files if secret.encode() in path.read_bytes()] == []
