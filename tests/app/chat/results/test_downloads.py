"""What a finished run gives to take home: its files, and its rows in another form."""

import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from answers import answer
from chats import ended, support_run
from fake_server import FakeServer
from streamlit.testing.v1 import AppTest

from goalcover.app.chat.results import downloads, exports, files
from goalcover.app.chat.runner import Runner
from goalcover.graph import review, session
from goalcover.graph.exporting import Rows
from goalcover.memory.errors import UserError
from goalcover.tools.report import Report

PAGE = Path(__file__).parents[4] / "app" / "chat" / "page.py"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, Report]]:
    """Home, id and report of a run with synthetic rows."""
    place = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch, FakeServer(answer) as server:
        patch.setenv("GOALCOVER_HOME", str(place / "home"))
        runner, run_id = Runner(), support_run(place, server)
        runner.start(run_id)
        ended(runner, run_id)
        runner.start(run_id, session.waits_for(run_id), review.approve())
        assert not ended(runner, run_id).error
        report = session.read_report(place / "results", run_id)
    yield place / "home", run_id, report


@pytest.fixture
def run(finished: tuple[Path, str, Report], monkeypatch: pytest.MonkeyPatch) -> tuple[str, Report]:
    home, run_id, report = finished
    monkeypatch.setenv("GOALCOVER_HOME", str(home))
    return run_id, report


def test_every_file_is_there_and_read_when_it_is_asked_for(run: tuple[str, Report]) -> None:
    found = downloads.downloads(run[1])
    assert [one.title for one in found if not one.there] == []
    for one in found:
        assert one.path
        with files.reading(one.path)() as file:
            assert file.read() == one.path.read_bytes()
    names = {one.path.name for one in found if one.path}
    assert {"report.html", "report.json", "synthetic.jsonl", "scores.jsonl"} <= names


def test_what_is_not_there_is_explained(run: tuple[str, Report], tmp_path: Path) -> None:
    _, report = run
    named = {name: path for name, path in report.files.items() if name != "synthetic"}
    none = report.model_copy(update={"files": named | {"scores": str(tmp_path / "gone.jsonl")}})
    by_title = {one.title: one for one in downloads.downloads(none)}
    assert not by_title["Scores"].there and by_title["Scores"].path
    assert by_title["Synthetic rows"].path is None and by_title["Synthetic rows"].missing


@pytest.mark.parametrize("form", ["original", "chat", "parquet", "csv"])
def test_rows_in_another_form(run: tuple[str, Report], form: exports.Format) -> None:
    run_id, report = run
    path, told = exports.write(run_id, "filtered", form, True, exports.original_ending(report))
    again, _ = exports.write(run_id, "filtered", form, True, exports.original_ending(report))
    assert path == again and path.stat().st_size and "synthetic" in told
    assert oct(path.parent.stat().st_mode)[-3:] == "700"
    if form == "chat":
        lines = path.read_text().splitlines()
        written = sum(len(outcome.accepted) for outcome in report.synthesis)
        assert len(lines) == report.filtered.kept + written
        assert json.loads(lines[-1])["messages"]


def test_a_folder_is_zipped(run: tuple[str, Report]) -> None:
    path, _ = exports.write(run[0], "original", "hf", False, ".jsonl")
    with zipfile.ZipFile(path) as archive:
        assert {"README.md", "data/train.parquet"} <= set(archive.namelist())
    assert not path.with_suffix("").exists()


def test_exports_of_an_earlier_report_go(run: tuple[str, Report]) -> None:
    run_id, report = run
    out = Path(report.files["html"]).parent
    path, _ = exports.write(run_id, "synthetic", "chat", False, ".jsonl")
    assert (path, path.stat().st_size) in [*exports.written(run_id, out)]
    os.utime(path, (0, 0))
    exports_left = [left for left, _ in exports.written(run_id, out)]
    assert path not in exports_left and not path.exists()


def test_what_cannot_be_exported_is_told(run: tuple[str, Report]) -> None:
    run_id, _ = run
    source = Path(session.get_run(run_id).data)
    before = source.read_text()
    try:
        source.write_text(before + before)
        with pytest.raises(UserError, match="is not the file"):
            exports.write(run_id, "original", "chat", False, ".jsonl")
    finally:
        source.write_text(before)


def test_a_file_that_went_away_after_it_was_shown_is_said_to_be(tmp_path: Path) -> None:
    read = files.reading(tmp_path / "gone.jsonl")
    assert b"gone.jsonl cannot be read" in read().read()


def test_rows_and_forms_have_words_of_their_own() -> None:
    """Both know an "original"."""
    assert exports.ROWS["original"] == "all rows"
    assert exports.FORMS["original"] == "as the data came"
    assert set(exports.ROWS) == set(get_args(Rows))
    assert set(exports.FORMS) == set(get_args(exports.Format))


def test_sizes_in_words() -> None:
    assert [files.size_text(n) for n in (999, 1_500, 2_500_000)] == ["999 B", "1.5 kB", "2.5 MB"]


def test_the_page_offers_them_without_reading_them(
    run: tuple[str, Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(path: Path) -> None:
        raise AssertionError(f"{path} is read before it is asked for")

    page = AppTest.from_file(str(PAGE), default_timeout=60)
    page.query_params["session"] = run[0]
    page.run().segmented_control[0].set_value("Downloads")
    monkeypatch.setattr(files, "reading", lambda path: lambda: never(path))
    page.run()
    offered = {"Download report", "Download synthetic rows", "Download data card"}
    assert offered <= {button.label for button in page.download_button}
    page.selectbox(key=f"export-{run[0]}-form").set_value("chat").run()
    next(button for button in page.button if button.label == "Prepare").click().run()
    assert not page.exception
    assert "Download filtered\\-chat\\.jsonl" in {button.label for button in page.download_button}
