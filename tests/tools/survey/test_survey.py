"""A survey over real HTTP: a random sample is judged, and what it says of all rows is true."""

import json
import random
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_batches import FakeBatches
from fake_server import Behaviour, Body, FakeServer
from judging import asked_ids

from goalcover.memory.errors import ModelUnavailable, UserError
from goalcover.memory.records import Subgoal
from goalcover.memory.store import Store
from goalcover.tools import batch
from goalcover.tools.cap import STOPPED, Cap
from goalcover.tools.chat_model import ChatModel
from goalcover.tools.datasets import DataSource, Table, load
from goalcover.tools.embedded_model import EmbeddedModel
from goalcover.tools.embeddings import Embedder
from goalcover.tools.model import Door
from goalcover.tools.scorer import ScoreProgress, Scorer
from goalcover.tools.survey.rule import FIRST
from goalcover.tools.survey.sampling import drawn
from goalcover.tools.survey.survey import LEAST_EXPLAINED, Surveyed, Wish, survey
from goalcover.tools.survey.words import BY_HAND

ROWS, EMPTY = 500, 17
REFUNDS = Subgoal(id="refunds", name="Refunds", description="Handles a refund.")
TONE = Subgoal(id="tone", name="Tone", description="Stays calm with an angry customer.")
TWO = [REFUNDS, TONE]
WISH = Wish(precision=0.03, tau=0.5, seed=0)
ENDLESS = replace(WISH, precision=None)
Served = Callable[..., ChatModel]


def text(row: int) -> str:
    if row % 3 == 0:
        return f"Your refund of order {row} is on its way to your card."
    return f"Parcel {row} is delivered at your door on Monday."


def score(row: int, name: str) -> float:
    """Refunds follow from the text, but for noise; tone does not."""
    draw = random.Random(f"{row} {name}")
    if name == "tone":
        return draw.choice([0.0, 0.0, 0.2, 0.6])
    return 0.8 + draw.choice([-0.2, 0, 0.2]) if row % 3 == 0 else draw.choice([0.0, 0.2])


def truth(name: str) -> np.ndarray:
    return np.array([score(row, name) for row in range(ROWS) if row != EMPTY])


def row_of(body: Body) -> int:
    found = re.search(r"(?:order|Parcel) (\d+)", body["messages"][1]["content"])
    assert found
    return int(found[1])


def answer(body: Body) -> dict[str, Any]:
    row = row_of(body)
    return {
        "judgements": [
            {"id": name, "explanation": f"of {row}", "score": score(row, name)}
            for name in asked_ids(body)
        ]
    }


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    folder = tmp_path_factory.mktemp("survey")
    rows = [{"prompt": f"Where is it? {i}", "completion": text(i)} for i in range(ROWS)]
    rows[EMPTY]["completion"] = ""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return load(DataSource(path=str(path)), folder)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("features")


@pytest.fixture
def surveyed(store: Store, table: Table, cache: Path, embedder: Embedder, served: Served) -> Any:
    async def run(
        server: FakeServer, wish: Wish = WISH, cap: Cap | None = None, run: str = "run", **more: Any
    ) -> Surveyed:
        door = Door(served("m", server.base_url), store, run, cap)
        scorer = Scorer(door, store, 8)
        return await survey(scorer, run, table, TWO, wish, embedder, {}, cache, **more)

    return run


async def test_a_sample_tells_of_all_rows(surveyed: Any, store: Store) -> None:
    seen: list[ScoreProgress] = []
    with FakeServer(answer) as server:
        found = await surveyed(server, on_progress=seen.append)
        calls = server.calls
        drawn = {row_of(body) for body in server.requests}
    told = found.survey
    assert told.sampled == len(found.rows) == calls < ROWS - 1 and {*found.rows} == drawn
    assert told.looks[0] == FIRST and told.looks[-1] == told.sampled and told.reached
    assert told.calls_whole == 2 * (ROWS - 1)
    assert not told.rejudged and not told.explained
    assert (found.counts.read, found.counts.usable, found.counts.empty) == (ROWS, ROWS - 1, 1)
    for one in found.coverage:
        values = truth(one.subgoal.id)
        mean, share = one.estimate.mean, one.estimate.share
        assert mean.half_width <= 0.03 and mean.rows == share.rows == ROWS - 1
        # Twice the interval: one in twenty draws lies outside of it.
        assert abs(mean.value - values.mean()) < 2 * mean.half_width
        assert abs(share.value - (values >= 0.6).mean()) < 2 * share.half_width
    refunds, tone = (one.estimate.mean for one in found.coverage)
    assert refunds.half_width < 0.6 * refunds.classical and refunds.r2 > 0.7
    assert tone.weight == 0 and tone.half_width == tone.classical
    assert seen[-1].done == seen[-1].total == told.sampled
    assert any(re.fullmatch(r"± 0\.\d+, 0\.03 asked", p.note) for p in seen)
    assert not any(name.endswith("/survey") for name in _members(store))


