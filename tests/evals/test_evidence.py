"""The page of all evaluations: what is run, what is missing, and how it reads."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from goalcover.app.cli import app
from goalcover.evals.evidence import Section, gather
from goalcover.evals.exhibit import Exhibit, Table
from goalcover.evals.sections import SECTIONS, choose
from goalcover.memory.errors import UserError
from goalcover.memory.records import Spent
from goalcover.tools.settings import ModelConfig


class Found(Exhibit):
    answer: str

    def headline(self) -> str:
        return self.answer

    def tables(self) -> list[Table]:
        return [Table(title="T", columns=["a", "b"], rows=[["x", "1"]])]

    def lines(self) -> list[str]:
        return ["A line."]

    def draw(self, folder: Path) -> dict[str, Path]:
        path = folder / f"{self.answer}.png"
        path.write_bytes(b"png")
        return {"A picture": path}


def section(name: str, caution: str = "") -> Section:
    async def run(config: ModelConfig, data: Path | None, tell: object) -> tuple[Exhibit, Spent]:
        if not (data and (data / name).exists()):
            raise UserError(f"there is no file {name}.")
        return Found(answer=f"{name} holds"), Spent()

    return Section(
        name, f"The {name}", f"Does {name} hold?", f"goalcover eval {name}", run, caution
    )


async def page_of(tmp_path: Path, *names: str, config: ModelConfig | None = None) -> str:
    (tmp_path / "here").write_text("")
    sections = [section(name, "**Beware.**" if name == "here" else "") for name in names]
    page, missing = await gather(config or ModelConfig(), tmp_path, tmp_path / "out", sections,
                        lambda title, done, total, spent: None)  # fmt: skip
    assert list(missing) == [name for name in names if name == "gone"]
    return page.read_text()


async def test_every_section_answers_and_what_is_missing_is_said(tmp_path: Path) -> None:
    page = await page_of(tmp_path, "here", "gone")
    assert "| [Does here hold?](#the-here) | here holds |" in page
    assert "| [Does gone hold?](#the-gone) | not run: there is no file gone. |" in page
    assert "## The here" in page and "**Beware.**" in page and "| x | 1 |" in page
    assert "topic" in page, "the embedded judge's limits are told"
    (link,) = re.findall(r"!\[A picture\]\((.*?)\)", page)
    assert (tmp_path / "out" / link).read_bytes() == b"png"
    assert (tmp_path / "out" / "evidence" / "here.json").exists()


async def test_a_named_judge_is_no_embedded_one(tmp_path: Path) -> None:
    page = await page_of(tmp_path, "here", config=ModelConfig(judge="some|model"))
    assert "some\\|model" in page and "topics by sentence similarity" not in page


def test_sections_are_chosen_by_name() -> None:
    assert choose([]) == SECTIONS
    assert [one.name for one in choose(["power", "gaps"])] == ["power", "gaps"]
    with pytest.raises(UserError, match=r"--only nope.*corruption"):
        choose(["nope"])


def test_each_section_names_its_command() -> None:
    """A reader repeats what they are told to."""
    evaluations = (Path(__file__).parents[2] / "app" / "evaluations.py").read_text()
    commands = set(re.findall(r'@evals\.command\("(\w+)"\)', evaluations))
    for one in SECTIONS:
        assert one.command.split()[:2] == ["goalcover", "eval"]
        assert one.command.split()[2] in commands
    assert {one.command.split()[2] for one in SECTIONS} == commands - {"all"}


@pytest.mark.parametrize(
    ("data", "said"), [([], "give --data, a folder with gold/"), (["--data", "none"], "none")]
)
def test_without_any_data_the_command_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    args = ["eval", "all", "--out", "out", "--only", "judge", "--only", "power", *data]
    done = CliRunner().invoke(app, args)
    assert done.exit_code == 2 and said in done.stderr
    assert not (tmp_path / "out" / "evidence.md").exists()


def test_what_can_be_run_is_on_the_page_and_the_rest_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    args = ["eval", "all", "--out", "out", "--only", "judge", "--only", "decomposition"]
    done = CliRunner().invoke(app, args)
    assert done.exit_code == 2 and "judge: give --data" in done.stderr
    page = (tmp_path / "out" / "evidence.md").read_text()
    assert "atomic" in page and page.count("left out") == len(SECTIONS) - 2
