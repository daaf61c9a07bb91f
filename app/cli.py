"""The command line. Imports what a command needs inside it, so that --help answers at once."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from .evaluations import evals
from .leaving import FELL, GAP, SAME, user_errors
from .options import (
    Answers,
    Audit,
    Batch,
    Budget,
    Data,
    ExportFormat,
    FailOnGap,
    Judge,
    JudgeMode,
    Keep,
    MaxCalls,
    ModelName,
    NoMemory,
    Precision,
    Questions,
    Rejudge,
    Rows,
    Seed,
    Server,
    Tau,
    Yes,
    grouped,
    judging_option,
    model_option,
)


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
    "Exit codes: 0 done, 1 coverage fell (check), 2 something to put right (one line says what), "
    "3 the run waits for an answer, 4 a subgoal is thin or missing (--fail-on-gap), "
    "130 interrupted. Nothing done is lost; `goalcover resume RUN` goes on.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.add_typer(evals, name="eval")

BATCH_GOES_ON = " What was sent as a batch goes on at the server (see `goalcover batches`)."


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
@grouped
def run(
    data: Data,
    goal: Annotated[str, typer.Option(help="What the fine-tuned model shall do, in a sentence.")],
    domain: Annotated[str, typer.Option(help="Domain, for example: medicine.")] = "",
    task: Annotated[str, typer.Option(help="Task type, for example: question answering.")] = "",
    tau: Tau = 0.5,
    keep: Keep = 0.6,
    model: ModelName = None,
    judge: Judge = None,
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
    mode: JudgeMode = "joint",
    audit: Audit = 0.0,
    batch: Batch = False,
    precision: Precision = None,
    max_calls: MaxCalls = None,
    budget: Budget = None,
    rejudge: Rejudge = None,
    fail_on_gap: FailOnGap = False,
    seed: Seed = 0,
    *,
    rows: Rows,
    server: Server,
) -> None:
    """The whole method: goal, subgoals, scores, gaps, recommendations, filter, rows, report."""
    with user_errors() as state:
        from ..graph import session
        from ..tools.subgoals import read_subgoals
        from . import reviewers, terminal

        config = session.configure(
            rows.source(data),
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
            synthesize=synthesize,
            documents=[str(path) for path in document or []],
            mode=mode,
            audit=audit,
            batch=batch,
            precision=precision,
            max_calls=max_calls,
            budget=budget,
            rejudge=rejudge,
            seed=seed,
            **server.fields(),
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
def runs(
    rename: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="RUN NAME", help='Give this run a name; "" takes it away.'),
    ] = None,
    delete: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RUN",
            help="Delete this run and its results; may be given several times. Judgements stay.",
        ),
    ] = None,
) -> None:
    """Lists the runs, the newest first."""
    with user_errors():
        from ..graph import session
        from ..memory.errors import UserError
        from . import terminal

        if rename and delete:
            raise UserError("give --rename or --delete, not both.")
        if rename:
            name = session.rename_run(*rename)
            terminal.note(f"{rename[0]} is named {name}" if name else f"{rename[0]} has no name")
        elif delete:
            known = [session.get_run(run_id).id for run_id in dict.fromkeys(delete)]
            for run_id in known:
                session.delete_run(run_id)
                terminal.note(f"deleted {run_id}")
        else:
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
@grouped
def score(
    data: Data,
    subgoals: Annotated[Path, typer.Option(help="JSON or YAML list of {id, name, description}.")],
    out: Annotated[Path, typer.Option(help="File for the scores: .jsonl or .parquet.")],
    tau: Tau = 0.5,
    judge: Annotated[
        str | None, model_option("--judge", "--model", help="The judge; without it: embedded.")
    ] = None,
    mode: JudgeMode = "joint",
    audit: Audit = 0.0,
    batch: Batch = False,
    precision: Precision = None,
    max_calls: MaxCalls = None,
    budget: Budget = None,
    fail_on_gap: FailOnGap = False,
    seed: Seed = 0,
    *,
    rows: Rows,
    server: Server,
) -> None:
    """Judges every row, or a sample of the rows, against every subgoal; one record a row."""
    with user_errors() as state:
        import asyncio

        from ..graph.session import configure, new_id
        from ..tools.embedded_model import HONESTY
        from ..tools.scoring import score_file
        from ..tools.subgoals import read_subgoals
        from . import results, terminal

        config = configure(
            rows.source(data),
            "scores alone",
            out=str(out),
            subgoals=read_subgoals(subgoals),
            tau=tau,
            judge=judge,
            mode=mode,
            audit=audit,
            batch=batch,
            precision=precision,
            max_calls=max_calls,
            budget=budget,
            seed=seed,
            **server.fields(),
        )
        name = f"score-{new_id()}"
        state["again"] = SAME
        state["batch"] = BATCH_GOES_ON if batch else ""
        terminal.check_prices(config)
        with terminal.Display() as display:
            found = asyncio.run(score_file(config, name, display.scored, display.embedded))
        terminal.show_coverage(found.coverage, found.counts)
        if found.survey:
            results.show_survey(found.survey, found.coverage, found.scoring)
        terminal.show_failures(found.failures)
        if found.failures:
            terminal.note("the same command tries them again")
        if found.audit:
            terminal.show_audit(found.audit, {s.id: s.name for s in config.subgoals})
        if judge:
            terminal.show_spent(found.spent)
            results.show_foretold(found.foretold, found.scoring, audited=bool(found.audit))
        else:
            terminal.note(HONESTY)
        typer.echo(f"scores  {out}")
        _exit_on_gap(found.coverage, fail_on_gap)


@app.command()
@grouped
def plan(
    data: Data,
    subgoals: Annotated[Path, typer.Option(help="JSON or YAML list of {id, name, description}.")],
    out: Annotated[Path | None, typer.Option(help="File for the figures, JSON.")] = None,
    judge: Annotated[
        str | None, model_option("--judge", "--model", help="The judge; without it: embedded.")
    ] = None,
    mode: JudgeMode = "joint",
    precision: Precision = None,
    seed: Seed = 0,
    *,
    rows: Rows,
    server: Server,
) -> None:
    """Foretells calls, tokens, money and time of `score`, for each way to judge. Asks nothing.

    --mode is how a survey would ask. Surveys are foretold for a precision of 0.05, 0.03 and 0.02,
    and for that of --precision.
    """
    with user_errors():
        from ..graph.session import configure
        from ..memory.files import check_writable, write_record
        from ..tools.foretell import plan_file
        from ..tools.subgoals import read_subgoals
        from . import planning, terminal

        config = configure(
            rows.source(data),
            "scores alone",
            subgoals=read_subgoals(subgoals),
            judge=judge,
            mode=mode,
            precision=precision,
            seed=seed,
            **server.fields(),
        )
        if out:
            check_writable(out)
        terminal.check_prices(config)
        found = plan_file(config)
        planning.show_plan(found)
        if out:
            write_record(found, out)
            typer.echo(f"figures  {out}")


@app.command()
@grouped
def check(
    data: Data,
    baseline: Annotated[
        Path, typer.Option(help="report.json of an earlier `goalcover run`, or its folder.")
    ],
    out: Annotated[Path | None, typer.Option(help="File for the figures, JSON.")] = None,
    fail_on_verdict: Annotated[
        bool,
        typer.Option("--fail-on-verdict", help="Exit with 1 where a verdict got worse, too."),
    ] = False,
    model: ModelName = None,
    judge: Judge = None,
    mode: JudgeMode = "joint",
    precision: Precision = None,
    max_calls: MaxCalls = None,
    budget: Budget = None,
    seed: Seed = 0,
    *,
    rows: Rows,
    server: Server,
) -> None:
    """Coverage as a test: did it fall since an earlier run? Exits with 1 where it did.

    Judges the rows, or a sample of them, against the subgoals of the earlier run, which takes the
    same judge, and compares A(s) and the share of supporting rows. Only a fall that chance hardly
    explains counts: at most one check in twenty fails when nothing changed. The size of the file is
    not tested, but verdicts count rows (--fail-on-verdict). See docs/ci.md.
    """
    with user_errors() as state:
        import asyncio

        from ..graph.session import configure, new_id
        from ..memory.files import check_writable, write_record
        from ..tools.baseline import read_baseline
        from ..tools.checking import check_file
        from . import checking, terminal

        report = read_baseline(baseline)
        config = configure(
            rows.source(data),
            report.specification.goal.text,
            subgoals=[c.subgoal for c in report.coverage],
            tau=report.provenance.tau,
            model=model,
            judge=judge,
            mode=mode,
            precision=precision,
            max_calls=max_calls,
            budget=budget,
            seed=seed,
            **server.fields(),
        )
        if out:
            check_writable(out)
        state["again"] = SAME
        terminal.check_prices(config)
        with terminal.Display() as display:
            found = asyncio.run(
                check_file(
                    config,
                    report,
                    f"check-{new_id()}",
                    display.scored,
                    display.embedded,
                    fail_on_verdict=fail_on_verdict,
                )
            )
        checking.show_check(found)
        if model or judge:
            terminal.show_spent(found.spent)
        if out:
            write_record(found.check, out)
            typer.echo(f"figures  {out}")
    if not found.check.passed:
        raise typer.Exit(FELL)


@app.command("filter")
@grouped
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
    judge: Annotated[
        str | None,
        model_option(help="The judge of the scores; without it: embedded. See --rejudge."),
    ] = None,
    rejudge: Annotated[
        int | None,
        judging_option(
            min=0,
            show_default="as many as were judged",
            help="Most predicted rows near the cut to have judged first, by the judge of the "
            "scores; 0 for none.",
        ),
    ] = None,
    seed: Seed = 0,
    *,
    rows: Rows,
    server: Server,
) -> None:
    """Writes the goal-aligned rows, and a data card that says what was kept."""
    with user_errors() as state:
        import asyncio

        from ..graph.session import new_id
        from ..memory.errors import UserError
        from ..tools.filter_config import FilterConfig, read_weights
        from ..tools.filter_file import Rejudging, filter_file
        from ..tools.settings import ModelConfig, checked
        from . import results, terminal

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
        models = checked(ModelConfig, {"judge": judge, "seed": seed, **server.fields()})
        source, name = rows.source(data), f"filter-{new_id()}"
        state["again"] = SAME
        terminal.check_prices(models)
        with terminal.Display() as display:
            rejudging = Rejudging(models, rejudge, name, display.scored, terminal.note_rejudging)
            found = asyncio.run(filter_file(source, scores, out, config, seed, form, rejudging))
        results.show_filter(found.result, found.names)
        results.show_rejudged(found)
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


@app.command()
def chat(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page; 0 takes a free one.")
    ] = 8501,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on. Any but this machine's own needs a password in the "
            "environment variable GOALCOVER_PASSWORD."
        ),
    ] = "127.0.0.1",
    headless: Annotated[
        bool, typer.Option("--headless", help="Open no browser; the address is printed.")
    ] = False,
    max_upload: Annotated[
        int, typer.Option(min=1, metavar="MB", help="Largest file that the page takes.")
    ] = 200,
) -> None:
    """The whole method as a conversation in the browser. Ctrl-C ends the server: runs under way
    stop, and can go on."""
    with user_errors() as state:
        from .chat import launch

        state["again"] = SAME
        launch.serve(host, port, headless, max_upload)


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


def main() -> None:
    app()


if __name__ == "__main__":
    sys.exit(main())
