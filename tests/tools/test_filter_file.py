"""Filtering a file by its scores, end to end."""

import json
from pathlib import Path

import datasets
import pytest
from dose_rows import ROWS, scored, written
from fake_server import Behaviour, FakeServer
from judging import well_judged

from goalcover.memory.errors import UserError
from goalcover.tools.chat_model import ChatModel
from goalcover.tools.datasets import DataSource
from goalcover.tools.embedded_model import HONESTY
from goalcover.tools.filter_config import FilterConfig
from goalcover.tools.filter_file import Rejudging, filter_file
from goalcover.tools.score_files import about_path
from goalcover.tools.scorer import judge_id
from goalcover.tools.settings import ModelConfig

FLOORLESS = FilterConfig(floor=0)


@pytest.fixture
def source(tmp_path: Path) -> DataSource:
    return written(tmp_path / "rows.jsonl")


async def test_a_file_is_filtered(tmp_path, source):
    scores, kept = tmp_path / "scores.jsonl", tmp_path / "kept.jsonl"
    await scored(source, scores)
    found = await filter_file(source, scores, kept, FLOORLESS, seed=0)
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
    found = await filter_file(source, scores, tmp_path / "kept.jsonl", FLOORLESS, seed=0)
    told = found.card.read_text()
    assert "Judge: not known" in told and "dose" in told and found.names == {"dose": "dose"}


async def test_an_earlier_output_is_written_over(tmp_path, source):
    scores, kept = tmp_path / "scores.jsonl", tmp_path / "kept.jsonl"
    await scored(source, scores)
    await filter_file(source, scores, kept, FilterConfig(keep=0), seed=0)
    await filter_file(source, scores, kept, FLOORLESS, seed=0)
    assert kept.read_text() == json.dumps(ROWS[0]) + "\n"


async def test_near_duplicates_go_unless_they_are_kept(tmp_path, source):
    again = ROWS[0] | {"id": "r9", "prompt": ROWS[0]["prompt"].upper()}
    with Path(source.path).open("a") as file:
        file.write(json.dumps(again) + "\n")
    scores, kept = tmp_path / "scores.jsonl", tmp_path / "kept.jsonl"
    _, (coverage,) = await scored(source, scores)
    assert (coverage.judged, coverage.distinct) == (4, 3)
    result = (await filter_file(source, scores, kept, FLOORLESS, seed=0)).result
    assert (result.kept, result.near_duplicates) == (1, 1)
    config = FLOORLESS.model_copy(update={"keep_duplicates": True})
    result = (await filter_file(source, scores, kept, config, seed=0)).result
    assert (result.kept, result.near_duplicates) == (2, 0)


async def test_a_folder_for_hugging_face_has_scores_as_columns(tmp_path, source):
    scores, out = tmp_path / "scores.jsonl", tmp_path / "folder"
    await scored(source, scores)
    card = (await filter_file(source, scores, out, FLOORLESS, 0, "hf")).card
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
        await filter_file(source, scores, tmp_path / "kept.jsonl", FLOORLESS, seed=0)


async def test_scores_of_the_same_ids_but_other_texts_are_refused(tmp_path, source):
    scores = tmp_path / "scores.jsonl"
    await scored(source, scores)
    path = Path(source.path)
    path.write_text(path.read_text().replace('completion": "', 'completion": "Not: '))
    with pytest.raises(UserError, match="was not made from"):
        await filter_file(source, scores, tmp_path / "kept.jsonl", FLOORLESS, seed=0)


async def test_rows_that_came_later_are_not_dropped_in_silence(tmp_path, source):
    scores = tmp_path / "scores.jsonl"
    await scored(source, scores)
    with Path(source.path).open("a") as file:
        file.write(json.dumps(ROWS[0] | {"id": "r9"}) + "\n")
    with pytest.raises(UserError, match=r"has 3 rows, and .* has 4 with an output"):
        await filter_file(source, scores, tmp_path / "kept.jsonl", FLOORLESS, seed=0)


