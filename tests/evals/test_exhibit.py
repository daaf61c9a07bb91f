"""How what an evaluation found is shown."""

from pathlib import Path

import pytest

from goalcover.evals.exhibit import Exhibit, Table, write
from goalcover.memory.errors import UserError


class Found(Exhibit):
    name: str

    def headline(self) -> str:
        return f"{self.name} is found."

    def tables(self) -> list[Table]:
        return [Table(title=f"Of {self.name}", columns=["who", "n"], rows=[[self.name, "3"]])]

    def lines(self) -> list[str]:
        return [f"Judge: {self.name}."]

    def draw(self, folder: Path) -> dict[str, Path]:
        path = folder / "found-bars.png"
        path.write_bytes(b"png")
        return {f"bars of {self.name}": path}


def test_it_is_written_as_a_page_and_as_figures(tmp_path: Path) -> None:
    written = write(Found(name="m"), "found", tmp_path)
    assert Found.model_validate_json(written["figures"].read_text()) == Found(name="m")
    page = written["page"].read_text()
    assert "| who | n |\n| --- | ---: |\n| m | 3 |" in page
    assert "![bars of m](found-bars.png)" in page and "- Judge: m." in page


def test_what_a_model_says_is_no_markdown(tmp_path: Path) -> None:
    hostile = "![x](http://evil.example/p.png) <script>|"
    page = write(Found(name=hostile), "found", tmp_path)["page"].read_text()
    for telling in ("](http", "<script>", "![x]"):
        assert telling not in page
    (row,) = [line for line in page.split("\n") if line.endswith("3 |")]
    assert row.replace("\\|", "").count("|") == 3, "a cell stays one cell"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file"):
        write(Found(name="m"), "found", tmp_path / "file")
