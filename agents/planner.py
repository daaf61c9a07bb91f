"""What a synthesis will take: rows for each gap, and calls, tokens and money foretold."""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

from ..memory.records import (
    Coverage,
    Gap,
    PlanItem,
    Recommendation,
    Sample,
    Specification,
    Spent,
    Subgoal,
    SynthesisPlan,
)
from ..tools.chat_model import ChatModel
from ..tools.embedded_model import EmbeddedModel
from ..tools.judge import MOST_SUBGOALS, Mode
from ..tools.judge import SYSTEM as JUDGE_SYSTEM
from ..tools.model import Model
from ..tools.text import stem, words
from ..tools.tokens import count_tokens, how_counted
from .budget import most_calls
from .discriminator import LEAST, REPEATED
from .generator import SYSTEM as GENERATOR_SYSTEM
from .grid import grid_of
from .group_ask import SYSTEM as DISCRIMINATOR_SYSTEM

PROMPT, CELL, VERDICT = 900, 120, 120
"""Tokens of what a prompt says beside its fixed part, rows and cells; of a cell with the row that
was rejected there; of one verdict by the judge."""

GROUP_VERDICT = 3 * VERDICT
"""Tokens of one verdict of the discriminator: an explanation for each dimension."""

EXEMPLARS = 4
"""Exemplars, and passages of documents, shown to the generator."""

SAME = 0.8
"""Jaccard similarity of words from which two gaps, or two subgoals, are the same."""


def plan_items(
    coverage: Sequence[Coverage],
    gaps: Sequence[Gap],
    recommendations: Sequence[Recommendation],
    most: int,
    specification: Specification,
    topics: Sequence[str],
) -> list[PlanItem]:
    """Items in the order of the recommendations, at most `most` rows a subgoal.

    Rows are spread over the subgoal's gaps that suit synthesis, in proportion to the rows that each
    wants and never more than that. Of items that are almost the same the first is planned. `topics`
    of the data are the scenarios where a recommendation names none.
    """
    subgoals = {c.subgoal.id: c.subgoal for c in coverage if c.gap}
    lacking = [c.subgoal.id for c in coverage if c.gap and c.verdict != "enough"]
    by_id = {gap.id: gap for gap in gaps}
    chosen: list[Recommendation] = []
    for one in recommendations:
        if not (one.suits_synthesis and one.rows_wanted and one.subgoal_id in subgoals):
            continue
        if not any(_same(one, other, by_id, subgoals) for other in chosen):
            chosen.append(one)
    rows: dict[str, int] = {}
    for subgoal in subgoals:
        rows |= _spread([one for one in chosen if one.subgoal_id == subgoal], most)
    return [
        PlanItem(
            gap_id=one.gap_id,
            subgoal_id=one.subgoal_id,
            rows=rows[one.gap_id],
            wanted=one.rows_wanted,
            grid=grid_of(one, specification, topics),
            also=[subgoal for subgoal in lacking if subgoal != one.subgoal_id],
        )
        for one in chosen
        if rows[one.gap_id]
    ]


def _spread(recommendations: list[Recommendation], most: int) -> dict[str, int]:
    """Rows by gap id: at most `most`, by largest remainder."""
    wanted = sum(one.rows_wanted for one in recommendations)
    if not wanted:
        return {}
    total = min(most, wanted)
    exact = {one.gap_id: Fraction(total * one.rows_wanted, wanted) for one in recommendations}
    rows = {name: math.floor(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: rows[name] - exact[name])
    for name in by_remainder[: total - sum(rows.values())]:
        rows[name] += 1
    return rows


def _same(
    one: Recommendation, other: Recommendation, gaps: dict[str, Gap], subgoals: dict[str, Subgoal]
) -> bool:
    """Whether rows for the two would be the same rows."""
    pairs = [[f"{gaps[r.gap_id].name} {gaps[r.gap_id].description}" for r in (one, other)]]
    pairs.append([subgoals[r.subgoal_id].text for r in (one, other)])
    return all(_alike(first, second) for first, second in pairs)


def _alike(first: str, second: str) -> bool:
    a, b = ({stem(word) for word in words(text)} for text in (first, second))
    return first == second or len(a & b) >= SAME * len(a | b) > 0


def foretell(
    items: list[PlanItem],
    model: Model,
    judge: Model,
    rows: list[Sample],
    documents: list[str],
    subgoals: int,
    rounds: int,
    mode: Mode = "joint",
) -> SynthesisPlan:
    """The plan with the most that it can cost, if rows are as long as the given ones.

    Roles that the embedded model plays cost nothing. `mode` is how the judge will judge the rows.
    """
    paid = [m for m in (model, judge) if not isinstance(m, EmbeddedModel)]
    counter = paid[0].model if paid and isinstance(paid[0], ChatModel) else "unknown"
    spent = Spent()
    if paid:

        def mean(texts: list[str]) -> int:
            counted = sum(count_tokens(text, counter) for text in texts)
            return math.ceil(counted / max(1, len(texts)))

        row = mean([f"{s.system}{s.input}{s.output}" for s in rows])
        sources = EXEMPLARS * mean(documents)
        for item in items:
            if model in paid:
                spent += _loop(model, item.rows, rounds, row, sources, mean)
            if judge in paid:
                asks = item.rows * math.ceil(subgoals / (MOST_SUBGOALS if mode == "joint" else 1))
                tokens_in = asks * (mean([JUDGE_SYSTEM]) + PROMPT + row)
                spent += _use(judge, asks, tokens_in, item.rows * subgoals * VERDICT)
    return SynthesisPlan(
        items=items,
        rounds=rounds,
        calls=spent.calls,
        tokens_in=spent.tokens_in,
        tokens_out=spent.tokens_out,
        cost_usd=spent.cost_usd,
        how=f"at most, if all {rounds} rounds are needed, repeated calls aside; tokens "
        f"{how_counted(counter)} on {len(rows)} rows of the data{_at_price(paid)}"
        if paid
        else "the embedded model costs nothing",
        model=model.name,
        judge=judge.name,
    )


def _loop(
    model: Model, rows: int, rounds: int, row: int, sources: int, mean: Callable[[list[str]], int]
) -> Spent:
    """What generator and discriminator take at most for an item of so many rows."""
    bound = most_calls(rows, rounds)
    write, compare = (mean([prompt]) + PROMPT + sources for prompt in _SYSTEMS)
    groups = bound.groups + bound.repeats
    judged = math.ceil(bound.asked * (1 + 1 / REPEATED))
    tokens_in = bound.writes * (write + EXEMPLARS * row) + bound.asked * CELL
    tokens_in += groups * (compare + LEAST * row) + judged * row
    tokens_out = bound.asked * row + (judged + groups) * GROUP_VERDICT
    return _use(model, bound.calls, tokens_in, tokens_out)


_SYSTEMS = (GENERATOR_SYSTEM, DISCRIMINATOR_SYSTEM)


def _use(model: Model, calls: int, tokens_in: int, tokens_out: int) -> Spent:
    cost = model.price.cost(tokens_in, 0, tokens_out) if model.price else None
    return Spent(calls=calls, tokens_in=tokens_in, tokens_out=tokens_out, cost_usd=cost)


def _at_price(models: list[Model]) -> str:
    prices = dict.fromkeys(f"{m.price} for {m.name}" for m in models if m.price)
    return f"; {' and '.join(prices)}" if prices else ""
