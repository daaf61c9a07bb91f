"""`goalcover eval`: the evidence. Imports what a command needs inside it."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from .leaving import SAME, user_errors
from .options import (
    Data,
    EmbedderName,
    Judge,
    JudgeMode,
    ModelName,
    Rows,
    Seed,
    Server,
    Tau,
    grouped,
)

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
@grouped
def evaluate_decomposition(
    model: ModelName = None,
    split: Annotated[
        Literal["test", "dev", "all"],
        typer.Option(help="Domains: dev is what thresholds were set on."),
    ] = "test",
    data: Annotated[
        Path | None, typer.Option(help="Labelled lists of your own; see the packaged file.")
    ] = None,
    out: Out = None,
    seed: Seed = 0,
    *,
    server: Server,
) -> None:
    """Precision and recall of the checks: atomic, disjoint, complete."""
    with user_errors() as state:
        from ..evals import decomposition

        config = _config(model, None, server, seed)
        _exhibit(
            "decomposition",
            lambda display: decomposition.run(
                config, data or decomposition.LABELLED, split, display.listen("evaluate")
            ),
            config,
            out,
            state,
        )


@evals.command("gaps")
@grouped
def evaluate_gaps(
    data: Annotated[
        Path, typer.Option(help="Folder with biggen_bench.jsonl and gold/; see docs/gaps.md.")
    ],
    model: ModelName = None,
    split: Annotated[
        Literal["test", "dev", "all"],
        typer.Option(help="Capabilities and domains: dev is what the method was chosen on."),
    ] = "test",
    out: Out = None,
    seed: Seed = 0,
    *,
    server: Server,
) -> None:
    """Recall and precision of found gaps, on sets whose gaps are known."""
    with user_errors() as state:
        from ..evals.gaps import evaluation as gaps

        config = _config(model, None, server, seed)
        _exhibit(
            "gaps",
            lambda display: gaps.run(config, data, split, display.listen("group")),
            config,
            out,
            state,
        )


@evals.command("corruption")
@grouped
def evaluate_corruption(
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with the files that the configuration names; else the hub."),
    ] = None,
    config_file: Annotated[
        Path | None,
        typer.Option("--config", help="Domains of your own, YAML; see docs/corruption.md."),
    ] = None,
    domain: Annotated[
        list[str] | None,
        typer.Option(help="Only this domain of the configuration; may be given several times."),
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=10, help="Rows of a strategic sample, to judge fewer.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Strategic samples of each domain.")] = 5,
    draws: Annotated[
        int, typer.Option(min=50, help="Random removals beside each removal and sample.")
    ] = 500,
    tau: Tau = 0.5,
    mode: JudgeMode = "joint",
    model: ModelName = None,
    judge: Judge = None,
    out: Out = None,
    seed: Seed = 0,
    *,
    server: Server,
) -> None:
    """Does A(s) fall where rows that support s are removed, and only there?

    The controlled corruption of the paper on its three domains, and removal by tag on two more,
    beside the paper's figures and beside random removals of the same size.
    """
    with user_errors() as state:
        from ..evals.corruption import evaluation as corruption
        from ..evals.corruption import removals
        from ..evals.corruption.pools import read_pools
        from . import terminal

        config = _config(model, judge, server, seed)
        path = config_file or removals.CONFIG
        domains = removals.chosen(removals.read_domains(path), domain or [], path)
        if data is None and not domain and (hub := removals.on_hub(domains)) != domains:
            left_out = ", ".join(domains.keys() - hub.keys())
            terminal.note(f"left out, as they are not on the hub: {left_out} (give --data)")
            domains = hub or domains
        terminal.note("reading the data")
        pools = read_pools(domains, data, rows, seed)
        settings = corruption.Settings(seeds=seeds, draws=draws, tau=tau, mode=mode)
        terminal.note(corruption.foretold(pools, mode))
        _exhibit(
            "corruption",
            lambda display: corruption.run(config, pools, settings, display.listen("corrupt")),
            config,
            out,
            state,
        )


@evals.command("judge")
@grouped
def evaluate_judge(
    data: Annotated[
        Path,
        typer.Option(
            help="Folder of NAME.jsonl with NAME.subgoals.json or .yaml, or one such file: id, "
            "input, output, and scores {subgoal id: 0 to 1} where there are labels; see "
            "docs/judges.md."
        ),
    ],
    judge: Annotated[
        list[str] | None,
        typer.Option(
            help="Model of a judge; several times for several, “embedded” for the embedded one. "
            "Without it: embedded."
        ),
    ] = None,
    subgoals: Annotated[
        Path | None, typer.Option(help="Subgoals of a single file, JSON or YAML.")
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=2, help="A random sample of so many rows of each file.")
    ] = None,
    repeats: Annotated[
        int, typer.Option(min=1, help="How often the same is asked in all; 1 for no retest.")
    ] = 2,
    order: Annotated[
        bool, typer.Option(help="Ask once more with the subgoals in another order.")
    ] = True,
    pairwise: Annotated[
        bool, typer.Option(help="Ask once more with one subgoal a call: the dearest part.")
    ] = True,
    out: Out = None,
    seed: Seed = 0,
    *,
    server: Server,
) -> None:
    """A judge's passport: flips, order effects, use of the scale, agreement; may it be used?"""
    with user_errors() as state:
        from ..evals.judging import EMBEDDED
        from ..evals.passport import evaluation as passport
        from . import terminal

        names = judge or [EMBEDDED]
        asked = next((name for name in names if name != EMBEDDED), None)
        config = _config(None, asked, server, seed)
        _exhibit(
            "judge",
            lambda display: passport.run(
                config, data, display.listen("passport"), names, subgoals, rows, repeats, order,
                pairwise, terminal.note,
            ),
            config,
            out,
            state,
        )  # fmt: skip


