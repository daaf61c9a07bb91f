"""The requests of one batch, as the lines of a file."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Self

from ..memory.batches import Request
from ..memory.records import Subgoal, content_hash
from .batch_api import ENDPOINT

MOST_REQUESTS, MOST_BYTES = 50_000, 100_000_000
"""Of one file: what servers take, and half the bytes that OpenAI takes."""


class RequestFile:
    """Requests, written as they are added. The file has no name: nothing is left after a kill.

    samples: whose requests it holds; chunks: the subgoals that they ask about, by a short key;
    fields: the names of what a request's body consists of.
    """

    def __init__(self, folder: Path, most: float) -> None:
        """It takes `most` requests, where the server's limit is not lower."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.file = TemporaryFile(dir=folder)  # noqa: SIM115
        self.requests: list[Request] = []
        self.samples: set[str] = set()
        self.chunks: dict[str, list[Subgoal]] = {}
        self.fields: list[str] = []
        self._most = min(MOST_REQUESTS, most)
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def add(
        self, sample: str, subgoals: Sequence[Subgoal], body: dict[str, Any], again: bool
    ) -> bool:
        """Whether there was room for it. An empty file has room for any request."""
        chunk = content_hash(*(subgoal.hash for subgoal in subgoals))[:16]
        name = f"{sample}-{chunk}"
        request = {"custom_id": name, "method": "POST", "url": ENDPOINT, "body": body}
        line = json.dumps(request).encode() + b"\n"
        full = len(self.requests) >= self._most or self._size + len(line) > MOST_BYTES
        if full and self.requests:
            return False
        self.file.write(line)
        self._size += len(line)
        self.requests.append((sample, chunk, again))
        self.samples.add(sample)
        self.chunks[chunk] = list(subgoals)
        self.fields = sorted(body)
        return True
