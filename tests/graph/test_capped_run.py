"""A cap that is met in the middle of a run: a finished report that says so, or one clear line."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from answers import SUBGOALS, answer, schema_of, support_rows
from fake_server import FakeServer

from goalcover.graph import review, session
from goalcover.memory.errors import UserError
from goalcover.tools.report import Report

GOAL = "Help customers with billing, refunds and returns."
AT_ONCE = 4


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "support.jsonl"
    path.write_text(support_rows(20))
    return path


async def _run(data: Path, out: Path, server: FakeServer, **options: Any) -> Report:
    config = session.configure(
        data, GOAL, out=str(out), model="writer", judge="judge", base_url=server.base_url,
        max_concurrency=AT_ONCE, **options,
    )  # fmt: skip
    run_id = session.new_run(config)
    return await session.drive(run_id, lambda pending: review.approve(), lambda progress: None)


def _unnamed(report: Report) -> bool:
    return any("no usable reply" in gap.origin for gap in report.gaps)


def _unadvised(report: Report) -> bool:
    return any("calls is met" in r.reason for r in report.recommendations)


def _unwritten(report: Report) -> bool:
    return any("calls is met" in outcome.note for outcome in report.synthesis)


def _undecided(report: Report) -> bool:
    candidates = [c for outcome in report.synthesis for c in outcome.rejected]
    return any(c.refused == "not judged" and "calls is met" in c.explanation for c in candidates)


# Without a cap a run with these subgoals asks for 20 judgements; 3 times each for kinds of low
# rows, names of gaps, assignments and advices; for a round of rows and its verdicts (1 + 2 calls)
# and another (1 + 1); and for judgements of 5 synthetic rows.
@pytest.mark.parametrize(
    ("cap", "told"), [(24, _unnamed), (30, _unadvised), (32, _unwritten), (33, _undecided)]
)
async def test_a_cap_met_after_scoring_ends_in_a_report(
    data: Path, tmp_path: Path, cap: int, told: Callable[[Report], bool]
) -> None:
    with FakeServer(answer) as server:
        report = await _run(data, tmp_path / "out", server, subgoals=SUBGOALS, max_calls=cap)
        found = await session.answer(report.run, "Which rows explain a refund?")
        assert server.calls == sum(usage.calls for usage in report.usage) == cap
    assert found.rows and f"no answer was written: the cap of {cap}" in found.searched
    assert {c.judged for c in report.coverage} == {20}
    assert told(report)
    assert any(f"the cap of {cap} calls is met" in note for note in report.provenance.notes)
    assert all(Path(file).exists() for file in report.files.values())


async def test_a_cap_met_in_the_ledger_counts_what_was_judged(data: Path, tmp_path: Path) -> None:
    with FakeServer(answer) as server:
        report = await _run(data, tmp_path / "out", server, subgoals=SUBGOALS, max_calls=41)
        asked = [schema_of(body) for body in server.requests]
    assert len(asked) == 41 and asked[37:] == ["Judgements"] * 4
    assert {entry.added for entry in report.ledger} == {4}, "of five rows"
    assert any("calls is met" in note for note in report.provenance.notes)


async def test_a_cap_met_in_scoring_leaves_a_sample_and_predictions(
    data: Path, tmp_path: Path
) -> None:
    with FakeServer(answer) as server:
        report = await _run(data, tmp_path / "out", server, subgoals=SUBGOALS, max_calls=15)
        asked = Counter(schema_of(body) for body in server.requests)
        assert server.calls <= 15
    assert 12 <= asked["Judgements"] <= 15
    for c in report.coverage:
        assert c.estimate and c.judged == c.estimate.mean.sampled == 12 and c.rows == 20
        assert c.failed == 0
    assert report.survey and "the cap of" in report.survey.ended and not report.survey.reached


@pytest.mark.parametrize(("cap", "stage"), [(1, "clarify"), (2, "decompose")])
async def test_without_subgoals_there_is_one_clear_line(
    data: Path, tmp_path: Path, cap: int, stage: str
) -> None:
    with FakeServer(answer) as server:
        with pytest.raises(UserError, match=f"^{stage}: the cap of {cap} calls? is met") as caught:
            await _run(data, tmp_path / "out", server, max_calls=cap)
        assert server.calls == cap
        assert "\n" not in str(caught.value) and "higher --max-calls" in str(caught.value)
