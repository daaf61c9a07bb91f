"""What can be chosen before a run beside its data, goal and models."""

import streamlit as st

from ..callbacks import held
from ..drafts import Draft
from ..text import html, show
from .fields import bound, keep
from .models import in_words

PRECISION = 0.03
"""The half-width that a survey is offered with."""

PRECISIONS = 0.005, 0.3
"""The least and the most that can be chosen."""

SYNTHETIC = 0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500
"""Synthetic rows for a subgoal that are offered."""

JUDGING = {"all": "Every row", "sample": "A random sample, the other rows predicted"}


def summary(draft: Draft) -> list[tuple[str, str]]:
    """What is chosen, a line each: its name and its words."""
    return [
        ("Model", in_words(draft.models)),
        ("Judging", _judging(draft)),
        ("Caps", _caps(draft)),
        ("Gap", f"a subgoal whose mean alignment A(s) is below τ = {draft.tau:g}"),
        ("Synthesis", _synthesis(draft)),
    ]


def _judging(draft: Draft) -> str:
    if draft.precision is None:
        return "every row, unless you stop before"
    return f"a random sample, until every A(s) is known to ± {draft.precision:g}"


def _caps(draft: Draft) -> str:
    calls = [] if draft.max_calls is None else [f"{draft.max_calls:,} calls"]
    usd = [] if draft.budget is None else [f"{draft.budget:g} USD"]
    return f"at most {' and '.join(calls + usd)}" if calls or usd else "none"


def _synthesis(draft: Draft) -> str:
    if draft.synthesize == 0:
        return "none"
    return f"at most {draft.synthesize} rows for each subgoal, once you have approved the plan"


def show_judging(draft: Draft) -> None:
    show(html("<h3>Judging</h3>"))
    key = f"{draft.id}-judging"
    way = "all" if draft.precision is None else "sample"
    if st.session_state.get(key) != way:
        st.session_state[key] = way
    st.radio(
        "Rows to judge",
        list(JUDGING),
        format_func=JUDGING.__getitem__,
        key=key,
        on_change=_choose_judging,
        args=(draft.id,),
    )
    if draft.precision is not None:
        st.slider(
            "Until every A(s) is known to ± this",
            min_value=PRECISIONS[0],
            max_value=PRECISIONS[1],
            step=0.005,
            format="%.3f",
            help="Half the width of its 95 % interval. All other rows get predicted scores, which "
            "the estimates are corrected for.",
            **bound(draft, "precision"),
        )
    left, right = st.columns(2)
    with left:
        st.number_input(
            "Most calls",
            step=100,
            value=None,
            placeholder="no cap",
            help="Of all roles together; what is done by then is the result.",
            **bound(draft, "max_calls"),
        )
    with right:
        if draft.models.kind == "server":
            st.number_input(
                "Budget in USD",
                step=1.0,
                value=None,
                placeholder="no cap",
                help="Needs a model whose price is known.",
                **bound(draft, "budget"),
            )


def _choose_judging(session_id: str) -> None:
    sampled = held(f"{session_id}-judging") == "sample"
    keep(session_id, "precision", PRECISION if sampled else None)


def show_goal_settings(draft: Draft) -> None:
    show(html("<h3>Goal and gaps</h3>"))
    left, right = st.columns(2)
    with left:
        st.text_input("Domain (optional)", placeholder="e.g. health", **bound(draft, "domain"))
        st.slider(
            "τ: a mean alignment below it is a gap",
            min_value=0.0,
            max_value=1.0,
            step=0.05,
            **bound(draft, "tau"),
        )
    with right:
        st.text_input("Task (optional)", placeholder="e.g. answering", **bound(draft, "task"))
        st.select_slider(
            "Most synthetic rows for a subgoal, 0 for none",
            sorted({*SYNTHETIC, draft.synthesize}),
            **bound(draft, "synthesize"),
        )
