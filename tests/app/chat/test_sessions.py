"""The sidebar: which sessions there are, and what is done with one of them."""

from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from streamlit.testing.v1 import AppTest

from goalcover.app import chat
from goalcover.app.chat import drafts, sessions, uploads
from goalcover.app.chat.current import delete, rename, what_goes
from goalcover.app.chat.drafts import Draft
from goalcover.app.chat.runner import Runner
from goalcover.app.chat.standing import standing
from goalcover.app.chat.start import setup
from goalcover.app.chat.start.data import look
from goalcover.graph import session
from goalcover.graph.listing import lock_path
from goalcover.memory.errors import UserError
from goalcover.memory.store import open_store
from goalcover.tools.settings import home

GOAL = "Help customers with refunds."
PAGE = Path(chat.__file__).with_name("page.py")


def page(runner: "Runner") -> None:  # its source is run as a script of its own
    import streamlit as st

    from goalcover.app.chat.sessions import show_sidebar
    from goalcover.app.chat.standing import standing

    opened = st.query_params.get("session", "")
    show_sidebar(standing(opened, runner) if opened else None, runner)


def opened(session_id: str = "", runner: Runner | None = None) -> AppTest:
    at = AppTest.from_function(page, kwargs={"runner": runner or Runner()}, default_timeout=30)
    if session_id:
        at.query_params["session"] = session_id
    return at.run()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"prompt": "a text of its own", "completion": "b"}\n' * 3)
    return path


def entered(data: Path, goal: str = GOAL, **fields: Any) -> Draft:
    """A draft whose run is entered, and was never taken further."""
    draft = Draft(id=session.new_id(), goal=goal, **fields)
    drafts.save(draft)
    draft = uploads.name_data(draft.id, str(data))
    session.new_run(draft.config(), draft.id)
    return draft


def listed(count: int, status: str = "finished") -> list[str]:
    """So many runs in the list, and nothing else of them."""
    ids = [f"20260101-{at:06d}-abcd" for at in range(count)]
    config = '{"source": {"path": "rows.jsonl"}, "goal": {"text": "x"}}'
    with open_store(home()) as store:
        for at, run_id in enumerate(ids):
            store.runs.add(run_id, "rows.jsonl", f"Goal {at}.", f"/nowhere/{run_id}", config)
            store.runs.mark(run_id, status)  # type: ignore[arg-type]
    return ids


def texts(at: AppTest) -> str:
    return "\n".join(element.proto.body for element in at.get("html"))  # type: ignore[attr-defined]


def buttons(at: AppTest, start: str = "open-") -> list[str]:
    return [button.label for button in at.button if (button.key or "").startswith(start)]


def test_runs_and_drafts_are_one_list_the_newest_first(data: Path) -> None:
    first = Draft(id="20260101-000000-aaaa", created="2026-01-01T00:00:00+00:00", goal="Oldest.")
    drafts.save(first)
    run = entered(data)
    last = Draft(id="20990101-000000-bbbb", created="2099-01-01T00:00:00+00:00", uploaded="u.csv")
    drafts.save(last)
    found = sessions.entries(Runner())
    assert [(entry.id, entry.status) for entry in found] == [
        (last.id, "draft"),
        (run.id, "stopped"),
        (first.id, "draft"),
    ]
    assert [entry.title for entry in found] == ["u.csv", GOAL, "Oldest."]


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("waiting", "waits for you"),
        ("stopped", "stopped"),
        ("failed", "failed"),
        ("finished", "done"),
        ("running", "stopped"),  # nobody works on it: it was killed
    ],
)
def test_each_status_has_its_word(status: str, word: str) -> None:
    listed(1, status)
    assert [entry.status for entry in sessions.entries(Runner())] == [word]


def test_a_run_under_way_in_another_process_is_running() -> None:
    (run_id,) = listed(1, "running")
    path = lock_path(home(), run_id)
    path.parent.mkdir(parents=True)
    with FileLock(path):
        assert sessions.entries(Runner())[0].status == "running"


def test_the_list_opens_a_session_and_marks_it(data: Path) -> None:
    run = entered(data)
    at = opened()
    assert at.query_params == {}
    at.button(f"open-{run.id}").click().run()
    assert at.query_params["session"] == run.id
    assert not buttons(at), "the open one is no button"
    assert "aria-current='page'" in texts(at) and GOAL in texts(at)
    at.button("new-session").click().run()
    assert at.query_params == {}


def test_a_few_sessions_need_no_search_and_many_are_found() -> None:
    listed(7)
    assert not opened().text_input
    drafts.save(Draft(id=session.new_id(), goal="Something of its own."))
    at = opened()
    at.text_input("sessions-search").set_value("OF ITS").run()
    assert [label.split(" :")[0] for label in buttons(at)] == ["Something of its own\\."]
    at.text_input("sessions-search").set_value("nothing like it").run()
    assert not buttons(at) and "No session has that" in texts(at)


def test_more_than_fit_are_shown_on_demand() -> None:
    listed(40)
    at = opened()
    assert len(buttons(at)) == 15 and buttons(at, "sessions-more") == ["Show more (25)"]
    at.button("sessions-more").click().run()
    assert len(buttons(at)) == 30
    at.button("sessions-more").click().run()
    assert len(buttons(at)) == 40 and not buttons(at, "sessions-more")


