"""`goalcover runs`: named and deleted from the command line."""

from pathlib import Path
from typing import Any

from goalcover.graph import session
from goalcover.memory.records import Subgoal

DOSING = Subgoal(id="dosing", name="Dosing", description="States the dose.")


def entered(data: Path, out: Path) -> str:
    config = session.configure(data, "Say the dose.", subgoals=[DOSING], out=str(out))
    return session.new_run(config)


def test_runs_are_named_and_deleted(call: Any, data: Path, tmp_path: Path) -> None:
    first, second, third = (entered(data, tmp_path / name) for name in "abc")
    assert "name" not in call("runs").stdout
    done = call("runs", "--rename", first, "[b]Support[/b]\ndesk")
    assert done.exit_code == 0 and f"{first} is named [b]Support[/b] desk" in done.stderr
    listed = call("runs").stdout
    assert "┃ name " in listed and "[b]Support[/b] desk" in listed
    assert "[b]Support[/b] desk" in call("show", first).stdout
    assert f"{first} has no name" in call("runs", "--rename", first, "").stderr
    assert "name" not in call("runs").stdout

    wrong = call("runs", "--delete", first, "--delete", "nope")
    assert wrong.exit_code == 2 and "there is no run nope" in wrong.stderr
    assert len(session.list_runs()) == 3, "all are known, or none is deleted"
    done = call("runs", "--delete", first, "--delete", second)
    assert done.exit_code == 0 and f"deleted {first}\ndeleted {second}" in done.stderr
    assert [run.id for run in session.list_runs()] == [third]
    assert not (tmp_path / "a").exists() and (tmp_path / "c").exists()
    both = call("runs", "--rename", third, "x", "--delete", third)
    assert both.exit_code == 2 and "--rename or --delete" in both.stderr
