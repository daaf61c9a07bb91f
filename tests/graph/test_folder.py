"""A run never writes over its own input, nor over files of no run."""

from pathlib import Path

import pytest
from answers import support_rows

from goalcover.graph import session
from goalcover.memory.errors import UserError
from goalcover.memory.records import Subgoal

DOSING = Subgoal(id="dosing", name="Dosing", description="States the dose.")


def new_run(data: Path, **options) -> str:
    config = session.configure(data, "Say the dose.", subgoals=[DOSING], synthesize=0, **options)
    return session.new_run(config)


@pytest.mark.parametrize("name", ["filtered.jsonl", "synthetic.jsonl", "scores.jsonl"])
def test_its_own_input_is_safe(tmp_path: Path, name: str) -> None:
    data = tmp_path / name
    data.write_text(support_rows(9))
    with pytest.raises(UserError, match=f"would write over its own input .*{name}"):
        new_run(data, out=str(tmp_path))
    assert data.read_text() == support_rows(9)


def test_a_document_is_safe(tmp_path: Path) -> None:
    data, leaflet = tmp_path / "rows.jsonl", tmp_path / "report.html"
    data.write_text(support_rows(9))
    leaflet.write_text("Take two.")
    with pytest.raises(UserError, match=r"its own input .*report\.html"):
        new_run(data, out=str(tmp_path), documents=[str(leaflet)])


def test_files_of_no_run_are_safe_and_those_of_a_run_are_written_anew(tmp_path: Path) -> None:
    data, out = tmp_path / "rows.jsonl", tmp_path / "out"
    data.write_text(support_rows(9))
    out.mkdir()
    mine = out / "synthetic.jsonl"
    mine.write_text("mine")
    with pytest.raises(UserError, match="is there already, and of no run"):
        new_run(data, out=str(out))
    assert mine.read_text() == "mine"
    mine.unlink()
    new_run(data, out=str(out))
    (out / "filtered.jsonl").write_text("of a run that was killed")
    assert new_run(data, out=str(out))
