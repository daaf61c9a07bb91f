"""Does the passport find what is known of a judge? On judges whose faults are made on purpose."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from passports import RETESTED, domain, expected_flips, holds, labels_of, only, shaken, twice
from sklearn.metrics import cohen_kappa_score

from goalcover.evals.intervals import Rate
from goalcover.evals.passport.evaluation import passport
from goalcover.evals.passport.measures import Column, figures_of, overall, rate
from goalcover.evals.passport.retest import BASE, Judged, ensemble
from goalcover.evals.passport.verdicts import Rule, verdict_of
from goalcover.evals.reliability import weights_of

SUMMARIES = Path(__file__).parents[3] / "shared" / "data" / "summeval_judged.jsonl"


def test_known_noise_is_recovered() -> None:
    labels = labels_of(400, 3)
    judged = twice(labels)
    found = passport("d", [domain(labels)], RETESTED, [judged], seed=0)
    values, again = judged.values[BASE][0], judged.values["retest 2"][0]
    entry = only(found, "noisy", "s1")
    assert holds(entry.figures["retest_changed"], expected_flips())
    assert entry.figures["retest_changed"].value == pytest.approx((values != again)[:, 1].mean())
    crossed = ((values >= 0.6) != (again >= 0.6))[:, 1].mean()
    assert entry.figures["retest_crossed"].value == pytest.approx(crossed)
    expected = cohen_kappa_score(
        np.rint(values[:, 1] * 5), np.rint(labels[:, 1] * 5), weights="quadratic"
    )
    assert entry.figures["kappa"].value == pytest.approx(expected)
    assert entry.verdict == "use with care" and "change on a retest" in entry.reasons[0]
    whole = only(found, "noisy")
    assert whole.figures["retest_changed"].value == pytest.approx((values != again).mean())
    assert found.judges[0].same is False and whole.verdict is None


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """The kappa of the noise in the long run, and its flips, in 100 samples of 80 rows."""
    many = labels_of(200_000, 1, seed=1)
    base = shaken(many, np.random.default_rng(2))
    truth = cohen_kappa_score(*(np.rint(side[:, 0] * 5) for side in (base, many)),
                              weights="quadratic")  # fmt: skip
    hits: Counter[str] = Counter()
    for seed in range(100):
        labels = labels_of(80, 1, seed=seed + 10)
        figures = figures_of(twice(labels, seed), 0, labels, weights_of(80, seed, 400))
        hits["kappa"] += holds(rate(figures["kappa"][0]), truth)
        hits["flips"] += holds(rate(figures["retest_changed"][0]), expected_flips())
    assert all(88 <= hits[name] <= 100 for name in ("kappa", "flips")), hits


def test_a_judge_that_repeats_itself_is_deterministic_in_what_was_measured() -> None:
    labels = labels_of(100, 2)
    judged = Judged("steady", "steady", {BASE: [labels], "retest 2": [labels.copy()]})
    found = passport("d", [domain(labels)], RETESTED, [judged], seed=0)
    assert found.judges[0].same is True
    flips = only(found, "steady", "s0").figures["retest_changed"]
    assert flips.value == 0 and flips.interval == pytest.approx((0, 0.037), abs=1e-3)  # Wilson
    over_all = only(found, "steady").figures["retest_changed"].interval
    assert over_all == pytest.approx((0, 0.037), abs=1e-3), "rows, not judgements, were drawn"
    assert only(found, "steady", "s0").verdict == "use"
    assert any("200 judgements asked again and none changed" in line for line in found.lines())
    once = passport("d", [domain(labels)], RETESTED[:1], [Judged("j", "j", {BASE: [labels]})], 0)
    assert once.judges[0].same is None
    assert only(once, "j", "s0").reasons == ["not asked again"]


def test_a_judge_of_two_anchors_is_seen() -> None:
    labels = labels_of(90, 1)
    blunt = np.where(labels >= 0.6, 0.8, 0.2)
    found = passport("d", [domain(labels)], RETESTED[:1], [Judged("b", "b", {BASE: [blunt]})], 0)
    entry = only(found, "b", "s0")
    assert [count > 0 for count in entry.histogram] == [False, True, False, False, True, False]
    share = (blunt == 0.8).mean()
    entropy = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    assert entry.figures["anchors_effective"].value == pytest.approx(np.exp(entropy))
    assert entry.figures["anchors_most"].value == pytest.approx(max(share, 1 - share))
    assert entry.figures["anchors_off"].value == 0
    between = passport("d", [domain(labels)], RETESTED[:1],
                       [Judged("o", "o", {BASE: [blunt + 0.05]})], 0)  # fmt: skip
    assert only(between, "o", "s0").figures["anchors_off"].value == 1


def test_failures_are_counted_and_never_values() -> None:
    labels = labels_of(60, 2)
    holed = labels.copy()
    holed[:20, 0] = np.nan
    judged = Judged("h", "h", {BASE: [holed]}, Counter({"HTTP 500": 20}))
    found = passport("d", [domain(labels)], RETESTED[:1], [judged], seed=0)
    entry = only(found, "h", "s0")
    assert entry.figures["judgements_failed"].value == pytest.approx(1 / 3)
    assert (entry.rows, entry.figures["kappa"].of, sum(entry.histogram)) == (40, 40, 40)
    assert entry.verdict == "do not use" and "33 %" in entry.reasons[0]
    assert any("20 × HTTP 500" in line for line in found.lines())


@pytest.mark.parametrize("seen", [0, 10])
def test_without_labels_all_but_agreement_is_there(seen: int) -> None:
    values = labels_of(60, 2)
    labels = np.where(np.arange(60)[:, None] < seen, values, np.nan)
    found = passport("d", [domain(labels)], RETESTED, [twice(values)], seed=0)
    entry = only(found, "noisy", "s0")
    assert entry.verdict == "cannot tell" and entry.figures["kappa"].of == seen
    assert entry.figures["retest_changed"].of == 60
    titles = [table.title for table in found.tables()]
    assert ("Agreement with the labels" in titles) == bool(seen)
    assert "The same asked again" in titles
    json.loads(found.model_dump_json())  # no NaN


def test_the_median_is_a_judge_of_its_own() -> None:
    sides = [[[0.2, np.nan]], [[0.6, np.nan]], [[np.nan, 0.4]]]
    judges = [Judged(str(i), "", {BASE: [np.array(side)]}) for i, side in enumerate(sides)]
    judges[2].values[BASE][0][0, 1] = np.nan
    np.testing.assert_array_equal(ensemble(judges, "m").values[BASE][0], [[0.4, np.nan]])
    labels = labels_of(60, 2)
    found = passport("d", [domain(labels)], RETESTED, [twice(labels, i) for i in range(3)], seed=0)
    assert [judge.name for judge in found.judges][-1] == "median of 3"
    noisy = next(entry for entry in found.entries if not entry.subgoal)
    both = only(found, "median of 3")
    for name in ("kappa", "retest_changed"):
        better, worse = both.figures[name].value, noisy.figures[name].value
        assert better is not None and worse is not None
        assert better > worse if name == "kappa" else better < worse
    assert len(found.between) == 3 and found.all_alpha and found.all_alpha.value
    assert 0.5 < found.all_alpha.value < 1


def test_resamples_that_say_nothing_leave_no_interval() -> None:
    labels = np.zeros((40, 1))
    labels[0] = 1.0  # drawn in 64 % of the resamples
    figures = figures_of(Judged("j", "j", {BASE: [labels]}), 0, labels, weights_of(40, 0))
    kappa = rate(figures["kappa"][0])
    assert kappa.value == pytest.approx(1) and kappa.interval is None
    assert verdict_of({k: rate(c[0]) for k, c in figures.items()}, True, None, Rule())[0] == (
        "cannot tell"
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40), st.integers(0, 1_000), st.sampled_from([0.0, 0.1, 1.0]))
def test_every_interval_holds_its_figure(rows: int, seed: int, noise: float) -> None:
    draw = np.random.default_rng(seed)
    labels = draw.choice([*np.arange(6) / 5, np.nan], (rows, 2))
    values = np.where(draw.random(labels.shape) < noise, draw.choice(6, labels.shape) / 5, labels)
    again = np.where(draw.random(labels.shape) < noise, draw.choice(6, labels.shape) / 5, values)
    judged = Judged("j", "j", {BASE: [values], "retest 2": [again], "pairwise": [again]})
    found = figures_of(judged, 0, labels, weights_of(rows, seed, 200))
    for name, columns in found.items():
        for figure in (*map(rate, columns), overall(columns, rows)):
            if figure.interval is not None and figure.value is not None:
                low, high = figure.interval
                assert low - 1e-12 <= figure.value <= high + 1e-12, (name, figure)
    for effective in map(rate, found["anchors_effective"]):
        low, high = effective.interval or (1, 6)
        assert low >= 1 and high <= 6


def test_the_number_of_anchors_is_in_its_interval_about_as_often_as_that_says() -> None:
    """Few rows show fewer anchors than the judge has: resamples would say so once more."""
    chances = np.array([0.4, 0.3, 0.1, 0.1, 0.05, 0.05])
    truth = np.exp(-(chances * np.log(chances)).sum())
    hits = 0
    for seed in range(100):
        values = np.random.default_rng(seed).choice(6, (60, 1), p=chances) / 5
        figures = figures_of(Judged("j", "j", {BASE: [values]}), 0, values, weights_of(60, seed))
        hits += holds(rate(figures["anchors_effective"][0]), truth)
    assert 84 <= hits <= 100, hits


def test_without_labels_the_headline_says_what_to_do() -> None:
    values = labels_of(60, 2)
    for seen, words in ((0, "give scores of your own; see docs/judges.md"), (10, "Label more")):
        labels = np.where(np.arange(60)[:, None] < seen, values, np.nan)
        found = passport("d", [domain(labels)], RETESTED, [twice(values)], seed=0)
        assert "cannot tell 2 of 2 subgoals" in found.headline() and words in found.headline()
    found = passport("d", [domain(values)], RETESTED, [twice(values)], seed=0)
    assert "docs/judges.md" not in found.headline()


def test_a_judge_that_is_a_whole_anchor_too_high_is_no_plain_use() -> None:
    labels = labels_of(200, 1)
    mild = Judged("mild", "", {BASE: [np.minimum(1, labels + 0.2)]})
    mild.values["retest 2"] = mild.values[BASE]
    entry = only(passport("d", [domain(labels)], RETESTED, [mild], 0), "mild", "s0")
    assert entry.verdict == "use with care"
    assert any(reason.endswith("too high") for reason in entry.reasons), entry.reasons


def test_the_anchors_of_two_judges_fit_a_terminal_with_the_longest_names() -> None:
    labels = labels_of(60, 2)
    found = passport("d", [domain(labels)], RETESTED, [twice(labels), twice(labels, 1)], seed=0)
    (table,) = [table for table in found.tables() if table.title.startswith("Use of the anchors")]
    names = [28, 18]  # subgoals and judges are shortened to this
    rest = [max(map(len, cells)) for cells in zip(table.columns, *table.rows, strict=True)][2:]
    assert sum(names + rest) + 3 * len(table.columns) + 1 <= 100


def test_lines_tell_of_the_result_first_and_define_last() -> None:
    labels = labels_of(60, 2)
    judged = Judged("h", "h", {BASE: [labels]}, Counter({"HTTP 500": 2}))
    told = passport("d", [domain(labels)], RETESTED[:1], [judged], seed=0).lines()
    kinds = [next(i for i, line in enumerate(told) if words in line)
             for words in ("HTTP 500", "Rule", "Intervals: 95 %")]  # fmt: skip
    assert kinds == sorted(kinds) and told[-1].startswith("Intervals")


def test_over_all_is_the_mean_of_the_subgoals_where_there_is_a_figure() -> None:
    nothing = Column(np.full(3, np.nan), 0)
    found = overall([Column(np.array([0.2, 0.1, 0.3]), 5), nothing,
                     Column(np.array([0.6, 0.5, 0.7]), 5)], 5)  # fmt: skip
    assert found.value == pytest.approx(0.4) and found.of == 10
    assert found.interval == pytest.approx((0.305, 0.495))
    assert overall([nothing], 5) == Rate(value=None, of=0)


@pytest.mark.skipif(not SUMMARIES.exists(), reason="the rated summaries are no part of the project")
def test_strong_judges_are_told_from_useless_ones() -> None:
    """Ratings of 300 of SummEval's summaries, against the mean of three experts."""
    rows = [json.loads(line) for line in SUMMARIES.open(encoding="utf-8")][::4]
    skills = ("coherence", "consistency", "fluency", "relevance")

    def scaled(ratings: list[dict[str, float]]) -> np.ndarray:
        values = np.array([[own.get(skill) for skill in skills] for own in ratings], dtype=float)
        return np.where((values < 1) | (values > 5), np.nan, (values - 1) / 4)

    experts = np.stack(
        [scaled([row["expert_annotations"][number] for row in rows]) for number in range(3)]
    )
    labels = experts.mean(axis=0)
    names = {"strong": "gpt-4-0314|rts", "useless": "llama-2-7b-chat-hf|rts"}
    entries = {"expert": experts[0]}
    entries |= {kind: scaled([row["judge"][name] for row in rows]) for kind, name in names.items()}
    found = {
        kind: passport("d", [domain(labels)], RETESTED[:1], [Judged(kind, "", {BASE: [values]})], 0)
        for kind, values in entries.items()
    }
    over = {kind: only(one, kind).figures["spearman"] for kind, one in found.items()}
    bounds = {kind: figure.interval for kind, figure in over.items()}
    assert bounds["expert"] and bounds["strong"] and bounds["useless"]
    assert bounds["useless"][1] < 0.2 < bounds["strong"][0] < bounds["strong"][1]
    assert bounds["strong"][1] < bounds["expert"][0]
    verdicts = {kind: [e.verdict for e in one.entries if e.subgoal] for kind, one in found.items()}
    assert set(verdicts["useless"]) == {"do not use"} and "do not use" not in verdicts["strong"]
