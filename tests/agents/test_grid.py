"""The grid: every point once before any twice; even groups."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from goalcover.agents.grid import DIFFICULTIES, PAIRED, PERSONAS, cells, grid_of, split
from goalcover.memory.records import Goal, Grid, PlanItem, Recommendation, Specification

AXIS = st.lists(st.text(min_size=1), max_size=4, unique=True)


def item(grid: Grid, also: list[str] | None = None) -> PlanItem:
    return PlanItem(gap_id="g", subgoal_id="s", rows=5, grid=grid, also=also or [])


@given(AXIS, AXIS, AXIS, st.integers(0, 3))
def test_every_point_comes_once_a_walk(
    scenarios: list[str], difficulties: list[str], personas: list[str], seed: int
) -> None:
    grid = Grid(scenarios=scenarios, difficulties=difficulties, personas=personas)
    size = max(1, len(scenarios)) * max(1, len(difficulties)) * max(1, len(personas))
    walk = cells(item(grid), seed, 0, 2 * size)
    for cycle in (walk[:size], walk[size:]):
        assert len({cell.model_dump_json() for cell in cycle}) == size
    assert {cell.scenario for cell in walk} == set(scenarios or [""])


@given(st.integers(0, 50), st.integers(0, 50))
def test_a_walk_goes_on_where_it_stopped(first: int, second: int) -> None:
    planned = item(Grid(scenarios=list("abc"), personas=list("xy")), ["t", "u"])
    assert cells(planned, 1, 0, first) + cells(planned, 1, first, second) == cells(
        planned, 1, 0, first + second
    )


def test_the_order_is_shuffled_and_seeded() -> None:
    planned = item(Grid(scenarios=list("abcdefgh")))
    first, second = ([c.scenario for c in cells(planned, seed, 0, 8)] for seed in (1, 2))
    assert first != second and sorted(first) == sorted(second) == list("abcdefgh") != first


def test_every_fourth_row_is_paired_in_turn() -> None:
    walk = cells(item(Grid(scenarios=list("abc")), ["t", "u"]), 0, 0, 16)
    assert [cell.also for cell in walk] == ["", "", "", "t", "", "", "", "u"] * 2
    assert PAIRED == 4


def test_scenarios_are_the_recommended_ones_or_the_topics_of_the_data() -> None:
    advice = Recommendation(
        gap_id="g", subgoal_id="s", action="", rows_wanted=3, suits_synthesis=True
    )
    specification = Specification(goal=Goal(text="Help."))
    grid = grid_of(advice, specification, ["heart", "lung", "heart"])
    assert grid == Grid(scenarios=["heart", "lung"], difficulties=DIFFICULTIES, personas=PERSONAS)
    specification.users = ["whoever reads it (assumed)"]
    assert grid_of(advice, specification, ["heart"]).personas == PERSONAS
    advice.scenarios, specification.users = ["a night shift"], ["nurses"]
    grid = grid_of(advice, specification, ["heart"])
    assert (grid.scenarios, grid.personas) == (["a night shift"], ["nurses"])


@given(st.lists(st.integers(), max_size=60), st.integers(1, 9))
def test_parts_are_even_and_as_few_as_can_be(items: list[int], most: int) -> None:
    parts = split(items, most)
    assert [one for part in parts for one in part] == items
    assert len(parts) == -(-len(items) // most)
    sizes = Counter(map(len, parts))
    assert not parts or max(sizes) - min(sizes) <= 1


@given(st.integers(1, 200))
def test_groups_of_candidates_hold_three_to_seven(count: int) -> None:
    sizes = [len(part) for part in split(range(count), 7)]
    assert all(size >= min(count, 4) for size in sizes) and max(sizes) <= 7
