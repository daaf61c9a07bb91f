"""A run under way, elsewhere, paused or stopped, as its page shows it."""

import threading
from pathlib import Path

import pytest
from answers import answer
from chats import given, status, support_run
from fake_server import FakeServer
from streamlit.testing.v1 import AppTest
from waiting import until

from goalcover.app.chat.job import Ended, Job
from goalcover.app.chat.runner import Runner
from goalcover.app.chat.standing import Standing, standing
from goalcover.app.chat.work import tightening
from goalcover.app.chat.work.progress import bar, ended_lines, fact_lines, nothing_spent, stage_text
from goalcover.app.chat.work.scoring import stopped_lines
from goalcover.graph import session
from goalcover.graph.listing import lock
from goalcover.graph.session import Progress
from goalcover.memory.records import Look, Spent
from goalcover.memory.runs import Run
from goalcover.tools.settings import home

PAGE = Path(__file__).parents[4] / "app" / "chat" / "page.py"
LOOKS = [
    Look(rows=100, means={"billing": (0.3, 0.2, 0.4), "returns": (0.0, 0.0, 0.05)}),
    Look(rows=200, means={"billing": (0.3, 0.25, 0.35), "returns": (0.0, 0.0, 0.03)}),
]


def opened(run_id: str) -> AppTest:
    page = AppTest.from_file(str(PAGE), default_timeout=60)
    page.query_params["session"] = run_id
    return page.run()


def texts(page: AppTest) -> str:
    return " ".join(element.proto.body for element in page.get("html"))


def buttons(page: AppTest) -> dict[str, bool]:
    """Labels, and whether they can be pressed."""
    return {button.label: not button.disabled for button in page.button}


def test_what_is_said_of_a_stage() -> None:
    spent = Spent(calls=20, tokens_in=1_500, tokens_out=200, cost_usd=0.5)
    progress = Progress("score", done=40, total=100, failed=3, spent=spent, stored=20)
    lines = fact_lines(progress, 10.0, "nothing")
    assert lines == [
        "40 of 100 rows",
        "2.0 rows a second",
        "about 0:00:30 left",
        "20 needed no call",
        "3 judgements failed",
        "20 calls, 1.5k tokens in, 200 out, 0.5 USD",
    ]
    unknown = Progress("analyze", note="Billing", spent=spent.model_copy(update={"cost_usd": None}))
    assert fact_lines(unknown, 1.0, "nothing")[0] == "Billing"
    assert fact_lines(unknown, 1.0, "nothing")[-1].endswith("price not known")
    assert fact_lines(Progress("assess"), 1.0, "nothing") == ["nothing"]


def test_a_bar_counts_or_says_that_it_does_not() -> None:
    assert "value='40'" in bar(Progress("score", done=40, total=100))
    assert "value" not in bar(Progress("assess")) and stage_text("score") == "Judging rows"
    assert "<b>" not in bar(Progress("<b>"))
    done = [Ended(Progress("start"), 1), Ended(Progress("embed", done=9, total=9), 2.4)]
    assert ended_lines(done) == ["Embedding the rows, 9 of 9 rows, 2 s"]


def test_nothing_is_spent_by_the_embedded_model(tmp_path: Path) -> None:
    found = standing(support_run(tmp_path), Runner())
    assert found.config and "embedded" in nothing_spent(found.config)
    server = found.config.model_copy(update={"judge": "gpt"})
    assert nothing_spent(server) == "nothing spent so far"


def test_the_chart_begins_at_zero_and_shows_what_is_asked() -> None:
    names = {"billing": "Billing ![x](http://evil.example)"}
    spec = tightening.tightening(LOOKS, names, 0.03).to_dict()
    lines, rule, _ = spec["layer"]
    for axis in ("x", "y"):
        assert lines["encoding"][axis]["scale"]["zero"] and lines["encoding"][axis]["title"]
    drawn, asked = (spec["datasets"][layer["data"]["name"]] for layer in (lines, rule))
    assert [one["half"] for one in drawn] == pytest.approx([0.1, 0.025, 0.05, 0.015])
    assert {one["subgoal"] for one in drawn} == {names["billing"], "returns"}
    assert asked[0]["half"] == 0.03 and spec["description"]
    assert len(tightening.tightening(LOOKS, names, None).to_dict()["layer"]) == 1
    table = tightening.figures(LOOKS[-1], {"billing": "<b>Billing</b>"})
    assert "200 judged rows" in table and "0.250 to 0.350" in table and "<b>" not in table


def _stopped(status: str, stage: str, job: Job | None = None, error: str = "") -> list[str]:
    run = session.get_run(session.list_runs()[0].id)
    line = run.model_copy(update={"status": status, "stage": stage})
    kind = "failed" if status == "failed" else "stopped"
    return stopped_lines(Standing(run.id, kind, run=line, job=job, error=error))


