"""What a synthesis will take: rows for each gap, and calls, tokens and money foretold."""

import math

from ..memory.records import Coverage, Gap, PlanItem, Recommendation, SynthesisPlan
from ..tools.chat_model import ChatModel
from ..tools.embedded_model import EmbeddedModel
from ..tools.judge import SYSTEM as JUDGE_SYSTEM
from ..tools.model import Model
from ..tools.scorer import MOST_SUBGOALS
from ..tools.tokens import count_tokens, how_counted
from .discriminator import GROUP
from .discriminator import SYSTEM as DISCRIMINATOR_SYSTEM
from .generator import SYSTEM as GENERATOR_SYSTEM

OVERHEAD = 300
"""Tokens of a judgement's or verdict's own words, a row."""

EXEMPLARS = 4
"""Exemplars shown to the generator."""


def plan_items(
    coverage: list[Coverage], gaps: list[Gap], recommendations: list[Recommendation], most: int
) -> list[PlanItem]:
    """At most `most` rows a subgoal, for its most prevalent gap that suits synthesis."""
    items = []
    for subgoal in (c.subgoal for c in coverage if c.gap):
        suited = {r.gap_id: r.rows_wanted for r in recommendations if r.suits_synthesis}
        for gap in gaps:
            if gap.subgoal_id == subgoal.id and (rows := min(most, suited.get(gap.id, 0))):
                items.append(PlanItem(gap_id=gap.id, subgoal_id=subgoal.id, rows=rows))
                break
    return items


def foretell(
    items: list[PlanItem],
    model: Model,
    judge: Model,
    row_texts: list[str],
    subgoals: int,
    rounds: int,
    price: tuple[float, float] | None,
) -> SynthesisPlan:
    """The plan and its cost if every round is used and rows are as long as `row_texts`."""
    counter = model.model if isinstance(model, ChatModel) else model.name
    free = isinstance(model, EmbeddedModel) and isinstance(judge, EmbeddedModel)
    calls = tokens_in = tokens_out = 0
    counted = "nothing: the embedded model costs no calls"
    if not free:
        row = math.ceil(sum(count_tokens(t, counter) for t in row_texts) / max(1, len(row_texts)))
        prompts = [
            count_tokens(p, counter) for p in (GENERATOR_SYSTEM, DISCRIMINATOR_SYSTEM, JUDGE_SYSTEM)
        ]
        for item in items:
            groups = math.ceil(item.rows / GROUP)
            calls += rounds * (1 + groups)
            tokens_in += rounds * (prompts[0] + EXEMPLARS * row)
            tokens_in += rounds * (groups * (prompts[1] + row) + item.rows * row)
            tokens_out += rounds * item.rows * (row + OVERHEAD)
            scoring = item.rows * math.ceil(subgoals / MOST_SUBGOALS)
            calls += scoring
            tokens_in += scoring * (prompts[2] + row)
            tokens_out += item.rows * subgoals * OVERHEAD // 3
        counted = (
            f"estimated, if all {rounds} rounds are needed; tokens {how_counted(counter)} on "
            f"{len(row_texts)} rows of the data"
        )
    cost = (tokens_in * price[0] + tokens_out * price[1]) / 1e6 if price and not free else None
    return SynthesisPlan(
        items=items,
        calls=calls,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost_usd=0.0 if free else cost,
        how=counted,
        model=model.name,
        judge=judge.name,
    )
