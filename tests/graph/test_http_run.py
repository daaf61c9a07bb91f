"""The whole graph over real HTTP, against an OpenAI-compatible server."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from answers import MISSING, SUBGOALS, Body, answer, judged_row, schema_of, support_rows
from fake_server import FakeServer

from goalcover.graph import review, session
from goalcover.graph.session import Pending
from goalcover.memory.errors import UserError

GOAL = "Help customers with billing, refunds and returns."


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "support.jsonl"
    path.write_text(support_rows(45))
    return path


async def test_whole_graph_over_http(data: Path, tmp_path: Path) -> None:
    with FakeServer(answer, api_key="secret", models={"writer", "judge"}) as server:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OPENAI_API_KEY", "secret")
            run_id = session.new_run(_config(data, tmp_path, server))
            report = await session.drive(run_id, lambda pending: review.approve(), lambda p: None)
        asked = Counter(schema_of(body) for body in server.requests)
        assert not server.errors

    assert [c.subgoal.id for c in report.coverage] == [s["id"] for s in SUBGOALS]
    by_id = {c.subgoal.id: c for c in report.coverage}
    assert by_id["billing"].supporting == by_id["refunds"].supporting == 15
    assert by_id[MISSING].verdict == "missing"
    assert by_id["billing"].mean == pytest.approx(0.8 * 15 / 45)
    assert {gap.subgoal_id for gap in report.gaps} == {s["id"] for s in SUBGOALS}
    assert [o.item.subgoal_id for o in report.synthesis] == [MISSING]
    assert len(report.synthesis[0].accepted) == 5
    refused = [c.input for c in report.synthesis[0].rejected if c.refused]
    assert refused == ["My weather is nice, what now?"]
    assert [line.accepted for line in report.synthesis[0].rounds] == [4, 1]
    assert report.order_effect.rows == 5 and report.order_effect.flips == 0
    after = {entry.subgoal_id: entry for entry in report.ledger}[MISSING]
    assert after.before == 0 and after.after == pytest.approx(0.8 * 5 / 50)
    assert report.filtered.kept == 30

    # One call a row for the data, and one for each synthetic row in the ledger.
    assert asked["Judgements"] == 45 + 5
    assert report.plan and asked["WrittenRows"] + asked["GroupVerdicts"] + 5 <= report.plan.calls
    assert asked["Clarification"] == 2 and asked["Decomposition"] == 1
    assert report.specification.answers[0].text == "consumers"
    models = {usage.role: usage.model for usage in report.usage}
    assert models["scorer"].startswith("judge at ") and models["generator"].startswith("writer at ")
    assert next(u for u in report.usage if u.role == "scorer").tokens_in > 0
    written = "".join(path.read_text("utf-8", "replace") for path in tmp_path.rglob("*.json*"))
    assert "secret" not in written


async def test_the_same_run_again_asks_nothing(data: Path, tmp_path: Path) -> None:
    with FakeServer(answer) as server:
        first = await _run(data, tmp_path / "one", server)
        calls = server.calls
        second = await _run(data, tmp_path / "two", server)
        assert server.calls == calls
    assert first.coverage == second.coverage and first.synthesis == second.synthesis


async def test_reviews_edit_and_reject(data: Path, tmp_path: Path) -> None:
    seen: list[Pending] = []

    def reviewer(pending: Pending):
        seen.append(pending)
        if pending.name == "answer_questions":
            return review.edit("answer_questions", {"answers": {"audience": "firms"}})
        if pending.name == "approve_subgoals":
            turn = sum(p.name == "approve_subgoals" for p in seen)
            if turn == 1:
                return review.reject("Returns matter most.")
            if turn == 2:
                return review.edit("approve_subgoals", {"subgoals": SUBGOALS[1:]})
            assert [s["id"] for s in pending.args["subgoals"]] == ["refunds", "returns"]
            return review.approve()
        return review.reject()

    with FakeServer(answer) as server:
        report = await _run(data, tmp_path, server, reviewer)
        checks = sum(schema_of(body) == "AtomicVerdicts" for body in server.requests)
        prompts = [str(b["messages"]) for b in server.requests if schema_of(b) == "Decomposition"]
    assert [c.subgoal.id for c in report.coverage] == ["refunds", "returns"]
    assert report.specification.answers[0].text == "firms"
    assert checks == 3, "what a rejection says is checked against too, and so is an edited set"
    assert len(prompts) == 2 and "Returns matter most." in prompts[1]
    assert not report.synthesis and not report.ledger
    config = seen[0].payload["review_configs"][0]
    assert config["allowed_decisions"] == ["approve", "edit", "reject"]


async def test_an_invalid_edit_is_refused_and_nothing_is_lost(data: Path, tmp_path: Path) -> None:
    twice = [SUBGOALS[0], SUBGOALS[0]]
    with FakeServer(answer) as server:
        run_id = session.new_run(_config(data, tmp_path, server))

        def reviewer(pending: Pending):
            if pending.name == "approve_subgoals":
                return review.edit("approve_subgoals", {"subgoals": twice})
            return review.approve()

        with pytest.raises(UserError, match="billing is there twice"):
            await session.drive(run_id, reviewer, lambda p: None)
        with pytest.raises(session.Waiting, match="approval of its subgoals") as waiting:
            await session.drive(run_id, lambda p: None, lambda p: None)
    assert len(waiting.value.pending.args["subgoals"]) == 3


async def test_an_unanswered_review_waits(data: Path, tmp_path: Path) -> None:
    with FakeServer(answer) as server:
        run_id = session.new_run(_config(data, tmp_path, server))
        with pytest.raises(session.Waiting, match="waits for answers"):
            await session.drive(run_id, lambda pending: None, lambda p: None)
        assert session.get_run(run_id).status == "waiting"
        calls = server.calls
        with pytest.raises(session.Waiting):
            await session.drive(run_id, lambda pending: None, lambda p: None)
        assert server.calls == calls


async def test_failing_calls_stop_the_run_and_nothing_is_paid_twice(
    data: Path, tmp_path: Path
) -> None:
    judged: list[str] = []

    def ten_then_prose(body: Body) -> dict[str, Any] | str:
        if schema_of(body) != "Judgements":
            return answer(body)
        if len(judged) == 10:
            return "no JSON today"
        judged.append(judged_row(body))
        return answer(body)

    with FakeServer(ten_then_prose) as server:
        run_id = session.new_run(_config(data, tmp_path, server, max_concurrency=1))
        with pytest.raises(UserError, match="failed in a row"):
            await session.drive(run_id, lambda p: review.approve(), lambda p: None)
        assert session.get_run(run_id).status == "failed"
        server.answer, before = answer, len(server.requests)
        report = await session.drive(run_id, lambda p: review.approve(), lambda p: None)
        again = [judged_row(b) for b in server.requests[before:] if schema_of(b) == "Judgements"]
    assert all(c.failed == 0 and c.judged == 45 for c in report.coverage)
    assert len(judged) == 10 and not set(judged) & set(again)


async def test_a_role_without_a_usable_reply_stops_with_one_line(
    data: Path, tmp_path: Path
) -> None:
    with FakeServer(lambda body: "no JSON today") as server:
        run_id = session.new_run(_config(data, tmp_path, server))
        with pytest.raises(UserError, match="clarify: the model gave no usable reply") as caught:
            await session.drive(run_id, lambda p: review.approve(), lambda p: None)
    assert "\n" not in str(caught.value)


def _config(data: Path, out: Path, server: FakeServer, **options):
    return session.configure(
        data, GOAL, out=str(out / "out"), model="writer", judge="judge",
        base_url=server.base_url, **options,
    )  # fmt: skip


async def _run(data: Path, out: Path, server: FakeServer, reviewer=lambda p: review.approve()):
    run_id = session.new_run(_config(data, out, server))
    return await session.drive(run_id, reviewer, lambda p: None)


def test_options_of_a_model_need_one(data: Path) -> None:
    with pytest.raises(UserError, match="--base-url is of no use without --model"):
        session.configure(data, "Help.", base_url="http://127.0.0.1:1/v1")
    with pytest.raises(UserError, match="--audit compares two ways to ask a model"):
        session.configure(data, "Help.", audit=0.1)
