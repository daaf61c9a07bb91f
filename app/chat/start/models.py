"""Which models a session asks: chosen before it starts, told of afterwards; and the test of a
connection."""

import asyncio
from contextlib import AbstractContextManager
from hashlib import sha256

import streamlit as st
from markupsafe import Markup

from ....memory.errors import UserError
from ....tools.chat_model import server_address
from ....tools.connection import Connection, try_connection
from ....tools.embedded_model import HONESTY
from ....tools.prices import money
from ....tools.settings import ModelConfig, checked
from ....tools.text import many
from ..drafts import Draft, ModelChoice
from ..runner import Runner
from ..standing import Standing
from ..text import block, html, joined, on_page, show
from .fields import bound
from .key import ask_again, ask_for_key

KINDS = {"embedded": "Embedded (no key, no network)", "server": "OpenAI-compatible server"}


def show_models(draft: Draft, runner: Runner) -> None:
    """The settings of the models."""
    show(html("<h3>Model</h3>"))
    st.radio(
        "Who derives subgoals and judges rows",
        list(KINDS),
        format_func=KINDS.__getitem__,
        **bound(draft, "models.kind"),
    )
    if draft.models.kind == "embedded":
        return
    st.text_input(
        "Address of the server",
        placeholder=server_address(None),
        help="Up to the version, for example http://127.0.0.1:11434/v1 for Ollama.",
        **bound(draft, "models.base_url"),
    )
    left, right = st.columns(2)
    with left:
        st.text_input("Model", placeholder="its name there", **bound(draft, "models.model"))
    with right:
        st.text_input(
            "Judge, where another is wanted",
            placeholder="as the model",
            **bound(draft, "models.judge"),
        )
    _offer_test(draft, runner)


def honesty() -> Markup:
    return html("<div class='gc-notice'>{}</div>", on_page(HONESTY))


def in_words(choice: ModelChoice) -> str:
    """The models of a choice in one line."""
    if choice.kind == "embedded":
        return "embedded, on this machine"
    if not choice.model.strip() and not choice.judge.strip():
        return "a server’s, not named yet"
    fields = choice.fields()
    return named(fields["model"], fields["judge"], fields["base_url"])


def named(model: str | None, judge: str | None, base_url: str | None) -> str:
    """The models of a configuration in one line."""
    place = f" at {server_address(base_url)}" if model or judge else ""
    judged = f", judged by {judge}" if judge and judge != model else ""
    return f"{model or 'embedded'}{judged}{place}"


def models_of(choice: ModelChoice) -> list[str]:
    """The names of a server that a session would ask, each once."""
    fields = choice.fields()
    return list(dict.fromkeys(name for name in (fields.get("model"), fields.get("judge")) if name))


def check_named(choice: ModelChoice) -> None:
    """Raises UserError for a server without a model: the embedded one would be asked."""
    if choice.kind == "server" and not models_of(choice):
        raise UserError("name the model of the server, or choose the embedded one.")


def tried(choice: ModelChoice, key: AbstractContextManager[None]) -> list[Markup]:
    """What came of one call to each of the models, the judge's too where it is another."""
    if not (names := models_of(choice)):
        return [_failed("", "name the model first.")]
    with key:
        return [_try(choice, name) for name in names]


def _try(choice: ModelChoice, name: str) -> Markup:
    try:
        config = checked(ModelConfig, choice.fields())
        return connected(asyncio.run(try_connection(config, name)))
    except UserError as error:
        return _failed(name, str(error))


def _offer_test(draft: Draft, runner: Runner) -> None:
    """Beside the key, which is kept first. The result is shown until the models or the key are
    others."""
    base_url = draft.models.fields()["base_url"]
    pressed = ask_for_key(draft.id, base_url, runner, "Test connection")
    told = draft.models.model_dump_json() + runner.keys.of(draft.id, base_url)
    key = f"{draft.id}-tested-{sha256(told.encode()).hexdigest()[:12]}"
    if pressed:
        with st.spinner("Asking for one judgement …"):
            st.session_state[key] = tried(draft.models, runner.keys.used(draft.id, base_url))
    if results := st.session_state.get(key):
        show(joined(results))


def connected(found: Connection) -> Markup:
    """What a judgement of the made-up row showed."""
    spent = found.spent
    cost = "" if spent.cost_usd is None else f", {money(spent.cost_usd)}"
    facts = [
        ("Answered", f"in {found.seconds:.1f} s, {many(found.calls, 'call')}"),
        ("Tokens", f"{spent.tokens_in:,} in, {spent.tokens_out:,} out{cost}"),
        ("Price", found.price),
        ("Form of its JSON", found.form.replace("_", " ")),
        ("Its judgement of a made-up row", f"{found.score:g}"),
    ]
    return html(
        "<section class='gc-card' role='status' aria-label='Connection'>"
        "<p class='gc-enough'><b>{} at {} answers.</b></p><dl class='gc-facts'>{}</dl>{}</section>",
        found.model,
        found.place,
        joined(html("<dt>{}</dt><dd>{}</dd>", name, text) for name, text in facts),
        block(found.explanation, 400, "gc-quote"),
    )


def _failed(name: str, problem: str) -> Markup:
    told = html("<b>{}</b>: ", name) if name else html("")
    return html("<div class='gc-notice' role='alert'>{}{}</div>", told, on_page(problem))


def show_models_of(found: Standing, runner: Runner) -> None:
    """Which models a started session asks, and their key; where it stopped, its view asks for that
    in the middle of the page."""
    config = found.config
    if config is None:
        return
    words = named(config.model, config.judge, config.base_url)
    show(html("<p class='gc-soft gc-small'>Model: {}</p>", words))
    if found.stage not in ("running", "elsewhere", "stopped", "failed"):
        ask_again(found, runner)
