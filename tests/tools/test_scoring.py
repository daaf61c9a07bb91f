"""Scoring and filtering a file, end to end with the embedded judge."""

import json
from pathlib import Path

import datasets
import pytest
from fake_server import Behaviour, Body, FakeServer
from judging import asked_ids, well_judged

from goalcover.memory.errors import ModelUnavailable, UserError
from goalcover.memory.records import Goal, Subgoal
from goalcover.tools.datasets import DataSource
from goalcover.tools.embedded_model import HONESTY
from goalcover.tools.filter_config import FilterConfig
from goalcover.tools.score_files import about_path
from goalcover.tools.scoring import filter_file, score_file
from goalcover.tools.settings import RunConfig

FLOORLESS = FilterConfig(floor=0)

DOSE = Subgoal(id="dose", name="Drug dosage", description="States the dosage of a drug.")
ROWS = [
    {"id": "r1", "prompt": "What dosage of the drug?", "completion": "The dosage is 5 mg a day."},
    {"id": "r2", "prompt": "How to bake bread?", "completion": "Knead, wait, bake."},
    {"id": "r3", "prompt": "Empty?", "completion": " "},
    {"id": "r4", "prompt": "Half \ud83d an emoji", "completion": "Bread \ud83d again."},
]


@pytest.fixture
def source(tmp_path: Path) -> DataSource:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS) + "no json\n")
    return DataSource(path=str(path), skip_bad_rows=True)


async def scored(source: DataSource, out: Path):
    config = RunConfig(source=source, goal=Goal(text="g"), out=str(out), subgoals=[DOSE])
    found = await score_file(config, "name")
    return found.counts, found.coverage


async def test_a_file_is_scored_and_filtered(tmp_path, source):
    scores, kept = tmp_path / "scores.jsonl", tmp_path / "kept.jsonl"
    counts, (coverage,) = await scored(source, scores)
    assert (counts.read, counts.usable, counts.empty, counts.bad) == (4, 3, 1, 1)
    assert coverage.judged == 3 and coverage.failed == 0
    records = [json.loads(line) for line in scores.read_text().splitlines()]
    assert [record["sample_id"] for record in records] == ["r1", "r2", "r4"]
    assert records[0]["scores"]["dose"] > records[1]["scores"]["dose"]

    found = filter_file(source, scores, kept, FLOORLESS, seed=0)
    result, card = found.result, found.card
    assert found.names == {"dose": "Drug dosage"}
    assert (result.total, result.kept, result.path) == (3, 1, str(kept))
    assert kept.read_text() == json.dumps(ROWS[0]) + "\n"
    assert card == tmp_path / "kept.jsonl.card.md"
    told = card.read_text()
    assert "Drug dosage" in told and "embedded" in told and HONESTY in told
    assert "1 of 3 judged rows" in told and str(tmp_path) not in told


async def test_scores_without_what_lies_beside_them_are_filtered_too(tmp_path, source):
    scores = tmp_path / "scores.jsonl"
    await scored(source, scores)
    about_path(scores).unlink()
    found = filter_file(source, scores, tmp_path / "kept.jsonl", FLOORLESS, seed=0)
    told = found.card.read_text()
    assert "Judge: not known" in told and "dose" in told and found.names == {"dose": "dose"}


async def test_an_earlier_output_is_written_over(tmp_path, source):
    scores, kept = tmp_path / "scores.jsonl", tmp_path / "kept.jsonl"
    await scored(source, scores)
    filter_file(source, scores, kept, FilterConfig(keep=0), seed=0)
    filter_file(source, scores, kept, FLOORLESS, seed=0)
    assert kept.read_text() == json.dumps(ROWS[0]) + "\n"


async def test_near_duplicates_go_unless_they_are_kept(tmp_path, source):
    again = ROWS[0] | {"id": "r9", "prompt": ROWS[0]["prompt"].upper()}
    with Path(source.path).open("a") as file:
        file.write(json.dumps(again) + "\n")
    scores, kept = tmp_path / "scores.jsonl", tmp_path / "kept.jsonl"
    _, (coverage,) = await scored(source, scores)
    assert (coverage.judged, coverage.distinct) == (4, 3)
    result = filter_file(source, scores, kept, FLOORLESS, seed=0).result
    assert (result.kept, result.near_duplicates) == (1, 1)
    config = FLOORLESS.model_copy(update={"keep_duplicates": True})
    result = filter_file(source, scores, kept, config, seed=0).result
    assert (result.kept, result.near_duplicates) == (2, 0)


async def test_a_folder_for_hugging_face_has_scores_as_columns(tmp_path, source):
    scores, out = tmp_path / "scores.jsonl", tmp_path / "folder"
    await scored(source, scores)
    card = filter_file(source, scores, out, FLOORLESS, 0, "hf").card
    assert card == out / "README.md"
    assert "`goalcover_ID` is" in card.read_text() and "synthetic" not in card.read_text()
    rows = datasets.load_dataset(str(out), split="train", cache_dir=str(tmp_path / "hub"))
    record = json.loads(scores.read_text().splitlines()[0])
    assert rows[0] == ROWS[0] | {"goalcover_dose": record["scores"]["dose"]}


