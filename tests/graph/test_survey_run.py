"""A run that judges a sample of its rows, over real HTTP: every part says what was judged."""

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from answers import MISSING, SUBGOALS, answer, schema_of, support_rows
from fake_server import FakeServer

from goalcover.graph import review, session
from goalcover.memory.errors import UserError
from goalcover.memory.records import Subgoal
from goalcover.tools.cap import STOPPED
from goalcover.tools.report import Report
from goalcover.tools.scoring import Scored, score_file
from goalcover.tools.subgoals import parse_subgoals

ROWS = 240
GOAL = "Help customers with billing, refunds and returns."


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("support") / "support.jsonl"
    path.write_text(support_rows(ROWS))
    return path


def given() -> list[Subgoal]:
    wanted = [{k: v for k, v in one.items() if v is not None} for one in SUBGOALS]
    return parse_subgoals(wanted, "subgoals")


def _new(data: Path, out: Path, server: FakeServer, **options: Any) -> str:
    config = session.configure(
        data, GOAL, out=str(out), model="writer", judge="judge", base_url=server.base_url,
        subgoals=given(), prices={"judge": {"input": 1, "output": 2}}, **options,
    )  # fmt: skip
    return session.new_run(config)


async def _run(data: Path, out: Path, server: FakeServer, **options: Any) -> Report:
    run_id = _new(data, out, server, **options)
    return await session.drive(run_id, lambda pending: review.approve(), lambda progress: None)


