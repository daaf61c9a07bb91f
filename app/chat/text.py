"""Text that nobody here wrote (rows, names, models' words), shown as text and nothing else.

Streamlit reads labels, help texts, options and alerts as Markdown, which may load an image from
anywhere. So such text is shown as escaped HTML (`show`) or, in a label, with every mark of Markdown
escaped (`label`).
"""

import re
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec

import streamlit as st
from markupsafe import Markup

from ...memory.errors import UserError
from ...tools.text import shorten

P = ParamSpec("P")

_MARKS = re.compile(r"([!-/:-@\[-`{-~])")
"""All that Markdown may give a meaning; before any of these a backslash is one of escape."""

_MAGIC = re.compile(
    r"(?::(?=[\w/+-])|@(?=[-\w])|www(?=\.)|(?<!\S)(?:<->|->|<-|--|>=|<=|~=)(?!\S))", re.IGNORECASE
)
"""What Streamlit replaces in text that is escaped, too: the colons of emoji and icons, addresses of
pages and people, arrows. A zero-width character after it keeps it as it is."""

_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Changes of direction, which would reach what stands after the text on the same line."""

_UNSENDABLE = re.compile("[\ud800-\udfff\x00]")
"""Halves of emoji, which cannot be encoded, and the character that ends strings."""

LABEL = 120
"""Characters of a label."""


def label(text: str, length: int = LABEL) -> str:
    """One line for a place that reads Markdown, in which it shows the text."""
    return _MARKS.sub(r"\\\1", _MAGIC.sub("\\g<0>\u200c", option(text, length)))


def option(text: str, length: int = LABEL) -> str:
    """One line for the options of a selectbox, which are no Markdown."""
    return shorten(_TURNS.sub("", clean(text)), length)


def clean(text: str) -> str:
    """Text that can be sent to a browser."""
    return _UNSENDABLE.sub("\ufffd", text)


def html(template: str, *values: object, **named: object) -> Markup:
    """A template of our own with values put in, escaped unless they are Markup."""
    filled = Markup(template).format(
        *(clean(v) if type(v) is str else v for v in values),
        **{name: clean(v) if type(v) is str else v for name, v in named.items()},
    )
    return filled


def joined(parts: Iterable[Markup], between: str = "") -> Markup:
    return Markup(between).join(parts)


def show(fragment: Markup) -> None:
    """Shows what `html` made, unless that is nothing. Takes nothing else, so that no text gets here
    unescaped."""
    assert isinstance(fragment, Markup), "made by html()"
    if fragment.strip():
        st.html(str(fragment))


def block(text: str, length: int | None = None, kind: str = "") -> Markup:
    """A text with its line breaks, in the direction of its script; cut where it is long, which it
    says."""
    shown = text if length is None else text[:length]
    cut = len(text) - len(shown)
    more = html(" <span class='gc-soft'>… {:,} more characters</span>", cut) if cut else ""
    return html("<div class='gc-text {}' dir='auto'>{}{}</div>", kind, shown, more)


def card(key: str) -> Any:
    """A container that looks like a card, for text with widgets. key: unlike any other's on the
    page."""
    return st.container(border=True, key=f"gc-card-{key}")


def line(text: str, kind: str = "gc-soft") -> Markup:
    """A short text in a paragraph of its own."""
    return html("<p class='{}' dir='auto'>{}</p>", kind, text)


def alert(problem: str) -> None:
    """What went wrong, told at once to who listens. Flags of the command line get the names that
    they have on the page."""
    told = as_sentence(on_page(problem))
    show(html("<div class='gc-notice' role='alert' dir='auto'>{}</div>", told))


def as_sentence(problem: str) -> str:
    """With a capital, unless it begins with a path, a flag or a quotation."""
    return re.sub(r"^[a-z](?=[a-z]* )", lambda first: first[0].upper(), problem)


def guarded(view: Callable[P, None]) -> Callable[P, None]:
    """For a part of the page, and for a dialog or a fragment, which runs again without the page:
    tells what went wrong in its place."""

    @wraps(view)
    def shown(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            view(*args, **kwargs)
        except UserError as error:
            alert(str(error))

    return shown


_WORDS = {
    "--skip-bad-rows": "“Leave out bad lines”",
    "--input-column": "“Input columns”",
    "--output-column": "“Output column”",
    "--base-url": "“Address of the server”",
    "--max-calls": "“Most calls”",
    "--budget": "“Budget”",
    "--precision": "the ± that A(s) is to be known to",
    "--judge": "“Judge”",
    "--model": "“Model”",
    "--out": "folder or file",
    "--format": "“Form”",
    "--prices": "a table of prices on the command line",
    "--document": "a text file on the command line",
    "--embedder": "an embedder on the command line",
    "--rejudge": "more rows to judge on the command line",
    "--audit": "an audit on the command line",
    "--batch": "the Batch API on the command line",
    "--size": "the size given on the command line",
    "--floor": "the floor given on the command line",
    "--weight": "a weight given on the command line",
    "--rule": "the rule given on the command line",
    "max_calls:": "“Most calls”:",
    "budget:": "“Budget in USD”:",
    "set OPENAI_API_KEY": "type it under “Key”, or set OPENAI_API_KEY for the server of this page",
}
"""Of the command line, by the names that things have on the page; what the page does not have is
said to be of the command line."""

_HINTS = (
    (re.compile(r"`goalcover resume [^`]*` goes on"), "“Go on” does"),
    (re.compile(r"`goalcover runs` lists them"), "the list of sessions has those that there are"),
)
"""What the page says in place of a command."""

_FLAG = re.compile(r"--[a-z][a-z-]*|set OPENAI_API_KEY|^(?:max_calls|budget):")


def on_page(problem: str) -> str:
    """An error of the layers below in the words of the page."""
    for command, words in _HINTS:
        problem = command.sub(words, problem)
    return _FLAG.sub(lambda flag: _WORDS.get(flag[0], flag[0]), problem)
