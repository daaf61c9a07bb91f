"""Charts and heat maps: what they show, and that names are nothing but data of them."""

import json
from typing import Any

import pytest
from hostile import BIG, HOSTILE, check
from reports import overlap, report

from goalcover.app.chat.results import charts, heat
from goalcover.memory.records import Coverage, Subgoal
from goalcover.tools.coverage import coverage_of
from goalcover.tools.figures import VERDICT_COLOURS


def coverage(*names: str) -> list[Coverage]:
    """The first has enough, the second is missing, nothing is known of others."""
    counts: list[dict[float | None, int]] = [{0.8: 6, 0.2: 4}, {0.0: 9, 0.4: 1}]
    return [
        coverage_of(
            Subgoal(id=f"s{place}", name=name, description="."),
            counts[place] if place < 2 else {None: 10}, 0.5, 5,
        )
        for place, name in enumerate(names)
    ]  # fmt: skip


def values(chart: Any) -> list[dict[str, Any]]:
    """The bars of a chart."""
    spec = chart.to_dict()
    found = spec.get("data") or spec["layer"][0]["data"]
    return found.get("values") or spec["datasets"][found["name"]]


def test_coverage_chart_shows_means_intervals_and_verdicts() -> None:
    found = coverage("Dosing", "Red flags", "Dosing")
    chart = charts.coverage_chart(found, 0.5)
    bars = values(chart)
    assert [bar["mean"] for bar in bars] == [c.mean for c in found]
    assert [(bar["low"], bar["high"]) for bar in bars[:2]] == [c.interval for c in found[:2]]
    assert bars[2]["mean"] is None and bars[2]["name"].endswith("unknown · not judged")
    assert len({bar["name"] for bar in bars}) == 3, "bars of one name would lie on each other"
    assert bars[0]["name"] == "Dosing\nenough · 0.56", "the verdict is told in words"
    layers = chart.to_dict()["layer"]
    shown = layers[0]["encoding"]
    assert shown["x"]["scale"]["domain"] == [0, 1]
    colours = shown["color"]["scale"]
    assert dict(zip(colours["domain"], colours["range"], strict=True)) == {
        verdict: VERDICT_COLOURS[verdict] for verdict in ("enough", "missing", "unknown")
    }
    assert any("τ = 0.5" in str(layer) for layer in layers) or "τ = 0.5" in str(chart.to_dict())


def test_distribution_is_of_shares_that_sum_to_one() -> None:
    found = coverage("Dosing", "Red flags")
    bars = values(charts.distribution_chart(found))
    for name in ("Dosing", "Red flags"):
        assert sum(bar["share"] for bar in bars if bar["name"] == name) == pytest.approx(1)
    assert [bar["rows"] for bar in bars[:6]] == found[0].histogram


@pytest.mark.parametrize("name", [HOSTILE, BIG, "x" * 100_000])
def test_names_are_data_of_a_chart_and_short(name: str) -> None:
    found = coverage(name, name)
    for chart in (charts.coverage_chart(found, 0.5, dark=True), charts.distribution_chart(found)):
        spec = chart.to_dict()
        bars = values(chart)
        assert len({bar["name"] for bar in bars}) == 2
        assert all(len(bar["name"]) < 110 for bar in bars)
        rest = json.dumps({k: v for k, v in spec.items() if k not in ("datasets", "data")})
        for one in spec.get("layer", []):
            one.pop("data", None)
        rest = json.dumps({k: v for k, v in spec.items() if k not in ("datasets", "data")})
        assert "evil" not in rest and "megabyte" not in rest and "xxx" not in rest
        json.dumps(bars).encode("utf-8")
    told = charts.coverage_alt(found, 0.5)
    assert len(told) < 400
    told.encode("utf-8")


def test_heat_maps_write_their_values() -> None:
    page = str(heat.topics_table(report("Doses").heat_map))
    assert "<td" in page and "0.40" in page and "–" in page, "no row of that topic was judged"
    found = coverage("Dosing", "Red flags")
    pairs = [overlap("x", first="s0", second="s1", correlation=-0.42)]
    page = str(heat.correlations_table(found, pairs))
    assert page.count("−0.42") == 2 and page.count("gc-below gc-depth-4") == 2
    hostile = report(HOSTILE)
    check(str(heat.topics_table(hostile.heat_map)))
    check(str(heat.correlations_table(hostile.coverage, hostile.overlaps)))
