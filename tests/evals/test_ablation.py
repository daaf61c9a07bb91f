"""Whether the ablation counts right: pairs, matches, samples, and what is measured of a run."""

import itertools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from answers import support_rows
from hypothesis import given
from hypothesis import strategies as st
from judging import sample
from scipy.stats import wilcoxon

from goalcover.evals.ablation import cases, measures, planted, runs
from goalcover.evals.ablation.cases import choose, sampled
from goalcover.evals.ablation.records import RunFigures, of_planted, of_runs
from goalcover.evals.ablation.report import Ablation
from goalcover.evals.gaps.planted import PlantedRow, PlantedSet
from goalcover.evals.paired import paired, signed
from goalcover.evals.statistics import sign_flips
from goalcover.graph import session
from goalcover.graph.session import Pending
from goalcover.graph.state import State
from goalcover.memory.errors import UserError
from goalcover.memory.records import (
    Candidate,
    PlanItem,
    Score,
    Specification,
    Subgoal,
    SynthesisOutcome,
    SynthesisPlan,
)
from goalcover.memory.store import Store
from goalcover.memory.vectors import VectorStore
from goalcover.tools.embeddings import Embedder
from goalcover.tools.model import Door

finite = st.floats(-1, 1, allow_nan=False).map(lambda value: round(value, 3))


def test_a_difference_is_averaged_over_seeds_and_then_over_goals() -> None:
    """Worked by hand: a goal with two pairs weighs as much as one with a single pair."""
    found = paired([0.5, 0.7, 0.9, None], [0.4, 0.4, 0.3, 0.2], ["a", "a", "b", "b"], seed=0)
    assert found.by_group == pytest.approx({"a": 0.2, "b": 0.6})
    assert found.difference.value == pytest.approx(0.4) and found.difference.of == 2
    assert (found.one, found.other) == pytest.approx(((0.6 + 0.9) / 2, (0.4 + 0.3) / 2))
    assert (found.pairs, found.missing) == (3, 1)
    assert found.difference.interval == pytest.approx((0.2, 0.6)), "of two goals: their range"
    assert found.p == 0.5 and signed(found.difference) == "+0.40 (+0.20 to +0.60)"


def test_nothing_in_common_is_no_figure() -> None:
    found = paired([None, 1.0], [1.0, None], ["a", "b"], seed=0)
    assert found.difference.value is None and found.one is None and found.p is None
    assert found.missing == 2 and signed(found.difference) == "–"


@pytest.mark.parametrize(
    ("differences", "p"),
    [([1, 2, 3], 2 / 8), ([1, 1, -1], 1.0), ([1, 2, 3, 4, -1], 6 / 32), ([0, 0, 0], 1.0)],
)
def test_sign_flips_by_hand(differences: list[float], p: float) -> None:
    assert sign_flips(differences, "two-sided")[0] == pytest.approx(p)
    assert sign_flips(differences[:1], "two-sided") == (None, None)


def test_sign_flips_of_ranks_are_the_signed_rank_test() -> None:
    """On distinct ranks with signs, the exact Wilcoxon test is the same permutation test."""
    ranks = [1, -2, 3, 4, 5, 6, -7, 8, 9]
    exact: Any = wilcoxon(ranks, method="exact")
    assert sign_flips(ranks, "two-sided")[0] == pytest.approx(exact.pvalue)


@given(st.lists(finite, min_size=2, max_size=8))
def test_p_knows_no_direction_and_has_a_least_value(found: list[float]) -> None:
    p, least = sign_flips(found, "two-sided")
    assert p is not None and least is not None and 2 / 2 ** len(found) == least <= p <= 1
    assert p == pytest.approx(sign_flips([-own for own in found], "two-sided")[0])


def made_pair(number: int, split: str, apart: float) -> planted.PlantedPair:
    figures: dict[str, float | None] = {"agreement": 0.5, "recall": 0.5, "precision": 0.5}
    return planted.PlantedPair(
        id=str(number), family="task", group=f"g{number}", split=split,
        clustered=figures | {"agreement": 0.5 + apart}, listed=dict(figures),
    )  # fmt: skip


def ablation(model: str) -> Ablation:
    """Clusters add 0.1 on what is held out, and 0.4 on what they were chosen on."""
    pairs = [made_pair(i, *(("test", 0.1) if i < 3 else ("dev", 0.4))) for i in range(6)]
    lines = [*of_runs([], [], [], 0), *of_planted(pairs, 0)]
    return Ablation(
        model=model, judge="m", embedder="e", seed=0, seeds=[0], rows=20, goals=[], left_out=[],
        runs=[], planted=pairs, comparisons=lines,
    )  # fmt: skip


