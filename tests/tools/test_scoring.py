"""Scoring a file, end to end."""

import json
from pathlib import Path

import pytest
from dose_rows import DOSE, scored, written
from fake_server import Behaviour, Body, FakeServer
from judging import asked_ids, well_judged

from goalcover.memory.errors import ModelUnavailable, UserError
from goalcover.memory.records import Goal
from goalcover.tools.datasets import DataSource
from goalcover.tools.filter_config import FilterConfig
from goalcover.tools.scoring import score_file
from goalcover.tools.settings import RunConfig

FLOORLESS = FilterConfig(floor=0)


@pytest.fixture
def source(tmp_path: Path) -> DataSource:
    return written(tmp_path / "rows.jsonl")


async def test_a_file_is_scored(tmp_path, source):
    scores = tmp_path / "scores.jsonl"
    counts, (coverage,) = await scored(source, scores)
    assert (counts.read, counts.usable, counts.empty, counts.bad) == (4, 3, 1, 1)
    assert coverage.judged == 3 and coverage.failed == 0
    records = [json.loads(line) for line in scores.read_text().splitlines()]
    assert [record["sample_id"] for record in records] == ["r1", "r2", "r4"]
    assert records[0]["scores"]["dose"] > records[1]["scores"]["dose"]
    assert [record["source"] for record in records] == [{"dose": "judged"}] * 3


async def test_an_ending_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    nowhere = DataSource(path="there is no such file.jsonl")
    with pytest.raises(UserError, match="unknown ending"):
        await scored(nowhere, tmp_path / "scores.csv")


async def test_scores_are_written_before_an_audit_that_fails(tmp_path, source):
    def behaviour(n: int, body: Body) -> Behaviour:
        pairwise = len(asked_ids(body)) == 1
        return Behaviour("status", status=401) if pairwise else Behaviour()

    out = tmp_path / "scores.jsonl"
    both = [DOSE, DOSE.model_copy(update={"id": "other"})]
    with FakeServer(well_judged, behaviour=behaviour) as server:
        config = RunConfig(
            source=source, goal=Goal(text="g"), out=str(out), subgoals=both, audit=0.5, judge="m",
            base_url=server.base_url,
        )  # fmt: skip
        with pytest.raises(ModelUnavailable, match="wants a key"):
            await score_file(config, "name")
    assert len(out.read_text().splitlines()) == 3


async def test_a_place_that_cannot_be_written_is_said_before_a_call_is_paid(tmp_path, source):
    (tmp_path / "file").touch()
    with FakeServer(well_judged) as server:
        config = RunConfig(
            source=source, goal=Goal(text="g"), out=str(tmp_path / "file" / "scores.jsonl"),
            subgoals=[DOSE], judge="m", base_url=server.base_url,
        )  # fmt: skip
        with pytest.raises(UserError, match="cannot write"):
            await score_file(config, "name")
    assert server.calls == 0
