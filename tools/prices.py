"""What a call costs: the published price table of genai-prices, or the user's own."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import Field, TypeAdapter, ValidationError

from ..memory.errors import UserError
from ..memory.records import Record
from .plain import read_plain

BATCH = 0.5
"""What the Batch API costs of the plain price, where the user's own table gives that alone."""


class Price(Record):
    """USD per million tokens. `cached` is the price of input that the server had in its cache."""

    input: float = Field(ge=0, allow_inf_nan=False)
    cached: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    source: str = "your table"

    def cost(self, tokens_in: float, tokens_cached: float, tokens_out: float) -> float:
        """USD. `tokens_cached` are those of `tokens_in` that were cached."""
        cached = self.input if self.cached is None else self.cached
        fresh = tokens_in - tokens_cached
        return (fresh * self.input + tokens_cached * cached + tokens_out * self.output) / 1e6

    def __str__(self) -> str:
        cached = "" if self.cached is None else f", {self.cached:g} cached"
        rates = f"{self.input:g} USD a million tokens in{cached}, {self.output:g} out"
        return f"{rates} ({self.source})"


def money(usd: float) -> str:
    """An amount with two digits that say something."""
    return f"{usd:.2f} USD" if usd >= 1 or usd == 0 else f"{usd:.2g} USD"


FREE = Price(input=0, output=0, source="runs on this machine")


def price_of(model: str, base_url: str, own: dict[str, Price], batch: bool = False) -> Price | None:
    """The price of a model on a server; None where neither table knows it."""
    if found := own.get(model):
        if not batch:
            return found
        dear = found.model_dump(include={"input", "cached", "output"}, exclude_none=True)
        cheap = {name: value * BATCH for name, value in dear.items()}
        return Price(**cheap, source="half of your table's, for batches")
    return _published(model, base_url, batch)


def _published(model: str, base_url: str, batch: bool) -> Price | None:
    import genai_prices

    thousand: dict[str, Any] = {
        "input": {"input_tokens": 1000},
        "cached": {"input_tokens": 1000, "cache_read_tokens": 1000},
        "output": {"output_tokens": 1000},
    }
    rates: dict[str, Any] = {}
    for name, tokens in thousand.items():  # so few that no long-context rate applies
        try:
            cost: Decimal = genai_prices.calc_price(
                genai_prices.Usage(**tokens),
                model,
                provider_api_url=base_url,
                price_context={"processing": "batch"} if batch else None,
            ).total_price
        except LookupError:
            return None
        rates[name] = float(cost * 1000)
    return Price(**rates, source=f"genai-prices {genai_prices.__version__}")


def read_prices(path: Path) -> dict[str, Price]:
    """Prices by model, of a JSON or YAML file {model: {input, cached?, output}}.

    Raises UserError where it holds something else.
    """
    try:
        return TypeAdapter(dict[str, Price]).validate_python(read_plain(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise UserError(
            f"{path}{f', {place}' if place else ''}: {first['msg']}. Give "
            "{model: {input: 0.4, cached: 0.1, output: 1.6}} in USD per million tokens."
        ) from error
