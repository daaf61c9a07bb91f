"""Files are written whole or not at all, on a full disk too."""

import os

import pytest

from goalcover.memory.errors import UserError
from goalcover.memory.files import atomic_folder, atomic_path, atomic_text, check_writable

TINY_DISK = "64k"


def test_the_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "folder" / "out.txt"
    with atomic_text(path) as file:
        file.write("a\r\nb\u2028c\n")
        assert not path.exists()
    assert path.read_bytes() == "a\r\nb\u2028c\n".encode()
    assert os.listdir(path.parent) == ["out.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, UserError])
def test_a_block_that_raises_leaves_nothing_half(tmp_path, error):
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(error), atomic_text(path) as file:
        file.write("half of the new te")
        file.flush()
        raise error("stop")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.txt"]


def test_the_temporary_path_keeps_the_ending(tmp_path):
    with atomic_path(tmp_path / "out.parquet") as partial:
        assert partial.suffix == ".parquet"
        assert partial.parent == tmp_path
        partial.write_bytes(b"x")


def test_lone_surrogates_are_written_as_escapes(tmp_path):
    with atomic_text(tmp_path / "out.txt") as file:
        file.write("a\ud83db")
    assert (tmp_path / "out.txt").read_text() == "a\\ud83db"


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UserError, match=r"cannot write .*file/out.txt"),
        atomic_text(tmp_path / "file" / "out.txt"),
    ):
        pytest.fail("the block must not run")


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path):
    (tmp_path / "out.txt").mkdir()
    with (
        pytest.raises(UserError, match=r"cannot write .*out.txt"),
        atomic_text(tmp_path / "out.txt"),
    ):
        pass
    assert os.listdir(tmp_path) == ["out.txt"]


def test_a_full_disk_leaves_the_old_file_and_says_so_in_one_line(tiny_disk):
    path = tiny_disk / "out.txt"
    path.write_text("old")
    with pytest.raises(UserError, match="No space left") as raised, atomic_text(path) as file:
        for _ in range(100):
            file.write("x" * 4096)
    assert str(path) in str(raised.value) and "\n" not in str(raised.value)
    assert path.read_text() == "old"
    assert os.listdir(tiny_disk) == ["out.txt"]


def test_what_cannot_be_written_is_said_before_any_work(tmp_path):
    check_writable(tmp_path / "new" / "scores.jsonl")
    assert list((tmp_path / "new").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write"):
        check_writable(tmp_path / "file" / "scores.jsonl")
    with pytest.raises(UserError, match="Is a directory"):
        check_writable(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_folder_is_there_whole_or_not_at_all(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty", "deep/new"):
        with atomic_folder(tmp_path / name) as partial:
            (partial / "file").write_text("x")
            assert not (tmp_path / name / "file").exists()
        assert (tmp_path / name / "file").read_text() == "x"
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "failed") as partial:
        (partial / "file").write_text("x")
        raise RuntimeError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "empty", "new"]


def test_a_folder_that_holds_something_is_not_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    (tmp_path / "file").touch()
    for name in ("mine", "file"):
        with pytest.raises(UserError, match="is there already"), atomic_folder(tmp_path / name):
            raise AssertionError("nothing is done")
    assert (tmp_path / "mine" / "file").exists()
