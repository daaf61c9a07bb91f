"""The analyzer: from explanations of low rows to gaps with figures."""

from pathlib import Path

import numpy as np
import pytest

from goalcover.agents.analyzer import ANALYSED, analyze, pick
from goalcover.agents.applicability import RowKind, RowKinds, SortAsk
from goalcover.agents.assignment import AssignAsk, Assigned, Assignment
from goalcover.agents.gap_names import ClaimReply, GapName, NameGapAsk, QuoteReply
from goalcover.memory.errors import ReplyFailure
from goalcover.memory.records import Analysis, Gap, LowRow, Subgoal
from goalcover.memory.store import Store
from goalcover.memory.vectors import VectorStore
from goalcover.tools.embeddings import Embedder
from goalcover.tools.model import Door
from goalcover.tools.scripted_model import ScriptedModel

RISKS = Subgoal(id="risks", name="Side effects", description="Warns about side effects.")
TAU = 0.5


class WordEmbedder(Embedder):
    """Texts that begin alike lie together, far from the others."""

    async def encode(self, texts):  # type: ignore[override]
        vectors = np.full((len(texts), 40), 0.01, dtype=np.float32)
        for i, text in enumerate(texts):
            vectors[i, sum(map(ord, text.split()[0])) % 32] = 1
            vectors[i, 32 + i % 8] += 0.05
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def vectors(tmp_path: Path) -> VectorStore:
    (tmp_path / "v").mkdir()
    return VectorStore(tmp_path / "v", "test")


def low_rows(*groups: tuple[str, int], score: float = 0.2) -> list[LowRow]:
    texts = [f"{word} number {i}" for word, count in groups for i in range(count)]
    return [
        LowRow(
            row=row,
            sample_id=f"id{row}",
            score=score,
            explanation=text,
            topic=f"{text.split()[0]} here",
            excerpt=f"excerpt {row}",
        )
        for row, text in enumerate(texts)
    ]


def weak(ask: SortAsk) -> RowKinds:
    return RowKinds(rows=[RowKind(row=row.row, calls_for_it=True) for row in ask.rows])


def by_first_word(ask: NameGapAsk) -> GapName:
    first = ask.members[0]
    quote = QuoteReply(row=first.row, text=first.explanation)
    word = first.explanation.split()[0]
    return GapName(name=f"{word} lacks", claims=[ClaimReply(text=f"{word} it is.", quotes=[quote])])


def by_word(ask: AssignAsk) -> Assignment:
    """Each row to the gap of its own first word."""
    gaps = {gap.name.removesuffix(" lacks"): gap.id for gap in ask.gaps}
    return Assignment(
        rows=[
            Assigned(row=row.row, gap=gaps.get(row.explanation.split()[0], "none"))
            for row in ask.rows
        ]
    )


def scripted(sort=weak, name=by_first_word, assign=by_word) -> ScriptedModel:
    scripts = {SortAsk: sort, NameGapAsk: name, AssignAsk: assign}
    return ScriptedModel(analyzer=lambda ask: scripts[type(ask)](ask))


def fails(ask: object) -> GapName:
    return ReplyFailure("no reply")  # type: ignore[return-value]


class Failing(ScriptedModel):
    """Gives no usable reply to some asks."""

    def __init__(self, *fail: type, **scripts) -> None:
        super().__init__(**scripts)
        self._fail = fail

    async def answer(self, ask):  # type: ignore[override]
        if isinstance(ask, self._fail):
            raise ReplyFailure("no reply")
        return await super().answer(ask)


async def found_in(
    model: ScriptedModel, rows: list[LowRow], store: Store, vectors: VectorStore
) -> tuple[list[Gap], Analysis]:
    door = Door(model, store, "run")
    return await analyze(door, vectors, WordEmbedder(), RISKS, rows, 999, TAU, seed=0)


THREE = (("opens", 14), ("costs", 10), ("grows", 8))


async def test_gaps_part_the_rows(store: Store, vectors: VectorStore) -> None:
    gaps, analysis = await found_in(scripted(), low_rows(*THREE), store, vectors)
    assert [(gap.name, gap.rows, gap.kind) for gap in gaps] == [
        ("opens lacks", 14, "weak"),
        ("costs lacks", 10, "weak"),
        ("grows lacks", 8, "weak"),
    ]
    assert sum(gap.prevalence for gap in gaps) == pytest.approx(1)
    assert sum(gap.shortfall for gap in gaps) == pytest.approx(1)
    assert {(gap.analysed, gap.low, gap.subgoal_id) for gap in gaps} == {(32, 999, "risks")}
    assert [gap.members for gap in gaps] == [[*range(14)], [*range(14, 24)], [*range(24, 32)]]
    for gap in gaps:
        assert gap.interval[0] < gap.prevalence < gap.interval[1]
    assert (analysis.clusters, analysis.unassigned, analysis.absent) == (3, 0, 0)
    assert analysis.seeds and analysis.subsamples
    assert analysis.seeds.mean == analysis.subsamples.mean == 1.0


async def test_every_claim_has_quotes_of_its_gaps_rows(store: Store, vectors: VectorStore) -> None:
    rows = low_rows(*THREE)
    gaps, _ = await found_in(scripted(), rows, store, vectors)
    for gap in gaps:
        assert len(gap.evidence) == 3
        for evidence in gap.evidence:
            source = rows[evidence.row]
            assert evidence.row in gap.members
            assert evidence.explanation == source.explanation
            assert (evidence.sample_id, evidence.excerpt) == (source.sample_id, source.excerpt)
        for quote in (quote for claim in gap.claims for quote in claim.quotes):
            assert quote.text in rows[quote.row].explanation


