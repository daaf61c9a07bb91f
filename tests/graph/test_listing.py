"""The list of runs: their names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from answers import support_rows

from goalcover.graph import listing, session
from goalcover.graph.listing import NAME_LENGTH
from goalcover.memory.errors import UserError
from goalcover.memory.records import Subgoal
from goalcover.memory.store import open_store
from goalcover.tools.settings import home

DOSING = Subgoal(id="dosing", name="Dosing", description="States the dose.")


def test_a_run_that_ends_while_it_is_looked_at_is_not_taken_for_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text(support_rows(9))
    config = session.configure(data, "Say the dose.", subgoals=[DOSING], out=str(tmp_path / "out"))
    run_id = session.new_run(config)
    assert session.get_run(run_id).status == "stopped", "nobody works on it"

    @contextmanager
    def just_released(place: Path, run_id: str) -> Iterator[None]:
        with open_store(home()) as store:
            store.runs.mark(run_id, "finished", "finished")
        yield

    monkeypatch.setattr(listing, "lock", just_released)
    assert session.get_run(run_id).status == "finished"


def test_a_run_has_the_name_that_it_is_given(tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text(support_rows(9))
    config = session.configure(data, "Say the dose.", subgoals=[DOSING], out=str(tmp_path / "out"))
    run_id = session.new_run(config)
    assert session.get_run(run_id).name == ""
    for given, kept in [
        (" Support\n desk ", "Support desk"),
        ("x" * 500, "x" * (NAME_LENGTH - 1) + "…"),
        ("<b>é 😀\ud83d", "<b>é 😀?"),
        (" \n", ""),
    ]:
        assert session.rename_run(run_id, given) == kept
        assert session.get_run(run_id).name == kept
    with pytest.raises(UserError, match="there is no run nope"):
        session.rename_run("nope", "x")