async def test_scores_of_other_rows_are_refused(tmp_path, source):
    scores = tmp_path / "scores.jsonl"
    await scored(source, scores)
    path = Path(source.path)
    path.write_text("\n".join(path.read_text().splitlines()[::-1]) + "\n")
    with pytest.raises(UserError, match="was not made from"):
        filter_file(source, scores, tmp_path / "kept.jsonl", FLOORLESS, seed=0)


async def test_scores_of_the_same_ids_but_other_texts_are_refused(tmp_path, source):
    scores = tmp_path / "scores.jsonl"
    await scored(source, scores)
    path = Path(source.path)
    path.write_text(path.read_text().replace('completion": "', 'completion": "Not: '))
    with pytest.raises(UserError, match="was not made from"):
        filter_file(source, scores, tmp_path / "kept.jsonl", FLOORLESS, seed=0)


async def test_rows_that_came_later_are_not_dropped_in_silence(tmp_path, source):
    scores = tmp_path / "scores.jsonl"
    await scored(source, scores)
    with Path(source.path).open("a") as file:
        file.write(json.dumps(ROWS[0] | {"id": "r9"}) + "\n")
    with pytest.raises(UserError, match=r"has 3 rows, and .* has 4 with an output"):
        filter_file(source, scores, tmp_path / "kept.jsonl", FLOORLESS, seed=0)


@pytest.mark.parametrize("index", [-1, 4])
def test_scores_of_rows_that_are_not_there_are_refused(tmp_path, source, index):
    scores = tmp_path / "scores.jsonl"
    record = {"index": index, "sample_id": "r4", "sample": "x", "scores": {"dose": 1.0}}
    scores.write_text(json.dumps(record) + "\n")
    with pytest.raises(UserError, match="was not made from"):
        filter_file(source, scores, tmp_path / "kept.jsonl", FLOORLESS, seed=0)


def test_a_file_without_scores_is_refused(tmp_path, source):
    (tmp_path / "scores.jsonl").write_text("")
    with pytest.raises(UserError, match="holds no scores"):
        filter_file(source, tmp_path / "scores.jsonl", tmp_path / "kept.jsonl", FLOORLESS, 0)


def test_data_in_place_of_scores_is_refused_in_plain_words(tmp_path, source):
    said = r"no file of scores: record 1 lacks 'scores'\. Give the file that `goalcover score"
    with pytest.raises(UserError, match=said):
        filter_file(source, Path(source.path), tmp_path / "kept.jsonl", FLOORLESS, seed=0)


@pytest.mark.parametrize("name", ["rows.jsonl", "scores.jsonl", "sub/../rows.jsonl", "link.jsonl"])
async def test_what_is_read_is_not_written_over(tmp_path, source, name):
    scores = tmp_path / "scores.jsonl"
    await scored(source, scores)
    (tmp_path / "link.jsonl").symlink_to(source.path)
    before = Path(source.path).read_bytes(), scores.read_bytes()
    with pytest.raises(UserError, match="is what is read"):
        filter_file(source, scores, tmp_path / name, FLOORLESS, seed=0)
    assert (Path(source.path).read_bytes(), scores.read_bytes()) == before


async def test_an_ending_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    nowhere = DataSource(path="there is no such file.jsonl")
    with pytest.raises(UserError, match="unknown ending"):
        await scored(nowhere, tmp_path / "scores.csv")
    with pytest.raises(UserError, match="unknown ending"):
        filter_file(nowhere, tmp_path / "scores.jsonl", tmp_path / "kept.xlsx", FLOORLESS, 0)


async def test_scores_are_written_before_an_audit_that_fails(tmp_path, source):
    def behaviour(n: int, body: Body) -> Behaviour:
        pairwise = len(asked_ids(body)) == 1
        return Behaviour("status", status=401) if pairwise else Behaviour()

    out = tmp_path / "scores.jsonl"
    both = [DOSE, DOSE.model_copy(update={"id": "other"})]
    with FakeServer(well_judged, behaviour=behaviour) as server:
        config = RunConfig(
            source=source, goal=Goal(text="g"), out=str(out), subgoals=both, audit=0.5, judge="m",
            base_url=server.base_url,
        )  # fmt: skip
        with pytest.raises(ModelUnavailable, match="wants a key"):
            await score_file(config, "name")
    assert len(out.read_text().splitlines()) == 3


async def test_a_place_that_cannot_be_written_is_said_before_a_call_is_paid(tmp_path, source):
    (tmp_path / "file").touch()
    with FakeServer(well_judged) as server:
        config = RunConfig(
            source=source, goal=Goal(text="g"), out=str(tmp_path / "file" / "scores.jsonl"),
            subgoals=[DOSE], judge="m", base_url=server.base_url,
        )  # fmt: skip
        with pytest.raises(UserError, match="cannot write"):
            await score_file(config, "name")
    assert server.calls == 0