async def test_kinds_are_never_in_one_gap(store: Store, vectors: VectorStore) -> None:
    """Rows that speak alike are parted when some of them do not call for the capability."""

    def every_other(ask: SortAsk) -> RowKinds:
        return RowKinds(rows=[RowKind(row=r.row, calls_for_it=r.row % 2 == 0) for r in ask.rows])

    rows = low_rows(("opens", 40))
    gaps, analysis = await found_in(scripted(sort=every_other), rows, store, vectors)
    assert {gap.kind: {row % 2 for row in gap.members} for gap in gaps} == {
        "weak": {0},
        "absent": {1},
    }
    assert analysis.absent == 20


async def test_the_shortfall_weighs_rows_by_what_they_lack(
    store: Store, vectors: VectorStore
) -> None:
    rows = low_rows(("opens", 10), ("costs", 10))
    rows = [r.model_copy(update={"score": 0.0 if r.row < 10 else 0.4}) for r in rows]
    gaps, _ = await found_in(scripted(), rows, store, vectors)
    shares = {gap.name: gap.shortfall for gap in gaps}
    assert shares == pytest.approx({"opens lacks": 5 / 6, "costs lacks": 1 / 6})


async def test_clusters_that_get_one_name_are_one_gap(store: Store, vectors: VectorStore) -> None:
    def same(ask: NameGapAsk) -> GapName:
        found = by_first_word(ask)
        return found.model_copy(update={"name": "No warnings"})

    def first(ask: AssignAsk) -> Assignment:
        return Assignment(rows=[Assigned(row=r.row, gap=ask.gaps[0].id) for r in ask.rows])

    rows = low_rows(("opens", 12), ("costs", 9))
    (gap,), analysis = await found_in(scripted(name=same, assign=first), rows, store, vectors)
    assert (gap.rows, gap.prevalence, len(gap.evidence)) == (21, 1.0, 3)
    assert analysis.clusters == 2
    assert {claim.text for claim in gap.claims} == {"opens it is.", "costs it is."}


async def test_a_cluster_is_named_against_what_is_near_it(
    store: Store, vectors: VectorStore
) -> None:
    model = scripted()
    await found_in(model, low_rows(("opens", 12), ("costs", 9)), store, vectors)
    ask = next(ask for ask in model.asked if isinstance(ask, NameGapAsk))
    inside, outside = (
        {r.explanation.split()[0] for r in some} for some in (ask.members, ask.others)
    )
    assert len(inside) == len(outside) == 1 and inside != outside


async def test_rows_that_show_no_gap_are_in_none(store: Store, vectors: VectorStore) -> None:
    def none_for_odd(ask: AssignAsk) -> Assignment:
        found = by_word(ask)
        return Assignment(
            rows=[r.model_copy(update={"gap": "none"}) if r.row % 2 else r for r in found.rows]
        )

    gaps, analysis = await found_in(scripted(assign=none_for_odd), low_rows(*THREE), store, vectors)
    assert all(row % 2 == 0 for gap in gaps for row in gap.members)
    assert analysis.unassigned == 16


@pytest.mark.parametrize(
    ("failing", "told"),
    [
        (SortAsk, "32 of the kinds told by text rules"),
        (AssignAsk, "32 rows assigned to the nearest cluster"),
        (NameGapAsk, ""),
    ],
)
async def test_a_failed_call_costs_no_gap(
    failing: type, told: str, store: Store, vectors: VectorStore
) -> None:
    scripts = {SortAsk: weak, NameGapAsk: by_first_word, AssignAsk: by_word}
    model = Failing(failing, analyzer=lambda ask: scripts[type(ask)](ask))
    gaps, analysis = await found_in(model, low_rows(*THREE), store, vectors)
    assert sum(gap.rows for gap in gaps) == 32 or failing is NameGapAsk
    assert told in " ".join(analysis.how)
    if failing is NameGapAsk:
        (gap,) = await _merged(model, store, vectors)
        assert "rules" in gap.origin and gap.claims


async def _merged(model: ScriptedModel, store: Store, vectors: VectorStore) -> list[Gap]:
    """Gaps of rows that all say the same, named by rules."""

    def first(ask: AssignAsk) -> Assignment:
        return Assignment(rows=[Assigned(row=r.row, gap=ask.gaps[0].id) for r in ask.rows])

    model = Failing(
        NameGapAsk, analyzer=lambda ask: {SortAsk: weak, AssignAsk: first}[type(ask)](ask)
    )
    gaps, _ = await found_in(model, low_rows(("opens", 12)), store, vectors)
    return gaps


async def test_few_rows_are_one_gap_and_none_is_none(store: Store, vectors: VectorStore) -> None:
    (gap,), analysis = await found_in(scripted(), low_rows(("opens", 1)), store, vectors)
    assert (gap.rows, gap.prevalence) == (1, 1.0)
    assert analysis.seeds is None and analysis.subsamples is None
    gaps, analysis = await found_in(scripted(), [], store, vectors)
    assert (gaps, analysis.analysed) == ([], 0)


def test_at_most_so_many_rows_are_picked_the_same_each_time() -> None:
    rows = [(i, 0.2) for i in range(1000)]
    picked = pick(rows, RISKS, seed=1)
    assert len(picked) == ANALYSED
    assert picked == sorted(picked)
    assert picked == pick(rows, RISKS, seed=1)
    assert picked != pick(rows, RISKS, seed=2)
    assert pick(rows[:5], RISKS, seed=1) == rows[:5]
