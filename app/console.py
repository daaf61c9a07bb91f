"""A console for texts that nobody here wrote: rows, names and models' words."""

import re
from collections.abc import Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys instead of showing it: control characters but tab and line feed, line and
paragraph separators, changes of direction. They have no width, so tables stay straight."""


def printable(text: str) -> str:
    """Without what a terminal obeys, and without halves of emoji, which cannot be encoded."""
    return _COMMANDS.sub("", text).encode("utf-8", "replace").decode()


class PlainConsole(Console):
    """Prints no control character but rich's own, and takes no ":100:" for an emoji."""

    def __init__(self, **options: Any) -> None:
        super().__init__(emoji=False, **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)
