"""Whether the evaluation of gaps counts right, on small sets of our own writing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from goalcover.app.cli import app
from goalcover.evals import gaps, grouping, withheld
from goalcover.evals.intervals import mean, ratio
from goalcover.evals.planted import (
    DOMAINS,
    PlantedRow,
    PlantedSet,
    benchmark_rows,
    capabilities,
    labelled_kinds,
    pooled_sets,
    task_sets,
)
from goalcover.memory.errors import UserError
from goalcover.memory.records import Subgoal
from goalcover.tools.embeddings import Embedder

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
        return PlantedRow("r", "", score, text, kind)

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


def test_two_kinds_in_one_cluster_are_parted() -> None:
    texts = ["The dose is missing for {}."] * SMALL + ["Nothing to do with the dose: {}."] * SMALL
    rows = tuple(
        PlantedRow(str(i), "", 0.0, text.format(THINGS[i % 8]), None)
        for i, text in enumerate(texts)
    )
    planted = PlantedSet("s", "pooled", "dev", Subgoal(id="s", name="S", description="D."), rows,
                         np.repeat([0, 1], SMALL), ("a", "b"))  # fmt: skip
    same = np.ones((2 * SMALL, 4), dtype=np.float32)
    for method in ("clusters parted by kind", "each kind apart"):
        labels = grouping.METHODS[method](planted, same, 0)
        assert grouping.matches(labels, planted.labels) == (2, 2, 2)


# The whole


def test_the_command_prints_and_writes_the_figures(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    done = CliRunner().invoke(app, ["eval", "gaps", "--data", str(data), "--split", "all",
                                    "--out", str(out)], env={"COLUMNS": "160"})  # fmt: skip
    assert done.exit_code == 0, done.output
    for word in ("recall", "precision", "k-means", "random", "Stability", "Kinds", "missing"):
        assert word in done.output
    figures = json.loads(out.read_text())
    own = {(r["family"], r["method"]): r for r in figures["gaps"]}
    pooled = own["pooled", "clusters"]
    assert pooled["recall"]["value"] == pooled["precision"]["value"] == 1.0
    assert own["tasks", "clusters"]["recall"]["value"] > own["tasks", "random"]["recall"]["value"]
    assert figures["missing"]["sets"] == 3


def test_the_same_seed_gives_the_same_figures(data: Path, embedder: Embedder) -> None:
    def figures() -> gaps.Evaluation:
        return gaps.run(data, "test", 3, embedder.name, lambda done, total: None)

    assert figures() == figures()


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
        gaps.run(data, "all", 0, "all-MiniLM-L6-v2", lambda done, total: None)


@pytest.mark.skipif(not DATA.exists(), reason="the data is not part of the project")
def test_real_rows_have_the_labelled_ids() -> None:
    assert len(benchmark_rows(DATA)) == 765
    assert {planted.family for planted in pooled_sets(DATA, 1, 0, by_kind=True)} == {"kinds"}
    found = gaps._kinds(DATA, task_sets(DATA, 1, 0), "dev")
    assert found[0].accuracy.of == 130
    assert (found[0].accuracy.value or 0) > (found[0].baseline.value or 1)