def test_two_hundred_sessions_are_listed_without_opening_their_folders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The script runs at each click. Of a run, neither report nor draft is read."""
    for run_id in listed(200):
        drafts.save(Draft(id=run_id, goal="x"))
    monkeypatch.setattr(drafts, "load", lambda name: pytest.fail(f"read {name}"))
    assert len(sessions.entries(Runner())) == 200


def test_a_hostile_name_is_text(data: Path) -> None:
    hostile = "![x](https://evil.example/a.png) <script>alert(1)</script>"
    run = entered(data, hostile)
    assert "![x]" not in opened().button(f"open-{run.id}").label
    assert "<script>" not in texts(opened(run.id))


def test_a_session_is_renamed(data: Path) -> None:
    run, draft = entered(data), Draft(id=session.new_id(), goal="g")
    drafts.save(draft)
    for session_id in (run.id, draft.id):
        at = opened(session_id)
        at.text_input(f"{session_id}-name").set_value("Mine \n now")
        at.button(f"{session_id}-rename-do").click().run()
        assert not at.exception
        assert standing(session_id, Runner()).title == "Mine now"
    rename(standing(run.id, Runner()), "")
    assert standing(run.id, Runner()).title == GOAL


def test_its_address_and_its_folder_are_there_to_copy(data: Path) -> None:
    run = entered(data)
    at = opened(run.id)
    assert at.code[0].value.endswith(f"/?session={run.id}")
    assert str(drafts.folder(run.id) / "results") in texts(at)


def test_a_deleted_run_leaves_nothing_but_what_others_share(data: Path) -> None:
    run, runner = entered(data), Runner()
    runner.keys.keep(run.id, None, "sk-0123456789")
    delete(standing(run.id, runner), runner)
    assert not (drafts.root() / run.id).exists() and not runner.keys.of(run.id, None)
    assert sessions.entries(runner) == [] and data.exists()
    with pytest.raises(UserError, match="no session"):
        standing(run.id, runner)


def test_a_deleted_draft_takes_its_upload_away(data: Path, own_home: Path) -> None:
    draft = Draft(id=session.new_id())
    drafts.save(draft)
    with data.open("rb") as file:
        draft = uploads.keep_upload(draft.id, "mine.jsonl", file)
    assert draft.source
    shown = look(draft.source).preview
    assert shown
    found = standing(draft.id, Runner())
    assert "the uploaded file" in what_goes(found)[0]
    delete(found, Runner())
    assert not (drafts.root() / draft.id).exists() and data.exists()
    text = shown.samples[0].input.encode()
    left = [path for path in own_home.rglob("*") if path.is_file()]
    assert text in data.read_bytes() and not any(text in path.read_bytes() for path in left)


def test_a_run_under_way_is_not_deleted(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, runner = entered(data), Runner()
    found = standing(run.id, runner)
    runner.keys.keep(run.id, None, "sk-0123456789")
    with monkeypatch.context() as here:
        here.setattr(runner, "under_way", lambda run_id: True)
        with pytest.raises(UserError, match="pause it first"):
            delete(found, runner)
    path = lock_path(home(), run.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path), pytest.raises(UserError, match="under way"):
        delete(found, runner)
    assert [entry.id for entry in sessions.entries(runner)] == [run.id]
    assert drafts.load(run.id)
    assert runner.keys.of(run.id, None), "it is needed to go on"


def test_a_dialog_from_before_the_start_deletes_the_run_too(data: Path) -> None:
    draft, runner = Draft(id=session.new_id(), goal=GOAL), Runner()
    drafts.save(draft)
    draft = uploads.name_data(draft.id, str(data))
    before = standing(draft.id, runner)
    session.new_run(draft.config(), draft.id)
    delete(before, runner)
    assert sessions.entries(runner) == [] and not (drafts.root() / draft.id).exists()


def test_a_page_from_before_the_deletion_does_not_start_it(data: Path) -> None:
    draft, runner = Draft(id=session.new_id(), goal=GOAL), Runner()
    drafts.save(draft)
    draft = uploads.name_data(draft.id, str(data))
    delete(standing(draft.id, runner), runner)
    with pytest.raises(UserError, match="deleted"):
        setup.start(draft, runner)
    assert sessions.entries(runner) == [] and not (drafts.root() / draft.id).exists()


def test_a_run_of_another_version_is_told_of_beside_the_list() -> None:
    (run_id,) = listed(1)
    with open_store(home()) as store:
        store.runs.add("20250101-000000-aaaa", "x.jsonl", "Old.", "/nowhere/x", '{"path": "x"}')
    old = standing("20250101-000000-aaaa", Runner())
    assert (old.stage, old.config) == ("failed", None) and "another version" in old.error
    at = AppTest.from_file(PAGE, default_timeout=30)
    at.query_params["session"] = old.id
    assert not at.run().exception and "another version of GoalCover" in texts(at)
    assert buttons(at, f"open-{run_id}") and buttons(at, f"{old.id}-delete")
    assert not buttons(at, "go-on") and not buttons(at, f"{old.id}-anew")


def test_the_list_stays_where_the_session_cannot_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise UserError("it is damaged.")

    (run_id,) = listed(1)
    monkeypatch.setattr(sessions, "show_current", broken)
    at = opened(run_id)
    assert not at.exception and "It is damaged." in texts(at) and "Goal 0." in texts(at)
