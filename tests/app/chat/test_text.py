"""Untrusted text on the page: it is shown, and does nothing."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

import goalcover
from goalcover.app.chat.text import (
    as_sentence,
    block,
    clean,
    guarded,
    html,
    joined,
    label,
    on_page,
    option,
)
from goalcover.memory.errors import UserError
from goalcover.tools.text import shorten

HOSTILE = [
    "<script>alert(1)</script>",
    "![x](https://evil.example/p.png)",
    "[a](javascript:alert(1)) [b](https://evil.example)",
    "https://evil.example www.evil.example me@evil.example",
    "**bold** _it_ `code` ~~gone~~ | a | b |",
    "# no heading", "- no list", "1. no list", "> no quote", "    no code", "***",
    ":smile: :+1: :material/home: :red[no] :streamlit:",
    "a -> b <- c -- d >= e <= f ~= g",
    "$x^2$ &amp; &#60; \\\\ \\*",
    "one\u2028two\u2029three\x0bfour",
    "\u202egnp.exe\u202c",
    "half \ud83d an emoji",
    "عربى and עברית",
]  # fmt: skip
HARMLESS = {"inline", "paragraph_open", "paragraph_close", "text", "text_special"}

# As Streamlit's Markdown looks for them in text that is no Markdown any more.
LATER = re.compile(
    r"(https?://|www(?=\.))([-.\w]+)|(?<!\w)[-.\w+]+@[-\w]+(?:\.[-\w]+)+"
    r"|:\+1:|:-1:|:[\w-]+:|:\w[\w-]*\[|(?<!\S)(?:<->|->|<-|--|>=|<=|~=)(?!\S)",
    re.IGNORECASE,
)

texts = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=())),
    st.text(st.sampled_from("![]()<>*_`~|#:/.w@-+=$&;\\ \n\tah")),
    st.lists(st.sampled_from(HOSTILE)).map(" ".join),
)


def seen_of(text: str) -> str:
    """What a label is meant to show: its text without halves of emoji and changes of direction."""
    return shorten(re.sub("[\u202a-\u202e\u2066-\u2069]", "", clean(text)), 5000)


def leaves(tokens: list[Token]) -> list[Token]:
    return [leaf for token in tokens for leaf in [token, *leaves(token.children or [])]]


@given(texts)
@example("a  \\")
@pytest.mark.parametrize("preset", ["commonmark", "js-default"])
def test_a_label_shows_its_text_and_does_nothing(preset: str, text: str) -> None:
    tokens = leaves(MarkdownIt(preset).parse(label(text, 5000)))
    assert {token.type for token in tokens} <= HARMLESS
    shown = "".join(token.content for token in tokens if token.type.startswith("text"))
    assert shown.replace("\u200c", "") == seen_of(text).replace("\u200c", "")
    assert not LATER.search(shown), "Streamlit would replace it"


def test_the_same_texts_would_do_something_unescaped() -> None:
    """Else the property above would hold of any function."""
    kinds = {token.type for t in HOSTILE for token in leaves(MarkdownIt("commonmark").parse(t))}
    assert {"image", "link_open", "html_block", "strong_open", "heading_open"} <= kinds
    assert sum(bool(LATER.search(text)) for text in HOSTILE) == 5


@given(texts)
def test_an_option_of_a_selectbox_is_the_text_as_it_is(text: str) -> None:
    assert option(text, 5000) == seen_of(text)


def test_a_label_is_one_line_and_short() -> None:
    assert label("a\nb\u2028c") == "a b c"
    assert label("word " * 100, 12) == "word word w…"


def test_a_label_leaves_no_change_of_direction_behind() -> None:
    assert label("\u202egnp.exe") == "gnp\\.exe"


@given(texts, texts)
def test_html_escapes_all_values(first: str, second: str) -> None:
    made = html("<b>{}</b><i title='{name}'>x</i>", first, name=second)
    inner = re.fullmatch(r"<b>(.*)</b><i title='(.*)'>x</i>", made, re.DOTALL)
    assert inner
    for found in inner.groups():
        assert not set(found) & set("<>\"'")
    made.encode("utf-8")  # no half of an emoji is left


def test_what_html_made_is_not_escaped_again() -> None:
    assert joined([html("<b>{}</b>", "<"), html("&amp;")], ", ") == "<b>&lt;</b>, &amp;"


def test_a_long_block_says_how_much_is_left_out() -> None:
    made = block("<" * 2_000, 800)
    assert made.count("&lt;") == 800
    assert "… 1,200 more characters" in made
    assert "more characters" not in block("x" * 800, 800)


def test_flags_get_their_names_on_the_page() -> None:
    told = on_page("the price is not known: give --prices, or --max-calls; --unheard is left")
    assert "“Most calls”" in told and "--unheard" in told and "--max-calls" not in told
    assert "under “Key”" in on_page("example.org/v1 wants a key: set OPENAI_API_KEY.")


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("--out x is a file of the run itself: choose another.", "folder or file x is"),
        ("export them in another --format.", "in another “Form”."),
        ("give --document, or a --model that writes.", "a text file on the command line, or"),
        ("there is no report in x yet: `goalcover resume 1-2` goes on.", "yet: “Go on” does."),
        ("there is no run x. `goalcover runs` lists them.", "the list of sessions has"),
    ],
)
def test_what_the_command_line_would_do_is_said_in_words_of_the_page(told: str, says: str) -> None:
    assert says in on_page(told) and "--" not in on_page(told) and "`" not in on_page(told)


def test_each_flag_in_an_error_that_can_reach_the_page_has_a_name_there() -> None:
    """Of errors that only the command line can cause, none is asked for."""
    below = Path(goalcover.__file__).parent
    only_there = {"cancel", "keep", "baseline", "max-chars", "mode", "skip"}
    rooms = ("graph", "agents", "tools")
    for path in (path for room in rooms for path in (below / room).rglob("*.py")):
        if path.stem in ("baseline", "filter_file", "batch_api", "score_files"):
            continue
        for flag in re.findall(r"(?<![\w-])--([a-z][a-z-]*[a-z])", path.read_text()):
            assert flag in only_there or "--" not in on_page(f"--{flag}"), f"{path}: --{flag}"


def test_a_guarded_view_tells_what_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("goalcover.app.chat.text.alert", told.append)

    def view(problem: str) -> None:
        if problem:
            raise UserError(problem)

    guarded(view)("gone.")
    guarded(view)("")
    assert told == ["gone."]


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        ("the goal is empty", "The goal is empty"),
        ("rows.csv is empty", "rows.csv is empty"),
        ("owner/name is none", "owner/name is none"),
        ("/rows is empty", "/rows is empty"),
        ("--nothing is known", "--nothing is known"),
        ("“rows” is empty", "“rows” is empty"),
        ("", ""),
    ],
)
def test_what_went_wrong_begins_as_a_sentence_does(problem: str, told: str) -> None:
    assert as_sentence(problem) == told