def test_of_all_rows_there_is_no_interval() -> None:
    table = tightening.figures(Look(rows=60, means={"billing": (0.3, 0.3, 0.3)}), {})
    assert "all 60 rows" in table and "0.300" in table and "interval" not in table


def test_a_stage_that_does_not_count_says_how_long_it_takes() -> None:
    assert "for 0:00:48" in fact_lines(Progress("analyze"), 48.2, "nothing")
    assert fact_lines(Progress("analyze"), 2.0, "nothing") == ["nothing"]


def test_why_a_run_stands_still(tmp_path: Path) -> None:
    support_run(tmp_path)
    job = Job("x", progress=Progress("score", done=7, total=9), paused=True)
    told = _stopped("stopped", "score", job)
    assert told[:2] == ["You paused it while judging rows.", "Done by then: 7 of 9 rows."]
    assert "no more" in _stopped("stopped", "analyze")[0]
    assert "not known any more" in _stopped("failed", "decompose")[0]
    assert _stopped("failed", "decompose", error="why")[0].endswith("deriving subgoals.")
    assert all("twice" in _stopped(one, "score")[-1] for one in ("failed", "stopped"))


def test_a_run_is_paused_and_goes_on_by_a_button(tmp_path: Path) -> None:
    with FakeServer(answer, latency=0.3) as server:
        run_id = support_run(tmp_path, server, 24, max_concurrency=1)
        page = opened(run_id)
        assert buttons(page)["Go on"] and "is no more" in texts(page)
        next(b for b in page.button if b.label == "Go on").click().run()
        until(lambda: "of 24 rows" in (told := texts(page.run())) and "tokens in" in told)
        assert "Judging rows" in texts(page)
        assert "Stop with what there is" not in buttons(page), "all rows are to be judged"
        other = opened(run_id)
        next(b for b in page.button if b.label == "Pause").click().run()
        assert "Pause" not in buttons(page)
        until(lambda: "You paused it" in texts(other.run()))
        assert buttons(other)["Go on"] and status(run_id) == "stopped"


def test_a_run_that_ends_while_it_is_drawn_cannot_be_paused_again() -> None:
    def drawn() -> None:
        from goalcover.app.chat.job import Job
        from goalcover.app.chat.runner import Runner
        from goalcover.app.chat.standing import Standing
        from goalcover.app.chat.work.scoring import _pause_button

        run_id = "20260101-000000-0000"
        _pause_button(Standing(run_id, "running"), Runner(), Job(run_id, paused=True))

    assert buttons(AppTest.from_function(drawn).run()) == {"Pausing…": False}


def test_a_survey_shows_how_sure_it_is_and_can_be_stopped(tmp_path: Path) -> None:
    with FakeServer(answer, latency=0.05) as server:
        run_id = support_run(tmp_path, server, 600, open_ended=True, max_concurrency=8)
        page = opened(run_id)
        next(b for b in page.button if b.label == "Go on").click().run()
        until(lambda: "Stop with what there is" in buttons(page.run()))
        told = texts(page)
        assert "A(s) by" in told and "liked them" in told
        until(lambda: all(one.name in texts(page.run()) for one in given()))
        other = opened(run_id)
        next(b for b in page.button if b.label == "Stop with what there is").click().run()
        other.run()
        for one in (page, other):
            assert "Stop with what there is" not in buttons(one)
            assert not buttons(one).get("Stopping…")
        until(lambda: status(run_id) == "waiting")
        until(lambda: "Write none" in buttons(page.run()))


def test_a_run_that_ends_while_it_is_read_is_not_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, runner, read = support_run(tmp_path), Runner(), session.get_run
    ended = threading.Event()
    work = threading.Thread(target=ended.wait)
    runner._jobs[run_id] = Job(run_id, _thread=work)
    work.start()

    def read_and_end(session_id: str) -> Run:
        with lock(home(), session_id):
            found = read(session_id)
        ended.set()
        work.join()
        return found

    monkeypatch.setattr(session, "get_run", read_and_end)
    found = standing(run_id, runner)
    assert found.run and found.run.status == "running" and not runner.under_way(run_id)
    assert found.stage == "running", "its view looks again"


def test_a_run_elsewhere_has_no_buttons(tmp_path: Path) -> None:
    run_id = support_run(tmp_path)
    with lock(home(), run_id):
        page = opened(run_id)
        assert "Another process" in texts(page)
        assert not {"Go on", "Pause"} & set(buttons(page))
    assert buttons(page.run())["Go on"]
