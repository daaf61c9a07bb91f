"""Do the repeated surveys count right? On rows whose answer is known, and judges whose worth is."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answers import SUBGOALS
from typer.testing import CliRunner

from goalcover.app.cli import app
from goalcover.evals.intervals import Rate
from goalcover.evals.labels import LabelledDomain
from goalcover.evals.survey import evaluation, proxies, simulation, whole
from goalcover.evals.survey.curves import real
from goalcover.evals.survey.figure import draw_survey
from goalcover.evals.survey.found import SurveyFound
from goalcover.evals.survey.held import Held
from goalcover.evals.survey.proxies import SKILLS
from goalcover.evals.survey.quick_head import difference
from goalcover.evals.survey.resampled import resampled
from goalcover.evals.survey.simulation import Cell, MeanRow, Setting, cells_of, population
from goalcover.evals.survey.tables import pooled
from goalcover.evals.survey.trials import Pair, figures, summary, surveyed, with_support
from goalcover.memory.records import Figure, Subgoal
from goalcover.tools.survey.covered import Sampled, found
from goalcover.tools.survey.rule import FIRST

SUBGOAL = Subgoal(id="a", name="A", description="Does a.")
SKEWED = Setting(2_000, 0.3, (0.2, 0.5), "skewed")


def known(rows: int, share: float = 0.4) -> np.ndarray:
    scores = np.zeros((rows, 1))
    scores[: round(share * rows)] = 0.6
    return scores


def figure_of(value: float, half: float, sampled: int, rows: int) -> Figure:
    return Figure(value=value, interval=(value - half, value + half), rows=rows, sampled=sampled,
                  classical=2 * half, r2=0.5)  # fmt: skip


@pytest.mark.parametrize("setting", [SKEWED, Setting(300, 0.0, (0.01,)), Setting(400, 0.7, (0.8,))])
@pytest.mark.parametrize("rows", [60, 130])
def test_the_closed_form_is_the_real_head(setting: Setting, rows: int) -> None:
    x, scores = population(setting, 3)
    labels = with_support(scores)
    assert difference(MeanRow(x), np.arange(rows), labels[:rows], 5) < 1e-9
    assert difference(Held(x), np.arange(rows), labels[:rows], 5) < 1e-9
    assert difference(Held(x), np.arange(rows), np.full((rows, 2), 0.4), 5) < 1e-9


@pytest.mark.parametrize("shape", simulation.SHAPES)
def test_a_population_is_what_was_asked_for(shape: simulation.Shape) -> None:
    x, scores = population(Setting(50_000, 0.7, (0.05, 0.5), shape), 1)
    assert (scores >= 0.6).mean(axis=0) == pytest.approx([0.05, 0.5], abs=1e-3)
    assert set(np.round(scores * 5).ravel()) <= set(range(6)) and scores.max() == 1
    latent = np.column_stack([x, np.ones(len(x))])
    fitted = latent @ np.linalg.lstsq(latent, scores[:, 1], rcond=None)[0]
    explained = 1 - (scores[:, 1] - fitted).var() / scores[:, 1].var()
    assert 0.5 < explained < 0.7, "anchors are rounded, so some of the latent 0.7 is lost"
    skew = ((x - x.mean()) ** 3).mean() / x.std() ** 3
    assert skew == pytest.approx(2 if shape == "skewed" else 0, abs=0.2)


def test_the_figures_are_those_of_a_survey() -> None:
    x, scores = population(SKEWED, 2)
    at = np.sort(np.random.default_rng(0).choice(len(x), 150, replace=False))
    rows = np.arange(len(x))
    sample = Sampled(at, scores[at], rows, rows)
    theirs = found(sample, Held(x), 7).estimates
    for told, one in zip(figures(Held(x), scores, 7)(at), theirs, strict=True):
        assert one
        for mine, real_one in zip(told, (one.mean, one.share), strict=True):
            assert mine.interval == pytest.approx(real_one.interval)
            assert (mine.sampled, mine.weight) == (real_one.sampled, real_one.weight)


def test_a_survey_stops_at_the_first_look_that_is_narrow_enough() -> None:
    scores = known(5_000)
    looks: list[int] = []

    def look(at: np.ndarray) -> Sequence[Pair]:
        looks.append(len(at))
        wide = figure_of(0.24, 0.5 / len(at) ** 0.5, len(at), 5_000)
        return [(wide, figure_of(0.39, 0.005, len(at), 5_000))]

    (trial,) = surveyed(look, np.arange(5_000), scores, np.array([0.24, 0.4]), 0.03)
    assert looks[0] == FIRST and 0.5 / looks[-1] ** 0.5 <= 0.03 < 0.5 / looks[-2] ** 0.5
    assert trial.sampled == looks[-1] and trial.half == pytest.approx(0.5 / looks[-1] ** 0.5)
    assert (trial.mean, trial.share, trial.first_share) == (True, False, False)
    assert trial.supporting == trial.sampled, "the first 2,000 rows support it"
    assert trial.classical == pytest.approx(2 * trial.half) and not trial.whole


def test_few_rows_are_judged_whole_and_wide_intervals_judge_all() -> None:
    order = np.arange(90)
    (trial,) = surveyed(lambda at: [], order, known(90), np.zeros(2), 0.03)
    assert trial.whole and trial.mean and trial.half == 0 and trial.sampled == 90

    def never(at: np.ndarray) -> Sequence[Pair]:
        one = figure_of(0.5, 0.4, len(at), 500)
        return [(one, one)]

    (trial,) = surveyed(never, np.arange(500), known(500), np.array([0.95, 0.6]), 0.03)
    assert trial.whole and trial.sampled == 500 and trial.mean
    assert (trial.first_mean, trial.first_share) == (False, True)
    told = summary([trial, trial])
    assert told.whole == 1 and told.ratio == 1 and told.sure_mean.of == 2


def test_intervals_hold_the_truth_and_ones_half_as_wide_are_found_out() -> None:
    x, scores = population(Setting(2_000, 0.3, (0.3,)), 0)
    look, truth = figures(MeanRow(x), scores, 0, simulation.predict_quickly), with_support(scores)
    draw = np.random.default_rng(4)

    def halved(at: np.ndarray) -> Sequence[Pair]:
        def half(one: Figure) -> Figure:
            low, high = one.interval
            middle, quarter = (low + high) / 2, (high - low) / 4
            return one.model_copy(update={"interval": (middle - quarter, middle + quarter)})

        return [(half(mean), half(share)) for mean, share in look(at)]

    rates = []
    for of in (look, halved):
        trials = [
            surveyed(of, draw.permutation(2_000), scores, truth.mean(axis=0), 0.05)[0]
            for _ in range(150)
        ]
        rates.append(summary(trials).mean.value or 0)
    assert rates[0] >= 0.9 and rates[1] < 0.8


def test_a_cell_is_the_same_for_a_seed_and_the_lowest_are_repeated() -> None:
    wanted = [Setting(300, 0.3, (share,)) for share in (0.01, 0.5)]
    cells, again = (simulation.run(wanted, 10, 0, 1) for _ in range(2))
    assert cells == again
    rare, common = cells
    assert rare.again is None and rare.found.warned == 1 and rare.found.sure_mean.of == 0
    assert common.again and common.again.mean.of == 40 and common.found.mean.of == 10
    assert common.best is common.again and common.sure and not rare.sure
    assert common.found.ratio < 1 == rare.found.ratio and common.difference < 1e-9
    both = cells_of(Setting(2_000, 0.0, (0.05, 0.5)), 3, [0, 0, 0])
    assert both[0].found.sampled == both[1].found.sampled > 400, "the wider one is waited for"
    assert both[0].found.half < both[1].found.half <= 0.03


def rated(path: Path, rows: int = 400) -> Path:
    """Ratings of three experts, of a judge that sees what they see, and of one that does not."""
    draw = np.random.default_rng(0)
    worth = draw.uniform(1, 5, (rows, len(SKILLS)))

    def ratings(row: int, noise: float) -> dict[str, float]:
        values = np.clip(worth[row] + noise * draw.standard_normal(len(SKILLS)), 1, 5)
        return dict(zip(SKILLS, values.tolist(), strict=True))

    lines = []
    for row in range(rows):
        judges = {"seer": ratings(row, 0.3), "dice": ratings(int(draw.integers(rows)), 0)}
        if row == 7:
            judges["seer"]["fluency"] = 0  # off the scale
        experts = [ratings(row, 0.3) for _ in range(3)]
        lines.append(json.dumps({"expert_annotations": experts, "judge": judges}))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_judges_narrow_by_what_they_know_and_never_widen(tmp_path: Path) -> None:
    told = proxies.run(rated(tmp_path / "ratings.jsonl"), 60, 0)
    by = {(one.judge, one.sampled): one for one in told}
    assert [one.judge for one in told[::2]] == ["seer", "dice", proxies.SHUFFLED], "best first"
    seer, dice = by["seer", 200], by["dice", 200]
    assert seer.rows == 400 and seer.r2 > 0.8 and seer.ratio < 0.5
    assert dice.r2 < 0.05 and dice.largest <= 1.01 and by[proxies.SHUFFLED, 100].largest <= 1.01
    for one in told[1::2]:
        assert (one.coverage.value or 0) > 0.9 and one.coverage.of == 240
        assert (one.lowest.value or 0) <= (one.coverage.value or 0) and one.lowest.of == 60
    truth, judges = proxies.read(tmp_path / "ratings.jsonl")
    assert np.isnan(judges["seer"]).sum() == 1 and truth.min() >= 0 and truth.max() <= 1


def test_small_populations_are_resampled() -> None:
    x, scores = population(Setting(80, 0.7, (0.4,)), 0)
    domain = LabelledDomain("rows", [], [SUBGOAL], scores)
    (told,) = resampled(domain, Held(x), scores, 0.5, 25, 0)
    assert (told.rows, told.sampled, told.mean.of) == (80, 40, 25)
    assert (told.mean.value or 0) > 0.8 and told.r2 > 0.2 and told.ratio < 1


def judged(rows: int = 700) -> whole.Judged:
    x, scores = population(Setting(rows, 0.7, (0.4,)), 0)
    places = np.arange(rows)
    groups = np.where(places % 10 == 1, places - 1, places)  # of every ten rows one is a copy
    return whole.Judged("rows.jsonl", [SUBGOAL], Held(x), scores, places, groups)


def test_whole_data_sets_with_and_without_something_to_predict_from() -> None:
    of = judged()
    plain, shuffled = (whole.whole(of, blind, 6, 0, 1) for blind in (False, True))
    assert (plain.rows, plain.pairwise, plain.features) == (700, 700, "as they are")
    assert shuffled.sampled > 1.3 * plain.sampled and plain.most >= plain.sampled
    (one,), (blind,) = plain.subgoals, shuffled.subgoals
    assert one.mean == pytest.approx(of.scores.mean())
    assert one.share == pytest.approx((of.scores[np.arange(700) % 10 != 1] >= 0.6).mean())
    assert one.found.ratio < 0.8 < 0.98 < blind.found.ratio and blind.found.r2 < 0.05
    assert one.inside and 0.85 < one.inside <= 1 and (one.found.mean.value or 0) > 0.7
    curve = real(of, 0, 2)
    assert curve.sampled == [50, 100, 200, 400] and curve.survey[-1] < curve.survey[0]


def test_rates_are_pooled_by_their_counts() -> None:
    some = [Rate(value=1.0, of=10), Rate(value=0.5, of=30), Rate(value=None, of=0)]
    assert pooled(some).value == pytest.approx(25 / 40) and pooled(some).of == 40
    assert pooled([]).value is None


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few cells, in this process."""
    few = [Setting(300, 0.3, (0.5,)), Setting(300, 0.3, (0.05,)), Setting(300, 0.0, (0.3, 0.5))]
    monkeypatch.setattr(simulation, "settings", lambda: few)
    monkeypatch.setattr(evaluation, "WORTH", 10**6)


