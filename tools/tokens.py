"""How many tokens a text has: by tiktoken where its vocabulary is at hand, else estimated."""

import threading
from functools import lru_cache
from typing import Any

PER_TOKEN = 4
"""Characters per token, where no vocabulary can be had: a common rule for English."""

VERDICT = 120
"""Tokens that one verdict of a judge, with its explanation, is taken to have."""

WAIT = 10.0
"""Seconds that tiktoken may take to fetch a vocabulary: it sets no time limit of its own."""


def stay_here() -> None:
    """From now on this process fetches no vocabulary: it counts with those that are cached."""
    from tiktoken import load

    load.read_file = _no_file


def _no_file(place: str) -> bytes:
    raise FileNotFoundError(f"{place} is not fetched")


@lru_cache
def _encoding(model: str) -> Any:
    found: list[Any] = []

    def load() -> None:
        import tiktoken

        try:
            found.append(tiktoken.encoding_for_model(model))
        except KeyError:
            found.append(tiktoken.get_encoding("o200k_base"))

    def try_load() -> None:
        try:
            load()
        except Exception:  # no network, a proxy's error page, a broken cache: all mean "not here"
            found.clear()

    thread = threading.Thread(target=try_load, daemon=True)
    thread.start()
    thread.join(WAIT)
    return found[0] if found else None


def count_tokens(text: str, model: str) -> int:
    """Tokens of a text for a model; see `how_counted`."""
    encoding = _encoding(model)
    if encoding is None:
        return -(-len(text) // PER_TOKEN)
    return len(encoding.encode(text, disallowed_special=()))


def how_counted(model: str) -> str:
    encoding = _encoding(model)
    if encoding is None:
        return f"estimated at {PER_TOKEN} characters a token (tiktoken's vocabulary is not at hand)"
    return f"counted with tiktoken's {encoding.name}"
