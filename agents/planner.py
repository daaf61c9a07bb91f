"""What a synthesis will take: rows for each gap, and calls, tokens and money foretold."""

import math

from ..memory.records import (
    Coverage,
    Gap,
    PlanItem,
    Recommendation,
    Sample,
    Spent,
    SynthesisPlan,
)
from ..tools.chat_model import ChatModel
from ..tools.embedded_model import EmbeddedModel
from ..tools.judge import MOST_SUBGOALS, Mode
from ..tools.judge import SYSTEM as JUDGE_SYSTEM
from ..tools.model import Model
from ..tools.tokens import count_tokens, how_counted
from .discriminator import GROUP
from .discriminator import SYSTEM as DISCRIMINATOR_SYSTEM
from .generator import SYSTEM as GENERATOR_SYSTEM

PROMPT, VERDICT = 300, 120
"""Tokens of what a prompt says beside its fixed part and the rows; of one verdict on a row."""

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
    rows: list[Sample],
    documents: list[str],
    subgoals: int,
    rounds: int,
    mode: Mode = "joint",
) -> SynthesisPlan:
    """The plan with its cost if every round is used and rows are as long as the given ones.

    Roles that the embedded model plays cost nothing. `mode` is how the judge will judge the rows.
    """
    paid = [m for m in (model, judge) if not isinstance(m, EmbeddedModel)]
    counter = paid[0].model if paid and isinstance(paid[0], ChatModel) else "unknown"
    spent = Spent()
    if paid:

        def mean(texts: list[str]) -> int:
            counted = sum(count_tokens(text, counter) for text in texts)
            return math.ceil(counted / max(1, len(texts)))

        def use(model: Model, calls: int, tokens_in: int, tokens_out: int) -> Spent:
            cost = model.price.cost(tokens_in, 0, tokens_out) if model.price else None
            return Spent(calls=calls, tokens_in=tokens_in, tokens_out=tokens_out, cost_usd=cost)

        row = mean([f"{s.system}{s.input}{s.output}" for s in rows])
        sources = EXEMPLARS * mean(documents)
        write, compare, grade = (
            mean([prompt]) + PROMPT
            for prompt in (GENERATOR_SYSTEM, DISCRIMINATOR_SYSTEM, JUDGE_SYSTEM)
        )
        at_once = MOST_SUBGOALS if mode == "joint" else 1
        for item in items:
            if model in paid:
                groups = math.ceil(item.rows / GROUP)
                written = item.rows * row
                spent += use(
                    model,
                    rounds * (1 + groups),
                    # Later rounds show the rows of earlier ones.
                    rounds * (write + EXEMPLARS * row + sources + written)
                    + rounds * (groups * (compare + sources + row) + written),
                    rounds * (written + item.rows * VERDICT),
                )
            if judge in paid:
                asks = item.rows * math.ceil(subgoals / at_once)
                spent += use(judge, asks, asks * (grade + row), item.rows * subgoals * VERDICT)
    return SynthesisPlan(
        items=items,
        calls=spent.calls,
        tokens_in=spent.tokens_in,
        tokens_out=spent.tokens_out,
        cost_usd=spent.cost_usd,
        how=f"estimated, if all {rounds} rounds are needed; tokens {how_counted(counter)} on "
        f"{len(rows)} rows of the data{_at_price(paid)}"
        if paid
        else "the embedded model costs nothing",
        model=model.name,
        judge=judge.name,
    )


def _at_price(models: list[Model]) -> str:
    prices = dict.fromkeys(f"{m.price} for {m.name}" for m in models if m.price)
    return f"; {' and '.join(prices)}" if prices else ""