async def test_a_run_by_survey(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with FakeServer(answer) as server:
        report = await _run(data, out, server, precision=0.05)
        asked = Counter(schema_of(body) for body in server.requests)
    survey = report.survey
    assert survey and survey.reached and 100 <= survey.sampled < ROWS == survey.rows
    beside = survey.explained + survey.rejudged + sum(len(s.accepted) for s in report.synthesis)
    assert asked["Judgements"] == survey.sampled + beside

    by_id = {c.subgoal.id: c for c in report.coverage}
    billing = by_id["billing"]
    assert billing.estimate and billing.estimate.mean.half_width <= 0.05
    assert billing.mean == pytest.approx(0.8 / 3, abs=0.1) and billing.rows == ROWS
    assert billing.distinct_supporting == pytest.approx(billing.distinct / 3, rel=0.3)
    assert by_id[MISSING].verdict == "missing" and report.gaps and report.synthesis
    after = {entry.subgoal_id: entry for entry in report.ledger}[MISSING]
    assert after.after and after.after < 0.1, "the few synthetic rows are among all rows"

    assert report.foretold and report.foretold.method == "survey" and report.scoring
    assert report.scoring.calls == survey.sampled + survey.explained
    assert report.foretold.cost_usd and report.scoring.cost_usd
    page = Path(report.files["html"]).read_text()
    assert f"{survey.sampled:,} of {ROWS:,}" in page
    _check_files(report, survey.sampled + survey.explained + survey.rejudged)


def _check_files(report: Report, judged: int) -> None:
    lines = Path(report.files["scores"]).read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert len(records) == ROWS
    sources = Counter(record["source"]["billing"] for record in records)
    assert sources == {"judged": judged, "predicted": ROWS - judged}
    for record in records:
        assert (record["source"]["billing"] == "judged") == bool(record["explanations"]["billing"])
    assert report.filtered.total == ROWS
    card = Path(report.files["card"]).read_text()
    assert ("predicted" in card) == bool(report.filtered.predicted)


async def test_a_survey_under_a_cap_leaves_calls_for_what_follows(
    data: Path, tmp_path: Path
) -> None:
    with FakeServer(answer) as server:
        report = await _run(data, tmp_path / "out", server, max_calls=60)
        assert server.calls <= 60
    assert report.survey and not report.survey.reached
    assert report.survey.sampled <= 48 and "kept for gaps" in report.survey.ended
    assert any(gap.origin.startswith("writer") for gap in report.gaps)
    assert all(c.interval and c.interval[1] - c.interval[0] > 0.05 for c in report.coverage)


async def test_the_embedded_judge_surveys_too(data: Path, tmp_path: Path) -> None:
    config = session.configure(
        data, GOAL, out=str(tmp_path / "out"), subgoals=given(), precision=0.04, rejudge=0
    )
    report = await session.drive(
        session.new_run(config), lambda pending: review.approve(), lambda progress: None
    )
    assert report.survey and report.survey.sampled < ROWS and not report.survey.rejudged
    assert report.foretold is None


async def _stopped(run_id: str) -> tuple[Report, list[session.Progress]]:
    """Stopped at the first look, and taken to its end."""
    stop, seen = threading.Event(), list[session.Progress]()
    response: dict[str, Any] | None = None
    async with session.open_session(run_id, stop) as opened:
        while True:
            async for event in opened.events(response):
                if isinstance(event, session.Progress):
                    seen.append(event)
                    if event.look:
                        stop.set()
                elif isinstance(event, session.Finished):
                    return event.report, seen
            response = review.approve()


async def test_a_person_stops_the_judging_and_the_run_goes_on(data: Path, tmp_path: Path) -> None:
    with FakeServer(answer) as server:
        run_id = _new(data, tmp_path / "out", server, open_ended=True, rejudge=0, synthesize=2)
        report, seen = await _stopped(run_id)
        asked = Counter(schema_of(body) for body in server.requests)
    survey = report.survey
    assert survey and survey.by_hand and survey.ended == STOPPED and not survey.explained
    assert report.scoring and report.scoring.calls == survey.sampled
    assert 100 <= survey.sampled <= 100 + 32, "what was under way when it heard of it is counted"
    looks = [event.look for event in seen if event.stage == "score" and event.look]
    assert looks[-1].rows == survey.sampled
    assert {*looks[-1].means} == {c.subgoal.id for c in report.coverage}
    billing = report.coverage[0]
    assert billing.interval and looks[-1].means["billing"] == (billing.mean, *billing.interval)
    assert report.gaps and any(gap.origin.startswith("writer") for gap in report.gaps)
    assert report.synthesis and asked["Judgements"] > survey.sampled, "what comes later is judged"
    page = Path(report.files["html"]).read_text()
    assert "a person stopped it, who may have seen the figures" in page
    assert not any("was left out" in note for note in report.provenance.notes)


async def test_a_stop_is_remembered_by_a_run_that_goes_on_later(data: Path, tmp_path: Path) -> None:
    with FakeServer(answer) as server:
        run_id = _new(data, tmp_path / "out", server, open_ended=True, synthesize=0)
        session.stop_scoring(run_id)
        report = await session.drive(run_id, lambda pending: review.approve(), lambda one: None)
    survey = report.survey
    assert survey and survey.by_hand and survey.sampled < ROWS
    assert report.scoring and report.scoring.calls == survey.sampled
    assert not survey.explained and not survey.rejudged, "whoever stops pays for no more"
    with pytest.raises(UserError, match="no run"):
        session.stop_scoring("another")


async def test_a_stop_while_explanations_are_asked_for(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goalcover.tools.survey.survey.LEAST_EXPLAINED", 10 * ROWS)
    stop = threading.Event()
    with FakeServer(answer) as server:
        run_id = _new(data, tmp_path / "out", server, precision=0.2, synthesize=0)
        async with session.open_session(run_id, stop) as opened:
            async for event in opened.events():
                if isinstance(event, session.Progress) and event.look:
                    stop.set()  # the sample is as large as was asked for
        report = session.read_report(tmp_path / "out", run_id)
    survey = report.survey
    assert survey and survey.reached and not survey.by_hand
    assert survey.explained <= 32 and not survey.rejudged


async def test_a_run_that_was_not_stopped_is_as_any_other(data: Path, tmp_path: Path) -> None:
    with FakeServer(answer) as server:
        plain = await _run(data, tmp_path / "plain", server, audit=0.05, synthesize=0)
        calls = server.calls
    with FakeServer(answer) as server:
        free = await _run(
            data, tmp_path / "free", server, open_ended=True, audit=0.05, synthesize=0
        )
        assert server.calls == calls
    _check_same(plain, free)
    assert free.audit == plain.audit


async def test_the_embedded_judge_gives_the_same_in_any_order(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scored(name: str, **options: Any) -> Scored:
        monkeypatch.setenv("GOALCOVER_HOME", str(tmp_path / name))  # or it would find all judged
        out = str(tmp_path / f"{name}.jsonl")
        config = session.configure(data, GOAL, out=out, subgoals=given(), **options)
        return await score_file(config, name)

    plain, free = await scored("plain"), await scored("free", open_ended=True)
    assert free.survey is None and free.counts == plain.counts
    assert free.coverage == plain.coverage and free.scoring == plain.scoring


def _check_same(plain: Report, free: Report) -> None:
    assert free.survey is None is plain.survey
    assert free.coverage == plain.coverage and free.rows == plain.rows
    assert all(c.judged == ROWS and c.estimate is None for c in free.coverage)
    assert free.filtered.kept == plain.filtered.kept and not free.filtered.predicted
    assert free.provenance.notes == plain.provenance.notes
    assert "survey" not in Path(free.files["html"]).read_text().lower()


@pytest.mark.parametrize(
    ("option", "told"), [({"batch": True}, "leave out batch"), ({"precision": 0.1}, "precision")]
)
def test_what_cannot_be_stopped_or_ends_before_is_refused(
    data: Path, option: dict[str, Any], told: str
) -> None:
    with pytest.raises(UserError, match=f"open_ended judges .*{told}"):
        session.configure(data, GOAL, judge="judge", open_ended=True, **option)
