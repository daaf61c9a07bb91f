"""Rows without a language model: passages of the user's own texts, and nothing else."""

from goalcover.agents.extracts import Extract, extract
from goalcover.agents.generator import GenerateAsk, Wanted, generate
from goalcover.memory.records import Cell, Gap, Goal, Source, Specification, Subgoal
from goalcover.tools.embeddings import Embedder
from goalcover.tools.model import Door

RISKS = Subgoal(
    id="risks", name="Side effects", description="Warns about the side effects of medicines."
)
LEAFLETS = [
    "Common side effects of this pain medicine include stomach upset, nausea and dizziness.",
    "Serious side effects of blood thinning medicines include unusual bleeding; call a doctor.",
    "This medicine may cause drowsiness as a side effect, so patients should avoid driving.",
]
ROWS = [
    Source(
        id=f"row{i}", input=f"Is medicine {i} safe?", output=f"{text}\nOur office opens at nine."
    )
    for i, text in enumerate(LEAFLETS)
]
MANUAL = Source(
    id="manual.txt#1",
    input="",
    output="Allergic reactions such as a rash are rare side effects of many common medicines.",
)


async def extracted(embedder: Embedder, *sources: Source, tried: set[str] | None = None, count=9):
    documents = [source for source in sources if not source.input]
    exemplars = [source for source in sources if source.input]
    return await extract(RISKS, exemplars, documents, tried or set(), count, embedder)


async def test_questions_and_passages_are_those_of_two_sources(embedder: Embedder) -> None:
    rows = await extracted(embedder, *ROWS, MANUAL)
    by_id = {source.id: source for source in (*ROWS, MANUAL)}
    assert len(rows) >= 3
    for row in rows:
        first, second = (by_id[name] for name in row.sources)
        for source in (first, second):
            assert any(line in row.output for line in source.output.split("\n"))
            asked = source.input or f"What does this mean: “{source.output[:40]}"
            assert asked in row.input
        assert "side effects" not in row.input.replace(MANUAL.output[:79], ""), (
            "the subgoal's name is not put into the question"
        )


async def test_no_pair_of_sources_comes_twice_in_any_round(embedder: Embedder) -> None:
    seen: list[Extract] = []
    for _ in range(5):
        seen += await extracted(embedder, *ROWS, tried={row.output for row in seen}, count=1)
    pairs = [frozenset(row.sources) for row in seen]
    assert len(pairs) == len(set(pairs)) == 3


async def test_one_source_alone_would_be_a_copy(embedder: Embedder) -> None:
    assert await extracted(embedder, ROWS[0]) == []
    twins = [ROWS[0].model_copy(update={"id": f"t{i}"}) for i in range(3)]
    assert await extracted(embedder, *twins) == []


async def test_passages_off_the_subgoal_make_no_row(embedder: Embedder) -> None:
    off = Source(id="o", input="When?", output="The library opens at nine and closes at six daily.")
    assert await extracted(embedder, off, ROWS[0]) == []
    assert await extracted(embedder) == []


async def test_extracts_are_the_same_each_time(embedder: Embedder) -> None:
    assert await extracted(embedder, *ROWS) == await extracted(Embedder(), *ROWS)


async def test_the_embedded_generator_claims_no_cell(embedded: Door) -> None:
    gap = Gap(id="g1", subgoal_id="risks", kind="absent", name="None", claims=[], prevalence=1,
              interval=(0, 1), shortfall=1, rows=1, analysed=1, low=1)  # fmt: skip
    wanted = [Wanted(id=f"plan-cell-{i}", cell=Cell(difficulty=str(i))) for i in range(9)]
    found = await generate(
        embedded,
        GenerateAsk(
            specification=Specification(goal=Goal(text="Warn.")),
            subgoal=RISKS,
            gap=gap,
            format="",
            exemplars=tuple(ROWS),
            wanted=tuple(wanted),
            round=1,
        ),
    )
    assert len(found) == 3 and {c.origin for c in found} == {"extractive"}
    assert all(c.cell == Cell() and not c.refused for c in found)
    assert all(len(c.sources) == 2 for c in found)
