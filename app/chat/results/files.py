"""Files that a person may take home."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from ..text import label

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
    """A button whose file is read when it is pressed, not each time that it is shown. title: unlike
    any other's on the page."""
    st.download_button(
        label(f"Download {title[:1].lower()}{title[1:]}"),
        data=reading(path),
        file_name=path.name,
        mime=MIME.get(path.suffix, UNKNOWN_MIME),
        on_click="ignore",
        key=key,
        width="stretch",
        wrap=True,
    )


def reading(path: Path) -> Callable[[], BinaryIO]:
    """Opens the file; where it went away after the page was shown, gives a text that says so: all
    that Streamlit makes of an error is a traceback."""

    def read() -> BinaryIO:
        try:
            return path.open("rb")
        except OSError as error:
            reason = error.strerror or str(error)
            return BytesIO(f"{path} cannot be read: {reason}. Reload the page.\n".encode())

    return read


def size_text(size: int) -> str:
    """ "1.2 MB"."""
    for unit, length in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= length:
            return f"{size / length:.1f} {unit}"
    return f"{size} B"
