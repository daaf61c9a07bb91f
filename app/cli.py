"""The command line. Imports what a command needs inside it, so that --help answers at once."""

import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from ..tools.datasets import DataSource


class Commands(TyperGroup):
    """Says what is wrong with an option without the prefix that pydantic puts before it."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


app = typer.Typer(
    name="goalcover",
    cls=Commands,
    help="Which capabilities does your fine-tuning data fail to support?\n\n"
    "Exit codes: 0 done, 2 something to put right (one line says what), 3 the run waits for an "
    "answer, 4 a subgoal is thin or missing (--fail-on-gap), 130 interrupted. "
    "Nothing done is lost; `goalcover resume RUN` goes on.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

evals = typer.Typer(no_args_is_help=True, help="Does it find what it claims? On labelled data.")
app.add_typer(evals, name="eval")

WAITS, GAP, INTERRUPTED = 3, 4, 130

BATCH_GOES_ON = " What was sent as a batch goes on at the server (see `goalcover batches`)."

data_option, judging_option, model_option = (
    partial(typer.Option, rich_help_panel=panel)
    for panel in ("Data", "Judging", "Models and servers")
)

Data = Annotated[str, typer.Argument(help="JSONL, JSON, CSV or Parquet file, or a hub name.")]
InputColumns = Annotated[
    list[str] | None,
    data_option("--input-column", help="Column of the input; may be given several times."),
]
OutputColumn = Annotated[str | None, data_option(help="Column of the output.")]
SkipBadRows = Annotated[
    bool, data_option("--skip-bad-rows", help="Leave out lines that are no JSON, and count them.")
]
MaxChars = Annotated[
    int, data_option(min=101, help="Longer inputs and outputs are cut for the judge.")
]
ModelName = Annotated[
    str | None, model_option("--model", help="Model for all roles; without it: embedded.")
]
Judge = Annotated[str | None, model_option(help="Model of the judge, where another is wanted.")]
BaseUrl = Annotated[
    str | None, model_option(help="OpenAI-compatible server; also OPENAI_BASE_URL.")
]
EmbedderName = Annotated[
    str, model_option("--embedder", help="sentence-transformers model or folder.")
]
Tau = Annotated[float, typer.Option(min=0, max=1, help="A mean alignment below this is a gap.")]
Keep = Annotated[float, typer.Option(min=0, max=1, help="The filter keeps rows from here up.")]
JudgeMode = Annotated[
    Literal["joint", "pairwise"],
    judging_option(
        "--mode",
        help="One call for a row and up to six subgoals, or one for each pair (the paper's way).",
    ),
]
Audit = Annotated[
    float, judging_option(min=0, max=1, help="Share of rows to judge in the other mode too.")
]
Batch = Annotated[
    bool,
    judging_option(
        "--batch", help="Judge by the server's Batch API: half the price, within a day."
    ),
]
Concurrency = Annotated[
    int,
    model_option("--max-concurrency", min=1, help="Most calls at once; adapts to the server."),
]
Timeout = Annotated[float, model_option(min=1, help="Seconds for a whole reply.")]
Rpm = Annotated[float | None, model_option(min=0.01, help="Most requests a minute.")]
Tpm = Annotated[float | None, model_option(min=1, help="Most tokens a minute.")]
Prices = Annotated[
    Path | None,
    model_option(
        help="JSON or YAML {model: {input, cached, output}}, USD per million tokens; "
        "without it, published prices."
    ),
]
ExportFormat = Annotated[
    Literal["original", "chat", "hf", "parquet", "csv"],
    typer.Option(
        "--format",
        help="original: the data's own form, by the ending of --out; chat: OpenAI's JSONL; hf: a "
        "folder for `datasets.load_dataset`, with scores as columns.",
    ),
]
Seed = Annotated[int, typer.Option(help="Seed of every sample and shuffle.")]
Questions = Annotated[int, typer.Option(min=0, help="Most questions in a round; 0 for none.")]
NoMemory = Annotated[
    bool,
    typer.Option(
        "--no-memory",
        help="Do not offer the approved subgoals of a similar goal as a start, and keep none.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Approve every checkpoint, synthesis included.")]
Answers = Annotated[
    Path | None,
    typer.Option(
        "--answers",
        help="JSON or YAML: answers by question id (scope, safety, edge-cases, audience, evidence, "
        "format, language, or those a model asks; `goalcover show` lists them).",
    ),
]
FailOnGap = Annotated[
    bool,
    typer.Option("--fail-on-gap", help="Exit with 4 where a subgoal is thin, missing or unknown."),
]


def _version(show: bool) -> None:
    if show:
        from .. import __version__

        typer.echo(f"goalcover {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")
    ] = False,
) -> None: ...


@app.command()
def run(
    data: Data,
    goal: Annotated[str, typer.Option(help="What the fine-tuned model shall do, in a sentence.")],
    domain: Annotated[str, typer.Option(help="Domain, for example: medicine.")] = "",
    task: Annotated[str, typer.Option(help="Task type, for example: question answering.")] = "",
    tau: Tau = 0.5,
    keep: Keep = 0.6,
    model: ModelName = None,
    judge: Judge = None,
    base_url: BaseUrl = None,
    embedder: EmbedderName = "all-MiniLM-L6-v2",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results; default goalcover-runs/RUN.")
    ] = None,
    answers: Answers = None,
    subgoals: Annotated[
        Path | None,
        typer.Option(
            help="JSON or YAML list of {id, name, description}, optional counts, does_not_count, "
            "example, target_count, target_share; skips questions and checks."
        ),
    ] = None,
    questions: Questions = 3,
    no_memory: NoMemory = False,
    yes: Yes = False,
    synthesize: Annotated[
        int, typer.Option(min=0, help="Most rows to synthesise for a subgoal; 0 for none.")
    ] = 5,
    document: Annotated[
        list[Path] | None,
        typer.Option(help="Text file synthetic rows may draw on; may be given several times."),
    ] = None,
    input_column: InputColumns = None,
    output_column: OutputColumn = None,
    skip_bad_rows: SkipBadRows = False,
    max_chars: MaxChars = 12_000,
    mode: JudgeMode = "joint",
    audit: Audit = 0.0,
    batch: Batch = False,
    max_concurrency: Concurrency = 32,
    timeout: Timeout = 120.0,
    rpm: Rpm = None,
    tpm: Tpm = None,
    prices: Prices = None,
    fail_on_gap: FailOnGap = False,
    seed: Seed = 0,
) -> None:
    """The whole method: goal, subgoals, scores, gaps, recommendations, filter, rows, report."""
    with user_errors() as state:
        from ..graph import session
        from ..tools.prices import read_prices
        from ..tools.subgoals import read_subgoals
        from . import reviewers, terminal

        config = session.configure(
            _source(data, input_column, output_column, skip_bad_rows, max_chars),
            goal,
            domain=domain,
            task=task,
            out=str(out or ""),
            subgoals=read_subgoals(subgoals) if subgoals else [],
            questions=questions,
            # With --yes nobody is there to be offered a start, or to approve one.
            memory=not (no_memory or yes),
            tau=tau,
            keep=keep,
            model=model,
            judge=judge,
            base_url=base_url,
            embedder=embedder,
            synthesize=synthesize,
            documents=[str(path) for path in document or []],
            mode=mode,
            audit=audit,
            batch=batch,
            max_concurrency=max_concurrency,
            timeout=timeout,
            rpm=rpm,
            tpm=tpm,
            prices=read_prices(prices) if prices else {},
            seed=seed,
        )
        reviewer = reviewers.choose(yes, answers)
        terminal.check_prices(config)
        run_id = session.new_run(config)
        state["again"] = f"`goalcover resume {run_id}{' --yes' if yes else ''}`"
        state["batch"] = BATCH_GOES_ON if batch else ""
        terminal.note(f"run {run_id}")
        _drive(lambda show: session.resume(run_id, reviewer, show), reviewer, fail_on_gap)


@app.command()
def resume(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="See `goalcover runs`.")],
    yes: Yes = False,
    answers: Answers = None,
    fail_on_gap: FailOnGap = False,
) -> None:
    """Goes on with a run that was interrupted, that failed, or that waits for an answer."""
    with user_errors() as state:
        from ..graph import session
        from . import reviewers

        reviewer = reviewers.choose(yes, answers)
        state["again"] = f"`goalcover resume {session.get_run(run_id).id}{' --yes' if yes else ''}`"
        _drive(lambda show: session.resume(run_id, reviewer, show), reviewer, fail_on_gap)


@app.command()
def runs() -> None:
    """Lists the runs, the newest first."""
    with user_errors():
        from ..graph import session
        from . import terminal

        terminal.show_runs(session.list_runs())


@app.command()
def show(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="See `goalcover runs`.")],
) -> None:
    """Shows a run: its results, or what it waits for."""
    with user_errors():
        from ..graph import session
        from . import contract, results, terminal

        found = session.get_run(run_id)
        terminal.show_runs([found])
        if found.status == "finished":
            results.show_report(session.read_report(Path(found.out), run_id))
        else:
            if pending := session.waits_for(run_id):
                contract.show_pending(pending)
            terminal.note(f"`goalcover resume {run_id}` goes on.")


@app.command()
def batches(
    cancel: Annotated[
        str | None, typer.Option(metavar="ID", help="Ask the server to cancel this batch.")
    ] = None,
) -> None:
    """Lists the batches that a server works on (--batch), the oldest first."""
    with user_errors():
        from ..tools import batch_list
        from . import terminal

        if cancel:
            terminal.note(batch_list.cancel_batch(cancel))
        else:
            terminal.show_batches(batch_list.outstanding_batches())


@app.command()
def memory(
    forget: Annotated[
        list[str] | None,
        typer.Option(metavar="RUN", help="Forget this one; may be given several times."),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Forget all.")] = False,
) -> None:
    """Lists the approved subgoals that are offered as a start for similar goals."""
    with user_errors():
        from ..graph import session
        from ..memory.errors import UserError
        from . import terminal

        approved = session.approved()
        if clear and forget:
            raise UserError("give --forget or --clear, not both.")
        if clear:
            terminal.note(f"forgot {approved.clear()}")
        elif forget:
            approved.forget(forget)
            terminal.note(f"forgot {', '.join(forget)}")
        else:
            terminal.show_approved(approved.list())


@app.command()
def ask(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="See `goalcover runs`.")],
    question: Annotated[str, typer.Argument(help="For example: which rows show dosing?")],
    rows: Annotated[int, typer.Option(min=1, help="Most rows to show.")] = 10,
) -> None:
    """Answers a question about a finished run by finding its rows, explanations and gaps."""
    with user_errors():
        from ..graph import session
        from . import terminal

        terminal.note("looking through the run; its first question takes longest")
        terminal.show_found(session.ask(run_id, question, rows))


@app.command()
def report(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="See `goalcover runs`.")],
    out: Annotated[Path | None, typer.Option(help="Folder; default the run's own.")] = None,
) -> None:
    """Writes the HTML report and its figures of a finished run again, and says where."""
    with user_errors():
        from ..graph import reporting, session

        folder = Path(session.get_run(run_id).out)
        typer.echo(reporting.render(session.read_report(folder, run_id), out or folder)["html"])


@app.command()
def score(
    data: Data,
    subgoals: Annotated[Path, typer.Option(help="JSON or YAML list of {id, name, description}.")],
    out: Annotated[Path, typer.Option(help="File for the scores: .jsonl or .parquet.")],
    tau: Tau = 0.5,
    judge: Annotated[
        str | None, model_option("--judge", "--model", help="The judge; without it: embedded.")
    ] = None,
    base_url: BaseUrl = None,
    embedder: EmbedderName = "all-MiniLM-L6-v2",
    input_column: InputColumns = None,
    output_column: OutputColumn = None,
    skip_bad_rows: SkipBadRows = False,
    max_chars: MaxChars = 12_000,
    mode: JudgeMode = "joint",
    audit: Audit = 0.0,
    batch: Batch = False,
    max_concurrency: Concurrency = 32,
    timeout: Timeout = 120.0,
    rpm: Rpm = None,
    tpm: Tpm = None,
    prices: Prices = None,
    fail_on_gap: FailOnGap = False,
    seed: Seed = 0,
) -> None:
    """Judges every row against every subgoal; one record a row."""
    with user_errors() as state:
        import asyncio

        from ..graph.session import configure, new_id
        from ..tools.embedded_model import HONESTY
        from ..tools.prices import read_prices
        from ..tools.scoring import score_file
        from ..tools.subgoals import read_subgoals
        from . import terminal

        config = configure(
            _source(data, input_column, output_column, skip_bad_rows, max_chars),
            "scores alone",
            out=str(out),
            subgoals=read_subgoals(subgoals),
            tau=tau,
            judge=judge,
            base_url=base_url,
            embedder=embedder,
            mode=mode,
            audit=audit,
            batch=batch,
            max_concurrency=max_concurrency,
            timeout=timeout,
            rpm=rpm,
            tpm=tpm,
            prices=read_prices(prices) if prices else {},
            seed=seed,
        )
        name = f"score-{new_id()}"
        state["again"] = "The same command"
        state["batch"] = BATCH_GOES_ON if batch else ""
        terminal.check_prices(config)
        with terminal.Display() as display:
            found = asyncio.run(score_file(config, name, display.scored))
        terminal.show_coverage(found.coverage, found.counts)
        terminal.show_failures(found.failures)
        if found.failures:
            terminal.note("the same command tries them again")
        if found.audit:
            terminal.show_audit(found.audit, {s.id: s.name for s in config.subgoals})
        if judge:
            terminal.show_spent(found.spent)
        else:
            terminal.note(HONESTY)
        typer.echo(f"scores  {out}")
        _exit_on_gap(found.coverage, fail_on_gap)


@app.command("filter")
def filter_rows(
    data: Data,
    scores: Annotated[Path, typer.Option(help="Scores of these rows, from `goalcover score`.")],
    out: Annotated[
        Path, typer.Option(help="File for the rows: .jsonl, .csv or .parquet; a folder for hf.")
    ],
    keep: Annotated[
        float | None,
        typer.Option(min=0, max=1, show_default="0.6", help="Rows are kept from here up."),
    ] = None,
    rule: Annotated[
        Literal["best", "mean", "weighted"],
        typer.Option(help="What of a row's alignments must reach --keep."),
    ] = "best",
    weight: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=NUMBER",
            help="Weight of a subgoal with --rule weighted, 1 where none is given; may be given "
            "several times.",
        ),
    ] = None,
    floor: Annotated[
        int, typer.Option(min=0, help="Rows each subgoal keeps at least: its best, from 0.4 up.")
    ] = 10,
    size: Annotated[
        int | None,
        typer.Option(min=1, help="So many rows, the best by the rule, in place of --keep."),
    ] = None,
    keep_duplicates: Annotated[
        bool, typer.Option("--keep-duplicates", help="Near-duplicates stay.")
    ] = False,
    form: ExportFormat = "original",
    seed: Seed = 0,
    input_column: InputColumns = None,
    output_column: OutputColumn = None,
    skip_bad_rows: SkipBadRows = False,
    max_chars: MaxChars = 12_000,
) -> None:
    """Writes the goal-aligned rows, and a data card that says what was kept."""
    with user_errors():
        from ..memory.errors import UserError
        from ..tools.filter_config import FilterConfig, read_weights
        from ..tools.scoring import filter_file
        from ..tools.settings import checked
        from . import results

        if keep is not None and size is not None:
            raise UserError("--size takes the place of --keep: give one of them.")
        asked = {
            "rule": rule,
            "weights": read_weights(weight or []),
            "floor": floor,
            "size": size,
            "keep_duplicates": keep_duplicates,
        }
        config = checked(FilterConfig, asked if keep is None else asked | {"keep": keep})
        source = _source(data, input_column, output_column, skip_bad_rows, max_chars)
        found = filter_file(source, scores, out, config, seed, form)
        results.show_filter(found.result, found.names)
        typer.echo(f"filtered  {out}\ncard      {found.card}")


@app.command()
def export(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="See `goalcover runs`.")],
    out: Annotated[
        Path, typer.Option(help="File for the rows: .jsonl, .csv or .parquet; a folder for hf.")
    ],
    form: ExportFormat = "original",
    rows: Annotated[
        Literal["filtered", "original", "synthetic"], typer.Option(help="Which rows of the run.")
    ] = "filtered",
    with_synthetic: Annotated[
        bool, typer.Option("--with-synthetic", help="The synthetic rows after the others.")
    ] = False,
) -> None:
    """Writes rows of a finished run in a format, and their data card."""
    with user_errors():
        from ..graph.exporting import export_run

        written = export_run(run_id, out, form, rows, with_synthetic)
        told = f", {written.synthetic:,} of them synthetic" if written.synthetic else ""
        typer.echo(f"{written.rows:,} rows{told}")
        typer.echo(f"exported  {out}\ncard      {written.card}")


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


def _source(
    path: str, inputs: list[str] | None, output: str | None, skip_bad: bool, max_chars: int
) -> "DataSource":
    from ..tools.datasets import DataSource

    return DataSource(
        path=path,
        input_columns=inputs or [],
        output_column=output,
        skip_bad_rows=skip_bad,
        max_chars=max_chars,
    )


def _drive(go: Callable[[Any], Any], reviewer: Any, fail_on_gap: bool) -> None:
    from . import results, terminal

    with terminal.Display() as display:
        reviewer.display = display
        found = go(display.show)
    results.show_report(found)
    for key in reviewer.unused():
        terminal.note(f"no question was asked for the answer {key!r}")
    _exit_on_gap(found.coverage, fail_on_gap)


def _exit_on_gap(coverage: list[Any], fail_on_gap: bool) -> None:
    if fail_on_gap and any(c.verdict != "enough" for c in coverage):
        raise typer.Exit(GAP)


@contextmanager
def user_errors() -> Iterator[dict[str, str]]:
    """One line and an exit code instead of a traceback."""
    from ..memory.errors import Unanswered, UserError
    from .console import printable

    state: dict[str, str] = {}  # "again": the command that goes on

    def leave(line: str, code: int, hint: str) -> typer.Exit:
        again = f" {state['again']} {hint}." if "again" in state else ""
        typer.echo(printable(f"goalcover: {line}{again}"), err=True)
        return typer.Exit(code)

    try:
        yield state
    except UserError as error:
        raise leave(str(error), 2, "goes on when that is mended") from None
    except KeyboardInterrupt:
        line = f"interrupted; nothing judged so far is lost.{state.get('batch', '')}"
        raise leave(line, INTERRUPTED, "goes on") from None
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        raise leave(
            f"{error.strerror or error}{where}.", 2, "goes on when that is mended"
        ) from None
    except Unanswered as error:
        raise leave(f"{error}.", WAITS, "in a terminal or with --yes goes on") from None


def main() -> None:
    app()


if __name__ == "__main__":
    sys.exit(main())
