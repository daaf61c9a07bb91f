"""A new session with the data and the settings of one that has begun."""

import io
from pathlib import Path
from typing import Any

import pytest
from chats import support_run
from streamlit.testing.v1 import AppTest

from goalcover.app import chat
from goalcover.app.chat import drafts, uploads
from goalcover.app.chat.drafts import Draft, ModelChoice
from goalcover.app.chat.runner import Runner
from goalcover.app.chat.standing import Standing, standing
from goalcover.app.chat.start.anew import begin_anew
from goalcover.graph import session
from goalcover.memory.errors import UserError

ROW = b'{"prompt": "a", "completion": "b"}\n'
SERVER = ModelChoice(kind="server", model="m", base_url="http://127.0.0.1:1/v1")


def begun(**fields: Any) -> Standing:
    """A session whose run is entered, on an uploaded file."""
    draft = Draft.model_validate({"id": session.new_id(), "goal": "Help.", **fields})
    drafts.save(draft)
    draft = uploads.keep_upload(draft.id, "mine.jsonl", io.BytesIO(ROW))
    session.new_run(draft.config(), draft.id)
    return standing(draft.id, Runner())


def test_all_is_taken_over_but_name_and_key() -> None:
    old = begun(name="Mine", tau=0.6, max_calls=7, synthesize=2, task="answering", models=SERVER)
    new = begin_anew(old)
    assert new.id != old.id and new.source and old.draft and old.draft.source
    assert drafts.load(new.id) == new and not drafts.entered(new.id)
    changed = {"id": new.id, "created": new.created, "name": "", "source": new.source}
    assert new == old.draft.model_copy(update=changed)
    assert new.source.path != old.draft.source.path and uploads.is_upload(new.id, new.source)
    session.delete_run(old.id)
    assert Path(new.source.path).read_bytes() == ROW, "the copy stays when the first one goes"


def test_the_run_leads_where_its_draft_was_changed_later() -> None:
    old = begun(tau=0.6)
    drafts.change(old.id, goal="Something else.", tau=0.1)
    new = begin_anew(standing(old.id, Runner()))
    assert (new.goal, new.tau, new.uploaded) == ("Help.", 0.6, "mine.jsonl")


def test_a_run_of_the_command_line_is_taken_over_as_far_as_the_page_goes(tmp_path: Path) -> None:
    """Its values are such that the page's fields take them."""
    old = standing(support_run(tmp_path, precision=0.4, synthesize=9_000, seed=3), Runner())
    new = begin_anew(old)
    assert old.draft is None and old.run and new.source
    assert (new.goal, new.source.path, new.uploaded) == (old.run.goal, old.run.data, "")
    assert (new.precision, new.synthesize, new.models) == (0.3, 9_000, ModelChoice())
    at = AppTest.from_file(Path(chat.__file__).with_name("page.py"), default_timeout=60)
    at.query_params["session"] = new.id
    assert not at.run().exception and at.select_slider(f"{new.id}-synthesize").value == 9_000


def test_without_its_file_or_its_settings_nothing_is_begun() -> None:
    old = begun()
    assert old.draft and old.draft.source
    Path(old.draft.source.path).unlink()
    with pytest.raises(UserError, match="there no more"):
        begin_anew(old)
    assert [draft.id for draft in drafts.drafts()] == [old.id]
    with pytest.raises(UserError, match="another version"):
        begin_anew(Standing(old.id, "failed"))


def test_the_sidebar_begins_one() -> None:
    old = begun()
    at = AppTest.from_file(Path(chat.__file__).with_name("page.py"), default_timeout=60)
    at.query_params["session"] = old.id
    at.run().button(f"{old.id}-anew").click().run()
    opened = str(at.query_params["session"])
    assert not at.exception and opened != old.id
    assert (new := drafts.load(opened)) and new.goal == "Help."
