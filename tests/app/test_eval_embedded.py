"""`goalcover eval embedded` on judged rows of our own."""

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

Call = Callable[..., Result]


def folder_of(place: Path, names: tuple[str, ...]) -> Path:
    subgoals = [{"id": "bread", "name": "Baking bread", "description": "Explains how bread bakes."}]
    rows = [
        {"id": "1", "input": "Bread?", "output": "Bake the bread.", "scores": {"bread": 1.0}},
        {"id": "2", "input": "Cat?", "output": "An animal.", "scores": {"bread": 0.0}},
    ]
    for name in names:
        (place / f"{name}.subgoals.json").write_text(json.dumps(subgoals))
        (place / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return place


def test_figures_are_shown_and_written(call: Call, tmp_path: Path):
    topics = tmp_path / "topics.yaml"
    topics.write_text("topics: [bread]")
    data = folder_of(tmp_path, ("a", "b"))
    done = call("eval", "embedded", "--data", data, "--topics", topics, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "a: Baking bread (topic)" in said and "does not judge skill" in said
    found = json.loads((tmp_path / "out" / "embedded.json").read_text())
    assert found["subgoals"][0]["rules"]["shipped"]["spearman"]["value"] == 1.0


def test_topics_that_no_row_is_judged_for(call: Call, tmp_path: Path):
    topics = tmp_path / "topics.yaml"
    topics.write_text("topics: [bread, wine]")
    done = call("eval", "embedded", "--data", folder_of(tmp_path, ("a", "b")), "--topics", topics)
    assert done.exit_code == 2
    assert "topics.yaml: topics has wine" in done.output and "there are bread" in done.output


def test_one_domain_is_too_few(call: Call, tmp_path: Path):
    done = call("eval", "embedded", "--data", folder_of(tmp_path, ("a",)))
    assert done.exit_code == 2 and "1 domain: give two" in done.output
