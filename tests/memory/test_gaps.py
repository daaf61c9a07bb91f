"""Gaps of many runs in a real Chroma, found by what they say."""

import numpy as np
from reports import gap

from goalcover.memory.gaps import GapStore
from goalcover.memory.vectors import VectorStore


async def encode(texts) -> np.ndarray:
    """Texts that share their first letter are the same."""
    return np.stack([np.eye(26, dtype=np.float32)[ord(text[0].lower()) - 97] for text in texts])


async def test_a_run_finds_its_own_gaps_the_nearest_first(tmp_path):
    store = GapStore(VectorStore(tmp_path, "letters"))
    named = [gap(text).model_copy(update={"id": f"g-{text}"}) for text in ("doses", "risks")]
    await store.keep("one", named, encode)
    await store.keep("two", [gap("doses")], encode)
    found = await store.nearest("one", "rash", encode)
    assert [(one.id, similarity) for one, similarity in found] == [("g-risks", 1.0), ("g-doses", 0)]
    assert found[0][0] == named[1]
    assert await store.nearest("three", "rash", encode) == []


async def test_gaps_kept_again_replace_the_old_ones_and_none_is_no_error(tmp_path):
    store = GapStore(VectorStore(tmp_path, "letters"))
    await store.keep("one", [], encode)
    await store.keep("one", [gap("doses")], encode)
    await store.keep("one", [gap("risks")], encode)
    ((found, _),) = await store.nearest("one", "x", encode)
    assert found.name == "risks"


async def test_a_record_that_cannot_be_read_is_passed_over(tmp_path):
    vectors = VectorStore(tmp_path, "letters")
    await vectors.keep("gaps", {"one/old": ("doses", "{}")}, encode)
    assert await GapStore(vectors).nearest("one", "doses", encode) == []


async def test_a_run_is_forgotten_and_one_whose_name_begins_alike_is_not(tmp_path):
    store = GapStore(VectorStore(tmp_path, "letters"))
    store.forget("one")
    for run in ("one", "one-more"):
        await store.keep(run, [gap("doses")], encode)
    GapStore(VectorStore(tmp_path)).forget("one")
    assert await store.nearest("one", "doses", encode) == []
    assert len(await store.nearest("one-more", "doses", encode)) == 1
