"""Figures are drawn for any run, judged or not."""

from itertools import combinations

import pytest

from goalcover.memory.records import Coverage, Overlap, Subgoal
from goalcover.tools.coverage import coverage_of
from goalcover.tools.figures import draw_all, draw_correlations, draw_coverage
from goalcover.tools.report import HeatMap

HISTOGRAMS = [{0.4: 3, 1.0: 2, None: 1}, {}, {0.0: 9}, {0.8: 1}]


def coverage(count: int) -> list[Coverage]:
    subgoals = [
        Subgoal(id=f"s{i}", name=f"Goal $x_{i}$ {{ {'long ' * 20}", description="d")
        for i in range(count)
    ]
    return [
        coverage_of(subgoal, HISTOGRAMS[i % len(HISTOGRAMS)], 0.5, count)
        for i, subgoal in enumerate(subgoals)
    ]


def heat_map(subgoals: int, topics: int) -> HeatMap:
    return HeatMap(
        topics=[f"topic {i} $y$" for i in range(topics)],
        shares=[1 / topics] * topics,
        subgoals=[f"s{i}" for i in range(subgoals)],
        values=[[None if j % 2 else 0.3 for j in range(topics)] for _ in range(subgoals)],
        sampled=10,
    )


def overlaps(subgoals: int) -> list[Overlap]:
    """Of the first two subgoals without a correlation, of all others with some."""
    return [
        Overlap(
            first=f"s{i}", second=f"s{j}", rows=9, both=1, first_only=1, second_only=1,
            correlation=(i + j - 2) / (2 * subgoals) if i + j > 1 else None,
        )
        for i, j in combinations(range(subgoals), 2)
    ]  # fmt: skip


@pytest.mark.parametrize("subgoals", [1, 12])
@pytest.mark.parametrize("topics", [1, 8])
def test_every_figure_is_a_png_with_ink_on_it(tmp_path, subgoals, topics):
    import matplotlib.image

    heat, pairs = heat_map(subgoals, topics), overlaps(subgoals)
    drawn = draw_all(coverage(subgoals), heat, pairs, 0.5, tmp_path / "new")
    of_pairs = {"correlations"} if subgoals > 1 else set()
    assert drawn.keys() == {"coverage", "distribution", "heatmap"} | of_pairs
    for path in drawn.values():
        assert path.read_bytes().startswith(b"\x89PNG")
        assert matplotlib.image.imread(path).std() > 0.01
    assert sorted((tmp_path / "new").iterdir()) == sorted(drawn.values())


@pytest.mark.filterwarnings("ignore:Attempting to set identical")  # no topic, no width
def test_subgoals_that_nothing_is_known_of_are_drawn(tmp_path):
    unknown = [coverage_of(c.subgoal, {None: 4}, 0.5, 2) for c in coverage(2)]
    empty = HeatMap(topics=[], shares=[], subgoals=["a", "b"], values=[[], []], sampled=0)
    assert len(draw_all(unknown, empty, overlaps(2), 0.5, tmp_path)) == 4


def test_correlations_stand_on_both_sides_of_the_diagonal():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    draw_correlations(axes, {f"s{i}": f"Goal {i}" for i in range(3)}, overlaps(3))
    said = {text.get_position(): text.get_text() for text in axes.texts}
    assert said == {
        (0, 1): "–", (1, 0): "–", (0, 2): "0.00", (2, 0): "0.00", (1, 2): "0.17", (2, 1): "0.17",
    }  # fmt: skip
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["Goal 0", "Goal 1", "Goal 2"]


def test_bars_are_as_long_as_the_means_and_a_missing_mean_is_said():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    rows = coverage(2)
    draw_coverage(axes, rows, 0.5)
    assert [bar.get_bbox().width for bar in axes.patches] == [rows[0].mean, 0]  # pyright: ignore
    assert axes.get_xlim()[0] == 0
    said = [text.get_text() for text in axes.texts]
    assert f"{rows[0].mean:.2f}" in said and "not judged" in said
