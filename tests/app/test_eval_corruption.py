"""`goalcover eval corruption`, as a user calls it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from fake_server import FakeServer
from judging import asked_ids

Body = dict[str, Any]

THINGS = ("bread", "soup", "pan", "floor")
SUBGOALS = [
    {"id": "bread", "name": "Bread", "description": "Bakes bread from dough in an oven."},
    {"id": "soup", "name": "Soup", "description": "Cooks soup and broth in a pot."},
]
PATTERNS = [{"name": thing, "subgoal": thing, "pattern": rf"\b{thing}\b"} for thing in THINGS[:2]]
TAGS = [
    {"name": thing, "subgoal": thing, "tag": {"column": "kind", "values": [thing]}}
    for thing in THINGS[:2]
]


def domain(removals: list[Any], **other: Any) -> dict[str, Any]:
    return {"goal": "Cook.", "file": "cook.jsonl", "input": ["ask"], "output": "say",
            "target": 64, "subgoals": SUBGOALS, "removals": removals} | other  # fmt: skip


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Rows, and a configuration of two domains beside them."""
    rows = [
        {"ask": f"How do I go about {THINGS[i % 4]} {i}?", "say": "Take your time.",
         "kind": THINGS[i % 4]}
        for i in range(96)
    ]  # fmt: skip
    (tmp_path / "cook.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "own.yaml"
    path.write_text(
        yaml.safe_dump({"words": domain(PATTERNS), "kinds": domain(TAGS)}, sort_keys=False)
    )
    return path


def by_word(body: Body) -> Body:
    """A judge to whom only the word counts."""
    prompt = body["messages"][1]["content"]
    text = prompt[prompt.index("How do I go about") :][:60]
    return {
        "judgements": [
            {"id": id, "explanation": "Read it.", "score": 1.0 if id in text else 0.2}
            for id in asked_ids(body)
        ]
    }


def test_with_a_server_each_row_is_judged_once(call: Any, own: Path, tmp_path: Path) -> None:
    with FakeServer(by_word) as server:
        args = ("eval", "corruption", "--data", tmp_path, "--config", own, "--seeds", 2,
                "--draws", 60, "--judge", "m", "--base-url", server.base_url,
                "--tau", 0.3)  # fmt: skip
        done = call(*args, "--out", "found")
        assert done.exit_code == 0, done.stderr
        assert not server.errors
        calls = server.calls
        assert call(*args).exit_code == 0 and server.calls == calls, "the store answers"
    assert "to judge: 192 rows" in done.stderr
    assert "384 judgements in at most 192 calls" in done.stderr
    assert calls == 96, "both domains have the same rows"
    found = json.loads((tmp_path / "found" / "corruption.json").read_text())
    assert found["judge"].startswith("m at ") and found["tau"] == 0.3
    groups = {(one["kind"], one["rows"]): one for one in found["groups"]}
    assert len(groups) == 4
    for one in groups.values():
        assert one["statistics"]["hit_most"] == 2 and one["targets_clear"] == one["targets"] == 2
        assert one["others_clear"] == 0
        # All support is in the rows that go: from 1.0 and 0.2 to 0.2 alone.
        assert one["targets_gaps"] == 2 and one["statistics"]["target"] < -0.4
    for target in (
        change
        for each in found["domains"]
        for result in each["results"]
        for removal in result["removals"]
        for change in removal["changes"]
        if change["targeted"]
    ):
        assert target["after"] == pytest.approx(0.2)
    page = (tmp_path / "found" / "corruption.md").read_text()
    for name in ("patterns", "tags"):
        assert (tmp_path / "found" / f"corruption-{name}.png").stat().st_size > 10_000
        assert f"corruption-{name}.png" in page
    assert r"rows that match \\bbread\\b" in page and "kind is soup" in page
    assert "topic" not in done.stdout, "a chat model is no topic detector"


def test_with_the_embedded_judge(call: Any, own: Path, tmp_path: Path) -> None:
    done = call("eval", "corruption", "--data", tmp_path, "--config", own, "--domain", "words",
                "--rows", 30, "--seeds", 1, "--draws", 60)  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert "to judge: 60 rows" in done.stderr and "Spent" not in done.stdout
    for words in ("matches topics", "· Bread *", "random removals", "words without soup"):
        assert words in done.stdout, words
    assert "paper" not in done.stdout.partition("Patterns are")[0], "it says nothing of these"
    assert "by tag, natural" not in done.stdout


def test_judgements_that_fail_are_said_and_are_no_figures(
    call: Any, own: Path, tmp_path: Path
) -> None:
    def partly(body: Body) -> Any:
        return "no JSON" if "pan 2?" in str(body["messages"]) else by_word(body)

    with FakeServer(partly) as server:
        done = call("eval", "corruption", "--data", tmp_path, "--config", own, "--domain", "words",
                    "--seeds", 1, "--draws", 60, "--judge", "m",
                    "--base-url", server.base_url)  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert "words: 2 judgements failed and are missing" in done.stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--domain", "cellar"), "no domain cellar: it has words, kinds"),
        (("--config", "nowhere.yaml"), "nowhere.yaml"),
        (("--data", "nowhere"), "nowhere/cook.jsonl for words"),
        ((), "no hub data set for words, cook.jsonl"),
        (("--data", ".", "--out", "own.yaml"), "own.yaml"),
    ],
)
def test_a_wrong_option_is_one_line(call: Any, own: Path, args: tuple[str, ...], said: str) -> None:
    done = call("eval", "corruption", "--config", own, "--judge", "m", *args)
    assert done.exit_code == 2 and done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("goalcover: ")]
    assert said in line


@pytest.mark.parametrize(
    ("removal", "said"),
    [
        ({"pattern": ""}, "removal x: the pattern is empty"),
        ({"pattern": "take"}, "removal x: the pattern “take” matches every row of"),
        ({"tag": {"column": "sort", "values": ["soup"]}}, "no column 'sort'"),
        ({"tag": {"column": "kind", "values": ["cake"]}}, "the tag “kind is cake” matches no row"),
    ],
)
def test_a_removal_that_is_none_is_one_line(
    call: Any, own: Path, tmp_path: Path, removal: dict[str, Any], said: str
) -> None:
    own.write_text(
        yaml.safe_dump({"words": domain([{"name": "x", "subgoal": "bread", **removal}])})
    )
    done = call("eval", "corruption", "--config", own, "--data", tmp_path)
    assert done.exit_code == 2 and done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if line != "reading the data"]
    assert line.startswith("goalcover: ") and said in line