def test_the_held_out_sets_are_the_answer_and_all_stand_beside_them() -> None:
    found = ablation("embedded-5")
    head = found.headline()
    assert "agreement with planted gaps (ARI), held-out sets +0.10" in head and "+0.25" not in head
    assert head.count("upper bound") == 2 and "can list two gaps at most" in head
    rows = next(t.rows for t in found.tables() if t.title.startswith("Clustering"))
    by_name = {name: difference for name, _, _, difference, *_ in rows}
    assert by_name["agreement with planted gaps (ARI), held-out sets *"].startswith("+0.10")
    assert by_name["agreement with planted gaps (ARI), all sets"].startswith("+0.25")
    assert "3 sets of 3 groups that are held out, and 6 sets of 6 groups" in "".join(found.lines())
    assert "two gaps" not in ablation("gpt at server").headline(), "of the embedded arm alone"


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_matches_are_as_many_as_any_assignment_has(rows: int, columns: int, data: Any) -> None:
    cells = data.draw(st.lists(finite, min_size=rows * columns, max_size=rows * columns))
    near = np.array(cells).reshape(rows, columns)
    wide = near if columns >= rows else near.T
    best = max(
        sum(wide[i, j] >= measures.COVERED for i, j in enumerate(chosen))
        for chosen in itertools.permutations(range(wide.shape[1]), wide.shape[0])
    )
    assert measures.matched(near) == best


async def test_a_subgoal_stands_for_one_capability(embedder: Embedder) -> None:
    expected = ["Lists side effects of a medicine.", "Lists interactions of a medicine."]
    both = ["Lists side effects and interactions of a medicine."]
    found = await measures.against(embedder, both, expected)
    assert found["recall"] == 0.5 and found["precision"] == 1.0 and found["alike"] is None
    parted = await measures.against(embedder, [*expected, "Bakes bread."], expected)
    assert parted["recall"] == 1.0 and parted["precision"] == pytest.approx(2 / 3)
    assert parted["nearness"] == pytest.approx(1.0) and 0 < (parted["alike"] or 0) < 1


async def test_points_and_faults_of_a_specification(embedded: Door, embedder: Embedder) -> None:
    box: Any = SimpleNamespace(door=embedded, embedder=embedder)
    goal = session.configure("rows.jsonl", "List side effects and store medicines.").goal
    specification = Specification(
        goal=goal, in_scope=["List side effects"], language=["English (assumed)"]
    )
    compound = Subgoal(
        id="a", name="Both", description="Lists side effects and explains how to store medicines."
    )
    found = await measures.specified(box, specification, [compound], ["Lists effects."])
    assert (found["stated"], found["assumed"], found["subgoals"]) == (1, 1, 1)
    assert (found["faults"] or 0) >= 1, "it is compound"


def own_cases(folder: Path, **changes: Any) -> Path:
    case = {
        "id": "desk", "data": "desk", "goal": "Help with billing, refunds and returns.",
        "capabilities": ["Explains a bill.", "Explains a refund."], "answers": {},
    }  # fmt: skip
    cases = {"data": {"desk": {"file": "desk.jsonl"}}, "goals": [case | changes]}
    (folder / "goals.json").write_text(json.dumps(cases))
    return folder / "goals.json"


def test_the_packaged_goals_are_whole() -> None:
    chosen = choose(None, None)
    assert len(chosen.cases) >= 3 and {case.data for case in chosen.cases} == {"clinical"}
    assert "pubmedqa.jsonl" in chosen.left_out
    goals = cases.Cases.model_validate(cases.read_plain(cases.CASES)).goals
    assert len({case.id for case in goals}) == len(goals) >= 9
    known = {"scope", "safety", "edge-cases", "audience", "evidence", "format", "language"}
    for case in goals:
        assert len(case.capabilities) >= 5 and case.answers.keys() <= known


def test_data_sets_are_taken_in_turn(tmp_path: Path) -> None:
    rows = {"pubmedqa": ("question", "long_answer"), "billsum_100": ("text", "summary")}
    for name, columns in rows.items():
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(dict.fromkeys(columns, "x")) + "\n")
    chosen = choose(tmp_path, 4)
    assert [case.data for case in chosen.cases] == ["clinical", "pubmedqa", "bills", "clinical"]
    assert chosen.left_out == ["codealpaca_20k.jsonl"]


