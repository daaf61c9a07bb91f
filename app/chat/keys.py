"""Keys of the widgets of a review."""

import json
from collections.abc import Callable

from ...graph.session import Pending
from ...memory.records import content_hash
from .standing import Standing


def digest(pending: Pending) -> str:
    """Of all that is shown: what was typed under one review is not taken over by the next."""
    return content_hash(json.dumps(pending.payload, sort_keys=True))[:8]


def keys_of(found: Standing) -> Callable[..., str]:
    """Makes a widget's key of what it edits."""
    assert found.pending, "a review waits"
    start = f"{found.id}-{digest(found.pending)}"
    return lambda *parts: "-".join([start, *map(str, parts)])
