"""What a synthesis will take: rows for each gap, and calls, tokens and money foretold."""

import heapq
import math
from collections.abc import Mapping, Sequence

from ..memory.records import (
    Coverage,
    Gap,
    PlanItem,
    Recommendation,
    Sample,
    Specification,
    Spent,
    SynthesisPlan,
)
from ..tools.chat_model import ChatModel
from ..tools.embedded_model import EmbeddedModel
from ..tools.judge import SYSTEM as JUDGE_SYSTEM
from ..tools.judge import Mode, calls_a_row
from ..tools.model import Model
from ..tools.shares import share_out
from ..tools.text import stem, words
from ..tools.tokens import VERDICT, count_tokens, how_counted
from .budget import most_calls
from .discriminator import GROUP, LEAST
from .generator import ALREADY
from .generator import SYSTEM as GENERATOR_SYSTEM
from .grid import grid_of
from .group_ask import SYSTEM as DISCRIMINATOR_SYSTEM

PROMPT, CELL = 900, 200
"""Tokens of what a prompt says beside its fixed part, rows and cells; of a cell, with its second
subgoal, in both prompts."""

RETURNED, REASON, THERE, REPLY = 240, 160, 140, 60
"""Tokens, at most, of a row that goes back with its cell, of the reason why, and of a row that is
there already; of what a reply says of a row beside its text."""

GROUP_VERDICT = 3 * VERDICT
"""Tokens of one verdict of the discriminator: an explanation for each dimension."""

EXEMPLARS = 4
"""Exemplars, and passages of documents, shown to the generator."""

SAME = 0.8
"""Jaccard similarity of words from which two gaps of a subgoal are the same."""


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
    subgoals = [c.subgoal.id for c in coverage if c.studied]
    lacking = [c.subgoal.id for c in coverage if c.studied and c.verdict != "enough"]
    by_id = {gap.id: gap for gap in gaps}
    chosen: list[Recommendation] = []
    for one in recommendations:
        if not (one.suits_synthesis and one.rows_wanted and one.subgoal_id in subgoals):
            continue
        if not any(_same(one, other, by_id) for other in chosen):
            chosen.append(one)
    rows: dict[str, int] = {}
    for subgoal in subgoals:
        wanted = {one.gap_id: one.rows_wanted for one in chosen if one.subgoal_id == subgoal}
        rows |= share_out(min(most, sum(wanted.values())), wanted)
    return [
        PlanItem(
            gap_id=one.gap_id,
            name=by_id[one.gap_id].name,
            subgoal_id=one.subgoal_id,
            rows=rows[one.gap_id],
            wanted=one.rows_wanted,
            grid=grid_of(one, specification, topics),
            also=[subgoal for subgoal in lacking if subgoal != one.subgoal_id],
        )
        for one in chosen
        if rows[one.gap_id]
    ]


def _same(one: Recommendation, other: Recommendation, gaps: dict[str, Gap]) -> bool:
    """Whether rows for the two would be the same rows: of one subgoal, for almost one gap."""
    first, second = (f"{gaps[r.gap_id].name} {gaps[r.gap_id].description}" for r in (one, other))
    return one.subgoal_id == other.subgoal_id and _alike(first, second)


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
    best: Mapping[str, Sequence[Sample]] | None = None,
) -> SynthesisPlan:
    """The plan with the most that it can cost, if rows are as long as the given ones.

    Roles that the embedded model plays cost nothing. `mode` is how the judge will judge the rows.
    rows: drawn at random from the data. best: by subgoal id the rows that the prompts will show,
    the first EXEMPLARS; where it lacks a subgoal, they are as long as `rows`.
    """
    paid = [m for m in (model, judge) if not isinstance(m, EmbeddedModel)]
    counter = paid[0].model if paid and isinstance(paid[0], ChatModel) else "unknown"
    spent = Spent()
    if paid:

        def tokens(text: str) -> int:
            return count_tokens(text, counter)

        systems = [tokens(prompt) for prompt in (GENERATOR_SYSTEM, DISCRIMINATOR_SYSTEM)]
        sources = sum(heapq.nlargest(EXEMPLARS, map(tokens, documents)))
        typical = _mean([tokens(f"{s.system}{s.input}{s.output}") for s in rows])
        for item in items:
            samples = (best or {}).get(item.subgoal_id)
            shown = [tokens(f"{s.input}{s.output}") for s in (samples or [])[:EXEMPLARS]]
            if samples is None:
                shown = [typical] * EXEMPLARS
            system = max([tokens(s.system) for s in (samples or [])[:EXEMPLARS]], default=0)
            row = max(typical, _mean(shown) + system)
            if model in paid:
                write, compare = (size + PROMPT + sources for size in systems)
                spent += _loop(model, item.rows, rounds, row, shown, write + system, compare)
            if judge in paid:
                asks = item.rows * calls_a_row(subgoals, mode)
                tokens_in = asks * (tokens(JUDGE_SYSTEM) + PROMPT + row)
                spent += _use(judge, asks, tokens_in, item.rows * subgoals * VERDICT)
    return SynthesisPlan(
        items=items,
        rounds=rounds,
        calls=spent.calls,
        tokens_in=spent.tokens_in,
        tokens_out=spent.tokens_out,
        cost_usd=spent.cost_usd,
        how=f"at most, if all {rounds} rounds are needed, repeated calls aside; tokens "
        f"{how_counted(counter)} on {len(rows)} rows of the data and those shown{_at_price(paid)}"
        if paid
        else "the embedded model costs nothing",
        model=model.name,
        judge=judge.name,
    )


def _mean(counts: Sequence[int]) -> int:
    return math.ceil(sum(counts) / max(1, len(counts)))


def _loop(
    model: Model, rows: int, rounds: int, row: int, shown: list[int], write: int, compare: int
) -> Spent:
    """What generator and discriminator take at most for an item of so many rows.

    Tokens: row, of one that is written; shown, of the data's rows in the prompts; write and compare
    of the two prompts beside rows.
    """
    bound = most_calls(rows, rounds)
    groups = bound.groups + bound.repeats
    judged = bound.asked + min(bound.asked, GROUP * bound.repeats)
    real = shown[: LEAST - 1]  # in a group of one candidate
    write += sum(shown) + min(ALREADY, rows) * min(row, THERE)
    tokens_in = bound.writes * write + bound.asked * (CELL + min(row, RETURNED) + REASON)
    tokens_in += groups * (compare + sum(real)) + judged * (row + CELL)
    tokens_out = bound.asked * (row + REPLY) + (judged + groups * len(real)) * GROUP_VERDICT
    return _use(model, bound.calls, tokens_in, tokens_out)


def _use(model: Model, calls: int, tokens_in: int, tokens_out: int) -> Spent:
    cost = model.price.cost(tokens_in, 0, tokens_out) if model.price else None
    return Spent(calls=calls, tokens_in=tokens_in, tokens_out=tokens_out, cost_usd=cost)


def _at_price(models: list[Model]) -> str:
    prices = dict.fromkeys(f"{m.price} for {m.name}" for m in models if m.price)
    return f"; {' and '.join(prices)}" if prices else ""
