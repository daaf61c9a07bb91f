"""Whether the evaluation of gaps counts right, on small sets of our own writing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answers import answer
from fake_server import FakeServer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from goalcover.agents.applicability import RowKind, RowKinds, SortAsk
from goalcover.agents.assignment import AssignAsk, Assigned, Assignment
from goalcover.agents.gap_names import ClaimReply, GapName, NameGapAsk, QuoteReply
from goalcover.app.cli import app
from goalcover.evals.gaps import delivered, grouping, withheld
from goalcover.evals.gaps import evaluation as gaps
from goalcover.evals.gaps.planted import (
    DOMAINS,
    PlantedRow,
    PlantedSet,
    benchmark_rows,
    capabilities,
    labelled_kinds,
    pooled_sets,
    task_sets,
)
from goalcover.evals.intervals import mean, ratio
from goalcover.memory.errors import ReplyFailure, UserError
from goalcover.memory.records import Quote, Spent, Subgoal
from goalcover.memory.store import Store
from goalcover.memory.vectors import VectorStore
from goalcover.tools.embedded_model import EmbeddedModel
from goalcover.tools.embeddings import Embedder
from goalcover.tools.model import Door, Model
from goalcover.tools.scripted_model import ScriptedModel
from goalcover.tools.settings import ModelConfig

DATA = Path(__file__).parents[3] / "shared" / "data"
SMALL = 7
TASKS = {
    "travel_plan": ("planning", "a train journey to {}", "the timetable and the hotel"),
    "meal_plan": ("planning", "a dinner with {}", "the recipe and the shopping list"),
    "poem_writing": ("multilingual", "a rhyme about {}", "the metre of the verse"),
    "robust_translation": ("multilingual", "a proverb on {}", "the meaning of the idiom"),
}
THINGS = ("fish", "rain", "gold", "bread", "stone", "wine", "snow", "salt")
SUBGOALS = {
    "dosing": "No dose of the drug is given for {}, so dosing is not shown.",
    "citing": "The paragraph on {} lacks a reference to any study or author.",
}


def benchmark() -> list[dict[str, Any]]:
    return [
        {
            "id": f"{task}-{thing}",
            "capability": capability,
            "task": task,
            "input": f"Please write {about.format(thing)}.",
            "reference_answer": f"Here is {about.format(thing)} with {aim}.",
            "score_rubric": {
                f"score{level}_description": f"The response {fault} {aim} for {thing}."
                for level, fault in ((1, "fails at"), (2, "omits much of"), (3, "is vague about"))
            },
        }
        for task, (capability, about, aim) in TASKS.items()
        for thing in THINGS
    ]


def judged() -> list[dict[str, Any]]:
    return [
        {
            "id": f"row-{thing}",
            "input": f"A question about {thing}?",
            "output": f"An answer about {thing}.",
            "scores": dict.fromkeys(SUBGOALS, 0.2),
            "explanations": {name: text.format(thing) for name, text in SUBGOALS.items()},
        }
        for thing in (*THINGS, *(f"old {thing}" for thing in THINGS))
    ]


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(gaps, "TASK_SETS", 2)
    monkeypatch.setattr(gaps, "POOLED_SETS", 2)
    monkeypatch.setattr(withheld, "SETS", 3)
    folder = tmp_path / "data"
    write(folder / "biggen_bench.jsonl", benchmark())
    for domain in DOMAINS:
        write(folder / "gold" / f"{domain}.jsonl", judged())
    return folder


# What is packaged


def test_the_labels_are_of_both_kinds_and_each_row_has_one() -> None:
    labels = labelled_kinds()
    assert set(labels) == set(DOMAINS)
    assert {known.split for known in labels.values()} == {"dev", "test"}
    total = 0
    for known in labels.values():
        for by_kind in known.labels.values():
            absent, weak = set(by_kind["absent"]), set(by_kind["weak"])
            assert not absent & weak
            total += len(absent) + len(weak)
    assert total >= 200


def test_capabilities_are_split() -> None:
    assert {known.split for known in capabilities().values()} == {"dev", "test"}


# The sets


def test_a_set_of_tasks_knows_the_gap_of_each_row(data: Path) -> None:
    sets = task_sets(data, 3, 0)
    assert {planted.id.rsplit("-")[0] for planted in sets} == {"planning", "multilingual"}
    for planted in sets:
        assert len(planted.rows) == len(planted.labels) >= 12
        for row, label in zip(planted.rows, planted.labels, strict=True):
            assert row.id.startswith(planted.names[label])
            own = TASKS[planted.names[label]][0] == planted.subgoal.id
            assert row.kind == ("weak" if own else "absent")
            assert 0 <= row.score < 0.5
    again = task_sets(data, 3, 0)
    assert [p.rows for p in sets] == [p.rows for p in again], "seeded"
    assert [p.rows for p in sets] != [p.rows for p in task_sets(data, 3, 1)]


def test_a_pooled_set_knows_the_subgoal_of_each_row(data: Path) -> None:
    sets = pooled_sets(data, 2, 0)
    assert len(sets) == 2 * len(DOMAINS)
    for planted in sets:
        assert set(planted.names) == set(SUBGOALS)
        for row, label in zip(planted.rows, planted.labels, strict=True):
            start = SUBGOALS[planted.names[label]].split("{")[0]
            assert row.explanation.startswith(start)
    assert pooled_sets(data, 2, 0, by_kind=True) == [], "no row of ours is labelled"


# Counting


@pytest.mark.parametrize(
    ("found", "planted", "expected"),
    [
        ([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0], (2, 2, 2)),
        ([0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1], (1, 1, 2)),
        ([0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 2, 2], (0, 1, 3)),
        ([0, 1, 2, 0, 1, 2], [0, 0, 0, 1, 1, 1], (0, 3, 2)),
        ([0, 0, -1, 1, 1, -1], [0, 0, 0, 1, 1, 1], (2, 2, 2)),
        ([-1, -1], [0, 0], (0, 0, 1)),
        ([], [], (0, 0, 0)),
    ],
)
def test_found_gaps_match_planted_ones_by_half_of_their_rows(
    found: list[int], planted: list[int], expected: tuple[int, int, int]
) -> None:
    assert grouping.matches(np.array(found, int), np.array(planted, int)) == expected


@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 4)), max_size=30))
def test_matching_is_one_to_one(pairs: list[tuple[int, int]]) -> None:
    found, planted = (np.array([pair[i] for pair in pairs], int) for i in (0, 1))
    hits, ours, theirs = grouping.matches(found, planted)
    assert 0 <= hits <= min(ours, theirs)
    assert grouping.matches(planted, planted)[0] == len(set(planted.tolist()))


def test_purity_is_the_share_of_the_most_frequent() -> None:
    assert grouping.purity(np.array([0, 0, 0, 1, -1]), np.array([0, 0, 1, 1, 0])) == 0.75


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_an_interval_holds_its_ratio_within_bounds(pairs: list[tuple[int, int]]) -> None:
    parts, wholes = [min(pair) for pair in pairs], [max(pair) for pair in pairs]
    rate = ratio(parts, wholes, 0)
    if sum(wholes) == 0:
        assert rate.value is None and rate.interval is None
    else:
        assert rate.value == pytest.approx(sum(parts) / sum(wholes))
        assert rate.interval and 0 <= rate.interval[0] <= rate.interval[1] <= 1
        assert rate == ratio(parts, wholes, 0)


def test_a_mean_of_equals_has_no_width() -> None:
    assert mean([0.5, 0.5, 0.5], 0).interval == (0.5, 0.5)


def test_kinds_are_counted_where_they_are_known() -> None:
    def row(text: str, score: float, kind: Any) -> PlantedRow:
        return PlantedRow("r", "", "", score, text, kind)

    rows = [
        row("It has nothing to do with dosing.", 0.0, "absent"),
        row("The letter sets a deadline and the summary drops it.", 0.0, "weak"),
        row("The answer is thin.", 0.4, "absent"),
        row("Not labelled.", 0.0, None),
    ]
    found = gaps.kinds_of("ours", rows)
    assert (found.accuracy.value, found.accuracy.of) == (pytest.approx(2 / 3), 3)
    assert found.baseline.value == pytest.approx(1 / 3)
    assert gaps.kinds_of("none", []).accuracy.value is None


def planted_set(*texts: str, each: int = SMALL) -> PlantedSet:
    """`each` rows of every text, a gap of its own, with things in place of {}."""
    rows = tuple(
        PlantedRow(f"{gap}-{i}", f"About {THINGS[i % 8]}?", f"So much for {THINGS[i % 8]}.", 0.0,
                   text.format(THINGS[i % 8]), None)
        for gap, text in enumerate(texts) for i in range(each)
    )  # fmt: skip
    return PlantedSet(
        id="s",
        family="pooled",
        split="dev",
        subgoal=Subgoal(id="s", name="Safety", description="Says what is safe."),
        rows=rows,
        labels=np.repeat(range(len(texts)), each),
        names=tuple(map(str, range(len(texts)))),
    )


def test_two_kinds_in_one_cluster_are_parted() -> None:
    planted = planted_set("The dose is missing for {}.", "Nothing to do with the dose: {}.")
    same = np.ones((2 * SMALL, 4), dtype=np.float32)
    for method in ("clusters parted by kind", "each kind apart"):
        labels = grouping.METHODS[method](planted, same, 0)
        assert grouping.matches(labels, planted.labels) == (2, 2, 2)


# What is delivered

FAULTS = (
    "The dose of the drug is left out in the advice on {}.",
    "The advice on {} cites no study and no author as its source.",
)


def sorted_weak(ask: SortAsk) -> RowKinds:
    return RowKinds(rows=[RowKind(row=row.row, calls_for_it=True) for row in ask.rows])


def named_by_first(ask: NameGapAsk) -> GapName:
    first = ask.members[0]
    quote = QuoteReply(row=first.row, text=first.explanation)
    name = "No dose" if "dose" in first.explanation else "No source"
    return GapName(name=name, claims=[ClaimReply(text=f"{name}.", quotes=[quote])])


def shown_by_words(ask: AssignAsk) -> Assignment:
    """Rows on salt show no gap."""
    found = {gap.name: gap.id for gap in ask.gaps}

    def gap(text: str) -> str:
        return "none" if "salt" in text else found["No dose" if "dose" in text else "No source"]

    return Assignment(rows=[Assigned(row=r.row, gap=gap(r.explanation)) for r in ask.rows])


SCRIPTS = {SortAsk: sorted_weak, NameGapAsk: named_by_first, AssignAsk: shown_by_words}


@pytest.fixture
def vectors(tmp_path: Path) -> VectorStore:
    (tmp_path / "v").mkdir()
    return VectorStore(tmp_path / "v", "test")


async def evaluated(
    model: Model, store: Store, vectors: VectorStore, embedder: Embedder, *texts: str
) -> tuple[grouping.Result, delivered.Delivery]:
    door, planted = Door(model, store, "run"), planted_set(*texts, each=8)
    steps: list[tuple[int, int]] = []
    results, (figures,) = await gaps.evaluate(
        door, vectors, embedder, [planted], 0, lambda done, total: steps.append((done, total))
    )
    assert [result.method for result in results] == [gaps.DELIVERED, *grouping.METHODS]
    assert steps == [(i, 7) for i in range(1, 7)], "a set and five methods; the last is to come"
    return results[0], figures


async def test_the_rows_of_a_found_gap_are_its_members(
    store: Store, vectors: VectorStore, embedder: Embedder
) -> None:
    model = ScriptedModel(analyzer=lambda ask: SCRIPTS[type(ask)](ask))
    result, figures = await evaluated(model, store, vectors, embedder, *FAULTS)
    assert (result.recall.value, result.precision.value, result.purity.value) == (1, 1, 1)
    assert figures.unassigned.value == pytest.approx(2 / 16)
    assert (figures.gaps.value, figures.planted.value) == (2, 2)
    assert (figures.claims, figures.bare, figures.untrue, figures.by_rules) == (2, 0, 0, 0)


async def test_clusters_that_get_one_name_are_one_found_gap(
    store: Store, vectors: VectorStore, embedder: Embedder
) -> None:
    """What the clusters alone do not show."""

    def same(ask: NameGapAsk) -> GapName:
        return named_by_first(ask).model_copy(update={"name": "No dose"})

    def first(ask: AssignAsk) -> Assignment:
        return Assignment(rows=[Assigned(row=r.row, gap=ask.gaps[0].id) for r in ask.rows])

    scripts = {SortAsk: sorted_weak, NameGapAsk: same, AssignAsk: first}
    model = ScriptedModel(analyzer=lambda ask: scripts[type(ask)](ask))
    result, figures = await evaluated(model, store, vectors, embedder, *FAULTS)
    assert (figures.clusters.value, figures.gaps.value) == (2, 1)
    assert (result.recall.value, result.precision.value) == (0.5, 1)


async def test_the_embedded_model_keeps_what_differs_apart(
    store: Store, vectors: VectorStore, embedder: Embedder
) -> None:
    model = EmbeddedModel(embedder)
    result, figures = await evaluated(model, store, vectors, embedder, *FAULTS)
    assert (result.recall.value, result.precision.value) == (1, 1)
    assert figures.quotes >= figures.claims >= 2
    assert (figures.bare, figures.untrue, figures.by_rules) == (0, 0, 0)


async def test_sets_in_which_the_rules_stood_in_are_counted(
    store: Store, vectors: VectorStore, embedder: Embedder
) -> None:
    class Unnamed(ScriptedModel):
        async def answer(self, ask):  # type: ignore[override]
            if isinstance(ask, AssignAsk):
                raise ReplyFailure("no reply")
            return await super().answer(ask)

    model = Unnamed(analyzer=lambda ask: SCRIPTS[type(ask)](ask))
    result, figures = await evaluated(model, store, vectors, embedder, *FAULTS)
    assert figures.by_rules == 1 and result.recall.value == 1


@pytest.mark.parametrize(
    ("row", "source", "text", "true"),
    [
        (0, "explanation", "dose of the drug", True),
        (0, "row", "About fish? → So", True),
        (0, "explanation", "dose of a drug", False),
        (0, "row", "dose of the drug", False),
        (0, "explanation", " ", False),
        (99, "explanation", "dose of the drug", False),
    ],
)
def test_a_quote_stands_where_it_says(row: int, source: Any, text: str, true: bool) -> None:
    rows = delivered.low_rows(planted_set(*FAULTS))
    assert delivered.stands(Quote(row=row, source=source, text=text), rows) is true


# The whole


def test_the_command_prints_and_writes_the_figures(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures"
    done = CliRunner().invoke(app, ["eval", "gaps", "--data", str(data), "--split", "all",
                                    "--out", str(out)], env={"COLUMNS": "160"})  # fmt: skip
    assert done.exit_code == 0, done.output
    for word in ("recall", "delivered", "k-means", "random", "Stability", "Kinds", "missing"):
        assert word in done.output
    figures = json.loads((out / "gaps.json").read_text())
    own = {(r["family"], r["method"]): r for r in figures["gaps"]}
    pooled = own["pooled", "clusters"]
    assert pooled["recall"]["value"] == pooled["precision"]["value"] == 1.0
    assert own["tasks", "clusters"]["recall"]["value"] > own["tasks", "random"]["recall"]["value"]
    assert own["pooled", gaps.DELIVERED]["recall"]["value"] == 1.0
    assert {d["family"]: (d["bare"], d["untrue"]) for d in figures["deliveries"]} == {
        "tasks": (0, 0),
        "pooled": (0, 0),
    }
    assert figures["missing"]["sets"] == 3
    assert figures["model"].startswith("embedded")


def test_a_model_is_asked_once_and_its_calls_are_told(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "TASK_SETS", 1)
    monkeypatch.setattr(gaps, "POOLED_SETS", 1)
    out = tmp_path / "figures"
    with FakeServer(answer) as server:
        args = ["eval", "gaps", "--data", str(data), "--split", "test", "--out", str(out),
                "--model", "m", "--base-url", server.base_url]  # fmt: skip
        first = CliRunner().invoke(app, args)
        asked = len(server.requests)
        again = CliRunner().invoke(app, args)
        assert len(server.requests) == asked
    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    assert asked >= 6 and f"Spent: {asked} calls" in first.output
    figures = json.loads((out / "gaps.json").read_text())
    assert figures["model"].startswith("m ")
    for own in figures["deliveries"]:
        assert own["claims"] and (own["bare"], own["untrue"], own["by_rules"]) == (0, 0, 0)


def evaluation(data: Path, split: Any, seed: int = 0) -> gaps.Evaluation:
    def quiet(done: int, total: int, spent: Spent) -> None: ...

    return asyncio.run(gaps.run(ModelConfig(seed=seed), data, split, quiet))[0]


def test_the_same_seed_gives_the_same_figures(data: Path) -> None:
    assert evaluation(data, "test", 3) == evaluation(data, "test", 3)


@pytest.mark.parametrize("lacking", ["biggen_bench.jsonl", "gold/legal.jsonl"])
def test_what_is_missing_is_said_in_a_line(data: Path, lacking: str) -> None:
    (data / lacking).unlink()
    done = CliRunner().invoke(app, ["eval", "gaps", "--data", str(data)])
    assert done.exit_code == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("goalcover: ")]
    assert lacking in line and "No such file" in line


@pytest.mark.parametrize(("content", "said"), [("{", "no JSONL"), ('{"id": 1}', "lacks capability"),
                                               ("[]", "row 1"), ("", "no set")])  # fmt: skip
def test_another_file_is_refused(data: Path, content: str, said: str) -> None:
    (data / "biggen_bench.jsonl").write_text(content)
    for domain in DOMAINS:
        (data / "gold" / f"{domain}.jsonl").write_text("")
    with pytest.raises(UserError, match=said):
        evaluation(data, "all")


@pytest.mark.skipif(not DATA.exists(), reason="the data is not part of the project")
def test_real_rows_have_the_labelled_ids() -> None:
    assert len(benchmark_rows(DATA)) == 765
    assert {planted.family for planted in pooled_sets(DATA, 1, 0, by_kind=True)} == {"kinds"}
    found = gaps._kinds(DATA, task_sets(DATA, 1, 0), "dev")
    assert found[0].accuracy.of == 130
    assert (found[0].accuracy.value or 0) > (found[0].baseline.value or 1)
