"""Runs taken further by the server's threads, over real HTTP: pause, stop, two tabs, a script."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from answers import Body, answer, schema_of
from chats import ended, status, support_run
from fake_server import Behaviour, FakeServer
from waiting import until

from goalcover.app.chat.job import Job
from goalcover.app.chat.runner import ANSWERED, Runner
from goalcover.app.chat.standing import standing
from goalcover.graph import review, session
from goalcover.graph.listing import lock
from goalcover.graph.session import Pending, Progress
from goalcover.memory.errors import UserError
from goalcover.memory.records import Look
from goalcover.tools.settings import home

SLOW = 0.2
"""Seconds before each reply."""


def judgements(server: FakeServer) -> int:
    return sum(schema_of(body) == "Judgements" for body in server.requests)


def pending(run_id: str) -> Pending:
    found = session.waits_for(run_id)
    assert found, "it waits"
    return found


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(answer) as started:
        yield started


def test_a_run_goes_to_its_end(tmp_path: Path) -> None:
    """The embedded model, with nothing to synthesise."""
    runner, run_id = Runner(), support_run(tmp_path)
    runner.start(run_id)
    assert standing(run_id, runner).stage == "running"
    assert not ended(runner, run_id).error
    assert standing(run_id, runner).stage == "finished"
    assert runner.job(run_id) and not runner.under_way(run_id)


def test_answers_count_once(tmp_path: Path, server: FakeServer) -> None:
    """Two tabs show one review; another may have been shown before it."""
    runner, run_id = Runner(), support_run(tmp_path, server)
    runner.start(run_id)
    job = ended(runner, run_id)
    assert not job.error and not job.paused
    assert {"score", "analyze"} <= {one.progress.stage for one in job.ended}
    found = standing(run_id, runner)
    assert found.stage == "approve_synthesis" and found.pending

    before = Pending(review.request("approve_synthesis", found.pending.args | {"rounds": 99}, ""))
    runner.start(run_id, before, review.approve())
    assert ended(runner, run_id).error == ANSWERED
    assert standing(run_id, runner).error == ANSWERED
    assert standing(run_id, runner).pending == found.pending

    runner.start(run_id, found.pending, review.reject())
    assert not ended(runner, run_id).error
    assert standing(run_id, runner).stage == "finished"
    runner.start(run_id, found.pending, review.approve())
    assert ended(runner, run_id).error == ANSWERED
    assert not session.read_report(tmp_path / "results", run_id).synthesis


def test_a_second_start_is_refused(tmp_path: Path) -> None:
    with FakeServer(answer, latency=SLOW) as server:
        runner, run_id = Runner(), support_run(tmp_path, server)
        runner.start(run_id)
        with pytest.raises(UserError, match="another tab"):
            runner.start(run_id)
        with pytest.raises(UserError, match="pause it first"), runner.deletion(run_id):
            pass
        runner.pause(run_id)
        ended(runner, run_id)
        with runner.deletion(run_id):
            pass
    assert runner.job(run_id) is None


def test_a_paused_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """Calls under way are made again, and no other."""
    rows, at_once = 24, 3
    with FakeServer(answer, latency=SLOW) as server:
        runner = Runner()
        run_id = support_run(tmp_path, server, rows, max_concurrency=at_once)
        runner.start(run_id)
        until(lambda: judgements(server) > 2 * at_once)
        runner.pause(run_id)
        job = ended(runner, run_id)
        assert job.paused and not job.error and status(run_id) == "stopped"
        before = judgements(server)
        assert before < rows
        found = standing(run_id, runner)
        assert found.stage == "stopped" and not found.error
        runner.start(run_id)
        assert not ended(runner, run_id).error
        assert status(run_id) == "waiting"
        assert rows <= judgements(server) <= rows + at_once


def test_a_pause_before_the_work_has_begun(tmp_path: Path) -> None:
    runner, run_id = Runner(), support_run(tmp_path)
    runner.start(run_id)
    runner.pause(run_id)
    job = ended(runner, run_id)
    assert job.paused and not job.error
    assert standing(run_id, runner).stage == "stopped"


def test_a_script_that_works_on_the_run_is_told_of(tmp_path: Path) -> None:
    runner, run_id = Runner(), support_run(tmp_path)
    with lock(home(), run_id):
        assert standing(run_id, runner).stage == "elsewhere"
        runner.start(run_id)
        job = ended(runner, run_id)
        assert "another process" in job.error
        assert standing(run_id, runner).stage == "elsewhere"
    found = standing(run_id, runner)
    assert (found.stage, found.error) == ("stopped", ""), "what hindered it is over"


def test_what_ends_a_run_is_told(tmp_path: Path) -> None:
    with FakeServer(answer, api_key="secret") as server:
        runner, run_id = Runner(), support_run(tmp_path, server)
        runner.start(run_id)
        job = ended(runner, run_id)
        assert "key" in job.error.lower() and "\n" not in job.error
        found = standing(run_id, runner)
        assert (found.stage, found.error) == ("failed", job.error)
        session.rename_run(run_id, "Mine")
        assert standing(run_id, runner).error == job.error, "a name changes nothing about it"
        runner.keys.keep(run_id, "http://127.0.0.1:1/v1", "secret")
        runner.start(run_id)
        assert "key" in ended(runner, run_id).error.lower(), "it is another server's key"
        runner.keys.keep(run_id, server.base_url, "secret")
        runner.start(run_id)
        assert not ended(runner, run_id).error
    assert status(run_id) == "waiting"


def test_an_unexpected_error_keeps_its_words_out_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("a row's words")

    runner, run_id = Runner(), support_run(tmp_path)
    monkeypatch.setattr("goalcover.app.chat.runner.open_session", broken)
    runner.start(run_id)
    assert "RuntimeError" in (job := ended(runner, run_id)).error and "words" not in job.error


def test_scoring_is_stopped_with_what_there_is(tmp_path: Path) -> None:
    """From the first look on, after 100 rows; the others are slow."""
    rows = 400

    def late(n: int, body: Body) -> Behaviour:
        return Behaviour("slow_drip" if judgements(server) > 100 else "ok", seconds=SLOW)

    with FakeServer(answer, behaviour=late) as server:
        runner = Runner()
        run_id = support_run(tmp_path, server, rows, open_ended=True)
        runner.start(run_id)
        job = runner.job(run_id)
        assert job
        until(lambda: job.looks and job.subgoals)
        assert {s.id for s in job.subgoals} == set(job.looks[0].means)
        runner.stop_scoring(run_id)
        assert not ended(runner, run_id).error
        runner.start(run_id, pending(run_id), review.reject())
        ended(runner, run_id)
    survey = session.read_report(tmp_path / "results", run_id).survey
    assert survey and survey.by_hand and 100 <= survey.sampled < rows


def test_what_a_job_remembers() -> None:
    job, look = Job("x"), Look(rows=100, means={"a": (0.5, 0.4, 0.6)})
    job.take(Progress("score", done=100, total=160))
    since = job.since
    job.take(Progress("score", done=101, total=160, look=look))
    job.take(Progress("score", done=102, total=160, look=look))
    assert job.looks == [look] and job.since == since
    assert [one.progress.stage for one in job.ended] == ["start"]
    job.take(Progress("assess"))
    assert job.ended[-1].progress.done == 102 and job.seconds >= 0
    assert job.since >= since and not job.under_way
