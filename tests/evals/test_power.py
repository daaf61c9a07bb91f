"""Whether the smallest noticed loss and the false alarms of `goalcover check` are counted right."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answers import SUBGOALS, support_rows
from fake_server import FakeServer
from hypothesis import given
from hypothesis import strategies as st
from judging import THREE, well_judged
from scipy.stats import hypergeom
from typer.testing import CliRunner, Result

from goalcover.app.cli import app
from goalcover.evals.intervals import Rate
from goalcover.evals.power import doses
from goalcover.evals.power.alarms import Alarms, CheckFound, alarms, detections
from goalcover.evals.power.doses import Dose, fresh_sample, same_file, shares, smallest
from goalcover.evals.power.evaluation import power_of
from goalcover.evals.power.figure import draw_power
from goalcover.evals.power.resampled import Drawer
from goalcover.evals.power.user_rows import Rows
from goalcover.tools.figures import figure
from goalcover.tools.regression import level_of

Call = Callable[..., Result]
ROWS = np.array([700, 120, 80, 60, 30, 10])
SUPPORT = ROWS * (np.arange(6) >= 3)


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    return lambda *args: CliRunner().invoke(app, [str(arg) for arg in args])


@pytest.fixture
def subgoals(tmp_path: Path) -> Path:
    path = tmp_path / "subgoals.json"
    keys = ("id", "name", "description")
    path.write_text(json.dumps([{key: s[key] for key in keys} for s in SUBGOALS]))
    return path


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@given(st.lists(st.integers(0, 9), min_size=6, max_size=6), st.data())
def test_urns_give_what_they_hold(colours: list[int], data: st.DataObject) -> None:
    wanted = data.draw(st.integers(0, sum(colours)))
    taken = doses._drawn(np.array([colours]), np.array([wanted]), rng())
    assert taken.sum() == wanted and (taken <= colours).all() and (taken >= 0).all()


def test_a_removal_is_noticed_where_chance_removes_fewer() -> None:
    # The figure is a count: removing r supporting rows is noticed where random ones are fewer.
    rows, support = np.array([60, 0, 0, 40, 0, 0]), np.array([0, 0, 0, 40, 0, 0])
    for dose in same_file(rows, support, shares, 4_000, rng()):
        beyond = hypergeom(100, 40, dose.rows).ppf(0.95) < dose.rows
        assert dose.noticed == 4_000 * beyond
        assert dose.share_fall == pytest.approx(0.4 - (40 - dose.rows) / (100 - dose.rows))


def test_rows_that_support_by_chance_alone_are_noticed_one_time_in_twenty() -> None:
    # The given support has nothing to do with the judge's scores.
    for dose in same_file(ROWS, ROWS // 5, doses.means, 4_000, rng())[3:-1]:
        assert dose.noticed / 4_000 < 0.065


def test_a_fresh_sample_is_rarely_a_fall_and_a_total_loss_is() -> None:
    found = fresh_sample(ROWS, SUPPORT, level_of(8), 1_000, rng())
    assert found[0].rows == 0 and found[0].noticed <= 30
    assert found[-1].rows == 100 and found[-1].noticed > 995
    assert found[-1].fall == pytest.approx(
        float(doses.means(ROWS) - doses.means(ROWS - SUPPORT)), abs=0.003
    )


def test_the_smallest_loss_is_read_off_the_curve() -> None:
    curve = [Dose(10, 600, 0.1, 0.01), Dose(20, 1000, 0.2, 0.02)]
    found = smallest(curve, 1_000, rng())
    assert found and found.rows == pytest.approx(15)
    assert found.fall == pytest.approx(0.15) and found.share_fall == pytest.approx(0.015)
    low, high = found.interval
    assert high and 14 < low < 15 < high < 16
    bumpy = [Dose(10, 900, 0.1, 0.0), Dose(20, 700, 0.2, 0.0), Dose(30, 1000, 0.3, 0.0)]
    assert smallest(bumpy, 1_000, rng()).rows == pytest.approx(10, abs=0.1)  # pyright: ignore
    assert smallest([Dose(10, 790, 0.1, 0.0)], 1_000, rng()) is None
    assert smallest([], 1_000, rng()) is None
    nearly = smallest([Dose(10, 810, 0.1, 0.0)], 1_000, rng())
    assert nearly and nearly.interval[1] is None, "in some draws it is not reached"


def test_support_by_others_has_the_judges_errors_in_it() -> None:
    values = np.repeat([0.0, 0.8], [80, 20])
    blind = np.where(np.arange(100) % 5 == 0, 1.0, 0.0)  # 16 of these 20 the judge does not see
    own = power_of(THREE[0], values, values, 1, 200, [0, 0])
    others = power_of(THREE[0], values, blind, 1, 200, [0, 0])
    assert (own.supporting, own.agreed) == (20, 20)
    assert (others.supporting, others.agreed) == (20, 4)
    assert own.curves[0].smallest and others.curves[0].smallest is None
    assert own == power_of(THREE[0], values, values, 1, 200, [0, 0]), "the same for a seed"


def test_a_subgoal_that_nothing_supports_has_no_curve() -> None:
    found = power_of(THREE[0], np.array([0.0, 0.2, np.nan]), np.zeros(3), 1, 50, [0, 0])
    assert found.judged == 2 and found.supporting == 0
    assert all(not curve.points and curve.smallest is None for curve in found.curves)


def test_near_duplicates_support_what_any_of_them_does() -> None:
    rows = Rows([], np.array([0, 0, 2, 2]))
    merged = rows.merged(np.array([[0.2], [0.8], [np.nan], [np.nan]]))
    assert merged[0] == 0.8 and np.isnan(merged[1]).all() and len(merged) == 2


def test_alarms_and_detections_of_samples() -> None:
    places = np.random.default_rng(0).choice(6, size=(300, 3), p=ROWS / ROWS.sum())
    drawer = Drawer(places)
    for found in alarms(drawer, 3, 300, 0):
        assert found.alarms.interval and found.alarms.interval[0] <= 0.05
    # Dependence stays: a sample's table of a subgoal adds up to its rows.
    assert (drawer.draw(40, 7, rng()).sum(-1) == 40).all()
    weights = drawer.without(0, 1.0)
    assert weights is not None
    assert drawer.draw(40, 7, rng(), weights)[:, 0, 3:].sum() == 0
    found = {(d.subgoal_id, d.lost): d for d in detections(drawer, THREE, 200, 0)}
    half, whole = found[THREE[0].id, 0.5], found[THREE[0].id, 1.0]
    assert half.fall < whole.fall and (whole.rates[5_000].value or 0) == 1
    assert (half.rates[200].value or 0) <= (half.rates[5_000].value or 0)


def test_the_commands_with_the_embedded_judge(call: Call, subgoals: Path, tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text(support_rows(40))
    done = call("eval", "power", data, "--subgoals", subgoals, "--draws", "60", "--out", "out")
    assert done.exit_code == 0, done.output
    assert "does not judge skill" in done.stdout and "Spent" not in done.stdout
    assert "40 rows of rows.jsonl, 40 distinct" in " ".join(done.stdout.split())
    assert (tmp_path / "out" / "power.png").stat().st_size > 10_000
    figures = json.loads((tmp_path / "out" / "power.json").read_text())
    assert figures["rows"] == 40 and len(figures["subgoals"]) == len(SUBGOALS)
    scored = call("score", data, "--subgoals", subgoals, "--out", "scores.jsonl")
    assert scored.exit_code == 0, scored.output
    given = call("eval", "power", data, "--subgoals", subgoals, "--draws", "60",
                 "--support", "scores.jsonl", "--out", "given")  # fmt: skip
    assert given.exit_code == 0, given.output
    again = json.loads((tmp_path / "given" / "power.json").read_text())
    assert again["subgoals"] == figures["subgoals"], "the judge's own scores, given"
    check = call("eval", "check", data, "--subgoals", subgoals, "--scores", "scores.jsonl",
                 "--draws", "100", "--out", "check")  # fmt: skip
    assert check.exit_code == 0, check.output
    assert "The highest of 18 measured rates of false alarms" in " ".join(check.stdout.split())
    assert "Scores: scores.jsonl." in check.stdout and "At most 5 % of" in check.stdout
    page = (tmp_path / "check" / "check.md").read_text() + (tmp_path / "out/power.md").read_text()
    assert re.search(r"[0-9] %", page) and not re.search(r"[0-9]%", page)
    assert str(tmp_path) not in page
    other = tmp_path / "other.jsonl"
    other.write_text(support_rows(3).replace("a", "b"))
    assert call("eval", "power", data, "--subgoals", subgoals, "--support", other).exit_code == 2


def test_with_a_server_rows_are_judged_once(call: Call, tmp_path: Path) -> None:
    wanted = tmp_path / "three.json"
    wanted.write_text(json.dumps([s.model_dump(include={"id", "name", "description"})
                                  for s in THREE]))  # fmt: skip
    data = tmp_path / "rows.jsonl"
    lines = ({"question": f"Question {i}?", "answer": f"Answer {i}."} for i in range(12))
    data.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with FakeServer(well_judged) as server:
        args = ("eval", "power", data, "--subgoals", wanted, "--draws", "50", "--judge", "m",
                "--base-url", server.base_url, "--out", "out")  # fmt: skip
        done = call(*args)
        assert done.exit_code == 0, done.output
        assert server.calls == 12
        again = call(*args)
        assert again.exit_code == 0 and server.calls == 12
    assert "Spent:" in done.stdout and "embedded model" not in done.stdout
    figures = json.loads((tmp_path / "out" / "power.json").read_text())
    assert [s["supporting"] for s in figures["subgoals"]] == [0, 12, 12]


def test_rows_without_a_label_are_left_out() -> None:
    values, labels = np.repeat([0.0, 0.8, 0.0, 0.8], 20), np.repeat([0.0, 0.8], [20, 20])
    labels = np.concatenate([labels, np.full(40, np.nan)])
    found = power_of(THREE[0], values, labels, 1, 100, [0, 0])
    assert (found.judged, found.supporting, found.share) == (40, 20, 0.5)
    assert found == power_of(THREE[0], values[:40], labels[:40], 1, 100, [0, 0])


def test_how_many_rows_have_labels_is_said(call: Call, subgoals: Path, tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text(support_rows(40))
    assert call("score", data, "--subgoals", subgoals, "--out", "all.jsonl").exit_code == 0
    kept = (tmp_path / "all.jsonl").read_text().splitlines()[:15]
    (tmp_path / "some.jsonl").write_text("".join(line + "\n" for line in kept))
    done = call("eval", "power", data, "--subgoals", subgoals, "--draws", "50",
                "--support", "some.jsonl", "--out", "out")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "15 of 40 distinct rows have labels in some.jsonl" in " ".join(done.stdout.split())
    figures = json.loads((tmp_path / "out" / "power.json").read_text())
    assert figures["labelled"] == 15 and {s["judged"] for s in figures["subgoals"]} == {15}


def test_the_headline_of_false_alarms_is_no_bound() -> None:
    rates = [Rate(value=v, interval=(v / 2, 2 * v), of=100) for v in (0.02, 0.04, 0.01)]
    told = [Alarms(before=50, after=60, subgoals=2, alarms=own, usual=own) for own in rates]
    found = CheckFound(judge="j", data="d", scores="", rows=9, draws=100, seed=0, alarms=told,
                       detections=[], notes=[]).headline()  # fmt: skip
    assert "The highest of 3 measured rates of false alarms" in found and "at most" not in found
    assert "is 4.00 % (2.00–8.00 %)" in found


def test_the_curves_show_and_the_levels_stand_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []

    @contextmanager
    def seen(*args: Any, **options: Any) -> Iterator[Any]:
        with figure(*args, **options) as grid:
            yield grid
            drawn.extend(grid.flat)

    monkeypatch.setattr("goalcover.evals.power.figure.figure", seen)
    values = np.repeat([0.0, 0.8], [60, 20])
    draw_power([power_of(THREE[0], values, values, 1, 60, [0, 0])], tmp_path / "power.png")
    (axes,) = drawn
    widths = [line.get_linewidth() for line in axes.lines if line.get_marker() == "o"]
    assert len(set(widths)) == 3 and widths[1] > 2 * widths[2]
    assert [text.get_text() for text in axes.texts] == ["80 %", "5 %"]
    assert all(text.get_position()[0] > axes.get_xlim()[1] for text in axes.texts)
