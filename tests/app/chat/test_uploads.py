"""The data of a draft: uploaded into its folder, or named."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.app.chat import drafts, uploads
from goalcover.app.chat.drafts import Draft
from goalcover.graph import session
from goalcover.memory.errors import UserError


def made(**fields: object) -> str:
    draft = Draft.model_validate({"id": session.new_id(), **fields})
    drafts.save(draft)
    return draft.id


def test_an_upload_is_copied_whole_under_its_own_name() -> None:
    file = io.BytesIO(b"a,b\n1,2\n")
    file.read()  # as somebody may have before
    draft = uploads.keep_upload(made(), "../x y/Frage?.CSV", file)
    assert draft.uploaded == draft.data == "../x y/Frage?.CSV"
    place = drafts.folder(draft.id) / "upload"
    assert draft.source and Path(draft.source.path) == place / "Frage.csv"
    assert Path(draft.source.path).read_bytes() == b"a,b\n1,2\n"
    assert drafts.load(draft.id) == draft and uploads.is_upload(draft.id, draft.source)


def test_other_data_takes_the_first_upload_away() -> None:
    draft = uploads.keep_upload(made(), "a.csv", io.BytesIO(b"1"))
    draft = uploads.keep_upload(draft.id, "b.jsonl", io.BytesIO(b"2"))
    assert [p.name for p in drafts.folder(draft.id).glob("upload/*")] == ["b.jsonl"]
    draft = uploads.name_data(draft.id, "owner/name", "test")
    assert draft.data == "owner/name" and draft.source and draft.source.split == "test"
    assert not list(drafts.folder(draft.id).glob("upload*"))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("..", "upload"),
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\rows\\a b.TSV", "a_b.tsv"),
        ("a\x00b\n.jsonl", "a_b.jsonl"),
        ("\u202egnp.exe\u2066.json", "gnp.exe.json"),
        ("....", "upload"),
        (".csv", "upload.csv"),
        ("...json", "upload.json"),
        ("-rf \ud83d.csv", "rf.csv"),
        ("draft.json", "draft.json"),
        ("Fragen ändern.v2.ndjson", "Fragen_ändern.v2.ndjson"),
        ("हिन्दी.csv", "हिन्दी.csv"),
        ("", "upload"),
        ("x" * 300 + ".parquet", "x" * 72 + ".parquet"),
    ],
)
def test_a_name_is_made_safe(given: str, kept: str) -> None:
    assert uploads.safe_name(given) == kept


@given(st.text(max_size=300))
def test_no_name_leads_elsewhere_or_is_too_long(text: str) -> None:
    name = uploads.safe_name(text)
    assert Path(name).name == name and not name.startswith(".") and name.isprintable()
    assert 0 < len(name) <= uploads.LONGEST and len(name.encode()) < 220


def test_the_longest_name_and_that_of_our_own_file_are_kept() -> None:
    for name in ("\U00020000" * 300 + ".csv", "draft.json"):
        draft = uploads.keep_upload(made(), name, io.BytesIO(b"1"))
        assert draft.source and Path(draft.source.path).read_bytes() == b"1"
        assert drafts.load(draft.id) == draft


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
