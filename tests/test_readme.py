"""What the README and the docs show works as it stands there."""

import re
from pathlib import Path

import pytest
from answers import answer, support_rows
from fake_server import FakeServer

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = [README, *(path.read_text(encoding="utf-8") for path in ROOT.glob("docs/*.md"))]


def example(text: str) -> str:
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found
    return found.group(1)


@pytest.fixture(autouse=True)
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rows.jsonl").write_text(support_rows(12))
    monkeypatch.chdir(tmp_path)


def test_python_example(capsys: pytest.CaptureFixture[str]) -> None:
    code = example(README)
    assert len(code.splitlines()) < 10
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
    page = capsys.readouterr().out.strip().splitlines()[-1]
    assert Path(page).is_file()


def test_the_reviewer_of_the_docs(monkeypatch: pytest.MonkeyPatch) -> None:
    code = example((ROOT / "docs" / "subgoals.md").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    with FakeServer(answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        exec(compile(code, "subgoals.md", "exec"), names)
    report: object = names["report"]
    answers = report.specification.answers  # pyright: ignore[reportAttributeAccessIssue]
    assert [a.text for a in answers] == ["patients"]


def test_every_flag_they_name_exists() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "app").glob("*.py"))
    for flag in {flag for text in DOCS for flag in re.findall(r"--([a-z][a-z-]+)", text)}:
        names = (flag, flag.removeprefix("no-"))  # of switches that are on
        assert any(
            f'"--{name}"' in source or f"    {name.replace('-', '_')}: " in source for name in names
        ), flag
