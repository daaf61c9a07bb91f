"""The goal-aligned subset: its rule, its floors, its near-duplicates, its fair comparison."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.memory.errors import UserError
from goalcover.memory.records import Score
from goalcover.tools.filter_config import FLOOR, FLOOR_SCORE, FilterConfig, read_weights
from goalcover.tools.filtering import near_cut, select, values_of
from goalcover.tools.rubric import ANCHORS
from goalcover.tools.scored_rows import ScoredRow
from goalcover.tools.settings import checked

NAMES = ["a", "b", "c"]
VALUE = st.none() | st.sampled_from(ANCHORS)
ROWS = st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, VALUE)), max_size=60).map(
    lambda rows: [ScoredRow(2 * index, values) for index, values in enumerate(rows)]
)
RULES = st.sampled_from(["best", "mean", "weighted"])
WEIGHTS = {"a": 3.0, "c": 0.0}


@st.composite
def configs(draw, **fixed) -> FilterConfig:
    rule = draw(RULES)
    given = {
        "rule": rule,
        "weights": WEIGHTS if rule == "weighted" else {},
        "keep": draw(st.sampled_from([0.0, 0.5, 0.6, 1.0])),
        "floor": draw(st.sampled_from([0, 1, 3, FLOOR])),
        "keep_duplicates": draw(st.booleans()),
    }
    return FilterConfig(**given | fixed)


@st.composite
def copies(draw) -> dict[int, int]:
    """Some rows of ROWS as near-duplicates of earlier ones, which are the first of their kind."""
    firsts = draw(st.lists(st.booleans(), min_size=60, max_size=60))
    found: dict[int, int] = {}
    for index in range(1, 60):
        known = [2 * i for i in range(index) if 2 * i not in found]
        if not firsts[index]:
            found[2 * index] = draw(st.sampled_from(known[-3:]))
    return found


def text(row: int) -> str:
    return f"row {row} says something of its own"


def chosen(rows, config, near=None, seed=0):
    return select(rows, NAMES, config, seed, text, near)


def present(row: ScoredRow, names=NAMES) -> list[float]:
    return [v for name in names if (v := row.values[name]) is not None]


def by_rule(row: ScoredRow, config: FilterConfig) -> float:
    """The rule computed in the plainest way."""
    if config.rule == "best":
        return max(present(row))
    weights = {name: config.weights.get(name, 1.0) for name in NAMES}
    if any(weights[name] and row.values[name] is None for name in NAMES):
        return -1.0  # what is not judged in full is not ranked
    total = sum(weights.values())
    return round(sum(w * (row.values[n] or 0) for n, w in weights.items()) / total, 9)


@given(ROWS, configs(keep_duplicates=True))
def test_rows_are_kept_by_the_rule_or_a_floor(rows, config):
    kept, result = chosen(rows, config)
    judged = {row.row: row for row in rows if present(row)}
    assert kept == sorted(set(kept)) and set(kept) <= judged.keys()
    assert (result.total, result.kept, result.near_duplicates) == (len(judged), len(kept), 0)
    ruled = {n for n, row in judged.items() if by_rule(row, config) >= config.keep}
    floored = set()
    for name in NAMES:
        reaching = [n for n, row in judged.items() if (row.values[name] or 0) >= FLOOR_SCORE]
        best = sorted(reaching, key=lambda n: (-judged[n].values[name], n))[: config.floor]
        assert result.floored[name] == len(set(best) - ruled)
        floored.update(best)
    assert set(kept) == ruled | floored
    assert result.reached == len(ruled)


@given(ROWS, configs(), copies())
def test_floors_hold_for_any_scores_and_near_duplicates(rows, config, near):
    kept, result = chosen(rows, config, near)
    groups = {} if config.keep_duplicates else near
    for name in NAMES:
        reaching = {r.row for r in rows if (r.values[name] or 0) >= FLOOR_SCORE}
        distinct = {groups.get(row, row) for row in reaching}
        kept_of = {groups.get(row, row) for row in reaching & set(kept)}
        assert len(kept_of) >= min(config.floor, len(distinct))
    if not config.floor and not config.keep_duplicates:
        firsts = [near.get(row, row) for row in kept]
        assert len(set(firsts)) == len(firsts)
    left_out = {r.row for r in rows if present(r)} - set(kept)
    kept_groups = {groups.get(row, row) for row in kept}
    assert result.near_duplicates == sum(groups.get(row, row) in kept_groups for row in left_out)


@given(ROWS, configs(), copies())
def test_of_near_duplicates_the_best_by_the_rule_is_kept(rows, config, near):
    config = config.model_copy(update={"floor": 0, "keep_duplicates": False})
    kept, _ = chosen(rows, config, near)
    judged = {row.row: row for row in rows if present(row)}
    for row in judged:
        group = [n for n in judged if near.get(n, n) == near.get(row, row)]
        best = min(group, key=lambda n: (-by_rule(judged[n], config), n))
        assert (row in kept) == (row == best and by_rule(judged[row], config) >= config.keep)


@given(ROWS, configs(), copies(), st.integers(1, 70))
def test_a_size_is_met_exactly_where_there_are_as_many(rows, config, near, size):
    config = config.model_copy(update={"size": size})
    groups = {} if config.keep_duplicates else near
    judged = {row.row: row for row in rows if present(row)}
    distinct = len({groups.get(row, row) for row in judged})
    try:
        kept, result = chosen(rows, config, near)
    except UserError as error:
        (needed,) = re.findall(r"need (\d+) rows", str(error))
        assert int(needed) > size and config.floor
        return
    assert len(kept) == size or (len(kept) < size and len(kept) >= distinct)
    without = config.model_copy(update={"floor": 0})
    kept_without, _ = chosen(rows, without, near)
    assert result.reached == len({*kept} & {*kept_without})
    if config.floor == 0:
        assert result.reached == len(kept)
        worst = min((by_rule(judged[row], config) for row in kept), default=1)
        others = {
            groups.get(row, row): by_rule(judged[row], config) for row in judged.keys() - set(kept)
        }
        kept_groups = {groups.get(row, row) for row in kept}
        assert all(v <= worst for group, v in others.items() if group not in kept_groups)


@given(ROWS, configs(), copies(), st.integers(0, 5))
def test_the_same_rows_give_the_same_subset(rows, config, near, seed):
    assert chosen(rows, config, near, seed) == chosen(iter(rows), config, near, seed)


@given(ROWS, configs(), st.integers(0, 5))
def test_figures_are_of_the_rows_they_speak_of(rows, config, seed):
    kept, result = chosen(rows, config, seed=seed)
    judged = [row for row in rows if present(row)]
    for subset, of in ((result.aligned, [r for r in judged if r.row in kept]),
                       (result.original, judged)):  # fmt: skip
        assert subset.rows == len(of)
        for name in NAMES:
            values = [v for row in of if (v := row.values[name]) is not None]
            assert subset.means[name] == (pytest.approx(np.mean(values)) if values else None)
            assert subset.supporting[name] == sum(v >= 0.6 for v in values)
    assert result.random.rows == result.aligned.rows
    if len(kept) == result.total:
        assert result.random == result.original == result.aligned


def test_a_mean_of_equal_values_reaches_the_same_threshold():
    rows = [ScoredRow(0, dict.fromkeys(NAMES, 0.6))]
    for asked in ({"rule": "mean"}, {"rule": "weighted", "weights": {"a": 0.1}}):
        assert chosen(rows, FilterConfig.model_validate(asked | {"floor": 0}))[0] == [0]


def test_the_floor_prefers_the_best_and_then_the_first_rows():
    rows = [ScoredRow(i, {"a": 0.4}) for i in range(20)] + [ScoredRow(20, {"a": 0.5})]
    kept, _ = select(rows, ["a"], FilterConfig(keep=0.9), 0, text)
    assert kept == [*range(FLOOR - 1), 20]


def test_a_floor_is_not_broken_by_near_duplicates():
    """The two are almost the same, and each is the only one to show what a subgoal wants."""
    rows = [ScoredRow(0, {"a": 0.8, "b": 0.0}), ScoredRow(1, {"a": 0.0, "b": 0.6})]
    kept, result = select(rows, ["a", "b"], FilterConfig(), 0, text, {1: 0})
    assert kept == [0, 1]
    assert (result.near_duplicates, result.floored) == (0, {"a": 0, "b": 1})
    kept, result = select(rows, ["a", "b"], FilterConfig(floor=0), 0, text, {1: 0})
    assert (kept, result.near_duplicates) == ([0], 1)


def test_the_random_subset_has_the_same_size_and_follows_the_seed():
    rows = [ScoredRow(i, {"a": i / 999}) for i in range(1000)]
    draws = [
        select(rows, ["a"], FilterConfig(), seed, text)[1].random.means["a"] or 0
        for seed in range(5)
    ]
    assert len(set(draws)) == 5
    assert np.mean(draws) == pytest.approx(0.5, abs=0.05)


def test_only_the_subgoals_that_count_count():
    rows = [ScoredRow(0, {"a": 0.8, "z": None}), ScoredRow(1, {"a": None, "z": 1.0})]
    kept, result = select(rows, ["a"], FilterConfig(), 0, text)
    assert (kept, result.total) == ([0], 1)
    assert result.aligned.means == {"a": 0.8}


def test_no_rows_no_subset():
    kept, result = select([], ["a"], FilterConfig(), 0, text)
    assert (kept, result.total) == ([], 0)
    assert (result.aligned.means, result.aligned.diversity) == ({"a": None}, None)


def test_a_failed_judgement_is_no_value():
    scores = {"a": Score(value=0.2), "b": Score(error="timeout")}
    assert values_of(3, scores) == ScoredRow(3, {"a": 0.2, "b": None})


def test_a_predicted_value_is_known_as_one():
    made = Score(value=0.4, error="timeout", source="predicted", interval=(0.1, 0.6))
    found = values_of(3, {"a": made, "b": Score(value=0.2)})
    assert found == ScoredRow(3, {"a": 0.4, "b": 0.2}, frozenset("a"), {"a": (0.1, 0.6)})


def guess(row: int, value: float, low: float, high: float, **judged: float) -> ScoredRow:
    """A row with a predicted alignment with "a"."""
    return ScoredRow(row, {"a": value, **judged}, frozenset("a"), {"a": (low, high)})


FLOORLESS = FilterConfig(floor=0)


def test_rows_whose_interval_holds_the_cut_are_near_it_the_nearest_first():
    rows = [
        guess(0, 0.1, 0.0, 0.9),
        guess(1, 0.5, 0.4, 0.6),  # its high end reaches the cut
        guess(2, 0.7, 0.6, 0.8),  # its low end does: it is kept however it is judged
        guess(3, 0.2, 0.0, 0.59),
        ScoredRow(4, {"a": 0.6}),
        guess(5, 0.65, 0.3, 1.0),
    ]
    assert near_cut(rows, ["a"], FLOORLESS, 10) == [5, 1, 0]
    assert near_cut(rows, ["a"], FLOORLESS, 2) == [5, 1]
    kept, result = select(rows, ["a"], FLOORLESS, 0, text)
    assert kept == [2, 4, 5]
    assert (result.predicted, result.unjudged, result.open) == (2, 5, 3)


def test_a_judged_value_that_decides_leaves_nothing_open():
    rows = [guess(0, 0.5, 0.1, 0.9, b=0.8), guess(1, 0.5, 0.1, 0.9, b=0.2)]
    assert near_cut(rows, ["a", "b"], FLOORLESS, 9) == [1]
    mean = FilterConfig(rule="mean", floor=0, keep=0.5)  # 0.45 to 0.85 and 0.15 to 0.55
    assert sorted(near_cut(rows, ["a", "b"], mean, 9)) == [0, 1]
    weighted = FilterConfig(rule="weighted", weights={"a": 0.0}, floor=0, keep=0.5)
    assert near_cut(rows, ["a", "b"], weighted, 9) == []


def test_with_a_size_the_cut_is_the_value_of_the_last_row_kept():
    rows = [guess(i, 1 - i / 10, 0.85 - i / 10, min(1, 1.15 - i / 10)) for i in range(10)]
    three = FilterConfig(size=3, floor=0)  # the last is row 2 with 0.8
    assert near_cut(rows, ["a"], three, 9) == [2, 1, 3]
    assert near_cut(rows, ["a"], FilterConfig(size=10, floor=0), 99) == []
    floored = FilterConfig(size=3, floor=3)
    assert near_cut(rows, ["a"], floored, 99) == []  # no other row can come in


def test_a_prediction_without_an_interval_may_be_anything():
    rows = [ScoredRow(0, {"a": 0.1}, frozenset("a")), ScoredRow(1, {"a": 0.1})]
    assert near_cut(rows, ["a"], FLOORLESS, 9) == [0]


@given(ROWS, configs(), copies())
def test_of_judged_rows_no_decision_is_open(rows, config, near):
    _, result = chosen(rows, config, near)
    assert (result.predicted, result.unjudged, result.open) == (0, 0, 0)
    assert near_cut(rows, NAMES, config, 99, near) == []


@given(ROWS, configs(floor=0, keep_duplicates=True), st.data())
def test_only_open_rows_can_change_sides(rows, config, data):
    """Wherever in their intervals judgements turn out to lie."""
    ends = st.tuples(st.sampled_from(ANCHORS), st.sampled_from(ANCHORS)).map(sorted).map(tuple)
    guessed, settled = [], []
    for row in rows:
        made = {n for n, v in row.values.items() if v is not None and data.draw(st.booleans())}
        spans = {name: data.draw(ends) for name in made}
        middle = {name: (low + high) / 2 for name, (low, high) in spans.items()}
        truth = {name: data.draw(st.floats(low, high)) for name, (low, high) in spans.items()}
        guessed.append(ScoredRow(row.row, row.values | middle, frozenset(made), spans))
        settled.append(ScoredRow(row.row, row.values | truth))
    before, result = chosen(guessed, config)
    after, _ = chosen(settled, config)
    changed = near_cut(guessed, NAMES, config, 99)
    assert set(before) ^ set(after) <= set(changed)
    assert result.open == len(changed)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, ["best alignment", "at least 0.6", "best 10 rows", "near-duplicates"]),
        ({"rule": "mean", "keep": 0.3, "floor": 0}, ["mean alignment", "at least 0.3"]),
        ({"rule": "weighted", "weights": {"a": 2}}, ["weighted mean", "(a 2, others 1)"]),
        (
            {"size": 5000, "keep_duplicates": True},
            ["the 5,000 rows", "highest, but there are only 1;", "earlier row"],
        ),
        ({"size": 1, "floor": 0}, ["the 1 rows", "highest;"]),
    ],
)
def test_the_rule_says_what_was_done(config, said):
    config = FilterConfig(**config)
    rule = chosen([ScoredRow(0, dict.fromkeys(NAMES, 1.0))], config)[1].rule
    assert all(part in rule for part in said)
    assert ("near-duplicates" in rule) == (not config.keep_duplicates)
    assert ("each subgoal" in rule) == (config.floor > 0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rule": "weighted"}, "go together"),
        ({"weights": {"a": 2}}, "go together"),
        ({"rule": "weighted", "weights": {"a": -1}}, "from 0 up"),
        ({"rule": "weighted", "weights": {"a": float("nan")}}, "from 0 up"),
        ({"rule": "weighted", "weights": {"a": float("inf")}}, "from 0 up"),
        ({"floor": -1}, "floor"),
        ({"size": 0}, "size"),
        ({"rule": "worst"}, "rule"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(given, said):
    with pytest.raises(UserError, match=said) as raised:
        checked(FilterConfig, given)
    assert "\n" not in str(raised.value)


def test_weights_of_unknown_subgoals_are_named():
    rows = [ScoredRow(0, dict.fromkeys(NAMES, 1.0))]
    with pytest.raises(UserError, match=r"--weight x: no such subgoal. There are: a, b, c"):
        chosen(rows, FilterConfig(rule="weighted", weights={"x": 1}))
    with pytest.raises(UserError, match="every subgoal weighs 0"):
        chosen(rows, FilterConfig(rule="weighted", weights=dict.fromkeys(NAMES, 0)))


def test_too_small_a_size_names_what_the_floors_need():
    rows = [ScoredRow(i, dict.fromkeys(NAMES, 0.8)) for i in range(20)]
    with pytest.raises(UserError, match=r"--size 5 is too small: the floors need 10 rows"):
        chosen(rows, FilterConfig(size=5))


def test_weights_are_read():
    assert read_weights(["a=2", "b=0.5"]) == {"a": 2.0, "b": 0.5}
    for wrong in ("a", "a=", "a=two"):
        with pytest.raises(UserError, match=f"--weight {wrong}: write ID=NUMBER"):
            read_weights([wrong])
