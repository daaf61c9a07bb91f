"""Paid replies."""

from goalcover.memory.store import open_store


def test_a_reply_is_found_by_its_key(tmp_path):
    with open_store(tmp_path) as store:
        assert store.replies.get("k") is None
        store.replies.put("k", "role", "model", "first")
        store.replies.put("k", "role", "model", "second \u2028 😀")
        assert store.replies.get("k") == "second \u2028 😀"
