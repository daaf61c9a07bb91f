"""Options that several commands have. Imports nothing heavy: --help answers at once."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from ..tools.datasets import DataSource

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
Precision = Annotated[
    float | None,
    judging_option(
        "--precision",
        min=0.001,
        max=0.499,
        help="Judge a random sample until every A(s) is known to ± this; predict the other rows.",
    ),
]
MaxCalls = Annotated[
    int | None,
    judging_option(
        "--max-calls",
        min=1,
        help="Most calls, of all roles together; what is done by then is the result.",
    ),
]
Budget = Annotated[
    float | None,
    judging_option(
        "--budget", min=0.000001, help="Most USD, of all roles together; needs a known price."
    ),
]
Rejudge = Annotated[
    int | None,
    judging_option(
        "--rejudge",
        min=0,
        show_default="as many as were sampled",
        help="Most predicted rows to judge because they lie near the filter's cut.",
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
Seed = Annotated[int, typer.Option(min=0, help="Seed of every sample and shuffle.")]
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


@dataclass(frozen=True)
class Server:
    """How models are reached: the options of all commands that ask one."""

    base_url: BaseUrl = None
    embedder: EmbedderName = "all-MiniLM-L6-v2"
    max_concurrency: Concurrency = 32
    timeout: Timeout = 120.0
    rpm: Rpm = None
    tpm: Tpm = None
    prices: Prices = None

    def fields(self) -> dict[str, Any]:
        """As fields of ModelConfig. Raises UserError where the prices cannot be read."""
        from ..tools.prices import read_prices

        return {**vars(self), "prices": read_prices(self.prices) if self.prices else {}}


@dataclass(frozen=True)
class Rows:
    """How the rows of a data file are read."""

    input_column: InputColumns = None
    output_column: OutputColumn = None
    skip_bad_rows: SkipBadRows = False
    max_chars: MaxChars = 12_000

    def source(self, path: str) -> "DataSource":
        from ..tools.datasets import DataSource

        return DataSource(
            path=path,
            input_columns=self.input_column or [],
            output_column=self.output_column,
            skip_bad_rows=self.skip_bad_rows,
            max_chars=self.max_chars,
        )


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of Server and Rows in place of its parameters of these types,
    and a help text that flows.

    Typer knows single options only, and keeps the line breaks of a docstring.
    """
    signature = inspect.signature(command, eval_str=True)
    parameters = signature.parameters.values()
    groups = {p.name: p.annotation for p in parameters if p.annotation in (Server, Rows)}
    options = {
        name: list(inspect.signature(kind, eval_str=True).parameters.values())
        for name, kind in groups.items()
    }

    @wraps(command)
    def call(**given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{option.name: given.pop(option.name) for option in options[name]})
        command(**given)

    flat = [option for p in parameters for option in options.get(p.name, [p])]
    flat = [option.replace(kind=inspect.Parameter.KEYWORD_ONLY) for option in flat]
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    call.__doc__ = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    vars(call)["__signature__"] = signature.replace(parameters=flat)
    call.__annotations__ = {option.name: option.annotation for option in flat}
    return call
