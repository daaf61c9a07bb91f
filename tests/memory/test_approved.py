"""What was approved in other runs, in a real Chroma: kept, found by its goal, forgotten."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from goalcover.memory import vectors
from goalcover.memory.approved import KIND, RESEMBLES, ApprovedStore
from goalcover.memory.errors import UserError
from goalcover.memory.records import Approved, Example, Goal, Specification, Subgoal
from goalcover.memory.vectors import VectorStore
from goalcover.tools.embeddings import Embedder

DRUGS = Goal(text="Answer patients' questions about their medication.", domain="medicine")


async def letters(texts: Sequence[str]) -> np.ndarray:
    """Unit vectors of how often each letter occurs."""
    counts = [[1 + text.lower().count(chr(c)) for c in range(97, 123)] for text in texts]
    vectors = np.asarray(counts, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def approved(run: str, goal: str = "Write SQL.", created: str = "2026-01-01T00:00:00Z") -> Approved:
    return Approved(
        id=run,
        created=created,
        specification=Specification(goal=Goal(text=goal), in_scope=["caf\u2028é 😀"]),
        subgoals=[
            Subgoal(
                id="a",
                name="n",
                description="d",
                counts="c",
                example=Example(input="x", output="y"),
                target_share=0.2,
            )
        ],
    )


@pytest.fixture
def memory(tmp_path: Path) -> ApprovedStore:
    return ApprovedStore(VectorStore(tmp_path, "letters"))


async def test_what_is_kept_is_listed_the_newest_first(memory):
    old = approved("old", created="2026-01-01T00:00:00+00:00")
    new = approved("new", created="2026-01-02T00:00:00+00:00")
    await memory.keep(new, letters)
    await memory.keep(old.model_copy(update={"similarity": 0.9}), letters)
    assert memory.list() == [new, old]


async def test_the_same_run_replaces_what_it_kept(memory):
    await memory.keep(approved("run", "Write SQL."), letters)
    again = approved("run", "Summarise contracts.")
    await memory.keep(again, letters)
    assert memory.list() == [again]
    found = await memory.nearest(Goal(text="Write SQL."), letters)
    assert found and found.specification == again.specification
    assert found.similarity is not None and found.similarity < 0.99


async def test_the_most_similar_goal_is_nearest(memory):
    for run, goal in [("sql", "Write SQL."), ("law", "Summarise contracts."), ("x", "Xxxxxx.")]:
        await memory.keep(approved(run, goal), letters)
    found = await memory.nearest(Goal(text="Summarise a contract."), letters)
    assert found and found.id == "law" and 0.9 < found.similarity < 1
    assert found == approved("law", "Summarise contracts.").model_copy(
        update={"similarity": found.similarity}
    )


async def test_domain_and_task_are_part_of_a_goal(memory):
    one = approved("medicine")
    one.specification.goal = Goal(text="Answer.", domain="medicine", task="dialogue")
    await memory.keep(one, letters)
    await memory.keep(approved("none", "Answer."), letters)
    found = await memory.nearest(one.specification.goal, letters)
    assert found and found.id == "medicine" and found.similarity == pytest.approx(1)


async def test_another_embedder_finds_only_its_own(tmp_path, memory):
    await memory.keep(approved("a"), letters)
    other = ApprovedStore(VectorStore(tmp_path, "other"))
    assert await other.nearest(Goal(text="Write SQL."), letters) is None
    await other.keep(approved("b", created="2026-01-02"), letters)
    found = await other.nearest(Goal(text="Write SQL."), letters)
    assert found and found.id == "b"
    assert [one.id for one in ApprovedStore(VectorStore(tmp_path)).list()] == ["b", "a"]


async def test_forgetting(tmp_path, memory):
    for run in "abc":
        await memory.keep(approved(run), letters)
    await ApprovedStore(VectorStore(tmp_path, "other")).keep(approved("d"), letters)
    without = ApprovedStore(VectorStore(tmp_path))
    with pytest.raises(UserError, match="under none, no"):
        without.forget(["a", "none", "no"])
    assert len(without.list()) == 4
    without.forget(["a", "d", "a"])
    assert sorted(one.id for one in without.list()) == ["b", "c"]
    assert without.clear() == 2 and without.list() == [] and without.clear() == 0
    assert await memory.nearest(Goal(text="Write SQL."), letters) is None


@pytest.mark.parametrize("record", ["", "{half", "[]", '{"id": "x", "colour": "red"}'])
async def test_a_record_that_cannot_be_read_is_left_out(tmp_path, memory, record):
    store = VectorStore(tmp_path, "letters")
    await store.keep(KIND, {"bad": ("Write SQL.", record)}, letters)
    assert memory.list() == []
    assert await memory.nearest(Goal(text="Write SQL."), letters) is None
    await memory.keep(approved("good", "Summarise contracts."), letters)
    assert [one.id for one in memory.list()] == ["good"]
    found = await memory.nearest(Goal(text="Write SQL."), letters)
    assert found and found.id == "good"
    assert memory.clear() == 2


def test_without_a_home_nothing_is_listed_and_nothing_made(tmp_path):
    nowhere = ApprovedStore(VectorStore(tmp_path / "none"))
    assert nowhere.list() == [] and nowhere.clear() == 0
    with pytest.raises(UserError, match="under a"):
        nowhere.forget(["a"])
    assert not (tmp_path / "none").exists()


KEEP = """
import asyncio, sys
from pathlib import Path
import numpy as np
from goalcover.memory.approved import ApprovedStore
from goalcover.memory.records import Approved
from goalcover.memory.vectors import VectorStore

async def encode(texts):
    return np.full((len(texts), 26), 26**-0.5, dtype=np.float32)

record = Approved.model_validate_json(sys.argv[2])
asyncio.run(ApprovedStore(VectorStore(Path(sys.argv[1]), "letters")).keep(record, encode))
"""


async def test_what_another_process_keeps_is_seen(tmp_path, memory):
    await memory.keep(approved("here", created="2026-01-01"), letters)
    assert len(memory.list()) == 1
    there = approved("there", created="2026-01-02")
    subprocess.run([sys.executable, "-c", KEEP, str(tmp_path), there.model_dump_json()], check=True)
    assert [one.id for one in memory.list()] == ["there", "here"]
    found = await memory.nearest(Goal(text="."), letters)
    assert found and found.id == "there"


async def test_a_disk_that_is_almost_full(memory, monkeypatch):
    await memory.keep(approved("a"), letters)
    monkeypatch.setattr(vectors, "ROOM", 2**62)
    for refused in (memory.clear, lambda: memory.forget(["a"])):
        with pytest.raises(UserError, match="almost full"):
            refused()
    with pytest.raises(UserError, match="almost full"):
        await memory.keep(approved("b"), letters)
    assert [one.id for one in memory.list()] == ["a"]


@pytest.mark.parametrize(
    ("goal", "resembles"),
    [
        (
            Goal(text="Wording aside, patients ask what their medicines do.", domain="medicine"),
            True,
        ),
        (Goal(text="Classify radiology reports by urgency.", domain="medicine"), False),
        (Goal(text="Answer questions about annual reports.", domain="finance"), False),
    ],
)
async def test_the_threshold_parts_goals(memory, embedder: Embedder, goal, resembles):
    one = approved("drugs")
    one.specification.goal = DRUGS
    await memory.keep(one, embedder.encode)
    found = await memory.nearest(goal, embedder.encode)
    assert found and (found.similarity >= RESEMBLES) == resembles