def test_a_sample_is_seeded_and_shared(tmp_path: Path) -> None:
    rows = [
        json.dumps({"prompt": n, "completion": f"a\u2028b{n}"}, ensure_ascii=False)
        for n in range(50)
    ]
    (tmp_path / "desk.jsonl").write_text("\n".join(rows) + "\n")
    chosen = choose(tmp_path, None, own_cases(tmp_path))
    (case,) = chosen.cases
    places = [tmp_path / name for name in ("one", "two")]
    for place in places:
        place.mkdir()
    first, again, other = (
        Path(sampled(chosen, case, 10, seed, place).path).read_text("utf-8")
        for place, seed in ((places[0], 1), (places[1], 1), (places[0], 2))
    )
    assert first == again != other
    drawn = first.strip("\n").split("\n")
    assert len(drawn) == 10 and set(drawn) <= set(rows) and drawn == sorted(drawn, key=rows.index)
    everything = sampled(chosen, case, 99, 3, places[0])
    assert Path(everything.path).read_text("utf-8") == (tmp_path / "desk.jsonl").read_text("utf-8")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"capabilities": ["One."]}, "goals, entry 1, capabilities: it must have 2 or more"),
        ({"data": "nope"}, "nope"),
        ({"surplus": 1}, "surplus"),
        ({}, r"goals\.json: no goal has its data; .* has no desk\.jsonl"),
    ],
)
def test_what_is_wrong_with_a_file_of_goals_is_said(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        choose(tmp_path, None, own_cases(tmp_path, **changes))


@pytest.mark.parametrize(
    ("row", "data", "said"),
    [
        ('{"q": "a", "a": "b"}', {"input_columns": ["q"], "output_column": "x"},
         r"goals\.json, data, desk: .*/desk\.jsonl has no column 'x'\. It has: q, a"),
        ('{"q": "a", "a": "b"}', {"input_columns": ["q"]}, "input_columns and output_column, or"),
        ('{"q": "a", "a": "b"}', {}, r"desk\.jsonl: say input_columns and output_column\. It has"),
        ('{"q": "a", "a": "b"}', {"max_chars": 5}, "max_chars: it must be more than 100"),
        ("q,a", {}, r"desk\.jsonl is no JSONL file"),
    ],
)  # fmt: skip
def test_columns_are_looked_at_before_anything_is_run(
    tmp_path: Path, row: str, data: dict[str, Any], said: str
) -> None:
    path = own_cases(tmp_path)
    (tmp_path / "desk.jsonl").write_text(row + "\n")
    config = json.loads(path.read_text())
    config["data"]["desk"] |= data
    path.write_text(json.dumps(config))
    with pytest.raises(UserError, match=said):
        choose(tmp_path, None, path)


def test_without_a_folder_the_files_of_the_goals_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"give --data, the folder of desk\.jsonl\."):
        choose(None, None, own_cases(tmp_path))


def test_no_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere"):
        choose(tmp_path / "nowhere", None)


@pytest.mark.parametrize("name", list(runs.ARMS))
def test_an_arm_is_the_full_method_but_for_one_thing(name: str, tmp_path: Path) -> None:
    """By the ordinary configuration of a run."""
    (tmp_path / "rows.jsonl").write_text(support_rows(3))
    full = session.configure(tmp_path / "rows.jsonl", "Explain fees.")
    arm = runs.ARMS[name]
    own = session.configure(tmp_path / "rows.jsonl", "Explain fees.", **arm.options)
    changed = {k for k, value in own.model_dump().items() if value != full.model_dump()[k]}
    assert changed == set(arm.options) and len(changed) + arm.answered <= 1


def test_answers_are_given_by_id_or_dimension_and_only_where_wanted() -> None:
    questions = [
        {"id": "edge-cases", "dimension": "edge cases"},
        {"id": "audience-2", "dimension": "audience"},
        {"id": "tone", "dimension": "tone"},
    ]
    payload = {"action_requests": [{"name": "answer_questions", "args": {"questions": questions}}]}
    answers = {"edge-cases": "none", "audience": "pupils", "safety": "no"}
    for arm in (runs.Arm(), runs.Arm(answered=True)):
        ran = runs.Ran()
        reply = runs._reply(Pending(payload), arm, answers, ran)
        (decision,) = reply["decisions"]
        assert ran.questions == 3
        if arm.answered:
            given = {"edge-cases": "none", "audience-2": "pupils"}
            assert decision["edited_action"]["args"] == {"answers": given} and ran.answered == 2
        else:
            assert decision["type"] == "approve" and ran.answered == 0


def figures(goal: str, arm: str, **values: float | None) -> RunFigures:
    return RunFigures(
        goal=goal, seed=0, arm=arm, values=values, questions=0, answered=0, names=[], failed=""
    )


