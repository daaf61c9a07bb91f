"""The grid that synthetic rows are spread over: scenario × difficulty × persona, and pairs."""

import random
from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import TypeVar

from ..memory.records import Cell, Grid, PlanItem, Recommendation, Specification
from .clauses import ASSUMED

DIFFICULTIES = ["basic", "intermediate", "advanced"]

PERSONAS = [
    "a beginner who knows no terms of the field",
    "an expert who is short and exact",
    "someone in a hurry who leaves things out",
    "someone worried who tells more than is needed",
]
"""Who asks, where the practitioner did not say who the users are."""

PAIRED = 4
"""Every so many rows one is paired with another lacking subgoal."""

T = TypeVar("T")


def grid_of(
    recommendation: Recommendation, specification: Specification, topics: Sequence[str]
) -> Grid:
    """Scenarios as recommended, else the data's topics; personas are the users of the goal, as far
    as the practitioner said who they are."""
    users = [user for user in specification.users if not user.endswith(ASSUMED)]
    return Grid(
        scenarios=list(dict.fromkeys(recommendation.scenarios or topics)),
        difficulties=DIFFICULTIES,
        personas=list(dict.fromkeys(users or PERSONAS)),
    )


def cells(item: PlanItem, seed: int, start: int, count: int) -> list[Cell]:
    """The cells number `start` (from 0) and following of an item's walk through its grid.

    The walk visits every point once, in a seeded order, before it begins again in another order.
    """
    return [_cell(item, seed, place) for place in range(start, start + count)]


def _cell(item: PlanItem, seed: int, place: int) -> Cell:
    grid = item.grid
    axes = tuple(
        tuple(axis) or ("",) for axis in (grid.scenarios, grid.difficulties, grid.personas)
    )
    size = len(axes[0]) * len(axes[1]) * len(axes[2])
    walk = _walk(axes, f"{seed} {item.gap_id} {place // size}")
    scenario, difficulty, persona = walk[place % size]
    also = ""
    if item.also and place % PAIRED == PAIRED - 1:
        also = item.also[place // PAIRED % len(item.also)]
    return Cell(scenario=scenario, difficulty=difficulty, persona=persona, also=also)


@lru_cache(64)
def _walk(axes: tuple[tuple[str, ...], ...], seed: str) -> list[tuple[str, ...]]:
    points = list(product(*axes))
    random.Random(seed).shuffle(points)
    return points


def split(items: Sequence[T], most: int) -> list[list[T]]:
    """Parts of at most `most` items, as few and as even as possible: 8 by 7 are 4 and 4."""
    parts = -(-len(items) // most)
    return [
        list(items[len(items) * i // parts : len(items) * (i + 1) // parts]) for i in range(parts)
    ]
