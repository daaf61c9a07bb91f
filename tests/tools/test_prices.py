"""What calls cost."""

from pathlib import Path

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalcover.memory.errors import UserError
from goalcover.tools.chat_model import OPENAI
from goalcover.tools.prices import Price, price_of, read_prices

MODEL = "gpt-4.1-mini"


@given(tokens=st.integers(0, 100_000), share=st.floats(0, 1), out=st.integers(0, 10_000))
def test_a_call_costs_what_is_published(tokens: int, share: float, out: int) -> None:
    price, cached = price_of(MODEL, OPENAI, {}), int(share * tokens)
    assert price
    usage = genai_prices.Usage(input_tokens=tokens, cache_read_tokens=cached, output_tokens=out)
    published = genai_prices.calc_price(usage, MODEL, provider_api_url=OPENAI).total_price
    assert price.cost(tokens, cached, out) == pytest.approx(float(published))


def test_a_batch_is_cheaper() -> None:
    plain, batch = (price_of(MODEL, OPENAI, {}, batch=batch) for batch in (False, True))
    assert plain and batch
    assert batch.cost(1000, 0, 100) == pytest.approx(plain.cost(1000, 0, 100) / 2)
    assert batch.cost(1000, 1000, 100) <= plain.cost(1000, 1000, 100)


def test_the_own_table_comes_first() -> None:
    own = {MODEL: Price(input=2, cached=1, output=4), "mine": Price(input=3, output=5)}
    assert price_of(MODEL, OPENAI, own) == own[MODEL]
    assert price_of("mine", "http://127.0.0.1:8000/v1", own) == own["mine"]
    batch = price_of(MODEL, OPENAI, own, batch=True)
    assert batch and (batch.input, batch.cached, batch.output) == (1, 0.5, 2)
    batch = price_of("mine", OPENAI, own, batch=True)
    assert batch and (batch.input, batch.cached, batch.output) == (1.5, None, 2.5)


@pytest.mark.parametrize("batch", [False, True])
def test_what_no_table_knows_has_no_price(batch: bool) -> None:
    assert price_of("nobodys-model", OPENAI, {}, batch) is None
    assert price_of(MODEL, "http://127.0.0.1:8000/v1", {}, batch) is None, "another server"


def test_cached_input_without_a_price_costs_as_much_as_fresh() -> None:
    assert Price(input=2, output=0).cost(1_000_000, 500_000, 0) == 2
    assert Price(input=2, cached=0, output=0).cost(1_000_000, 500_000, 0) == 1


@pytest.mark.parametrize(
    "text", ['{"m": {"input": 0.4, "output": 1.6}}', "m:\n  input: 0.4\n  output: 1.6\n"]
)
def test_a_table_is_json_or_yaml(text: str, tmp_path: Path) -> None:
    path = tmp_path / "prices"
    path.write_text(text)
    assert read_prices(path) == {"m": Price(input=0.4, output=1.6)}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", ""),
        ("[]", ""),
        ('{"m": 5}', ", m:"),
        ('{"m": {"input": 1}}', ", m.output:"),
        ('{"m": {"input": -1, "output": 1}}', ", m.input:"),
        ('{"m": {"input": NaN, "output": 1}}', ", m.input:"),
        ('{"m": {"input": 1, "output": 1e999}}', ", m.output:"),
        ('{"m": {"input": 1, "output": 1, "cached": "x"}}', ", m.cached:"),
        ('{"m": {"input": 1, "output": 1, "colour": 2}}', ", m.colour:"),
        ("m: {input: 1", " is neither JSON nor YAML"),
    ],
)
def test_a_bad_table_is_one_line_that_names_the_place(
    text: str, place: str, tmp_path: Path
) -> None:
    path = tmp_path / "prices.json"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_prices(path)
    assert f"{path}{place}" in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no-prices"):
        read_prices(tmp_path / "no-prices.json")
