"""`goalcover filter` and `goalcover export` as a user calls them."""

import json
from collections.abc import Callable
from pathlib import Path

import datasets
import pytest
from answers import SUBGOALS, answer
from fake_server import FakeServer
from typer.testing import Result

Call = Callable[..., Result]


@pytest.fixture
def scores(call: Call, data: Path, tmp_path: Path) -> Path:
    (tmp_path / "subgoals.json").write_text(json.dumps(SUBGOALS))
    args = ("--subgoals", "subgoals.json", "--out", "scores.jsonl")
    with FakeServer(answer) as server:
        done = call("score", data, *args, "--judge", "m", "--base-url", server.base_url)
    assert done.exit_code == 0, done.output
    return tmp_path / "scores.jsonl"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--rule", "weighted"], "--rule weighted and --weight ID=NUMBER go together"),
        (["--weight", "returns=2"], "go together"),
        (["--rule", "weighted", "--weight", "nope=2"], "nope: no such subgoal. There are: "),
        (["--rule", "weighted", "--weight", "returns"], "write ID=NUMBER"),
        (["--size", "20", "--keep", "0.6"], "--size takes the place of --keep"),
        (["--scores", "support.jsonl"], "support.jsonl is no file of scores: record 1 lacks 'sc"),
        (["--size", "1"], "--size 1 is too small: the floors need"),
        (["--format", "chat", "--out", "kept.csv"], "--format chat needs a file that ends in"),
        (["--format", "hf", "--out", "kept.jsonl"], "--format hf writes a folder"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(call: Call, data, scores, tmp_path, args, said) -> None:
    done = call("filter", data, "--scores", scores, "--out", "kept.jsonl", *args)
    assert done.exit_code == 2
    assert said in done.output and len(done.output.strip().splitlines()) == 1
    assert not (tmp_path / "kept.jsonl").exists()


def test_the_comparison_is_shown_and_written(call: Call, data, scores, tmp_path) -> None:
    args = ("--rule", "weighted", "--weight", f"{SUBGOALS[0]['id']}=2", "--size", "7")
    args += ("--floor", "2", "--keep-duplicates")
    done = call("filter", data, "--scores", scores, "--out", "kept.jsonl", *args)
    assert done.exit_code == 0, done.output
    assert "7 of 30 rows" in done.output and "kept.jsonl.card.md" in done.output
    for word in ("random", "diversity", "for the floor", *(s["name"] for s in SUBGOALS)):
        assert word in done.output
    assert len((tmp_path / "kept.jsonl").read_text().splitlines()) == 7
    told = (tmp_path / "kept.jsonl.card.md").read_text()
    assert "the 7 rows whose weighted mean alignment" in told and "Judge: m" in told


def test_a_size_that_is_not_there_is_said(call: Call, data, scores) -> None:
    done = call("filter", data, "--scores", scores, "--out", "kept.jsonl", "--size", "1000",
                "--keep-duplicates")  # fmt: skip
    assert done.exit_code == 0 and "but there are only 30" in done.output


def predict(scores: Path, count: int) -> None:
    """Predictions near the cut in place of the judgements of the first rows."""
    records = [json.loads(line) for line in scores.read_text().splitlines()]
    for record in records[:count]:
        names = record["scores"]
        record["scores"] = dict.fromkeys(names, 0.5)
        record["source"] = dict.fromkeys(names, "predicted")
        record["intervals"] = {name: [0.2, 0.8] for name in names}
    scores.write_text("".join(json.dumps(record) + "\n" for record in records))


def test_rows_near_the_cut_are_judged_anew(call: Call, data, tmp_path) -> None:
    """As the same judge would have judged them at first."""
    (tmp_path / "subgoals.json").write_text(json.dumps(SUBGOALS))
    options = ("--judge", "m", "--base-url")
    with FakeServer(answer) as server:
        options += (server.base_url,)
        done = call("score", data, "--subgoals", "subgoals.json", "--out", "s.jsonl", *options)
        assert done.exit_code == 0, done.output
        scores, calls = tmp_path / "s.jsonl", server.calls
        filter_by = ("filter", data, "--scores", scores, "--keep-duplicates", "--out")
        assert call(*filter_by, "whole.jsonl").exit_code == 0
        predict(scores, 6)
        given = scores.read_bytes()
        (tmp_path / "goalcover-home" / "store.db").unlink()  # else nothing is to be asked
        done = call(*filter_by, "kept.jsonl", *options, "--rejudge", 4)
        assert done.exit_code == 0, done.output
        assert server.calls - calls == 4
        assert "Predicted rows near the cut that were judged: 4." in done.output
        assert "judging up to 4 predicted rows near the cut with m at 127.0.0.1" in done.stderr
        assert "2 predicted rows, kept or not, lie so near" in " ".join(done.output.split())
        done = call(*filter_by, "kept.jsonl", *options)
    assert done.exit_code == 0 and "Predicted rows near the cut that were judged: 6." in done.output
    assert server.calls - calls == 6  # four of them were known
    kept = [(tmp_path / name).read_bytes() for name in ("kept.jsonl", "whole.jsonl")]
    assert kept[0] == kept[1] and scores.read_bytes() == given


def test_without_the_judge_predictions_stand_and_it_is_said(call: Call, data, scores) -> None:
    predict(scores, 6)
    args = ("filter", data, "--scores", scores, "--out", "kept.jsonl", "--keep-duplicates")
    done = call(*args)
    assert done.exit_code == 0, done.output
    assert "6 predicted rows, kept or not, lie so near the cut" in " ".join(done.output.split())
    assert "cut: 6 predicted rows. Only the judge of the scores, m at 127" in done.stderr
    assert "--rejudge 0" in done.stderr
    wrong = call(*args, "--judge", "other", "--base-url", "http://127.0.0.1:9/v1")
    assert wrong.exit_code == 2 and len(wrong.stderr.splitlines()) == 1
    assert "judged by m at 127" in wrong.stderr and "not by other at 127" in wrong.stderr
    done = call(*args, "--rejudge", 0)
    assert done.exit_code == 0 and "6 predicted rows" in done.output
    assert "Only the judge" not in done.output
    Path(f"{scores}.about.json").unlink()
    done = call(*args)
    assert done.exit_code == 0 and "who judged the others is not known" in done.output


def test_an_unknown_choice_is_named_in_plain_words(call: Call) -> None:
    done = call("filter", "a", "--scores", "b", "--out", "c", "--rule", "median")
    assert done.exit_code == 2 and "Value error" not in done.output
    assert "'median' is not one of 'best', 'mean', 'weighted'" in done.output


def loaded(folder: str) -> datasets.Dataset:
    """Without a cache that other folders of this name share."""
    found = datasets.load_dataset(str(Path(folder).resolve()), split="train", cache_dir="hub")
    assert isinstance(found, datasets.Dataset)
    return found


@pytest.fixture
def run_id(call: Call, data: Path) -> str:
    with FakeServer(answer) as server:
        done = call("run", data, "--goal", "Help customers with billing, refunds and returns.",
                    "--model", "m", "--base-url", server.base_url, "--yes",
                    "--out", "results")  # fmt: skip
    assert done.exit_code == 0, done.output
    return json.loads(Path("results/report.json").read_text())["run"]


def test_a_finished_run_is_exported(call: Call, data: Path, run_id: str) -> None:
    before, results = data.read_bytes(), Path("results")
    kept = (results / "filtered.jsonl").read_bytes()
    made = (results / "synthetic.jsonl").read_bytes()
    assert (results / "filtered.jsonl.card.md").is_file()
    assert call("export", run_id, "--out", "kept.jsonl").exit_code == 0
    assert Path("kept.jsonl").read_bytes() == kept
    done = call("export", run_id, "--out", "both.jsonl", "--with-synthetic")
    assert done.exit_code == 0 and "of them synthetic" in done.output
    assert Path("both.jsonl").read_bytes() == kept + made
    done = call("export", run_id, "--out", "all.csv", "--format", "csv", "--rows", "original")
    assert done.exit_code == 0 and "30 rows" in done.output
    done = call("export", run_id, "--out", "hf", "--format", "hf", "--rows", "original")
    assert done.exit_code == 0, done.output
    rows = loaded("hf")
    names = [
        s["subgoal"]["id"] for s in json.loads((results / "report.json").read_text())["coverage"]
    ]
    scores = [
        json.loads(line)["scores"] for line in (results / "scores.jsonl").read_text().splitlines()
    ]
    for name in names:
        assert rows[f"goalcover_{name}"] == [row[name] for row in scores]
    assert data.read_bytes() == before
    assert (results / "filtered.jsonl").read_bytes() == kept


def test_an_export_takes_no_file_of_the_run_or_of_the_user(call: Call, data, run_id) -> None:
    for out in ("results/filtered.jsonl", "results/synthetic.jsonl", data):
        done = call("export", run_id, "--out", out, "--with-synthetic")
        assert done.exit_code == 2 and "is a file of the run itself" in done.output
    done = call("export", "nope", "--out", "kept.jsonl")
    assert done.exit_code == 2 and "there is no run nope" in done.output
    data.write_text(data.read_text() + "\n")
    done = call("export", run_id, "--out", "all.jsonl", "--rows", "original")
    assert done.exit_code == 2 and "is not the file that the run was made with" in done.output


def test_what_is_there_already_is_not_written_over(call: Call, run_id: str) -> None:
    Path("mine.jsonl").write_text("mine")
    Path("more.csv.card.md").write_text("mine")
    Path("folder").mkdir()
    Path("folder/mine.txt").write_text("mine")
    forms = {"mine.jsonl": "chat", "more.csv": "csv", "folder": "hf"}
    for out, form in forms.items():
        done = call("export", run_id, "--out", out, "--format", form)
        assert done.exit_code == 2 and len(done.output.strip().splitlines()) == 1
        assert "is there already: choose another" in done.output
    for name in ("mine.jsonl", "more.csv.card.md", "folder/mine.txt"):
        assert Path(name).read_text() == "mine"
    assert not Path("more.csv").exists()


def test_synthetic_rows_have_their_alignments_and_their_origin(call: Call, run_id: str) -> None:
    args = ("export", run_id, "--format", "hf", "--with-synthetic", "--out")
    assert call(*args, "both").exit_code == 0
    told = [
        json.loads(line)
        for line in Path("results/synthetic.provenance.jsonl").read_text().splitlines()
    ]
    rows = loaded("both")
    made = rows.filter(lambda row: row["synthetic_by_goalcover"])
    assert len(made) == len(told)
    for name in told[0]["alignment"]:
        assert made[f"goalcover_{name}"] == [one["alignment"][name] for one in told]
        assert None not in made[f"goalcover_{name}"]
    card = Path("both/README.md").read_text()
    report = json.loads(Path("results/report.json").read_text())
    first = len(rows) - len(told) + 1
    assert f"Here: rows {first} to {len(rows)}, counted from 1" in card
    assert f"accepted by {report['plan']['model']}, judged by ".replace("://", "\\://") in card
    gaps = {gap["id"]: gap["name"] for gap in report["gaps"]}
    for gap in {one["gap"] for one in told}:
        count = sum(one["gap"] == gap for one in told)
        assert f"- {gaps[gap]} (" in card and f"): {count} rows" in card


def test_an_edited_synthetic_row_takes_no_other_row_s_alignment(call: Call, run_id: str) -> None:
    path = Path("results/synthetic.jsonl")
    first, second, *_ = path.read_text().splitlines()
    edited = json.loads(first)
    edited["messages"][-1]["content"] = "Mine."
    path.write_text(f"{second}\n{json.dumps(edited)}\n")
    provenance = Path("results/synthetic.provenance.jsonl")
    told = [json.loads(line) for line in provenance.read_text().splitlines()]
    for one in told:
        one["alignment"] = dict.fromkeys(one["alignment"], one["line"] / 100)
    provenance.write_text("".join(json.dumps(one) + "\n" for one in told))
    done = call("export", run_id, "--format", "hf", "--rows", "synthetic", "--out", "made")
    assert done.exit_code == 0, done.output
    rows = loaded("made")
    for name in told[0]["alignment"]:
        assert list(rows[f"goalcover_{name}"]) == [0.02, None]
    card = Path("made/README.md").read_text()
    assert "changed since they were written, and not judged: 1 rows" in card
    assert "Here: all rows." in card
