"""Topics of real rows under the default embedder."""

import json
from pathlib import Path

from goalcover.memory.vectors import VectorStore
from goalcover.tools.datasets import DataSource, Table, load
from goalcover.tools.topics import SAMPLED, SEEN, find_topics, sampled_texts

HEART = ["beta blockers", "statins", "a pacemaker", "aspirin", "a stent", "warfarin", "ECG", "CPR"]
BREAD = ["sourdough", "rye flour", "yeast", "baguettes", "kneading", "crust", "proofing", "rolls"]

WHEN = ["at night", "after a run", "in winter", "on a plane", "at work", "in bed", "at school"]


def opened(folder: Path, rows: list[tuple[str, str]]) -> Table:
    lines = (json.dumps({"prompt": a, "completion": b}) + "\n" for a, b in rows)
    (folder / "rows.jsonl").write_text("".join(lines))
    return load(DataSource(path=str(folder / "rows.jsonl")), folder / "cache")


async def test_topics_are_found_and_named(tmp_path, embedder):
    heart = [(f"When do cardiologists use {w}?", f"{w} helps heart patients.") for w in HEART]
    bread = [(f"Tell me about {w} when baking.", f"{w} makes good bread.") for w in BREAD]
    table = opened(tmp_path, [*heart, *bread, *[("Anything on bread dough?", "Bread it is.")] * 2])
    topics = await find_topics(table, VectorStore(tmp_path, "e"), embedder, seed=0)
    assert sorted(row for topic in topics for row in topic.rows) == list(range(18))
    assert [t.share for t in topics] == sorted((len(t.rows) / 18 for t in topics), reverse=True)
    for topic in topics:  # no topic mixes hearts and bread
        assert len({row < len(HEART) for row in topic.rows}) == 1
    assert any("bread" in topic.name for topic in topics)
    assert topics == await find_topics(table, VectorStore(tmp_path, "e"), embedder, seed=0)


async def test_names_hold_phrases_and_no_word_twice(tmp_path, embedder):
    ears = [(f"My ear hurts {w}.", f"Earache {w}: time to rest.") for w in WHEN]
    pressure = [(f"Is my blood pressure high {w}?", f"Measure pressures {w}.") for w in WHEN]
    table = opened(tmp_path, [*ears, *pressure])
    names = [t.name for t in await find_topics(table, VectorStore(tmp_path, "e"), embedder, seed=0)]
    (name,) = (name for name in names if "pressure" in name)
    assert "blood pressure" in name and name.count("pressure") == 1
    assert not any(word in name.split() for name in names for word in ("time", "high", "is"))


async def test_rows_without_output_make_no_topic(tmp_path, embedder):
    table = opened(tmp_path, [("q", "")])
    assert await find_topics(table, VectorStore(tmp_path, "e"), embedder, seed=0) == []


def test_a_seeded_sample_of_a_large_table(tmp_path):
    table = opened(tmp_path, [(f"q{i} " + "x" * 2000, "y" * 2000) for i in range(SAMPLED + 100)])
    texts = sampled_texts(table, seed=1)
    assert len(texts) == SAMPLED
    assert list(texts) == sorted(texts) and texts == sampled_texts(table, seed=1)
    assert texts.keys() != sampled_texts(table, seed=2).keys()
    assert all(len(text) <= SEEN + 1 and text.startswith(f"q{i} ") for i, text in texts.items())
