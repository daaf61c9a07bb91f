"""Quotes: what stands in a text is found, what does not is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.tools.quotes import verbatim

TEXT = "The dose isn’t named;\n  the “safe” limit — 40 mg — is left out. 这一行没有提到剂量。"


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("the dose isn't named", "The dose isn’t named"),
        ('"safe" limit - 40 mg', "“safe” limit — 40 mg"),
        ("named; the", "named; the"),
        ('"is left out."', "is left out."),
        ("the dose is named", None),
        ("dose", None),
        ("", None),
        ("is left out. Really", None),
        ("没有提到剂量", "没有提到剂量"),
        ("剂量", None),
    ],
)
def test_only_what_stands_there(quote: str, found: str | None) -> None:
    assert verbatim(quote, TEXT) == found


@given(st.lists(st.text(min_size=1), min_size=2), st.data())
def test_every_run_of_words_is_found_as_it_stands(parts: list[str], data: st.DataObject) -> None:
    line = " ".join(" ".join(parts).split())
    tokens = line.split()
    start = data.draw(st.integers(0, len(tokens)))
    quote = " ".join(tokens[start : start + data.draw(st.integers(1, 9))])
    found = verbatim(quote, "\n".join(tokens))
    assert found is None or found in line
