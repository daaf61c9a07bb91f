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
    out: Annotated[Path | None, typer.Option(help="File for the figures, JSON.")] = None,
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
        from ..tools.prices import read_prices
        from . import terminal

        asked = {
            "model": model,
            "base_url": base_url,
            "embedder": embedder,
            "max_concurrency": max_concurrency,
            "timeout": timeout,
            "rpm": rpm,
            "tpm": tpm,
            "prices": read_prices(prices) if prices else {},
            "seed": seed,
        }
        _evaluate(
            asked,
            lambda config, display: decomposition.run(
                config, data or decomposition.LABELLED, split, display.evaluated
            ),
            terminal.show_evaluation,
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
    out: Annotated[Path | None, typer.Option(help="File for the figures, JSON.")] = None,
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
        from ..tools.prices import read_prices
        from . import terminal

        asked = {
            "model": model,
            "base_url": base_url,
            "embedder": embedder,
            "max_concurrency": max_concurrency,
            "timeout": timeout,
            "rpm": rpm,
            "tpm": tpm,
            "prices": read_prices(prices) if prices else {},
            "seed": seed,
        }
        _evaluate(
            asked,
            lambda config, display: gaps.run(config, data, split, display.clustered),
            terminal.show_gap_evaluation,
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


def _evaluate(
    asked: dict[str, Any],
    measure: Callable[[Any, Any], Coroutine[Any, Any, tuple[Any, Any]]],
    show: Callable[[Any], None],
    out: Path | None,
    state: dict[str, str],
) -> None:
    """Measures with a model of the options `asked`, shows the figures and writes them to `out`."""
    import asyncio

    from ..memory.files import atomic_text, check_writable
    from ..tools.settings import ModelConfig, checked
    from . import terminal

    config = checked(ModelConfig, asked)
    terminal.check_prices(config)
    if out:
        check_writable(out)
    state["again"] = "The same command"
    with terminal.Display() as display:
        found, spent = asyncio.run(measure(config, display))
    show(found)
    if config.model:
        terminal.show_spent(spent)
    if out:
        with atomic_text(out) as file:
            file.write(found.model_dump_json(indent=2) + "\n")
        typer.echo(f"figures  {out}")