@pytest.mark.parametrize("index", [-1, 4])
async def test_scores_of_rows_that_are_not_there_are_refused(tmp_path, source, index):
    scores = tmp_path / "scores.jsonl"
    record = {"index": index, "sample_id": "r4", "sample": "x", "scores": {"dose": 1.0}}
    scores.write_text(json.dumps(record) + "\n")
    with pytest.raises(UserError, match="was not made from"):
        await filter_file(source, scores, tmp_path / "kept.jsonl", FLOORLESS, seed=0)


async def test_a_file_without_scores_is_refused(tmp_path, source):
    (tmp_path / "scores.jsonl").write_text("")
    with pytest.raises(UserError, match="holds no scores"):
        await filter_file(source, tmp_path / "scores.jsonl", tmp_path / "kept.jsonl", FLOORLESS, 0)


async def test_data_in_place_of_scores_is_refused_in_plain_words(tmp_path, source):
    said = r"no file of scores: record 1 lacks 'scores'\. Give the file that `goalcover score"
    with pytest.raises(UserError, match=said):
        await filter_file(source, Path(source.path), tmp_path / "kept.jsonl", FLOORLESS, seed=0)


@pytest.mark.parametrize("name", ["rows.jsonl", "scores.jsonl", "sub/../rows.jsonl", "link.jsonl"])
async def test_what_is_read_is_not_written_over(tmp_path, source, name):
    scores = tmp_path / "scores.jsonl"
    await scored(source, scores)
    (tmp_path / "link.jsonl").symlink_to(source.path)
    before = Path(source.path).read_bytes(), scores.read_bytes()
    with pytest.raises(UserError, match="is what is read"):
        await filter_file(source, scores, tmp_path / name, FLOORLESS, seed=0)
    assert (Path(source.path).read_bytes(), scores.read_bytes()) == before


async def test_an_ending_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    nowhere = DataSource(path="there is no such file.jsonl")
    with pytest.raises(UserError, match="unknown ending"):
        await filter_file(nowhere, tmp_path / "scores.jsonl", tmp_path / "kept.xlsx", FLOORLESS, 0)


GUESS = {"scores": {"dose": 0.5}, "source": {"dose": "predicted"}, "intervals": {"dose": [0, 1]}}


async def predicted(source: DataSource, scores: Path, *rows: int, changes=GUESS) -> bytes:
    """The embedded judge's scores, with predictions near the cut in place of some."""
    await scored(source, scores)
    records = [json.loads(line) for line in scores.read_text().splitlines()]
    for row in rows:
        records[row] |= changes | {"explanations": {"dose": ""}}
    scores.write_text("".join(json.dumps(record) + "\n" for record in records))
    return scores.read_bytes()


def rejudging(**options) -> Rejudging:
    return Rejudging(ModelConfig(), **options)


async def test_predictions_are_used_and_named(tmp_path, source):
    scores = tmp_path / "scores.jsonl"
    await predicted(source, scores, 0, changes=GUESS | {"scores": {"dose": 0.9}})
    found = await filter_file(source, scores, tmp_path / "kept.jsonl", FLOORLESS, seed=0)
    result = found.result
    assert (result.kept, result.predicted, result.unjudged, result.open) == (1, 1, 1, 1)
    assert "1 of the kept rows was not judged but predicted" in found.card.read_text()
    rows = await filter_file(source, scores, tmp_path / "folder", FLOORLESS, 0, "hf")
    assert "`predicted_by_goalcover` tells" in rows.card.read_text()


