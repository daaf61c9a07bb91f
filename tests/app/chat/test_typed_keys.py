"""Keys that were typed: for one server each, and sent to no other."""

import pytest

from goalcover.app.chat.typed_keys import TypedKeys
from goalcover.tools.chat_model import api_key

SECRET = "sk-very-secret-0123456789"
HERE, THERE = "http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"


def test_a_key_is_given_for_its_server_alone() -> None:
    keys = TypedKeys()
    keys.keep("a", f"{HERE}/", SECRET)
    assert keys.of("a", HERE) == SECRET
    assert keys.of("a", THERE) == keys.of("a", None) == keys.of("b", HERE) == ""
    with keys.used("a", HERE):
        assert api_key() == SECRET
    with keys.used("a", THERE):
        assert api_key() == ""
    keys.forget("a")
    assert keys.of("a", HERE) == ""


def test_another_address_drops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = TypedKeys()
    keys.keep("a", None, SECRET)
    assert keys.drop_for_other("a", None) == "" and keys.of("a", None) == SECRET
    monkeypatch.setenv("OPENAI_BASE_URL", THERE)
    for _ in range(2):
        assert "api.openai.com" in keys.drop_for_other("a", None)
    monkeypatch.delenv("OPENAI_BASE_URL")
    assert keys.of("a", None) == "" and keys.drop_for_other("a", None) == ""
    assert keys.drop_for_other("b", HERE) == ""


def test_a_key_is_not_shown_with_what_holds_it() -> None:
    keys = TypedKeys()
    keys.keep("a", HERE, SECRET)
    assert SECRET not in repr(vars(keys))
