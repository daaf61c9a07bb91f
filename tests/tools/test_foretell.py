"""What judging will take, before a call: counted by hand, and against what it then took."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_server import FakeServer
from hypothesis import given
from hypothesis import strategies as st
from judging import DOSING, THREE, well_judged

from goalcover.memory.errors import UserError
from goalcover.memory.records import Foretold, Sample, Score, ScoringPlan, Spent, Subgoal, Usage
from goalcover.memory.store import Store, open_store
from goalcover.tools import foretell
from goalcover.tools.datasets import DataSource, load
from goalcover.tools.judge import asks_of
from goalcover.tools.model import Door
from goalcover.tools.prices import Price
from goalcover.tools.scorer import Scorer, judge_id
from goalcover.tools.settings import RunConfig, checked, home, open_model
from goalcover.tools.survey.sampling import drawn
from goalcover.tools.survey.size import MOST_SPREAD, SPREAD, expected_size, sample_size
from goalcover.tools.tokens import VERDICT, count_tokens

EIGHT = [DOSING.model_copy(update={"id": f"s{i}"}) for i in range(8)]
PRICE = Price(input=2.0, output=8.0)


@pytest.fixture
def store(own_home: Path) -> Iterator[Store]:
    with open_store(own_home) as opened:
        yield opened


@pytest.fixture
def data(tmp_path: Path) -> Callable[[int], str]:
    def write(rows: int) -> str:
        path = tmp_path / f"rows{rows}.jsonl"
        lines = ({"prompt": f"question {i}", "completion": f"answer {i}"} for i in range(rows))
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return str(path)

    return write


def configured(path: str, subgoals: Sequence[Subgoal] = THREE, **options: Any) -> RunConfig:
    given = {"source": DataSource(path=path), "goal": {"text": "g"}, "subgoals": list(subgoals)}
    return checked(RunConfig, {**given, "judge": "m", "prices": {"m": PRICE}, **options})


def foretold(config: RunConfig, store: Store, spent: Spent | None = None) -> Foretold:
    table = load(config.source, home() / "datasets")
    return foretell.foretold(config, table, store, config.subgoals, spent)


def ways(plan: ScoringPlan) -> dict[str, Foretold]:
    return {f"{way.method} {way.precision or ''}".strip(): way for way in plan.ways}


def judge_some(store: Store, config: RunConfig, samples: Sequence[Sample], values) -> None:
    """Puts judgements of these rows in the store."""
    model = open_model("m", config, None, unasked=True)  # pyright: ignore[reportArgumentType]
    for sample, value in zip(samples, values, strict=True):
        scores = {subgoal.hash: Score(value=value) for subgoal in config.subgoals}
        store.scores.put(judge_id(model, "joint"), sample.hash, scores)


def samples_of(config: RunConfig) -> list[Sample]:
    return [sample for sample in load(config.source, home() / "datasets") if sample]


# --- calls, tokens, money


def test_calls_tokens_and_money_are_those_of_the_prompts(
    data: Callable[[int], str], store: Store
) -> None:
    config = configured(data(20), EIGHT)
    found = ways(foretell.plan_file(config))
    assert (found["pairwise"].calls, found["joint"].calls) == (160, 40)
    asks = [ask for sample in samples_of(config) for ask in asks_of(sample, EIGHT, "joint")]
    read = sum(count_tokens(m["content"], "m") for ask in asks for m in ask.messages())
    assert found["joint"].tokens_in == read
    assert found["joint"].tokens_out == found["pairwise"].tokens_out == 160 * VERDICT
    assert found["joint"].cost_usd == pytest.approx((2 * read + 8 * 160 * VERDICT) / 1e6)
    assert found["pairwise"].tokens_in > found["joint"].tokens_in
    assert found["joint"].seconds is None, "this judge was not asked before"


def test_a_price_that_is_not_known_is_said(data: Callable[[int], str], own_home: Path) -> None:
    plan = foretell.plan_file(configured(data(5), prices={}, base_url="http://127.0.0.1:9/v1"))
    assert all(way.cost_usd is None for way in plan.ways)
    assert any("give --prices" in line for line in plan.how)


def test_batches_are_told_of_where_their_price_is_known(
    data: Callable[[int], str], own_home: Path
) -> None:
    plan = foretell.plan_file(configured(data(5)))
    joint = ways(plan)["joint"].cost_usd
    assert joint
    (line,) = (line for line in plan.how if "--batch" in line)
    assert f"{joint / 2:.2g} USD" in line


def test_the_embedded_judge_costs_nothing(data: Callable[[int], str], own_home: Path) -> None:
    plan = foretell.plan_file(configured(data(20), judge=None, prices={}))
    assert {(way.tokens_in, way.cost_usd) for way in plan.ways} == {(0, 0.0)}
    assert plan.judge.startswith("embedded") and "does not judge skill" in plan.how[0]


def test_what_is_judged_already_is_counted_off(
    data: Callable[[int], str], store: Store, own_home: Path
) -> None:
    config = configured(data(40))
    judge_some(store, config, samples_of(config)[:10], [0.6] * 10)
    plan = foretell.plan_file(config)
    assert ways(plan)["joint"].calls == 30 and ways(plan)["joint"].rows == 40
    assert ways(plan)["pairwise"].calls == 120, "those were joint judgements"
    assert "Judged already, and counted off: 10 rows (joint)." in plan.how


def test_rows_of_the_same_text_are_judged_once(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "same.jsonl"
    outputs = [*(f"a{i // 2}" for i in range(10)), ""]
    lines = (json.dumps({"prompt": "q", "completion": output}) + "\n" for output in outputs)
    path.write_text("".join(lines))
    found = foretold(configured(str(path)), store)
    assert (found.method, found.rows, found.calls) == ("joint", 10, 5)


async def test_calls_and_tokens_are_near_what_it_then_takes(
    data: Callable[[int], str], store: Store
) -> None:
    with FakeServer(well_judged) as server:
        config = configured(data(30), base_url=server.base_url)
        before = foretold(config, store)
        model = open_model("m", config, None)  # pyright: ignore[reportArgumentType]
        scorer = Scorer(Door(model, store, "run"), store)
        await scorer.score("run", samples_of(config), 30, THREE)
        await model.aclose()
    spent = store.ledger("run").total()
    assert before.calls == spent.calls == server.calls
    assert before.tokens_in == pytest.approx(spent.tokens_in, rel=0.1)
    after = foretold(config, store)
    assert (after.calls, after.cost_usd, after.seconds) == (0, 0.0, 0.0)


# --- time


def test_time_is_by_earlier_replies_concurrency_and_rates(
    data: Callable[[int], str], store: Store, own_home: Path
) -> None:
    path = data(60)
    judge = open_model("m", configured(path), None, unasked=True)  # pyright: ignore[reportArgumentType]
    ledger = store.ledger("earlier")
    ledger.add(Usage(role="scorer", model=judge.name, calls=10, seconds=20.0))
    ledger.write()
    assert foretold(configured(path, max_concurrency=4), store).seconds == pytest.approx(60 * 2 / 4)
    assert foretold(configured(path, rpm=10.0), store).seconds == pytest.approx(360)
    slow = foretold(configured(path, tpm=1000.0), store)
    assert slow.seconds == pytest.approx((slow.tokens_in + slow.tokens_out) * 60 / 1000)
    assert foretold(configured(path, batch=True), store).seconds is None
    assert any("2 s on average" in line for line in foretell.plan_file(configured(path)).how)


# --- surveys


def test_rows_of_a_survey_are_those_of_the_textbook() -> None:
    """n0 = (1.96 s / d)², n = n0 / (1 + n0 / N) (Cochran, 1977, Sampling Techniques, eq. 4.2), and
    what the rule's looks and its interval add."""
    for rows in (2_000, 20_000, 1_000_000):
        for precision in (0.05, 0.03, 0.02):
            first = (1.96 * SPREAD / precision) ** 2
            wanted = first / (1 + first / rows)
            found = sample_size(0.5, SPREAD, rows, precision)
            assert max(100, wanted) * 0.97 <= found <= 1.1 * max(100, wanted) + 2
    assert sample_size(0.5, SPREAD, 20_000, 0.03) <= 800


