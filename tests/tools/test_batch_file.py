"""The requests of a batch as lines, and what lines of its output say, without a server."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import DOSING, RISKS, THREE

from goalcover.memory.batches import Batch
from goalcover.tools import batch_file
from goalcover.tools.batch_file import RequestFile
from goalcover.tools.batch_replies import read_line
from goalcover.tools.chat_model import ChatModel

CHAT = ChatModel("m", "http://127.0.0.1:9/v1")
BATCH = Batch(
    key="k", judge="j", base_url="http://127.0.0.1:9/v1", id="batch_0", form="json_schema",
    fields=["messages"], requests=1, chunks={"c": [DOSING, RISKS]},
)  # fmt: skip

KEYS = ["error", "response", "status_code", "body", "code", "message", "choices"]


def test_a_file_says_when_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RequestFile(tmp_path / "new", 2) as file:
        assert file.add("s1", THREE, {"b": 1, "a": "é"}, again=False)
        assert file.add("s1", [DOSING], {"a": 2}, again=True)
        assert not file.add("s2", [DOSING], {"a": 3}, again=False)
        file.file.seek(0)
        lines = [json.loads(line) for line in file.file]
        assert [line["body"] for line in lines] == [{"b": 1, "a": "é"}, {"a": 2}]
        names = [f"{sample}-{chunk}" for sample, chunk, _ in file.requests]
        assert [line["custom_id"] for line in lines] == names and len(set(names)) == 2
        assert list(file.chunks.values()) == [THREE, [DOSING]] and file.samples == {"s1"}
        assert not list((tmp_path / "new").iterdir()), "it has no name"
    monkeypatch.setattr(batch_file, "MOST_BYTES", 10)
    with RequestFile(tmp_path, 2) as file:
        assert file.add("s1", THREE, {"a": 1}, again=False), "one request always fits"
        assert not file.add("s2", THREE, {"a": 1}, again=False)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["error", "response", "status_code", "body", "code", "message", "choices"]
                ),
                inner,
                max_size=3,
            )
        ),
    )
)
def test_no_line_of_output_is_an_exception(value: object) -> None:
    entry = {"custom_id": "s1-c"} | (value if isinstance(value, dict) else {"response": value})
    judged = read_line(BATCH, json.dumps(entry).encode(), CHAT)
    assert judged is None or set(judged.scores) == {DOSING.hash, RISKS.hash}
    assert read_line(BATCH, json.dumps(value).encode(), CHAT) is None
