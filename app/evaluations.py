"""`goalcover eval`: the evidence. Imports what a command needs inside it."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from .leaving import user_errors
from .options import BaseUrl, Concurrency, EmbedderName, ModelName, Prices, Rpm, Seed, Timeout, Tpm

if TYPE_CHECKING:
    from ..evals.exhibit import Exhibit
    from ..memory.records import Spent
    from ..tools.settings import ModelConfig
    from .terminal import Display

Out = Annotated[
    Path | None, typer.Option(help="Folder for tables (Markdown), figures (JSON) and pictures.")
]

evals = typer.Typer(no_args_is_help=True, help="Does it find what it claims? On labelled data.")


@evals.command("decomposition")
def evaluate_decomposition(
    model: ModelName = None,
    base_url: BaseUrl = None,
    embedder: EmbedderName = "all-MiniLM-L6-v2",
    split: Annotated[
        Literal["test", "dev", "all"],
        typer.Option(help="Domains: dev is what thresholds were set on."),
    ] = "test",
    data: Annotated[
        Path | None, typer.Option(help="Labelled lists of your own; see the packaged file.")
    ] = None,
    out: Out = None,
    max_concurrency: Concurrency = 32,
    timeout: Timeout = 120.0,
    rpm: Rpm = None,
    tpm: Tpm = None,
    prices: Prices = None,
    seed: Seed = 0,
) -> None:
    """Precision and recall of the checks: atomic, disjoint, complete."""
    with user_errors() as state:
        from ..evals import decomposition

        config = _config(
            model, None, base_url, embedder, max_concurrency, timeout, rpm, tpm, prices, seed
        )
        _exhibit(
            "decomposition",
            lambda display: decomposition.run(
                config, data or decomposition.LABELLED, split, display.listen("evaluate")
            ),
            bool(config.model),
            out,
            state,
        )


@evals.command("gaps")
def evaluate_gaps(
    data: Annotated[
        Path, typer.Option(help="Folder with biggen_bench.jsonl and gold/; see docs/gaps.md.")
    ],
    model: ModelName = None,
    base_url: BaseUrl = None,
    embedder: EmbedderName = "all-MiniLM-L6-v2",
    split: Annotated[
        Literal["test", "dev", "all"],
        typer.Option(help="Capabilities and domains: dev is what the method was chosen on."),
    ] = "test",
    out: Out = None,
    max_concurrency: Concurrency = 32,
    timeout: Timeout = 120.0,
    rpm: Rpm = None,
    tpm: Tpm = None,
    prices: Prices = None,
    seed: Seed = 0,
) -> None:
    """Recall and precision of found gaps, on sets whose gaps are known."""
    with user_errors() as state:
        from ..evals import gaps

        config = _config(
            model, None, base_url, embedder, max_concurrency, timeout, rpm, tpm, prices, seed
        )
        _exhibit(
            "gaps",
            lambda display: gaps.run(config, data, split, display.listen("group")),
            bool(config.model),
            out,
            state,
        )


def _config(
    model: str | None,
    judge: str | None,
    base_url: str | None,
    embedder: str,
    max_concurrency: int,
    timeout: float,
    rpm: float | None,
    tpm: float | None,
    prices: Path | None,
    seed: int,
) -> "ModelConfig":
    """The configuration of the options that all evaluations have. Errors: see `checked`."""
    from ..tools.prices import read_prices
    from ..tools.settings import ModelConfig, checked
    from . import terminal

    asked = {**locals(), "prices": read_prices(prices) if prices else {}}
    fields = ModelConfig.model_fields
    config = checked(ModelConfig, {name: asked[name] for name in fields if name in asked})
    terminal.check_prices(config)
    return config


def _exhibit(
    name: str,
    measure: "Callable[[Display], Coroutine[Any, Any, tuple[Exhibit, Spent]]]",
    paid: bool,
    out: Path | None,
    state: dict[str, str],
) -> None:
    """Measures, shows what was found and writes it into the folder `out`. paid: say what is spent.

    `name` is that of the files (see `exhibit.write`).
    """
    import asyncio

    from ..evals.exhibit import write
    from ..memory.files import check_writable
    from . import terminal

    if out:
        check_writable(out / f"{name}.json")
    state["again"] = "The same command"
    with terminal.Display() as display:
        found, spent = asyncio.run(measure(display))
    terminal.show_exhibit(found)
    if paid:
        terminal.show_spent(spent)
    for what, path in write(found, name, out).items() if out else ():
        typer.echo(f"{what}  {path}")