async def test_every_row_has_a_score_that_says_where_it_comes_from(
    surveyed: Any, store: Store
) -> None:
    with FakeServer(answer) as server:
        found = await surveyed(server)
    judge = "m at " + server.base_url.partition("//")[2] + ", joint, rubric 1"
    rows = list(store.scores.rows("run", judge, TWO, predicted=True))
    assert [row for row, *_ in rows] == [row for row in range(ROWS) if row != EMPTY]
    judged = {row for row, *_, scores in rows if scores["refunds"].source == "judged"}
    assert judged == {*found.rows}
    for row, *_, scores in rows:
        if row in judged:
            assert scores["refunds"].value == pytest.approx(score(row, "refunds"))
        else:
            assert scores["refunds"].interval and not scores["refunds"].explanation
    predicted = [(score(row, "refunds"), s["refunds"].interval) for row, *_, s in rows]
    inside = [ends[0] <= value <= ends[1] for value, ends in predicted if ends]
    assert np.mean(inside) > 0.82
    assert [row for row, _ in store.scores.values("run", judge, REFUNDS)] == sorted(judged)


@pytest.mark.parametrize("most", [40, 130])
async def test_a_cap_holds_and_what_was_judged_is_a_result(surveyed: Any, most: int) -> None:
    with FakeServer(answer, latency=0.01) as server:
        found = await surveyed(server, replace(WISH, precision=None), Cap(calls=most))
        assert server.calls <= most
    told = found.survey
    assert most - 8 <= told.sampled <= most and f"{most} calls" in told.ended
    assert told.reached is False and told.precision is None
    for one in found.coverage:
        assert one.judged == told.sampled
        assert abs(one.mean - truth(one.subgoal.id).mean()) < 2 * one.estimate.mean.half_width


async def test_a_higher_cap_goes_on_where_the_lower_ended(surveyed: Any) -> None:
    with FakeServer(answer) as server:
        first = await surveyed(server, cap=Cap(calls=60), run="one")
        second = await surveyed(server, cap=Cap(calls=60), run="two")
        assert server.calls == second.survey.sampled == 120
    assert second.rows[: len(first.rows)] == first.rows
    widths = [[one.estimate.mean.half_width for one in f.coverage] for f in (first, second)]
    assert widths[1][0] < widths[0][0] and widths[1][1] < widths[0][1]


async def test_an_interrupted_survey_goes_on(surveyed: Any) -> None:
    def behaviour(call: int, body: Body) -> Behaviour:
        return Behaviour("status", status=401) if call == 130 else Behaviour()

    with FakeServer(answer) as server:
        expected = await surveyed(server)
        calls = server.calls
    with FakeServer(answer, behaviour=behaviour, port=0) as server:
        with pytest.raises(ModelUnavailable):
            await surveyed(server)
        found = await surveyed(server)
        answered = len({row_of(body) for body in server.requests})
    assert answered == calls
    assert found.rows == expected.rows
    assert [c.estimate for c in found.coverage] == [c.estimate for c in expected.coverage]


async def test_a_cap_of_nothing_to_say_is_an_error(surveyed: Any) -> None:
    too_low = pytest.raises(UserError, match=r"cap of 1 call is met.* Raise it")
    with FakeServer(answer) as server, too_low:
        await surveyed(server, cap=Cap(calls=1))


async def test_where_all_is_wanted_all_is_judged_and_paid_for_once(surveyed: Any) -> None:
    exact = replace(WISH, precision=0.001)
    with FakeServer(answer) as server:
        whole = await surveyed(server, exact)
        calls = server.calls
        again = await surveyed(server, WISH, run="other")
        assert server.calls == calls == ROWS - 1
    for found in (whole, again):
        assert found.survey.sampled == ROWS - 1 and found.survey.ended == "all rows were judged"
        for one in found.coverage:
            assert one.estimate is None and one.mean == pytest.approx(truth(one.subgoal.id).mean())


async def test_thin_subgoals_get_explanations_that_enter_no_estimate(surveyed: Any) -> None:
    def rare(body: Body) -> dict[str, Any]:
        """Nearly all rows are well done, so that few of a sample are low."""
        row = row_of(body)
        value = 0.2 if row % 12 == 0 else 0.8
        ids = asked_ids(body)
        return {"judgements": [{"id": i, "explanation": "x", "score": value} for i in ids]}

    with FakeServer(rare) as server:
        plain = await surveyed(server, run="one")
        before = server.calls
        # Wanted are more rows than there are, so that both subgoals are studied.
        low = plain.coverage[0].low
        found = await surveyed(server, replace(WISH, tau=0.75, explain=True), run="two")
        more = server.calls - before
    assert low < LEAST_EXPLAINED
    assert found.coverage[0].estimate == plain.coverage[0].estimate
    assert found.survey.sampled == plain.survey.sampled and more == found.survey.explained