@evals.command("ablation")
@grouped
def evaluate_ablation(
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder with further data (pubmedqa.jsonl, codealpaca_20k.jsonl, "
            "billsum_100.jsonl; biggen_bench.jsonl and gold/ for planted gaps); without it: the "
            "packaged example alone."
        ),
    ] = None,
    config_file: Annotated[
        Path | None,
        typer.Option("--config", help="Goals of your own, YAML; see docs/ablations.md."),
    ] = None,
    goals: Annotated[
        int | None,
        typer.Option(min=1, help="So many goals, the data sets in turn; without it: all."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Samples of the rows for each goal.")] = 2,
    rows: Annotated[int, typer.Option(min=20, help="Rows of a sample.")] = 100,
    model: ModelName = None,
    judge: Judge = None,
    out: Out = None,
    seed: Seed = 0,
    *,
    server: Server,
) -> None:
    """What does each part contribute? Clarification, checks, clustering, discriminator.

    Runs with a part switched off, against the full method on the same goals and rows; each part is
    measured by something other than itself.
    """
    with user_errors() as state:
        from ..evals.ablation import cases
        from ..evals.ablation import evaluation as ablation

        config = _config(model, judge, server, seed)
        chosen = cases.choose(data, goals, config_file or cases.CASES)
        _exhibit(
            "ablation",
            lambda display: ablation.run(
                config, chosen, data, display.listen("ablate"), seeds, rows
            ),
            config,
            out,
            state,
        )


Subgoals = Annotated[Path, typer.Option(help="JSON or YAML list of {id, name, description}.")]


@evals.command("power")
@grouped
def evaluate_power(
    data: Data,
    subgoals: Subgoals,
    support: Annotated[
        Path | None,
        typer.Option(
            help="Scores that say which rows support a subgoal, in place of the judge's own: of "
            "`goalcover score`, or labelled rows. Then the judge's errors are in the figures."
        ),
    ] = None,
    draws: Annotated[int, typer.Option(min=50, help="Random removals of each dose.")] = 500,
    model: ModelName = None,
    judge: Judge = None,
    mode: JudgeMode = "joint",
    out: Out = None,
    seed: Seed = 0,
    *,
    rows: Rows,
    server: Server,
) -> None:
    """The smallest loss of supporting rows that would be noticed in your own data."""
    with user_errors() as state:
        from ..evals.power import evaluation as power
        from ..tools.subgoals import read_subgoals

        config = _config(model, judge, server, seed)
        source = rows.source(data)
        wanted = read_subgoals(subgoals)
        _exhibit(
            "power",
            lambda display: power.run(
                config, source, subgoals, wanted, mode, support, draws, display.listen("score")
            ),
            config,
            out,
            state,
        )


@evals.command("check")
@grouped
def evaluate_check(
    data: Data,
    subgoals: Subgoals,
    scores: Annotated[
        Path | None,
        typer.Option(
            help="Scores of these rows in place of a judge: of `goalcover score`, or labelled rows."
        ),
    ] = None,
    draws: Annotated[int, typer.Option(min=100, help="Pairs of samples in a setting.")] = 2_000,
    model: ModelName = None,
    judge: Judge = None,
    mode: JudgeMode = "joint",
    out: Out = None,
    seed: Seed = 0,
    *,
    rows: Rows,
    server: Server,
) -> None:
    """False alarms and detections of `goalcover check`, on samples of your own rows."""
    with user_errors() as state:
        from ..evals.power import alarms
        from ..tools.subgoals import read_subgoals

        config = _config(model, judge, server, seed)
        source = rows.source(data)
        wanted = read_subgoals(subgoals)
        _exhibit(
            "check",
            lambda display: alarms.run(
                config, source, subgoals, wanted, mode, scores, draws, display.listen("score")
            ),
            config,
            out,
            state,
        )


@evals.command("embedded")
def evaluate_embedded(
    data: Annotated[
        Path,
        typer.Option(
            help="Folder of judged rows, two domains or more, or one that has them in gold/: "
            "NAME.jsonl (id, input, output, scores {subgoal id: 0 to 1}) with NAME.subgoals.json "
            "or .yaml; see docs/embedded-judge.md."
        ),
    ],
    topics: Annotated[
        Path | None,
        typer.Option(help="YAML with “topics”, the ids of subgoals that name a topic."),
    ] = None,
    embedder: EmbedderName = "all-MiniLM-L6-v2",
    out: Out = None,
    seed: Seed = 0,
) -> None:
    """The embedded judge against judged rows, each domain with what the others gave."""
    with user_errors() as state:
        from ..evals.calibration import evaluation as calibration

        config = _config(None, None, Server(embedder=embedder), seed)
        _exhibit(
            "embedded",
            lambda display: calibration.run(config, data, topics, display.listen("calibrate")),
            config,
            out,
            state,
        )


@evals.command("survey")
@grouped
def evaluate_survey(
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder with codealpaca_20k.jsonl, pubmedqa.jsonl, summeval_judged.jsonl and "
            "gold/ (judged rows); without it, the simulation alone. See docs/survey.md."
        ),
    ] = None,
    repeats: Annotated[
        int, typer.Option(min=1, help="Surveys of each simulated cell; the lowest: four times.")
    ] = 500,
    embedder: EmbedderName = "all-MiniLM-L6-v2",
    out: Out = None,
    seed: Seed = 0,
) -> None:
    """Do a survey's 95 % intervals hold the truth, and how many calls does it take?

    On simulated rows, on whole data sets by the embedded judge, on experts' ratings of summaries
    with LLM judges as predictions, and on judged rows.
    """
    with user_errors() as state:
        from ..evals.survey import evaluation as survey

        config = _config(None, None, Server(embedder=embedder), seed)
        _exhibit(
            "survey",
            lambda display: survey.run(config, data, repeats, display.listen("repeating surveys")),
            config,
            out,
            state,
        )