def call(*args: object) -> Any:
    return CliRunner().invoke(app, ["eval", "survey", *(str(arg) for arg in args)])


def test_without_data_the_command_simulates(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    done = call("--repeats", 2, "--out", "out")
    assert done.exit_code == 0, done.output
    assert "30 or more supporting judged rows" in " ".join(done.stdout.split())
    found = SurveyFound.model_validate_json((tmp_path / "out" / "survey.json").read_text())
    assert [cell.found.mean.of for cell in found.cells] == [2] * 4 and found.repeats == 2
    assert found.whole == found.proxies == [] and len(found.curves) == len(simulation.EXPLAINED)
    page = (tmp_path / "out" / "survey.md").read_text()
    assert "survey.png" in page and "Whole data sets" not in page and "closed form" in page
    assert (tmp_path / "out" / "survey.png").stat().st_size > 10_000


def folder(path: Path, rows: int = 130) -> Path:
    """Small files of the names and columns of the real ones."""
    (path / "gold").mkdir(parents=True)
    keys = ("id", "name", "description")
    subgoals = [{key: one[key] for key in keys} for one in SUBGOALS]
    columns = {"code": ("codealpaca_20k", "instruction", "output"),
               "medical": ("pubmedqa", "question", "long_answer")}  # fmt: skip
    for name, (file, asked, answered) in columns.items():
        (path / "gold" / f"{name}.subgoals.json").write_text(json.dumps(subgoals))
        texts = [(f"How is bill {i} paid?", f"Refund {i} goes to the card.") for i in range(rows)]
        lines = [{asked: x, "input": "", answered: y} for x, y in texts]
        (path / f"{file}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        given = [{"id": i, "input": x, "output": y, "scores": {one["id"]: (i % 6) / 5 for one in
                  subgoals}} for i, (x, y) in enumerate(texts[:40])]  # fmt: skip
        (path / "gold" / f"{name}.jsonl").write_text("".join(json.dumps(g) + "\n" for g in given))
    rated(path / proxies.FILE)
    return path


