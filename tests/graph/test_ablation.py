"""Each part of the method can be switched off by configuration: its role is then not asked, and the
report says so."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from answers import Body, answer, prompt_of, schema_of, support_rows
from fake_server import FakeServer
from synthesising import Roles, box_of, item, run_loop

from goalcover.agents import discriminator
from goalcover.graph import review, session
from goalcover.memory.store import Store
from goalcover.tools.report import Report

GOAL = "Help customers with billing, refunds and returns."
CHECKS = {"AtomicVerdicts", "WrittenProbes", "Placements", "Matrix"}


def listing(body: Body) -> Body:
    """As `answer`, and lists two gaps where all explanations are shown at once."""
    if schema_of(body) != "ListedGaps":
        return answer(body)
    rows = [line for line in prompt_of(body).split("\n") if line.startswith("- row ")]
    gaps = []
    for name, line in (("No returns", rows[0]), ("No labels", rows[1])):
        quote = {"row": int(line.split()[2]), "text": line.partition("): ")[2]}
        kind = line.partition("(")[2].partition(",")[0]
        claim = {"text": f"{name} in the rows.", "quotes": [quote]}
        gaps.append({"name": name, "claims": [claim], "kind": kind})
    return {"gaps": gaps}


async def ran(folder: Path, **options: Any) -> tuple[Report, Counter[str], list[str]]:
    """The report, what the server was asked, and the reviews that came."""
    data = folder / "support.jsonl"
    data.write_text(support_rows(45))
    seen: list[str] = []

    def reviewer(pending: session.Pending) -> dict[str, Any]:
        seen.append(pending.name)
        return review.approve()

    with FakeServer(listing) as server:
        config = session.configure(
            data, GOAL, model="m", base_url=server.base_url, out=str(folder / "out"), **options
        )
        report = await session.drive(session.new_run(config), reviewer, lambda progress: None)
    assert not server.errors
    return report, Counter(map(schema_of, server.requests)), seen


def off(report: Report) -> list[str]:
    return [note for note in report.provenance.notes if " off: " in note]


async def test_the_full_method_asks_every_role(tmp_path: Path) -> None:
    report, asked, seen = await ran(tmp_path)
    assert asked.keys() >= CHECKS | {"Clarification", "GapName", "GroupVerdicts"}
    assert "ListedGaps" not in asked and "answer_questions" in seen
    assert off(report) == [] and report.contract.unchecked == []


async def test_without_clarification_nothing_is_asked_of_the_person(tmp_path: Path) -> None:
    report, _, seen = await ran(tmp_path, questions=0)
    assert "answer_questions" not in seen and report.specification.answers == []
    (note,) = off(report)
    assert "Clarification" in note


async def test_without_checks_the_contract_says_that_nobody_looked(tmp_path: Path) -> None:
    report, asked, _ = await ran(tmp_path, checks=False)
    assert not CHECKS & asked.keys()
    assert report.contract.findings == [] and len(report.contract.unchecked) == 3
    page = Path(report.files["html"]).read_text()
    assert page.count("<strong>Not checked.</strong>") == 3
    assert "The checks found nothing" not in page
    (note,) = off(report)
    assert "checks" in note


async def test_without_clusters_one_call_lists_the_gaps(tmp_path: Path) -> None:
    report, asked, _ = await ran(tmp_path, clustering=False)
    assert "GapName" not in asked
    assert asked["ListedGaps"] == len(report.analyses) == 3
    assert {gap.name for gap in report.gaps} <= {"No returns", "No labels"} and report.gaps
    for own in report.analyses:
        assert own.seeds is None and any("Clustering was off" in line for line in own.how)
    assert all(claim.quotes for gap in report.gaps for claim in gap.claims)
    (note,) = off(report)
    assert "Clustering" in note


async def test_without_a_discriminator_the_rows_say_that_nobody_judged_them(
    tmp_path: Path,
) -> None:
    report, asked, _ = await ran(tmp_path, discriminator=False)
    assert "GroupVerdicts" not in asked
    (outcome,) = report.synthesis
    assert len(outcome.accepted) == 5 and len(outcome.rounds) == 1
    assert any("weather" in row.input for row in outcome.accepted), "what it would have refused"
    assert {(row.score, row.explanation) for row in outcome.accepted} == {(None, discriminator.OFF)}
    assert report.ledger and report.order_effect.groups == 0
    lines = Path(report.files["provenance"]).read_text().splitlines()
    assert {json.loads(line)["discriminator"] for line in lines} == {None}
    (note,) = off(report)
    assert "discriminator" in note


async def test_what_code_refuses_stays_refused(tmp_path: Path, store: Store) -> None:
    kinds = ["good", "bad", "copy of data", "twin", "exemplar", "empty", "leak"]
    with FakeServer(Roles(kinds)) as server:
        box = box_of(tmp_path, store, server, {"discriminator": False, "synthesis_rounds": 1})
        outcome = await run_loop(box, item(7))
    assert set(map(schema_of, server.requests)) == {"WrittenRows"}
    assert [row.score for row in outcome.accepted] == [None, None], "good and bad alike"
    assert outcome.rounds[0].refused == {
        "copies an exemplar": 1, "empty": 1, "leaks the prompt": 1,
        "near-duplicate of another synthetic row": 1, "near-duplicate of the data": 1,
    }  # fmt: skip


@pytest.mark.parametrize("part", ["checks", "clustering", "discriminator"])
def test_a_run_of_an_earlier_version_goes_on(part: str, tmp_path: Path) -> None:
    """Its configuration knows nothing of the switches."""
    (tmp_path / "rows.jsonl").write_text(support_rows(3))
    config = session.configure(tmp_path / "rows.jsonl", GOAL)
    known = json.loads(config.model_dump_json(exclude={part}))
    assert getattr(type(config).model_validate(known), part) is True
