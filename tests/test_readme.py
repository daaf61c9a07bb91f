"""What the README shows works as it stands there."""

import re
from pathlib import Path

import pytest
from answers import support_rows

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_python_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert found
    code = found.group(1)
    assert len(code.splitlines()) < 10
    (tmp_path / "rows.jsonl").write_text(support_rows(12))
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
    page = capsys.readouterr().out.strip().splitlines()[-1]
    assert Path(page).is_file()


def test_every_flag_it_names_exists() -> None:
    source = (Path(__file__).parents[1] / "app" / "cli.py").read_text(encoding="utf-8")
    for flag in set(re.findall(r"--([a-z][a-z-]+)", README)):
        assert f'"--{flag}"' in source or f"    {flag.replace('-', '_')}: " in source, flag
