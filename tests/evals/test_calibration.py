"""The evaluation of the embedded judge: its fit, its figures, and the command."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.evals.calibration import evaluation as calibration
from goalcover.evals.calibration.report import RULES
from goalcover.evals.calibration.rules import Measured, Parameters, cuts_of, fit
from goalcover.evals.labels import LabelledDomain
from goalcover.evals.passport.measures import resampled
from goalcover.evals.reliability import weights_of
from goalcover.memory.errors import UserError
from goalcover.memory.records import Sample, Subgoal
from goalcover.tools.rubric import ANCHORS
from goalcover.tools.settings import ModelConfig

CUTS = (0.5, 1.0, 1.5, 2.0, 2.5)


def domain(name: str, labels: np.ndarray) -> LabelledDomain:
    samples = [Sample(index=i, id=str(i), input="q", output="a") for i in range(len(labels))]
    subgoals = [Subgoal(id=f"{name}{k}", name="x", description="y") for k in range(labels.shape[1])]
    return LabelledDomain(name, samples, subgoals, labels)


def made(name: str, seed: int, weight: float = 2.0, rows: int = 200) -> Measured:
    """Rows whose labels are the anchors of a known rule."""
    draw = np.random.default_rng(seed)
    topic = draw.uniform(0, 3, (rows, 2))
    evidence = np.column_stack([draw.choice([-0.5, 0.0, 0.5], rows), np.zeros(rows)])
    labels = Parameters(weight, CUTS).anchors(topic + weight * evidence)
    return Measured(
        domain(name, labels), topic, evidence, np.ones_like(topic), topic - 2, 0 * topic
    )


def test_a_fit_finds_the_rule_that_made_the_labels():
    found = fit([made("a", 0), made("b", 1)])
    assert found.stated == pytest.approx(2.0, abs=0.4)  # less: the anchors end at 0 and 1
    np.testing.assert_allclose(found.cuts, CUTS, atol=0.2)


def test_evidence_that_says_the_opposite_or_nothing_has_no_weight():
    opposite = made("a", 0, weight=-2.0)
    assert fit([opposite]).stated == 0
    silent = Measured(opposite.domain, opposite.topic, 0 * opposite.topic, *[opposite.topic] * 3)
    assert fit([silent]).stated == 0


@given(st.lists(st.tuples(st.floats(-3, 3), st.sampled_from(ANCHORS)), min_size=1, max_size=40))
def test_cuts_rise_and_keep_the_frequencies(pairs: list[tuple[float, float]]):
    values, labels = (np.array(side)[:, None] for side in zip(*pairs, strict=True))
    cuts = cuts_of([values], [labels])
    assert list(cuts) == sorted(cuts) and len(cuts) == len(ANCHORS) - 1
    if len(set(values[:, 0])) == len(values):  # without ties the counts are the labels' own
        given_ = Parameters(0, cuts).anchors(values)
        for anchor in ANCHORS[1:-1]:
            assert (given_ < anchor - 0.1).sum() <= (labels < anchor - 0.1).sum()
        if labels.max() == 1.0:
            assert sorted(given_[:, 0]) == pytest.approx(sorted(labels[:, 0]))


def test_a_domain_is_judged_with_what_the_others_gave():
    one, other = made("a", 0), made("b", 1)
    labels = other.domain.labels
    spoilt = Measured(domain("b", 1 - labels), other.topic, other.evidence, *[other.most] * 3)
    found = calibration.evaluate([one, spoilt], {"a0"}, "e", "d", 0)
    of_one = next(own for own in found.subgoals if own.id == "a1")
    alone = calibration.evaluate([one, other], {"a0"}, "e", "d", 0)
    apart = next(own for own in alone.subgoals if own.id == "a1")
    # Only the other domain's labels changed, so the refit changes and the shipped rule does not.
    assert of_one.rules["refitted"] != apart.rules["refitted"]
    assert of_one.rules["shipped"] == apart.rules["shipped"]
    assert apart.rules["refitted"].kappa.value == pytest.approx(1, abs=0.05)
    assert found.fitted[1] == alone.fitted[1]


def test_means_are_those_of_the_subgoals_and_one_anchor_for_all_ranks_nothing():
    found = calibration.evaluate([made("a", 0), made("b", 1)], {"a0", "b0"}, "e", "d", 0)
    for group, ids in {"all": {"a0", "a1", "b0", "b1"}, "topics": {"a0", "b0"}}.items():
        mean = next(m for m in found.means if m.rule == "refitted" and m.group == group)
        each = [o.rules["refitted"].spearman.value or 0 for o in found.subgoals if o.id in ids]
        assert mean.spearman.value == pytest.approx(np.mean(each)) and mean.subgoals == len(ids)
        low, high = mean.spearman.interval or (2, 2)
        assert low <= (mean.spearman.value or 0) <= high
    flat = next(own for own in found.subgoals if own.id == "a0").rules["cosine"]
    assert flat.spearman.value == 0 and flat.kappa.value == pytest.approx(0)


def test_a_resample_without_the_rare_row_is_left_out_and_is_no_zero():
    labels = np.where(np.arange(100) < 5, 1.0, 0.0)
    weights = weights_of(100, 0)
    draws = calibration._draws(labels, labels, weights)["spearman"]
    missing = (weights[:, :5].sum(axis=1) == 0).mean()
    assert 0 < missing < 0.05 and np.isnan(draws).mean() == missing
    found = resampled(draws, 100)
    assert found.value == pytest.approx(1) and found.interval == pytest.approx((1, 1))
    constant = calibration._draws(np.zeros(100), labels, weights)["spearman"]
    assert not constant.any() and resampled(constant, 100).interval == (0, 0)


def test_nothing_to_rank_is_said():
    constant = made("a", 0)
    flat = Measured(domain("a", np.ones_like(constant.topic)), *[constant.topic] * 5)
    with pytest.raises(UserError, match="nothing to rank"):
        calibration.evaluate([flat, flat], set(), "e", "d", 0)


ROWS = {
    "cooking": [
        ("How long does bread bake?", "Bake the bread for 40 minutes in a hot oven.", 1.0, 0.0),
        ("How is dough made?", "Knead flour, water and yeast into a bread dough.", 0.8, 0.0),
        ("Who wrote Faust?", "Goethe wrote the play Faust.", 0.0, 0.0),
        ("What is soup?", "Boil vegetables in water; that is a soup.", 0.2, 1.0),
    ],
    "money": [
        ("What does it cost?", "It costs $30 and a fee of $5 a month.", 0.0, 1.0),
        ("How do I save?", "Put some money aside on a savings account.", 1.0, 0.0),
        ("What is a cat?", "A cat is a small animal.", 0.0, 0.0),
        ("Where is my bank?", "The bank is at the corner.", 0.4, 0.0),
    ],
}  # fmt: skip
SUBGOALS = {
    "cooking": [("bread", "Baking bread", "Explains how bread is baked."),
                ("soup", "Soups", "Explains how a soup is made.")],
    "money": [("saving", "Saving money", "Gives advice on saving money."),
              ("amounts", "Amounts", "States amounts of money in figures.")],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "data" / "gold"
    place.mkdir(parents=True)
    for name, rows in ROWS.items():
        subgoals = [
            dict(zip(("id", "name", "description"), s, strict=True)) for s in SUBGOALS[name]
        ]
        (place / f"{name}.subgoals.json").write_text(json.dumps(subgoals))
        ids = [own["id"] for own in subgoals]
        lines = [
            {"id": str(i), "input": q, "output": a, "scores": dict(zip(ids, s, strict=True))}
            for i, (q, a, *s) in enumerate(rows)
        ]
        (place / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return tmp_path / "data"


async def test_rows_of_ones_own_are_read_and_judged(folder: Path):
    seen: list[tuple[int, int]] = []
    found, spent = await calibration.run(
        ModelConfig(), folder, None, lambda done, total, spent: seen.append((done, total))
    )
    assert seen[-1] == (8, 8) and not spent.calls
    assert {own.id for own in found.subgoals} == {"bread", "soup", "saving", "amounts"}
    assert all(set(own.rules) == set(RULES) for own in found.subgoals)
    by_id = {own.id: own.rules["shipped"].spearman.value or 0 for own in found.subgoals}
    assert by_id["bread"] > 0.5 and by_id["amounts"] > 0.5
    assert not any(own.topic for own in found.subgoals)


async def test_what_is_missing_is_named(folder: Path, tmp_path: Path):
    (folder / "gold" / "money.subgoals.json").unlink()
    with pytest.raises(UserError, match="1 domain: give two"):
        await calibration.run(ModelConfig(), folder, None, lambda *_: None)
    other = tmp_path / "topics.yaml"
    other.write_text("subgoals: [bread]")
    with pytest.raises(UserError, match=r"topics\.yaml must hold “topics”"):
        calibration.topics_of(other)
