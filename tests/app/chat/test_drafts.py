"""Drafts: what a person gave before the run, kept in a private folder."""

import io
import stat
import threading
from pathlib import Path

import pytest

from goalcover.app.chat import drafts, uploads
from goalcover.app.chat.drafts import Draft, ModelChoice
from goalcover.graph import session
from goalcover.memory.errors import UserError
from goalcover.tools.datasets import DataSource


def made(**fields: object) -> Draft:
    draft = Draft.model_validate({"id": session.new_id(), **fields})
    drafts.save(draft)
    return draft


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_draft_is_read_back_as_it_was_saved() -> None:
    draft = made(goal="Ω ≠ 0", models=ModelChoice(kind="server", model="m"), precision=0.05)
    assert drafts.load(draft.id) == draft


def test_nobody_else_may_read_it(own_home: Path) -> None:
    draft = uploads.keep_upload(made().id, "rows.jsonl", io.BytesIO(b"{}\n"))
    place = own_home / "chat" / draft.id
    assert mode(place) == mode(own_home / "chat") == 0o700
    assert {path.name: mode(path) for path in place.rglob("*")} == {
        "draft.json": 0o600,
        "upload": 0o700,
        "rows.jsonl": 0o600,
    }


@pytest.mark.parametrize("name", ["", "../../etc", "20260101-000000-00zz", "x" * 300, "a\x00b"])
def test_an_address_that_is_no_id_names_no_folder(name: str) -> None:
    assert drafts.load(name) is None
    with pytest.raises(AssertionError):
        drafts.folder(name)


def test_a_damaged_draft_is_none() -> None:
    draft = made()
    (drafts.folder(draft.id) / "draft.json").write_text("{")
    assert drafts.load(draft.id) is None and list(drafts.drafts()) == []


def test_changes_of_two_tabs_are_both_kept() -> None:
    draft = made()
    fields = [("tau", 0.7), ("goal", "g"), ("domain", "d"), ("task", "t"), ("synthesize", 9)]
    threads = [
        threading.Thread(target=lambda n, v: drafts.change(draft.id, **{n: v}), args=field)
        for field in fields
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drafts.load(draft.id) == draft.model_copy(update=dict(fields))


def test_a_draft_that_is_gone_is_not_made_anew_by_a_change() -> None:
    draft = made()
    drafts.remove(draft.id)
    with pytest.raises(UserError, match="deleted"):
        drafts.change(draft.id, goal="g")
    assert drafts.load(draft.id) is None


def test_a_value_that_cannot_be_is_not_kept() -> None:
    draft = made()
    with pytest.raises(UserError, match="tau"):
        drafts.change(draft.id, tau="high")
    assert drafts.load(draft.id) == draft


def test_a_draft_without_a_name_is_told_by_its_goal_or_its_data() -> None:
    draft = Draft(id=session.new_id())
    assert draft.title == "New session"
    draft.source = DataSource(path="/data/rows.jsonl")
    assert draft.title == "rows.jsonl"
    draft.goal = "Answer."
    assert draft.title == "Answer."
    draft.name = "Mine"
    assert draft.title == "Mine"


def test_every_row_is_judged_so_that_it_can_be_stopped() -> None:
    draft = Draft(id=session.new_id(), source=DataSource(path="rows.jsonl"), goal="Answer.")
    whole = draft.config()
    assert whole.open_ended and whole.precision is None and whole.memory
    draft.precision = 0.03
    sampled = draft.config()
    assert not sampled.open_ended and sampled.precision == 0.03


def test_a_configuration_has_what_was_chosen_and_no_key() -> None:
    draft = Draft(
        id=session.new_id(),
        source=DataSource(path="rows.jsonl"),
        goal=" Answer. ",
        domain="health",
        tau=0.6,
        max_calls=70,
        synthesize=0,
        models=ModelChoice(kind="server", model=" m ", judge="", base_url="http://127.0.0.1:1/v1"),
    )
    config = draft.config()
    assert (config.model, config.judge, config.base_url) == ("m", None, "http://127.0.0.1:1/v1")
    assert (config.goal.text, config.goal.domain, config.tau) == ("Answer.", "health", 0.6)
    assert (config.max_calls, config.budget, config.synthesize) == (70, None, 0)
    assert Path(config.out) == drafts.folder(draft.id) / "results"


def test_a_server_that_was_typed_and_left_again_is_not_asked() -> None:
    choice = ModelChoice(kind="embedded", model="m", base_url="http://127.0.0.1:1/v1")
    assert choice.fields() == {}


def test_without_data_or_goal_there_is_no_run() -> None:
    with pytest.raises(UserError, match="data"):
        Draft(id=session.new_id()).config()
    with pytest.raises(UserError, match="goal"):
        Draft(id=session.new_id(), source=DataSource(path="x.jsonl")).config()
