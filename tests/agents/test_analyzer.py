"""The analyzer: from explanations of low rows to named gaps."""

from pathlib import Path

import numpy as np
import pytest

from goalcover.agents.analyzer import ANALYSED, GapName, LowRow, NameGapAsk, analyze, pick
from goalcover.memory.records import Gap, Subgoal
from goalcover.memory.store import Store
from goalcover.memory.vectors import VectorStore
from goalcover.tools.embeddings import Embedder
from goalcover.tools.model import Door
from goalcover.tools.scripted_model import ScriptedModel

RISKS = Subgoal(id="risks", name="Side effects", description="Warns about side effects.")


class AxisEmbedder(Embedder):
    """Explanations that begin alike lie together, far from the others."""

    async def encode(self, texts):  # type: ignore[override]
        begins = sorted({"opens", "costs", "grows"})
        vectors = np.full((len(texts), 8), 0.01, dtype=np.float32)
        for i, text in enumerate(texts):
            vectors[i, begins.index(text.split()[0])] = 1
            vectors[i, 3 + i % 5] += 0.05
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def vectors(tmp_path: Path) -> VectorStore:
    (tmp_path / "v").mkdir()
    return VectorStore(tmp_path / "v", "test")


def low_rows(*groups: tuple[str, int]) -> list[LowRow]:
    texts = [f"{word} number {i}" for word, count in groups for i in range(count)]
    return [
        LowRow(row, f"id{row}", 0.2, text, f"{text.split()[0]} here", f"excerpt {row}")
        for row, text in enumerate(texts)
    ]


async def gaps_of(
    model: ScriptedModel, rows: list[LowRow], store: Store, vectors: VectorStore
) -> list[Gap]:
    door = Door(model, store, "run")
    return await analyze(door, vectors, AxisEmbedder(), RISKS, rows, 999, seed=0)


def name_by_first_word(ask: NameGapAsk) -> GapName:
    word = ask.members[0].split()[0]
    return GapName(name=f"No {word}", description=f"It {word}.")


async def test_gaps_part_the_rows(store: Store, vectors: VectorStore) -> None:
    rows = low_rows(("opens", 12), ("costs", 9), ("grows", 6))
    gaps = await gaps_of(ScriptedModel(analyzer=name_by_first_word), rows, store, vectors)
    assert [(gap.name, gap.rows) for gap in gaps] == [
        ("No opens", 12),
        ("No costs", 9),
        ("No grows", 6),
    ]
    assert sum(gap.prevalence for gap in gaps) == pytest.approx(1)
    assert {(gap.analysed, gap.low, gap.subgoal_id) for gap in gaps} == {(27, 999, "risks")}
    assert len({gap.id for gap in gaps}) == 3


async def test_evidence_is_taken_from_the_gaps_own_rows(store: Store, vectors: VectorStore) -> None:
    rows = low_rows(("opens", 12), ("costs", 9))
    gaps = await gaps_of(ScriptedModel(analyzer=name_by_first_word), rows, store, vectors)
    for gap in gaps:
        assert len(gap.evidence) == 3
        for evidence in gap.evidence:
            source = rows[evidence.row]
            assert evidence.explanation == source.explanation
            assert evidence.explanation.startswith(gap.name.removeprefix("No "))
            assert (evidence.sample_id, evidence.excerpt) == (source.sample_id, source.excerpt)


async def test_clusters_of_one_name_are_one_gap(store: Store, vectors: VectorStore) -> None:
    same = GapName(name="No warnings", description="None.")
    rows = low_rows(("opens", 12), ("costs", 9))
    model = ScriptedModel(analyzer=lambda ask: same)
    (gap,) = await gaps_of(model, rows, store, vectors)
    assert len(model.asked) == 2
    assert (gap.rows, gap.prevalence, len(gap.evidence)) == (21, 1.0, 3)


async def test_a_cluster_is_shown_beside_the_others(store: Store, vectors: VectorStore) -> None:
    model = ScriptedModel(analyzer=name_by_first_word)
    await gaps_of(model, low_rows(("opens", 12), ("costs", 9)), store, vectors)
    ask = model.asked[0]
    assert isinstance(ask, NameGapAsk)
    assert {text.split()[0] for text in ask.members} == {"opens"}
    assert {text.split()[0] for text in ask.others} == {"costs"}
    assert ask.terms[0] == "opens"
    user = ask.messages()[1]["content"]
    inside, outside = user.split("<<<EXPLANATIONS OUTSIDE IT")
    assert "- opens number" in inside
    assert "- costs number" not in inside
    assert "- costs number" in outside


async def test_few_rows_are_one_gap_and_none_is_none(store: Store, vectors: VectorStore) -> None:
    model = ScriptedModel(analyzer=name_by_first_word)
    (gap,) = await gaps_of(model, low_rows(("opens", 1)), store, vectors)
    assert (gap.rows, gap.prevalence) == (1, 1.0)
    assert await gaps_of(model, [], store, vectors) == []


def test_at_most_so_many_rows_are_picked_the_same_each_time() -> None:
    rows = [(i, 0.2) for i in range(1000)]
    picked = pick(rows, RISKS, seed=1)
    assert len(picked) == ANALYSED
    assert picked == sorted(picked)
    assert picked == pick(rows, RISKS, seed=1)
    assert picked != pick(rows, RISKS, seed=2)
    assert pick(rows[:5], RISKS, seed=1) == rows[:5]


async def name_of(embedded: Door, *members: str, terms: tuple[str, ...] = ()) -> GapName:
    return await embedded.ask(NameGapAsk(subgoal=RISKS, members=members, others=(), terms=terms))


async def test_an_embedded_name_says_what_the_rows_do_not_mention(embedded: Door) -> None:
    lacking = "Not mentioned: side, effects and warns. Nearest passage: “…”"
    named = await name_of(embedded, lacking, lacking, terms=("dosing", "effect", "tablets"))
    assert named.name == "Nothing on side effects in rows about dosing and tablets"
    assert named.description == "Most of these rows do not mention side, effects or warns."


async def test_an_embedded_name_of_rows_that_hold_the_words(embedded: Door) -> None:
    full = "Mentioned: side, effects and warns. Nearest passage: “…”"
    assert (await name_of(embedded, full)).name == "Little on side effects"


async def test_a_word_within_another_is_not_the_word(embedded: Door) -> None:
    named = await name_of(embedded, "Not mentioned: aside and effectsize. Nearest passage: “…”")
    assert named.name == "Little on side effects"