@evals.command("all")
@grouped
def evaluate_all(
    out: Annotated[Path, typer.Option(help="Folder for evidence.md, its figures and pictures.")],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder with the data: pubmedqa.jsonl, codealpaca_20k.jsonl, billsum_100.jsonl, "
            "us_bills_115.jsonl, biggen_bench.jsonl and gold/ (labelled rows). Without it, what "
            "the hub has."
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only this section (by its command's name); may be given several times."),
    ] = None,
    model: ModelName = None,
    judge: Judge = None,
    seed: Seed = 0,
    *,
    server: Server,
) -> None:
    """All of these on one page, evidence.md. Without --model and --judge: some 15 minutes.

    Exits with 2 where a part could not be run for want of data; the page has the others.
    """
    with user_errors() as state:
        import asyncio

        from ..evals.evidence import gather
        from ..evals.sections import choose, others
        from ..memory.errors import UserError
        from ..memory.files import check_writable
        from . import terminal

        config = _config(model, judge, server, seed)
        sections = choose(only or [])
        check_writable(out / "evidence.md")
        state["again"] = SAME
        with terminal.Display() as display:
            page, missing = asyncio.run(
                gather(config, data, out, sections, display.section, others(sections))
            )
        typer.echo(f"page  {page}")
        if missing:
            told = "; ".join(f"{name}: {reason.rstrip('.')}" for name, reason in missing.items())
            raise UserError(f"not all could be run ({told}).")


def _config(model: str | None, judge: str | None, server: Server, seed: int) -> "ModelConfig":
    """The configuration that all evaluations have. Errors: see `checked`."""
    from ..tools.settings import ModelConfig, checked
    from . import terminal

    config = checked(ModelConfig, {"model": model, "judge": judge, "seed": seed, **server.fields()})
    terminal.check_prices(config)
    return config


def _exhibit(
    name: str,
    measure: "Callable[[Display], Coroutine[Any, Any, tuple[Exhibit, Spent]]]",
    config: "ModelConfig",
    out: Path | None,
    state: dict[str, str],
) -> None:
    """Measures, shows what was found and writes it into the folder `out`.

    `name` is that of the files (see `exhibit.write`).
    """
    import asyncio

    from ..evals.exhibit import write
    from ..memory.files import check_writable
    from . import terminal

    if out:
        check_writable(out / f"{name}.json")
    state["again"] = SAME
    with terminal.Display() as display:
        found, spent = asyncio.run(measure(display))
    terminal.show_exhibit(found)
    if config.model or config.judge:
        terminal.show_spent(spent)
    for what, path in write(found, name, out).items() if out else ():
        typer.echo(f"{what}  {path}")
