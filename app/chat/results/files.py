"""Files that a person may take home."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import streamlit as st

MIME = {
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".zip": "application/zip",
}
UNKNOWN_MIME = "application/octet-stream"


def download_button(path: Path, title: str, key: str) -> None:
    """A button whose file is read when it is pressed, not each time that it is shown.

    title: ours, never a text of the data.
    """
    st.download_button(
        f"Download {title[:1].lower()}{title[1:]}",
        data=reading(path),
        file_name=path.name,
        mime=MIME.get(path.suffix, UNKNOWN_MIME),
        on_click="ignore",
        key=key,
        width="stretch",
    )


def reading(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")


def size_text(size: int) -> str:
    """ "1.2 MB"."""
    for unit, length in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= length:
            return f"{size / length:.1f} {unit}"
    return f"{size} B"