@given(st.floats(0.2, 0.8), st.floats(0, 1), st.integers(1, 100_000), st.floats(0.005, 0.4))
def test_a_survey_is_no_larger_than_the_data_nor_than_at_most(
    mean: float, share: float, rows: int, precision: float
) -> None:
    spread = share * (mean * (1 - mean)) ** 0.5  # no values in [0, 1] differ more
    found = sample_size(mean, spread, rows, precision)
    assert min(100, rows) <= found <= rows
    assert sample_size(mean, spread, rows, None) == rows
    most = sample_size(0.5, MOST_SPREAD, rows, precision)
    assert found <= 1.1 * most + 1, "but for the last look, which may be a tenth larger"


def test_small_data_is_judged_whole(data: Callable[[int], str], store: Store) -> None:
    assert foretold(configured(data(90), precision=0.2), store).calls == 90


def test_the_widest_subgoal_decides_and_what_is_known_of_it_is_used() -> None:
    known = [0.0, 1.0] * 20
    constant = [0.2] * 40
    few = [0.0, 1.0]
    assert expected_size([constant, known], 10_000, 0.03) == sample_size(
        0.5, float(np.std(known, ddof=1)), 10_000, 0.03
    )
    assert expected_size([few], 10_000, 0.03) == sample_size(0.5, SPREAD, 10_000, 0.03)
    assert expected_size([constant], 10_000, 0.03) < 200


