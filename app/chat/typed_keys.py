"""Keys that were typed, in memory alone."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from ...tools.chat_model import server_address, typed_key


@dataclass(frozen=True)
class _Typed:
    """key: empty once it was dropped, because another server is asked."""

    key: str = field(repr=False)
    address: str


class TypedKeys:
    """By session. Each belongs to the server that it was typed for, and is sent to no other."""

    def __init__(self) -> None:
        self._kept: dict[str, _Typed] = {}

    def keep(self, session_id: str, base_url: str | None, key: str) -> None:
        self._kept[session_id] = _Typed(key, server_address(base_url))

    def of(self, session_id: str, base_url: str | None) -> str:
        """The key for that server; "" for none."""
        kept = self._kept.get(session_id)
        return kept.key if kept and kept.address == server_address(base_url) else ""

    def used(self, session_id: str, base_url: str | None) -> AbstractContextManager[None]:
        """Within it models are asked with the key for that server, if one was typed."""
        return typed_key(self.of(session_id, base_url))

    def drop_for_other(self, session_id: str, base_url: str | None) -> str:
        """Drops a key that was typed for another server than this; gives its address, also of one
        that was dropped before, "" for none."""
        kept = self._kept.get(session_id)
        if kept is None or kept.address == server_address(base_url):
            return ""
        self._kept[session_id] = _Typed("", kept.address)
        return kept.address

    def forget(self, session_id: str) -> None:
        self._kept.pop(session_id, None)
