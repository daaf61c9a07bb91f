"""The data of a draft: uploaded into its folder, or named."""

import io
from pathlib import Path

import pytest

from goalcover.app.chat import drafts, uploads
from goalcover.app.chat.drafts import Draft
from goalcover.graph import session
from goalcover.memory.errors import UserError


def made(**fields: object) -> str:
    draft = Draft.model_validate({"id": session.new_id(), **fields})
    drafts.save(draft)
    return draft.id


def test_an_upload_is_copied_whole_under_a_name_of_ours() -> None:
    file = io.BytesIO(b"a,b\n1,2\n")
    file.read()  # as somebody may have before
    draft = uploads.keep_upload(made(), "../x y/Frage?.CSV", file)
    assert draft.uploaded == draft.data == "../x y/Frage?.CSV"
    assert draft.source and Path(draft.source.path) == drafts.folder(draft.id) / "upload.csv"
    assert Path(draft.source.path).read_bytes() == b"a,b\n1,2\n"
    assert drafts.load(draft.id) == draft and uploads.is_upload(draft.id, draft.source)


def test_other_data_takes_the_first_upload_away() -> None:
    draft = uploads.keep_upload(made(), "a.csv", io.BytesIO(b"1"))
    draft = uploads.keep_upload(draft.id, "b.jsonl", io.BytesIO(b"2"))
    assert [p.name for p in drafts.folder(draft.id).glob("upload*")] == ["upload.jsonl"]
    draft = uploads.name_data(draft.id, "owner/name", "test")
    assert draft.data == "owner/name" and draft.source and draft.source.split == "test"
    assert not list(drafts.folder(draft.id).glob("upload*"))


class Meanwhile(io.BytesIO):
    """A file during whose copying something happens in another tab."""

    def __init__(self, happens: object) -> None:
        super().__init__(b"{}\n")
        self.happens = happens

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() == 0:
            self.happens()  # type: ignore[operator]
        return super().read(size)


def test_what_another_tab_changes_meanwhile_stays() -> None:
    draft_id = made(goal="Before.")
    file = Meanwhile(lambda: drafts.change(draft_id, goal="After."))
    assert uploads.keep_upload(draft_id, "a.jsonl", file).goal == "After."


def test_an_upload_does_not_bring_a_deleted_session_back() -> None:
    draft_id = made()
    file = Meanwhile(lambda: drafts.remove(draft_id))
    with pytest.raises(UserError, match="deleted"):
        uploads.keep_upload(draft_id, "a.jsonl", file)
    for give in (
        lambda: uploads.keep_upload(draft_id, "a.jsonl", io.BytesIO(b"1")),
        lambda: uploads.name_data(draft_id, "owner/name"),
    ):
        with pytest.raises(UserError, match="deleted"):
            give()
    assert not (drafts.root() / draft_id).exists()