async def test_a_survey_by_batches_sends_each_row_once(
    surveyed: Any, store: Store, table: Table, cache: Path, embedder: Embedder, served: Served,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(batch, "FIRST_POLL", 0.005)
    with FakeServer(answer, batches=FakeBatches()) as server:
        called = await surveyed(server, run="calls")
        server.requests.clear()
        door = Door(served("n", server.base_url, batch=True), store, "run")
        scorer = batch.BatchScorer(door, store)
        found = await survey(scorer, "run", table, TWO, WISH, embedder, {}, cache)
        assert server.calls == called.survey.sampled, "no ordinary call was made for it"
    assert found.rows == called.rows
    assert [c.estimate for c in found.coverage] == [c.estimate for c in called.coverage]
    assert door.ledger.total().calls == found.survey.sampled


async def test_failed_judgements_are_counted(surveyed: Any) -> None:
    def behaviour(call: int, body: Body) -> Behaviour:
        return Behaviour("refusal") if row_of(body) % 50 == 1 else Behaviour()

    with FakeServer(answer, behaviour=behaviour) as server:
        found = await surveyed(server)
    failed = sum(row % 50 == 1 for row in found.rows)
    assert failed and all(one.failed == failed for one in found.coverage)
    assert all(one.judged == found.survey.sampled - failed for one in found.coverage)


async def test_what_failed_is_tried_again(surveyed: Any) -> None:
    def behaviour(call: int, body: Body) -> Behaviour:
        return Behaviour("refusal") if row_of(body) % 50 == 1 else Behaviour()

    exact = replace(WISH, precision=0.001)
    with FakeServer(answer, behaviour=behaviour) as server:
        first = await surveyed(server, exact)
        server.behaviour = None
        second = await surveyed(server, exact, run="again")
    assert [one.failed for one in first.coverage] == [10, 10]
    assert [one.failed for one in second.coverage] == [0, 0]
    assert len(second.rows) == ROWS - 1


async def test_a_subgoal_that_cannot_be_judged_ends_it(surveyed: Any) -> None:
    """Else all rows would be paid for, in search of what is not to be had."""

    def mute(body: Body) -> dict[str, Any]:
        given = answer(body)["judgements"]
        return {"judgements": [one for one in given if one["id"] != "tone"]}

    with FakeServer(mute) as server:
        found = await surveyed(server)
    assert found.survey.sampled == FIRST and not found.survey.reached
    assert found.survey.ended == "most judgements of “Tone” failed"
    assert [one.verdict for one in found.coverage] == ["enough", "unknown"]


async def test_rows_that_earlier_runs_judged_are_not_in_the_estimates(surveyed: Any) -> None:
    with FakeServer(answer) as server:
        plain = await surveyed(server, run="one")
        await surveyed(server, replace(WISH, seed=5), run="two")
        calls = server.calls
        again = await surveyed(server, run="three")
        assert server.calls == calls
    assert [c.estimate for c in again.coverage] == [c.estimate for c in plain.coverage]
    assert again.survey.known == calls - again.survey.sampled and not plain.survey.known
    assert again.survey.calls == again.survey.sampled


async def test_the_seed_draws_the_rows(surveyed: Any) -> None:
    with FakeServer(answer) as server:
        one, other = [await surveyed(server, replace(WISH, seed=s), run=f"{s}") for s in (1, 2)]
    assert {*one.rows} != {*other.rows}
    assert len({*one.rows}) == len(one.rows)


# --- stopped by a person


async def test_a_stop_counts_what_was_judged_and_sends_nothing_more(
    surveyed: Any, store: Store
) -> None:
    stop, sent = threading.Event(), 0
    seen: list[ScoreProgress] = []

    def answer_once_more(body: Body) -> dict[str, Any]:
        nonlocal sent
        if server.calls >= 250 and not stop.is_set():
            stop.set()
            book = store.ledger("run")
            sent = book.under_way + book.total().calls
        return answer(body)

    with FakeServer(answer_once_more, latency=0.002) as server:
        found = await surveyed(server, ENDLESS, stop=stop, on_progress=seen.append)
        assert 250 <= server.calls <= sent < 250 + 2 * 8
    told = found.survey
    assert told.by_hand and told.ended == STOPPED and not told.whole
    # Calls that were under way may have been for rows after one that was not sent.
    assert 250 - 8 <= told.sampled <= sent and told.looks == [100, 200, told.sampled]
    assert found.rows == _drawn()[: told.sampled]
    assert seen[-1].look and seen[-1].look.rows == seen[-1].done == told.sampled
    assert seen[-1].total == ROWS - 1, "of all rows: no rule ends it before"
    assert seen[-1].look.means == {c.subgoal.id: (c.mean, *c.interval) for c in found.coverage}
    assert store.ledger("run").capped == ""

    with FakeServer(answer) as server:
        capped = await surveyed(server, ENDLESS, Cap(calls=told.sampled), run="capped")
        assert server.calls == told.sampled
    assert capped.rows == found.rows
    assert [c.estimate for c in capped.coverage] == [c.estimate for c in found.coverage]
    assert not capped.survey.by_hand and any(BY_HAND in line for line in told.how)


@pytest.mark.parametrize("before", [True, False])
async def test_a_stop_waits_for_the_first_look(surveyed: Any, before: bool) -> None:
    stop = threading.Event()
    if before:
        stop.set()

    def listen(progress: ScoreProgress) -> None:
        if progress.look:
            stop.set()

    with FakeServer(answer) as server:
        found = await surveyed(server, ENDLESS, stop=stop, on_progress=listen)
        assert server.calls == found.survey.sampled == FIRST
    assert found.survey.by_hand and found.survey.looks == [FIRST]
    assert all(one.estimate for one in found.coverage)


async def test_a_stop_counts_all_that_was_judged_before_a_kill(surveyed: Any) -> None:
    stop = threading.Event()
    stop.set()
    with FakeServer(answer) as server:
        await surveyed(server, ENDLESS, Cap(calls=330), run="killed")
        found = await surveyed(server, ENDLESS, run="resumed", stop=stop)
        assert server.calls == found.survey.sampled == 330
    assert found.survey.by_hand and not found.survey.known


async def test_a_rule_that_ends_first_is_said(surveyed: Any) -> None:
    """Someone stopped it during the first look, after which it would have ended all the same."""
    stop = threading.Event()
    stop.set()
    with FakeServer(answer) as server:
        found = await surveyed(server, replace(WISH, precision=0.3), stop=stop)
    assert found.survey.reached and not found.survey.by_hand


async def test_looks_are_told_until_all_is_known(surveyed: Any) -> None:
    seen: list[ScoreProgress] = []
    encoded: list[tuple[int, int]] = []
    with FakeServer(answer) as server:
        found = await surveyed(
            server, ENDLESS, on_progress=seen.append, on_embed=lambda *of: encoded.append(of)
        )
    assert not encoded, "where nothing is predicted, features are of no use"
    looks = {progress.look.rows: progress.look for progress in seen if progress.look}
    assert [*looks] == [100, 200, 400, ROWS - 1] and found.survey.whole
    widths = [high - low for _, low, high in (look.means["tone"] for look in looks.values())]
    assert widths == sorted(widths, reverse=True) and widths[-1] == 0
    assert looks[ROWS - 1].means["refunds"][0] == pytest.approx(truth("refunds").mean())
    assert {progress.total for progress in seen} == {ROWS - 1}
    done = [progress.done for progress in seen]
    assert done == sorted(done)


async def test_the_embedded_judge_is_stopped_too(
    store: Store, table: Table, cache: Path, embedder: Embedder
) -> None:
    stop = threading.Event()

    def listen(progress: ScoreProgress) -> None:
        if progress.look:
            stop.set()

    scorer = Scorer(Door(EmbeddedModel(embedder), store, "run"), store)
    found = await survey(scorer, "run", table, TWO, ENDLESS, embedder, {}, cache, listen, stop=stop)
    assert found.survey.by_hand and found.survey.sampled == FIRST
    assert scorer.door.ledger.total().calls == FIRST


async def test_a_batch_that_was_sent_is_awaited_and_counted(
    store: Store, table: Table, cache: Path, embedder: Embedder, served: Served,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(batch, "FIRST_POLL", 0.005)
    stop = threading.Event()

    def listen(progress: ScoreProgress) -> None:
        if progress.look and progress.note.startswith("batch_"):
            stop.set()

    with FakeServer(answer, batches=FakeBatches(looks=3)) as server:
        door = Door(served("n", server.base_url, batch=True), store, "run")
        scorer = batch.BatchScorer(door, store)
        found = await survey(
            scorer, "run", table, TWO, ENDLESS, embedder, {}, cache, listen, stop=stop
        )
    assert stop.is_set() and server.batches and not server.calls
    assert len(server.batches.lines) == found.survey.sampled == 200
    assert found.survey.by_hand


def _drawn() -> list[int]:
    rows = [row for row in range(ROWS) if row != EMPTY]
    return [rows[place] for place in drawn(len(rows), WISH.seed)]


def _members(store: Store) -> list[str]:
    rows = store.scores._db.execute("SELECT DISTINCT run FROM members")
    return [run for (run,) in rows]
