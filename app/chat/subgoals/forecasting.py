"""What judging is expected to take, told before the subgoals are approved."""

from datetime import timedelta
from pathlib import Path

import streamlit as st

from ....graph.scoring import foretold_scoring
from ....memory.records import Foretold, Subgoal
from ....memory.store import open_store
from ....tools.datasets import DataSource, load
from ....tools.embedded_model import HONESTY
from ....tools.foretell import LEFT_OUT
from ....tools.judge import calls_a_row
from ....tools.prices import money
from ....tools.settings import RunConfig, home, rows_cache
from ....tools.text import many
from ....tools.tokens import VERDICT, how_counted
from ...pace import short

KEPT_SECONDS = 600
"""A forecast for: what is judged meanwhile is counted off in the next."""

MOST_BYTES = 20_000_000
"""Of a data file that is read for a forecast: 20,000 rows of 7 MB took 4 s."""

LATER = "What it is expected to take is told once the scoring starts."


def is_cheap(source: DataSource) -> bool:
    """Whether the data is a small file, so that a page need not wait long for a forecast."""
    try:
        return Path(source.path).stat().st_size <= MOST_BYTES
    except OSError:
        return False


@st.cache_data(ttl=KEPT_SECONDS, max_entries=32, show_spinner=False)
def _foretold(run_id: str, config: str, subgoals: list[str]) -> Foretold:
    """As the graph foretells it once they are approved. All is text, which it is remembered by."""
    wanted = RunConfig.model_validate_json(config)
    parsed = [Subgoal.model_validate_json(one) for one in subgoals]
    with open_store(home()) as store:
        table = load(wanted.source, rows_cache(home(), wanted.source.path))
        return foretold_scoring(wanted, table, store, parsed, store.ledger(run_id))


def forecast(run_id: str, config: RunConfig, subgoals: list[Subgoal]) -> Foretold:
    """Asks nothing. Raises UserError where the data cannot be read."""
    told = [subgoal.model_dump_json() for subgoal in subgoals]
    return _foretold(run_id, config.model_dump_json(), told)


def judge_line(config: RunConfig, subgoals: int) -> str:
    """Who judges, and what a row takes."""
    if judge := config.judge or config.model:
        calls = many(calls_a_row(subgoals, config.mode), "call")
        return f"Each row is judged by {judge}, in {calls}, against all {subgoals} subgoals."
    return f"Rows are judged by the embedded model, on this machine and free of charge. {HONESTY}"


def forecast_line(found: Foretold) -> str:
    """Calls, tokens, money and time; what is not known is said."""
    cost = "at a price not known" if found.cost_usd is None else money(found.cost_usd)
    time = "in a time not known" if found.seconds is None else _about(found.seconds)
    return (
        f"Expected: {many(found.rows, 'row')}, {many(found.calls, 'call')}, "
        f"{short(found.tokens_in)} tokens in and {short(found.tokens_out)} out, {cost}, {time}."
    )


def _about(seconds: float) -> str:
    return f"about {timedelta(seconds=max(1, round(seconds)))} (h:mm:ss)"


def how_line(model: str) -> str:
    return (
        f"Tokens in are those of some rows' prompts, {how_counted(model)}; {VERDICT} tokens out a "
        f"verdict are assumed. {LEFT_OUT}"
    )