def test_judgements_in_the_store_say_how_many_rows_it_takes(
    data: Callable[[int], str], store: Store, own_home: Path
) -> None:
    config = configured(data(1000), precision=0.05)
    before = foretold(config, store)
    assert before.calls == before.rows == sample_size(0.5, SPREAD, 1000, 0.05)
    samples = samples_of(config)
    first = [samples[place] for place in drawn(1000, 0)[:60]]
    judge_some(store, config, first, [0.2, 0.4] * 30)
    after = foretold(config, store)
    assert after.rows < before.rows, "they differ less than was assumed"
    assert after.calls == after.rows - 60, "the same rows are drawn again, and not paid for"
    assert any("of the 60 rows or more" in line for line in foretell.plan_file(config).how)


def test_the_cap_bounds_a_survey(data: Callable[[int], str], store: Store) -> None:
    path = data(1000)
    whole = foretold(configured(path, EIGHT, precision=0.05), store)
    assert whole.calls == 2 * whole.rows
    found = foretold(configured(path, EIGHT, precision=0.05, max_calls=101), store)
    assert (found.calls, found.rows) == (100, 50), "a row takes two calls"
    spent = Spent(calls=41, cost_usd=0.0)
    found = foretold(configured(path, EIGHT, max_calls=101), store, spent)
    assert found.calls == 60
    assert whole.cost_usd
    found = foretold(configured(path, EIGHT, precision=0.05, budget=whole.cost_usd / 2), store)
    assert found.cost_usd and found.cost_usd <= whole.cost_usd / 2
    assert found.calls == pytest.approx(whole.calls / 2, abs=2)
    spent = Spent(calls=200)
    assert foretold(configured(path, max_calls=101), store, spent).calls == 0


def test_a_precision_of_ones_own_is_foretold_too(
    data: Callable[[int], str], own_home: Path
) -> None:
    plan = foretell.plan_file(configured(data(500), precision=0.04))
    assert [way.precision for way in plan.ways] == [None, None, 0.05, 0.04, 0.03, 0.02]
    surveys = [way.calls for way in plan.ways[2:]]
    assert surveys == sorted(surveys)


def test_rows_without_an_output_have_no_plan(tmp_path: Path, own_home: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_text('{"prompt": "q", "completion": ""}\n')
    with pytest.raises(UserError, match="no row has an output"):
        foretell.plan_file(configured(str(path)))
