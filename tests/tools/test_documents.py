"""Source documents as passages."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goalcover.memory.errors import UserError
from goalcover.memory.vectors import VectorStore
from goalcover.tools.documents import PASSAGE, nearest_passages, read_passages


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(alphabet=st.sampled_from("ab é.\n"), max_size=3000))
def test_passages_lose_no_text(tmp_path, text):
    path = tmp_path / "leaflet.txt"
    path.write_text(text, encoding="utf-8")
    found = read_passages([str(path)])
    assert "".join("".join(found.values()).split()) == "".join(text.split())
    assert all(passage.strip() for passage in found.values())


def test_passages_end_with_a_paragraph_and_have_a_name_each(tmp_path):
    for name in ("a.txt", "b.md"):
        paragraphs = [f"{name} {i} {'word ' * 60}".strip() for i in range(9)]
        (tmp_path / name).write_text("\ufeff" + "\n\n".join(paragraphs), encoding="utf-8")
    found = read_passages([str(tmp_path / "a.txt"), str(tmp_path / "b.md")])
    assert all(key.split("#")[0] == text.split()[0] for key, text in found.items())
    assert all(text.endswith("word") for text in found.values())
    assert sum(len(text) < PASSAGE for text in found.values()) <= 2  # the last of each file
    assert read_passages([]) == {}


@pytest.mark.parametrize("name", ["none.txt", "binary.txt", "."])
def test_an_unreadable_document_is_named(tmp_path, name):
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot read the document") as raised:
        read_passages([str(tmp_path / name)])
    assert "\n" not in str(raised.value)


async def test_the_nearest_passages_come_first(tmp_path, embedder):
    documents = {"a#1": "Bread is baked.", "a#2": "Take 5 mg of the drug.", "a#3": "It rains."}
    vectors = VectorStore(tmp_path, embedder.name)
    found = await nearest_passages(documents, "drug dosage", vectors, embedder, 2)
    assert found[0] == ("a#2", documents["a#2"])
    assert len(found) == 2
    assert await nearest_passages({}, "drug dosage", vectors, embedder, 2) == []
