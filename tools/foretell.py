"""Foretells what judging takes, before a single call, and says how it was foretold."""

from collections.abc import Iterator, Sequence

from ..memory.errors import UserError
from ..memory.records import Foretold, ScoringPlan, Spent, Subgoal
from ..memory.store import Store, open_store
from .chat_model import ChatModel
from .datasets import Table, load
from .embedded_model import HONESTY
from .forecast import COUNTED, Forecast
from .prices import money
from .settings import RunConfig, home, rows_cache
from .survey.size import KNOWN, MOST_SPREAD, SPREAD, sample_size
from .text import listed, many
from .tokens import VERDICT, how_counted

PRECISIONS = (0.05, 0.03, 0.02)
"""Half-widths of A(s)'s intervals that surveys are foretold for, beside the one asked for."""

LEFT_OUT = (
    "Not counted: retries, repaired replies, and rows that a survey judges beside its sample (near "
    "the filter's cut, and for explanations of gaps)."
)


def foretold(
    config: RunConfig,
    table: Table,
    store: Store,
    subgoals: Sequence[Subgoal],
    spent: Spent | None = None,
) -> Foretold:
    """What the scoring that a configuration asks for is expected to take, as its cap allows; spent:
    by the run so far."""
    forecast = Forecast(config, table, store, subgoals, spent)
    return forecast.survey(config.precision) if config.survey else forecast.whole(config.mode)


def plan_file(config: RunConfig) -> ScoringPlan:
    """What judging the rows of `config.source` would take, in each way to do it.

    Asks nothing, and needs no key. Raises UserError for what the user can mend.
    """
    with open_store(home()) as store:
        table = load(config.source, rows_cache(home(), config.source.path))
        forecast = Forecast(config, table, store, config.subgoals)
        if not forecast.rows:
            raise UserError("no row has an output to judge.")
        precisions = sorted({*PRECISIONS, config.precision or PRECISIONS[0]}, reverse=True)
        return ScoringPlan(
            rows=forecast.rows,
            subgoals=len(config.subgoals),
            judge=forecast.model.name,
            ways=[
                forecast.whole("pairwise"),
                forecast.whole("joint"),
                *(forecast.survey(precision) for precision in precisions),
            ],
            how=[
                *_left_out(table, forecast.rows),
                *_of_tokens(forecast),
                *_of_rows(forecast, precisions),
                _of_time(forecast),
                LEFT_OUT,
            ],
        )


def _left_out(table: Table, rows: int) -> Iterator[str]:
    empty, bad = len(table) - rows, table.bad_rows
    told = [f"{many(empty, 'row')} with an empty output"] if empty else []
    told += [many(bad, "bad line")] if bad else []
    if told:
        yield f"Left out: {listed(told)}."


def _of_tokens(forecast: Forecast) -> Iterator[str]:
    model, config = forecast.model, forecast.config
    if not isinstance(model, ChatModel):
        yield f"The embedded judge runs on this machine: no tokens, no money. {HONESTY}"
        return
    drawn = f" drawn at random (seed {config.seed})" if forecast.rows > COUNTED else ""
    yield (
        f"Tokens in: of the prompts for {many(len(forecast.samples), 'row')}{drawn}, "
        f"{how_counted(model.model)}; without the reply's schema, which some servers count. "
        f"Tokens out: {VERDICT} a verdict, which is assumed."
    )
    if model.price:
        yield f"Money: {model.price}; nothing is taken to come from the server's cache."
    else:
        yield "Money: the price is not known; give --prices."
    cheap = forecast.opened(batch=True).price
    if cheap and not config.batch:
        joint = forecast.whole("joint")
        cost = cheap.cost(joint.tokens_in, 0, joint.tokens_out)
        yield f"With --batch the joint way would cost {money(cost)}, at {cheap}."


def _of_rows(forecast: Forecast, precisions: Sequence[float]) -> Iterator[str]:
    known = [len(values) for values in forecast.known_values]
    if min(known) >= KNOWN:
        spread = f"that of the {min(known):,} rows or more that this judge has judged before"
    elif max(known) >= KNOWN:
        spread = f"that of its judged rows for a subgoal with {KNOWN} or more, else {SPREAD}"
    else:
        spread = f"{SPREAD}, which is assumed (too few rows are judged yet)"
    yield (
        f"Rows of a survey: with a standard deviation of A of {spread}, and no help from "
        "predictions; where they help, fewer rows do."
    )
    sizes = {p: sample_size(0.5, MOST_SPREAD, forecast.rows, p) for p in precisions}
    most = listed(f"{size:,} for ± {p:g}" for p, size in sizes.items())
    yield f"Most rows of a survey (a standard deviation of {MOST_SPREAD}, the largest): {most}."
    counted = {mode: forecast.judged(mode) for mode in ("joint", "pairwise")}
    if any(counted.values()):
        told = listed(f"{many(rows, 'row')} ({mode})" for mode, rows in counted.items() if rows)
        yield f"Judged already, and counted off: {told}."


def _of_time(forecast: Forecast) -> str:
    config = forecast.config
    if config.batch:
        return "Time: a batch may take a day."
    if forecast.waited is None:
        return "Time: not known, for this judge was not asked before."
    rates = {"requests": config.rpm, "tokens": config.tpm}
    limits = [f"{most:g} {name} a minute" for name, most in rates.items() if most]
    told = f"; at most {listed(limits)}" if limits else ""
    return (
        f"Time: a reply took {forecast.waited:.2g} s on average so far, with "
        f"{forecast.at_once} calls at once{told}."
    )