async def test_rows_near_the_cut_are_judged_anew_by_the_judge_of_the_scores(tmp_path, source):
    scores, kept = tmp_path / "scores.jsonl", tmp_path / "kept.jsonl"
    given = await predicted(source, scores, 0)
    found = await filter_file(source, scores, kept, FLOORLESS, 0, rejudging=rejudging())
    result = found.result
    assert (found.rejudged, result.unjudged, result.open) == (1, 0, 0)
    assert kept.read_text() == json.dumps(ROWS[0]) + "\n"  # as when all were judged
    assert scores.read_bytes() == given
    told = found.card.read_text()
    assert (
        "near the filter's cut that were judged for it: 1." in told and "not judged but" not in told
    )


@pytest.mark.parametrize(("most", "count"), [(None, 1), (1, 1), (2, 2), (0, 0)])
async def test_at_most_as_many_as_asked_for_or_as_were_judged(tmp_path, source, most, count):
    scores, kept = tmp_path / "scores.jsonl", tmp_path / "kept.jsonl"
    await predicted(source, scores, 0, 1)
    found = await filter_file(source, scores, kept, FLOORLESS, 0, rejudging=rejudging(rows=most))
    assert (found.rejudged, found.result.unjudged) == (count, 2 - count)


@pytest.mark.parametrize("judge", ["m, joint, rubric 1", ""])
async def test_another_judge_leaves_predictions_as_they_are(tmp_path, source, judge):
    scores, kept = tmp_path / "scores.jsonl", tmp_path / "kept.jsonl"
    await predicted(source, scores, 0)
    about = json.loads(about_path(scores).read_text())
    about_path(scores).write_text(json.dumps(about | {"judge": judge}))
    found = await filter_file(source, scores, kept, FLOORLESS, 0, rejudging=rejudging())
    assert (found.rejudged, found.judge, found.result.open) == (None, judge, 1)


@pytest.mark.parametrize("rows", [None, 0])
async def test_a_named_judge_that_is_not_that_of_the_scores_is_a_wrong_flag(tmp_path, source, rows):
    scores, kept = tmp_path / "scores.jsonl", tmp_path / "kept.jsonl"
    await predicted(source, scores, 0)
    models = ModelConfig(judge="m", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(UserError, match=r"judged by embedded-.*not by m at 127\.0\.0\.1:9/v1"):
        await filter_file(
            source, scores, kept, FLOORLESS, 0, rejudging=Rejudging(models, rows=rows)
        )
    assert not kept.exists()


async def test_what_may_be_judged_is_told_before(tmp_path, source):
    scores, kept, told = tmp_path / "scores.jsonl", tmp_path / "kept.jsonl", []
    await predicted(source, scores, 0, 1)
    given = rejudging(rows=1, on_start=lambda rows, judge: told.append((rows, judge)))
    found = await filter_file(source, scores, kept, FLOORLESS, 0, rejudging=given)
    assert told == [(1, found.judge)]


async def test_where_no_decision_is_open_nobody_is_asked(tmp_path, source):
    scores, kept = tmp_path / "scores.jsonl", tmp_path / "kept.jsonl"
    await predicted(source, scores, 0, changes=GUESS | {"intervals": {"dose": [0.2, 0.55]}})
    about_path(scores).unlink()
    found = await filter_file(source, scores, kept, FLOORLESS, 0, rejudging=rejudging())
    assert (found.rejudged, found.result.unjudged, found.result.open) == (0, 1, 0)


async def test_a_judgement_that_fails_leaves_the_prediction(tmp_path, source):
    scores, kept = tmp_path / "scores.jsonl", tmp_path / "kept.jsonl"
    with FakeServer(well_judged, behaviour=lambda n, body: Behaviour("refusal")) as server:
        models = ModelConfig(judge="m", base_url=server.base_url)
        await predicted(source, scores, 0)
        about = json.loads(about_path(scores).read_text())
        judge = judge_id(ChatModel("m", server.base_url), "pairwise")
        about_path(scores).write_text(json.dumps(about | {"judge": judge}))
        found = await filter_file(source, scores, kept, FLOORLESS, 0, rejudging=Rejudging(models))
    assert server.calls > 0
    assert (found.rejudged, found.result.unjudged, found.result.open) == (0, 1, 1)
