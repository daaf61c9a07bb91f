"""What a run must not lose, mix or send elsewhere when it is resumed or shares a folder."""

import functools
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from answers import SUBGOALS, Body, answer, schema_of, support_rows
from fake_server import FakeServer

from goalcover.graph import review, session, specify
from goalcover.memory.errors import UserError
from goalcover.memory.records import Subgoal
from goalcover.tools.settings import STATE_VERSION

FEES = Subgoal(id="fees", name="Fees", description="Explains the fee of a plan.")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "support.jsonl"
    path.write_text(support_rows(12))
    return path


def wait_at(name: str):
    return lambda pending: None if pending.name == name else review.approve()


def ignore(progress: session.Progress) -> None: ...


async def test_a_run_goes_on_with_the_server_it_began_with(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeServer(answer) as first, FakeServer(answer) as second:
        monkeypatch.setenv("OPENAI_BASE_URL", first.base_url)
        run_id = session.new_run(session.configure(data, "Help.", model="m", out=str(tmp_path)))
        with pytest.raises(session.Waiting, match="approval of the synthesis"):
            await session.drive(run_id, wait_at("approve_synthesis"), ignore)
        monkeypatch.setenv("OPENAI_BASE_URL", second.base_url)
        report = await session.drive(run_id, wait_at("none"), ignore)
        assert second.calls == 0 and report.filtered.total == 12


async def test_a_run_does_not_go_on_with_other_rows(data: Path, tmp_path: Path) -> None:
    run_id = session.new_run(session.configure(data, "Explain fees.", out=str(tmp_path / "out")))
    with pytest.raises(session.Waiting, match="answers to its questions"):
        await session.drive(run_id, lambda pending: None, ignore)
    before = data.read_text()
    data.write_text("".join(before.splitlines(keepends=True)[2:]))
    with pytest.raises(UserError, match="is not the file that run"):
        await session.drive(run_id, wait_at("none"), ignore)
    data.write_text(before)
    with pytest.raises(session.Waiting, match="approval of its subgoals"):
        await session.drive(run_id, wait_at("approve_subgoals"), ignore)


def test_a_shared_folder_holds_the_later_run_and_nothing_of_the_first(
    data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with FakeServer(answer) as server:
        first = session.run(data, "Help.", model="m", base_url=server.base_url, out=str(out))
    assert (out / "synthetic.jsonl").exists()
    second = session.run(data, "Explain fees.", subgoals=[FEES], synthesize=0, out=str(out))
    assert not (out / "synthetic.jsonl").exists()
    assert session.read_report(out, second.run) == second
    with pytest.raises(UserError, match=f"report of the later run {second.run}"):
        session.read_report(out, first.run)


def test_a_report_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text('{"run": "r"}')
    with pytest.raises(UserError, match="is damaged, or of another version of") as raised:
        session.read_report(tmp_path, "r")
    assert "\n" not in str(raised.value)


async def test_a_run_of_another_version_is_not_gone_on_with(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(session, "STATE_VERSION", STATE_VERSION - 1)
        run_id = session.new_run(session.configure(data, "Explain fees.", out=str(tmp_path)))
    with pytest.raises(UserError, match="was started by another version of GoalCover"):
        await session.drive(run_id, wait_at("none"), ignore)


def test_a_generator_that_fails_is_said_and_tried_again(data: Path, tmp_path: Path) -> None:
    calls: list[int] = []

    def fails_once(body: Body) -> dict | str:
        if schema_of(body) == "WrittenRows":
            calls.append(1)
            if len(calls) <= 2:  # the reply and its repair
                return "no rows today"
        return answer(body)

    with FakeServer(fails_once) as server:
        report = session.run(data, "Help.", model="m", base_url=server.base_url, out=str(tmp_path))
    (outcome,) = report.synthesis
    assert len(outcome.rounds) > 1 and len(outcome.accepted) == outcome.item.rows
    assert "Round 1: 1 call without rows: invalid reply" in outcome.note


def test_no_row_goes_to_a_tracing_server(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    class Collector(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_PATCH = do_GET

        def log_message(self, format: str, *args: object) -> None: ...

    collector = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("LANGSMITH_API_KEY", "none")
    monkeypatch.setenv("LANGSMITH_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    try:
        with FakeServer(answer) as server:
            session.run(data, "Help.", model="m", base_url=server.base_url, out=str(tmp_path))
        from langsmith import Client

        Client().flush()
    finally:
        collector.shutdown()
        collector.server_close()
    # The client above asks for /info when it starts, now and then before it is stopped.
    assert not [path for path in seen if path != "/info"]


@pytest.mark.parametrize("node", ["profile", "clarify", "decompose", "check", "remember"])
async def test_stopped_at_the_end_of_a_node_of_the_conversation(
    node: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a node did is lost with it, but not what it paid for, and nothing before it."""
    profiled: list[int] = []
    work, profile_data = getattr(specify, node), specify.profile_data

    @functools.wraps(work)
    async def dies(*args: Any, **named: Any) -> Any:
        await work(*args, **named)
        raise RuntimeError("killed")

    async def counted(*args: Any) -> Any:
        profiled.append(1)
        return await profile_data(*args)

    monkeypatch.setattr(specify, "profile_data", counted)
    with FakeServer(answer) as server:
        config = session.configure(
            data, "Help.", model="m", base_url=server.base_url, out=str(tmp_path), memory=True,
        )  # fmt: skip
        run_id = session.new_run(config)
        with monkeypatch.context() as patch:
            patch.setattr(specify, node, dies)
            with pytest.raises(RuntimeError, match="killed"):
                await session.drive(run_id, wait_at("none"), ignore)
        assert session.get_run(run_id).status == "stopped"
        with pytest.raises(session.Waiting, match="approval of the synthesis"):
            await session.drive(run_id, wait_at("approve_synthesis"), ignore)
        sent = Counter(json.dumps(body["messages"]) for body in server.requests)
    assert set(sent.values()) == {1}, "nothing is asked twice"
    assert len(profiled) == (2 if node == "profile" else 1)
    (kept,) = session.approved().list()
    assert kept.id == run_id
    assert [answer.text for answer in kept.specification.answers] == ["consumers"]
    assert [subgoal.id for subgoal in kept.subgoals] == [one["id"] for one in SUBGOALS]


async def test_what_waits_is_not_looked_at_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeServer(answer) as server:
        config = session.configure(data, "Help.", model="m", base_url=server.base_url,
                                   out=str(tmp_path))  # fmt: skip
        run_id = session.new_run(config)
        shown = []
        for _ in range(2):
            with pytest.raises(session.Waiting) as waiting:
                await session.drive(run_id, lambda pending: None, ignore)
            shown.append(waiting.value.pending)
            monkeypatch.setattr(specify, "profile_data", None)  # cannot be called again
        assert shown[0] == shown[1]
        with pytest.raises(session.Waiting, match="approval of its subgoals"):
            await session.drive(run_id, wait_at("approve_subgoals"), ignore)
        calls = server.calls
        with pytest.raises(session.Waiting, match="approval of its subgoals"):
            await session.drive(run_id, wait_at("approve_subgoals"), ignore)
        assert server.calls == calls
