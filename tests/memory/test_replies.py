"""Paid replies and the usage ledger."""

from goalcover.memory.records import Usage
from goalcover.memory.store import open_store


def test_a_reply_is_found_by_its_key(tmp_path):
    with open_store(tmp_path) as store:
        assert store.replies.get("k") is None
        store.replies.put("k", "role", "model", "first")
        store.replies.put("k", "role", "model", "second \u2028 😀")
        assert store.replies.get("k") == "second \u2028 😀"


def test_usage_adds_up_by_run_role_and_model(tmp_path):
    paid = Usage(role="scorer", model="m", calls=1, tokens_in=10, tokens_out=5, seconds=0.5)
    with open_store(tmp_path) as store:
        for _ in range(3):
            store.replies.charge("run", paid)
        store.replies.charge("run", Usage(role="scorer", model="m", from_store=1))
        store.replies.charge("run", Usage(role="scorer", model="a", calls=1))
        store.replies.charge("other", paid)
        other_model, scorer = store.replies.usage("run")
    assert other_model == Usage(role="scorer", model="a", calls=1)
    assert scorer == Usage(
        role="scorer", model="m", calls=3, from_store=1, tokens_in=30, tokens_out=15, seconds=1.5
    )


def test_a_run_that_asked_nothing_has_no_usage(tmp_path):
    with open_store(tmp_path) as store:
        assert store.replies.usage("run") == []