def test_parts_are_compared_with_their_own_arms() -> None:
    runs = [
        figures("a", "full", recall=0.5, faults=1.0),
        figures("a", "answers given", recall=0.9),
        figures("a", "no clarification", recall=0.4),
        figures("a", "no checks", recall=0.6, faults=3.0),
        figures("b", "full", recall=0.5, faults=None),
        figures("b", "no checks", recall=0.5, faults=2.0),
    ]
    found = {
        (line.part, line.measure): line.found for line in of_runs(runs, ["a", "b"], [0], seed=0)
    }
    assert found["clarification, default answers", "recall"].difference.value == pytest.approx(0.1)
    assert found["clarification, answers given", "recall"].difference.value == pytest.approx(0.5)
    assert found["checks", "recall"].difference.value == pytest.approx(-0.05)
    faults = found["checks", "faults"]
    assert faults.difference.value == -2 and (faults.pairs, faults.missing) == (1, 1)
    assert found["discriminator", "mean A"].missing == 2


async def test_planted_gaps_with_clusters_and_without(
    embedded: Door, embedder: Embedder, tmp_path: Path
) -> None:
    """Two lacks of one kind: clusters can part them, a list of one gap a kind cannot."""
    lacks = ["No dose of the medicine is stated: milligrams are missing.",
             "The bus timetable is wrong: departures are missing."]  # fmt: skip
    rows = tuple(
        PlantedRow(f"{label}-{n}", "Why?", "So.", 0.4, f"{text} Case {n}.", "weak")
        for label, text in enumerate(lacks)
        for n in range(10)
    )
    broad = Subgoal(id="s", name="Planning", description="Plans what is asked for.")
    labels = np.repeat([0, 1], 10)
    one = PlantedSet("planning-0", "tasks", "test", broad, rows, labels, ("dose", "bus"))
    done: list[None] = []
    vectors = VectorStore(tmp_path, embedder.version)
    (pair,) = await planted.both(embedded, vectors, embedder, [one], 0, lambda: done.append(None))
    assert len(done) == 2 and pair.group == "planning"
    assert pair.clustered == {"recall": 1.0, "precision": 1.0, "agreement": 1.0}
    assert pair.listed["agreement"] == 0.0


def test_no_planted_gaps_without_their_files(tmp_path: Path) -> None:
    assert planted.sets_in(None, 0) == planted.sets_in(tmp_path, 0) == []


def plan_of(items: list[PlanItem]) -> SynthesisPlan:
    return SynthesisPlan(
        items=items, calls=0, tokens_in=0, tokens_out=0, how="", model="m", judge="judge"
    )


def test_rows_are_judged_for_their_target(tmp_path: Path, store: Store) -> None:
    """By what the store holds of each row, not by what the discriminator said."""
    returns, fees = (
        Subgoal(id=name, name=name, description=f"Explains {name}.") for name in ("returns", "fees")
    )
    box: Any = SimpleNamespace(
        store=store, synthetic_run="run/synthetic", judge=SimpleNamespace(judge="judge")
    )

    def outcome(subgoal: str, rows: int, wanted: int, refused: int = 0) -> SynthesisOutcome:
        made = [Candidate(id=f"{subgoal}{n}", input="x", output="y", origin="model", score=1.0)
                for n in range(rows + refused)]  # fmt: skip
        for candidate in made[rows:]:
            candidate.refused = "near-duplicate of the data"
        planned = PlanItem(gap_id=f"{subgoal}-gap1", subgoal_id=subgoal, rows=wanted)
        return SynthesisOutcome(item=planned, accepted=made[:rows], rejected=made[rows:])

    outcomes = [outcome("returns", 2, 3, refused=1), outcome("fees", 2, 5)]
    # (A for returns, A for fees) of the four rows, in their order; one is not judged.
    held = [(0.8, 0.0), (0.4, 1.0), (1.0, 0.6), (1.0, None)]
    for n, values in enumerate(held):
        row = sample(n, f"text {n}")
        store.scores.join("run/synthetic", [row])
        scores = {s.hash: Score(value=v) for s, v in zip((returns, fees), values, strict=True)}
        store.scores.put("judge", row.hash, scores)
    items = [own.item for own in outcomes]
    state: State = {"synthesis": outcomes, "subgoals": [fees, returns], "plan": plan_of(items)}
    found = measures.synthesised(box, state)
    assert found == pytest.approx(
        {"mean A": (0.8 + 0.4 + 0.6) / 3, "supporting": 2 / 3, "yield": 2 / 8, "accepted": 4 / 8,
         "copies": 1.0}
    )  # fmt: skip
    assert set(measures.synthesised(box, {}).values()) == {None}
