"""Token counts: exact where a vocabulary is at hand, else an estimate that says so."""

import pytest

from goalcover.tools.tokens import PER_TOKEN, count_tokens, how_counted, stay_here


@pytest.fixture
def no_network(tmp_path, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("a" * PER_TOKEN, 1), ("a" * (PER_TOKEN + 1), 2)]
)
def test_without_a_vocabulary_tokens_are_estimated(no_network, text, tokens):
    # Its vocabulary is one that no other test loads.
    assert count_tokens(text, "code-davinci-edit-001") == tokens
    assert "estimated" in how_counted("code-davinci-edit-001")


def test_with_a_vocabulary_tokens_are_counted(monkeypatch):
    import tiktoken
    import tiktoken.registry

    one_per_byte = tiktoken.Encoding(
        name="o200k_base",
        pat_str=r"[\s\S]",
        mergeable_ranks={bytes([byte]): byte for byte in range(256)},
        special_tokens={"<|endoftext|>": 256},
    )
    monkeypatch.setitem(tiktoken.registry.ENCODINGS, "o200k_base", one_per_byte)
    model = "a-model-that-tiktoken-does-not-know"
    assert count_tokens("<|endoftext|>", model) == len("<|endoftext|>")
    assert count_tokens("é", model) == 2
    assert "estimated" not in how_counted(model) and "o200k_base" in how_counted(model)


def test_a_process_that_stays_here_fetches_no_vocabulary(tmp_path, monkeypatch):
    from tiktoken import load

    asked = []
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("requests.get", asked.append)
    monkeypatch.setattr(load, "read_file", load.read_file)  # is put back
    stay_here()
    # Its vocabulary is one that no other test loads.
    assert "estimated" in how_counted("text-davinci-edit-001") and asked == []
    with pytest.raises(FileNotFoundError):
        load.read_file_cached("https://elsewhere.example/vocabulary")