def test_with_data_it_surveys_that_too(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("--data", folder(tmp_path / "data"), "--repeats", 1, "--out", "out")
    assert done.exit_code == 0, done.output
    found = SurveyFound.model_validate_json((tmp_path / "out" / "survey.json").read_text())
    assert [(one.data, one.features) for one in found.whole] == [
        (file, how)
        for file in ("codealpaca_20k.jsonl", "pubmedqa.jsonl")
        for how in ("as they are", "shuffled")
    ]
    assert {one.domain for one in found.resampled} == {"code", "medical"}
    assert {one.subgoals[0].inside for one in found.whole} == {None}, "so few are judged whole"
    assert len(found.proxies) == 6 and found.curves[-1].real
    page = (tmp_path / "out" / "survey.md").read_text()
    assert "does not judge skill" in page and "against 390" in page


def test_a_folder_without_the_files_is_an_error_before_anything_is_done(tmp_path: Path) -> None:
    done = call("--data", tmp_path)
    assert done.exit_code == 2 and "summeval_judged.jsonl" in done.stderr
    (folder(tmp_path / "data") / proxies.FILE).write_text('{"text": 1}\n')
    with pytest.raises(Exception, match="not the ratings of summaries"):
        proxies.read(tmp_path / "data" / proxies.FILE)


def test_the_figure_has_room_for_low_cells(tmp_path: Path) -> None:
    (cell,) = cells_of(Setting(300, 0.0, (0.5,)), 2, [0, 0, 0])
    low: Cell = cell.model_copy(
        update={"found": cell.found.model_copy(update={"mean": Rate(value=0.2, of=5)})}
    )
    draw_survey([cell, low], [], tmp_path / "survey.png")
    assert (tmp_path / "survey.png").stat().st_size > 5_000
