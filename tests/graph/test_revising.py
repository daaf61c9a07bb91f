"""A person accepts and drops synthetic rows of a finished run; files and report follow."""

import json
from collections import Counter
from pathlib import Path

import pytest
from answers import answer, schema_of, support_rows
from fake_server import FakeServer

from goalcover.graph import session
from goalcover.memory.errors import UserError
from goalcover.memory.store import open_store
from goalcover.tools.report import Report
from goalcover.tools.settings import home

GAP = "returns-gap1"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "support.jsonl"
    path.write_text(support_rows(12))
    return path


async def finished(data: Path, server: FakeServer) -> Report:
    config = session.configure(
        data, "Help.", model="m", base_url=server.base_url, out=str(data.parent / "out")
    )
    run_id = session.new_run(config)
    return await session.drive(run_id, lambda pending: session.review.approve(), ignore)


def ignore(progress: session.Progress) -> None: ...


async def revised(run_id: str, *ids: str) -> Report:
    """The report once these rows of the gap, and no others, are accepted."""
    async with session.open_session(run_id) as opened:
        assert await opened.revise({GAP: ids})
        assert session.get_run(run_id).status == "stopped"
        events = [event async for event in opened.events()]
    assert session.get_run(run_id).status == "finished"
    assert isinstance(events[-1], session.Finished)
    return events[-1].report


def ids_of(report: Report) -> tuple[set[str], set[str]]:
    (outcome,) = report.synthesis
    return {c.id for c in outcome.accepted}, {c.id for c in outcome.rejected}


async def test_rows_are_dropped_accepted_and_put_back(data: Path) -> None:
    with FakeServer(answer) as server:
        first = await finished(data, server)
        (accepted, rejected), calls = ids_of(first), server.calls
        refused = next(c.id for c in first.synthesis[0].rejected if c.refused)
        kept = min(accepted)

        second = await revised(first.run, kept, refused)
        asked = Counter(map(schema_of, server.requests[calls:]))
        assert asked == {"Judgements": 1}, "the row that is new, and nothing else"
        assert ids_of(second)[0] == {kept, refused}
        (outcome,), (before,) = second.synthesis, first.synthesis
        assert outcome.rounds == before.rounds, "what was decided before hands came in"
        assert [c.by_hand for c in outcome.accepted] == ["", "accepted"]
        assert second.ledger[0].added == 2 and second.coverage == first.coverage
        lines = Path(second.files["provenance"]).read_text().splitlines()
        assert [(line["id"], line["by_hand"], line["refused"]) for line in map(json.loads, lines)] \
            == [(kept, "", None), (refused, "accepted", "below the bar")]  # fmt: skip
        assert len(Path(second.files["synthetic"]).read_text().splitlines()) == 2
        page = Path(second.files["html"]).read_text()
        dropped = len(accepted) - 1
        assert f"By hand: 1 row accepted and {dropped} dropped." in page
        assert "accepted by hand, refused before: below the bar" in page
        assert f"dropped by hand: {dropped}" in page

        again = await revised(first.run, *accepted)
        assert ids_of(again) == (accepted, rejected)
        assert not any(c.by_hand for c in again.synthesis[0].accepted)
        assert again.ledger == first.ledger
        assert "By hand" not in Path(again.files["html"]).read_text()

        none = await revised(first.run)
        assert ids_of(none) == (set(), accepted | rejected) and none.ledger == []
        assert not {"synthetic", "provenance"} & none.files.keys()
        assert not [*(data.parent / "out").glob("synthetic*")]
        with open_store(home()) as store:
            assert store.scores.members(f"{first.run}/synthetic") == []
        assert server.calls == calls + 1


async def test_what_is_left_in_between_is_finished_by_a_resume(data: Path) -> None:
    with FakeServer(answer) as server:
        first = await finished(data, server)
        kept = min(ids_of(first)[0])
        async with session.open_session(first.run) as opened:
            assert not await opened.revise({}), "nothing to do"
            assert session.get_run(first.run).status == "finished"
            assert await opened.revise({GAP: [kept]})
            with pytest.raises(UserError, match="is not finished: `goalcover resume"):
                await opened.revise({GAP: []})
        assert session.get_run(first.run).status == "stopped"
        report = await session.drive(first.run, lambda pending: None, ignore)
        assert ids_of(report)[0] == {kept}
        assert session.get_run(first.run).status == "finished"


async def test_what_cannot_be_is_said_and_the_run_stays_finished(data: Path) -> None:
    with FakeServer(answer) as server:
        first = await finished(data, server)

        async def refused(accepted: dict[str, list[str]], why: str) -> None:
            async with session.open_session(first.run) as opened:
                with pytest.raises(UserError, match=why):
                    await opened.revise(accepted)
            assert session.get_run(first.run).status == "finished"

        await refused({"x-gap9": []}, "for a gap 'x-gap9'")
        await refused({GAP: ["nobody"]}, "no row 'nobody'")
        rows = data.read_text()
        data.write_text(support_rows(13))
        await refused({GAP: []}, "is not the file that run")
        data.write_text(rows)
        report = data.parent / "out" / "report.json"
        report.write_text(report.read_text().replace(first.run, "another"))
        await refused({GAP: []}, "holds the report of the later run another")


async def test_a_run_that_waits_is_not_revised(data: Path) -> None:
    run_id = session.new_run(session.configure(data, "Explain.", out=str(data.parent / "out")))
    async with session.open_session(run_id) as opened:
        with pytest.raises(UserError, match="is not finished"):
            await opened.revise({})
