"""Whether the checks find what is wrong: the labelled lists, the arithmetic, and the plumbing.

The embedded model is only run on the development lists: its figures on the test lists are for the
evaluation alone.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goalcover.agents import checker
from goalcover.agents.atomicity import AtomicAsk, AtomicVerdict, AtomicVerdicts
from goalcover.agents.completeness import CoveredClause, Matrix, MatrixAsk
from goalcover.agents.disjointness import (
    PlaceAsk,
    Placement,
    Placements,
    SeparateAsk,
    WrittenProbe,
    WrittenProbes,
)
from goalcover.agents.findings import finding
from goalcover.evals import decomposition
from goalcover.evals.decomposition import (
    CHECKS,
    Case,
    Evaluation,
    Rate,
    Result,
    evaluate,
    read_cases,
)
from goalcover.memory.errors import ReplyFailure, UserError
from goalcover.memory.records import Contract, Subgoal
from goalcover.memory.store import Store
from goalcover.tools.embeddings import Embedder
from goalcover.tools.model import Door
from goalcover.tools.scripted_model import ScriptedModel
from goalcover.tools.text import stem, words

# The packaged lists


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return read_cases()


def test_the_packaged_lists_are_many_of_many_domains(cases: list[Case]) -> None:
    assert len(cases) >= 60
    assert len({case.domain for case in cases}) >= 5
    assert len({case.id for case in cases}) == len(cases)


def test_a_domain_is_either_for_development_or_for_the_test(cases: list[Case]) -> None:
    splits = {domain: {c.split for c in cases if c.domain == domain} for domain in
              {case.domain for case in cases}}  # fmt: skip
    assert all(len(found) == 1 for found in splits.values())
    assert {split for found in splits.values() for split in found} == {"dev", "test"}
    by_goal = [{c.split for c in cases if c.goal == goal} for goal in {c.goal for c in cases}]
    assert all(len(found) == 1 for found in by_goal)


def test_labels_refer_to_what_is_there(cases: list[Case]) -> None:
    for case in cases:
        ids = [subgoal.id for subgoal in case.subgoals]
        assert len(set(ids)) == len(ids) > 1, case.id
        assert {*case.compound, *case.unasked} <= set(ids), case.id
        assert all(len({*pair} & {*ids}) == 2 for pair in case.overlapping), case.id
        assert all(piece and piece in case.goal for piece in case.lost), case.id
        assert not {*case.compound} & {*case.unasked}, case.id


@pytest.mark.parametrize("kind", ["compound", "overlapping", "lost", "unasked"])
@pytest.mark.parametrize("split", ["dev", "test"])
def test_each_split_has_lists_with_and_without_each_kind(
    kind: str, split: str, cases: list[Case]
) -> None:
    wrong = [bool(getattr(case, kind)) for case in cases if case.split == split]
    assert 5 <= sum(wrong) <= len(wrong) - 5


def subgoals(*names: str) -> list[dict[str, str]]:
    return [{"id": name, "name": name, "description": f"Does {name}."} for name in names]


GOOD: dict[str, Any] = {
    "id": "one",
    "domain": "d",
    "split": "dev",
    "goal": "Explain fees, warn about risks.",
    "subgoals": subgoals("fees", "risks"),
}


def test_a_file_of_ones_own_may_be_json_or_yaml(tmp_path: Path) -> None:
    (written := tmp_path / "cases.json").write_text(json.dumps([GOOD]))
    (other := tmp_path / "cases.yaml").write_text(yaml.safe_dump([GOOD]))
    assert read_cases(written) == read_cases(other) == [Case.model_validate(GOOD)]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"split": "train"}, r"entry 1\.split: Input should be 'dev' or 'test'"),
        ({"goal": None}, r"entry 1\.goal"),
        ({"compounds": ["fees"]}, r"entry 1\.compounds"),
        ({"subgoals": subgoals("not an id")}, r"entry 1\.subgoals\.0\.id"),
        ({"overlapping": [["fees"]]}, r"entry 1\.overlapping\.0"),
        ({"compound": ["tax"]}, "one labels tax, which is no subgoal"),
        ({"unasked": ["Fees"]}, "one labels Fees, which is no subgoal"),
        ({"overlapping": [["fees", "tax"]]}, "one labels tax, which is no subgoal"),
        ({"overlapping": [["fees", "fees"]]}, "one labels fees as overlapping with itself"),
        ({"subgoals": subgoals("fees", "fees")}, "one has two subgoals with one id"),
        ({"lost": ["warn of risks"]}, "one: “warn of risks” does not stand in its goal"),
    ],
)
def test_a_bad_file_is_refused_with_the_entry(
    changed: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps([{**GOOD, "id": "zero"}, GOOD | changed]))
    with pytest.raises(UserError, match=reason) as error:
        read_cases(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("text", ["{", "one: 1", "just text", "- goal: 2024-13-45"])
def test_a_file_that_is_no_list_is_refused(text: str, tmp_path: Path) -> None:
    (path := tmp_path / "cases.yaml").write_text(text)
    with pytest.raises(UserError, match=r"cases\.yaml"):
        read_cases(path)


# The arithmetic, on contracts made by hand


def case(name: str, goal: str = "Explain fees, warn about risks.", **labels: Any) -> Case:
    made = [Subgoal.model_validate(s) for s in subgoals("fees", "risks", "tax", "opera")]
    return Case(id=name, domain="d", split="dev", goal=goal, subgoals=made, **labels)


def contract(found: Case, **labels: Any) -> Contract:
    """One that finds these labels in a list."""
    by_id = {subgoal.id: subgoal for subgoal in found.subgoals}
    return Contract(
        findings=[
            *(finding("atomic", [by_id[n]], "m") for n in labels.get("compound", [])),
            *(
                finding("disjoint", [by_id[n] for n in pair], "m")
                for pair in labels.get("overlapping", [])
            ),
            *(finding("complete", [], "m", clause=text) for text in labels.get("lost", [])),
            *(finding("complete", [by_id[n]], "m") for n in labels.get("unasked", [])),
        ]
    )


def compared(
    pairs: list[tuple[Case, Contract]], monkeypatch: pytest.MonkeyPatch, store: Store
) -> Evaluation:
    """The evaluation of checks that give these contracts."""
    left: Iterator[Contract] = iter([found for _, found in pairs])

    async def check(*args: Any) -> Contract:
        return next(left)

    monkeypatch.setattr(checker, "check", check)
    door = Door(ScriptedModel(), store, "run")
    return asyncio.run(evaluate(door, Embedder(), [case for case, _ in pairs], "all", 0))


def result(evaluation: Evaluation, check: str, unit: str) -> Result:
    (found,) = [r for r in evaluation.results if (r.check, r.unit) == (check, unit)]
    return found


@pytest.mark.parametrize(
    ("labels", "found", "check", "item", "whole"),
    [
        # hits / flagged, hits / wrong: over items, and over lists.
        ({"compound": ["fees", "tax"]}, {"compound": ["tax", "opera"]}, "atomic",
         (1 / 2, 1 / 2), (1, 1)),
        ({"compound": []}, {"compound": ["tax"]}, "atomic", (0, None), (0, None)),
        ({"compound": ["tax"]}, {}, "atomic", (None, 0), (None, 0)),
        ({"overlapping": [("fees", "tax")]}, {"overlapping": [("tax", "fees")]}, "disjoint",
         (1, 1), (1, 1)),
        ({"overlapping": [("fees", "tax")]}, {"overlapping": [("fees", "opera")]}, "disjoint",
         (0, 0), (1, 1)),
        ({"unasked": ["opera", "tax"]}, {"unasked": ["opera"]}, "unasked", (1, 1 / 2), (1, 1)),
        ({"unasked": ["opera"]}, {"lost": ["Explain fees"]}, "unasked", (None, 0), (None, 0)),
        ({"lost": ["Explain fees"]}, {"unasked": ["fees"]}, "lost", (None, 0), (None, 0)),
        ({"lost": ["warn about risks"]}, {"lost": ["warning of risk", "Explain fees"]}, "lost",
         (1 / 2, 1), (1, 1)),
        ({}, {}, "lost", (None, None), (None, None)),
    ],
)  # fmt: skip
def test_precision_and_recall(
    labels: dict[str, Any], found: dict[str, Any], check: str, item: Any, whole: Any,
    monkeypatch: pytest.MonkeyPatch, store: Store,
) -> None:  # fmt: skip
    one = case("one", **labels)
    evaluation = compared([(one, contract(one, **found))], monkeypatch, store)
    for unit, expected in (("item", item), ("list", whole)):
        rates = result(evaluation, check, unit)
        assert (rates.precision.value, rates.recall.value) == expected, unit


@pytest.mark.parametrize(
    ("said", "hits"),
    [
        ("warning of heart risks", True),  # two of four words are shared
        ("heart", True),
        ("fees of the heart clinic yesterday", False),
        ("of it", False),
    ],
)
def test_a_lost_piece_is_found_by_half_of_its_words(
    said: str, hits: bool, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    piece = "warn about sudden heart failure"
    one = case("one", goal=f"Explain fees, {piece}.", lost=[piece])
    found = result(
        compared([(one, contract(one, lost=[said]))], monkeypatch, store), "lost", "item"
    )
    assert (found.precision.value, found.recall.value) == (int(hits), int(hits))


def test_counts_are_summed_over_lists(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    one = case("one", compound=["fees", "tax"], overlapping=[("fees", "tax")])
    two = case("two", goal="Cook soups, bake bread.", compound=["opera"])
    evaluation = compared(
        [(one, contract(one, compound=["fees"])), (two, contract(two, compound=["opera", "tax"]))],
        monkeypatch,
        store,
    )
    items = result(evaluation, "atomic", "item")
    assert (items.precision.value, items.precision.of) == (2 / 3, 3)
    assert (items.recall.value, items.recall.of) == (2 / 3, 3)
    assert items.base == 3 / 8, "three of eight subgoals are compound"
    pairs = result(evaluation, "disjoint", "item")
    assert (pairs.base, pairs.precision.value, pairs.recall.of) == (1 / 12, None, 1)
    lists = result(evaluation, "atomic", "list")
    assert (lists.precision.value, lists.recall.value, lists.base) == (1, 1, 1)
    assert (evaluation.lists, evaluation.goals, evaluation.domains) == (2, 2, 1)


def test_the_interval_is_over_goals(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    """Lists of one goal are drawn together: with a single goal there is nothing to draw from."""
    hit = case("hit", compound=["fees"])
    miss = case("miss", compound=["tax"])
    same = [(hit, contract(hit, compound=["fees"])), (miss, contract(miss))]
    alone = result(compared(same, monkeypatch, store), "atomic", "item").recall
    assert (alone.value, alone.interval) == (0.5, (0.5, 0.5))
    other = miss.model_copy(update={"goal": "Cook soups."})
    apart = [same[0], (other, contract(other))]
    wide = result(compared(apart, monkeypatch, store), "atomic", "item").recall
    assert (wide.value, wide.interval) == (0.5, (0.0, 1.0))


NAMES = st.sampled_from(["fees", "risks", "tax", "opera"])
PAIRS = st.tuples(NAMES, NAMES).filter(lambda pair: pair[0] < pair[1])
PIECES = st.sampled_from(["Explain fees", "warn about risks"])
LABELS = st.fixed_dictionaries(
    {
        "compound": st.lists(NAMES, unique=True),
        "overlapping": st.lists(PAIRS, unique=True),
        "lost": st.lists(PIECES, unique=True),
        "unasked": st.lists(NAMES, unique=True),
    }
)
quick = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def cases_of(labels: list[dict[str, Any]], goals: int = 3) -> list[Case]:
    """Lists of some goals. Their clauses are the same: what differs comes last."""
    text = "Explain fees, warn about risks."
    return [
        case(f"c{i}", goal=f"{text} {'!' * (i % goals)}", **some) for i, some in enumerate(labels)
    ]


@quick
@given(both=st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=5))
def test_rates_and_intervals_are_shares(
    both: list[tuple[dict[str, Any], dict[str, Any]]], store: Store
) -> None:
    made = cases_of([labels for labels, _ in both])
    found = [contract(one, **said) for one, (_, said) in zip(made, both, strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decomposition, "RESAMPLES", 50)
        evaluation = compared(list(zip(made, found, strict=True)), patch, store)
    assert [(r.check, r.unit) for r in evaluation.results] == [
        (check, unit) for check in CHECKS for unit in ("list", "item")
    ]
    for one in evaluation.results:
        assert 0 <= one.base <= 1
        for rate in (one.precision, one.recall):
            _is_a_share(rate)


def _is_a_share(rate: Rate) -> None:
    assert (rate.value is None) == (rate.of == 0) == (rate.interval is None)
    if rate.value is not None and rate.interval is not None:
        low, high = rate.interval
        assert 0 <= rate.value <= 1 and 0 <= low <= high <= 1


@quick
@given(labels=st.lists(LABELS, min_size=1, max_size=5))
def test_perfect_contracts_have_all_and_empty_ones_nothing(
    labels: list[dict[str, Any]], store: Store
) -> None:
    made = cases_of(labels)
    perfect = [(one, contract(one, **some)) for one, some in zip(made, labels, strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decomposition, "RESAMPLES", 50)
        best = compared(perfect, patch, store)
        worst = compared([(one, Contract()) for one in made], patch, store)
    for good, bad in zip(best.results, worst.results, strict=True):
        wrong = good.recall.of > 0
        assert good.precision.value == good.recall.value == (1 if wrong else None)
        assert bad.precision.value is None and bad.recall.value == (0 if wrong else None)
        for rate in (good.precision, good.recall, bad.precision, bad.recall):
            _is_a_share(rate)


# The plumbing, with a model that knows the labels


class Labels:
    """Answers the checks from the labels of the list that it is asked about."""

    def __init__(self, cases: list[Case]) -> None:
        self.cases = cases

    def _of(self, subgoals: Any, goal: str | None = None) -> Case:
        held = [c for c in self.cases if all(s in c.subgoals for s in subgoals)]
        return next(c for c in held if goal in (None, c.goal))

    def __call__(self, ask: Any) -> Any:
        if isinstance(ask, AtomicAsk):
            one = self._of(ask.subgoals, ask.specification.goal.text)
            return AtomicVerdicts(verdicts=[_verdict(s.id, one) for s in ask.subgoals])
        if isinstance(ask, SeparateAsk):
            row = WrittenProbe(why="", possible=True, input="", output="So.")
            return WrittenProbes(
                first_only=row.model_copy(update={"input": f"only {ask.first.id}"}),
                second_only=row.model_copy(update={"input": f"only {ask.second.id}"}),
            )
        if isinstance(ask, PlaceAsk):
            pair = [subgoal.id for subgoal in ask.subgoals]
            both = frozenset(pair) in map(frozenset, self._of(ask.subgoals).overlapping)
            return Placements(
                placements=[
                    Placement(
                        row=name,
                        explanation="",
                        shows=pair if both else [row.input.removeprefix("only ")],
                    )
                    for name, row in ask.rows.items()
                ]
            )
        assert isinstance(ask, MatrixAsk)
        one = self._of(ask.subgoals, ask.specification.goal.text)
        asked_for = [s.id for s in ask.subgoals if s.id not in one.unasked]
        lines = [_line(clause.id, clause.text, one, asked_for) for clause in ask.clauses]
        return Matrix(clauses=lines)


def _verdict(name: str, one: Case) -> AtomicVerdict:
    joined = name in one.compound
    return AtomicVerdict(
        subgoal_id=name,
        capabilities=["one", "another"] if joined else ["one"],
        half_input="Why?",
        half_output="So.",
        atomic=not joined,
    )


def _line(name: str, text: str, one: Case, asked_for: list[str]) -> CoveredClause:
    held = [piece for piece in one.lost if piece in text]
    return CoveredClause(
        clause_id=name,
        subgoal_ids=[] if held else asked_for,
        qualifies=False,
        missing=held[0] if held else "",
    )


def nothing_wrong(cases: list[Case]) -> Labels:
    """A model that finds nothing."""
    sound = {"compound": [], "overlapping": [], "lost": [], "unasked": []}
    return Labels([case.model_copy(update=sound) for case in cases])


@pytest.fixture(scope="module")
def dev(cases: list[Case]) -> list[Case]:
    return [case for case in cases if case.split == "dev"]


async def evaluated(
    answers: Any, store: Store, embedder: Embedder, cases: list[Case]
) -> Evaluation:
    door = Door(ScriptedModel(checker=answers), store, "run")
    return await evaluate(door, embedder, cases, "dev", 0)


async def test_a_model_that_knows_the_labels_is_always_right(
    dev: list[Case], store: Store, embedder: Embedder
) -> None:
    evaluation = await evaluated(Labels(dev), store, embedder, dev)
    rates = {(r.check, r.unit): (r.precision.value, r.recall.value) for r in evaluation.results}
    assert rates == {(check, unit): (1, 1) for check in CHECKS for unit in ("list", "item")}
    assert evaluation.lists == len(dev) and evaluation.model == "scripted"


async def test_a_model_that_finds_nothing_recalls_nothing(
    dev: list[Case], store: Store, embedder: Embedder
) -> None:
    evaluation = await evaluated(nothing_wrong(dev), store, embedder, dev)
    assert {(r.precision.value, r.recall.value) for r in evaluation.results} == {(None, 0)}


async def test_progress_is_told_list_by_list(
    dev: list[Case], store: Store, embedder: Embedder
) -> None:
    told: list[int] = []
    door = Door(ScriptedModel(checker=nothing_wrong(dev[:3])), store, "run")
    await evaluate(door, embedder, dev[:3], "dev", 0, told.append)
    assert told == [1, 2, 3]


async def test_lists_that_could_not_be_checked_are_said(
    dev: list[Case], store: Store, embedder: Embedder
) -> None:
    """They count as nothing found, so the figures are worth less: that is not kept quiet."""
    labels = Labels(dev)

    def answer(ask: Any) -> Any:
        if isinstance(ask, MatrixAsk) and ask.specification.goal.text == dev[0].goal:
            raise ReplyFailure("no JSON")
        return labels(ask)

    partly = await evaluated(answer, store, embedder, dev)
    whole = await evaluated(labels, store, embedder, dev)
    alike = sum(case.goal == dev[0].goal for case in dev)
    (said,) = set(partly.how) - set(whole.how)
    assert said.startswith(f"Not checked in whole: {alike} of {len(dev)} lists")


# The embedded model: a guard against breaking it, on the development lists


@pytest.mark.parametrize(
    ("check", "least"), [("atomic", 0.7), ("disjoint", 0.5), ("lost", 0.5), ("unasked", 0.65)]
)
async def test_the_embedded_model_is_no_worse_than_it_was(
    check: str, least: float, dev: list[Case], embedded: Door, embedder: Embedder
) -> None:
    evaluation = await evaluate(embedded, embedder, dev, "dev", 0)
    rates = result(evaluation, check, "item")
    assert rates.precision.value is not None and rates.recall.value
    both = rates.precision.value + rates.recall.value
    f1 = 2 * rates.precision.value * rates.recall.value / both
    assert f1 > least
    assert rates.precision.value > 2 * rates.base, "better than flagging everything"


def content(text: str) -> set[str]:
    return {stem(word) for word in words(text)}


def test_every_lost_piece_says_something(cases: list[Case]) -> None:
    """Pieces are compared by content words: one without any could never be found."""
    assert all(content(piece) for case in cases for piece in case.lost)
