"""What a run is asked to do, and where its memory lies."""

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator

from ..memory.errors import UserError
from ..memory.records import Goal, Record, Subgoal
from .chat_model import ChatModel
from .datasets import DataSource
from .embedded_model import EmbeddedModel
from .embeddings import DEFAULT_EMBEDDER, Embedder
from .filter_config import FilterConfig
from .judge import Mode
from .model import Model
from .prices import Price

STATE_VERSION = 3
"""Counts up when a run that an older version began cannot go on: its state has other keys."""


class ModelConfig(Record):
    """Which models are asked, and how. Holds no key.

    model: for all roles, the embedded one where none is named; judge: where another is wanted.
    timeout: seconds for a whole reply. max_concurrency: most calls under way; rpm, tpm: most
    requests and tokens a minute, for each model. prices: the user's own table, by model.
    """

    model: str | None = None
    judge: str | None = None
    base_url: str | None = None
    embedder: str = DEFAULT_EMBEDDER
    timeout: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    max_concurrency: int = Field(default=32, ge=1)
    rpm: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    tpm: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    prices: dict[str, Price] = {}
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _asks_a_model(self) -> Self:
        if self.base_url and not (self.model or self.judge):
            raise ValueError("--base-url is of no use without --model or --judge")
        return self

    @field_validator("model", "judge")
    @classmethod
    def _named(cls, name: str | None) -> str | None:
        """A blank name, of a variable that is not set, is not to mean the embedded model."""
        if name is not None and not name.strip():
            raise ValueError("the name is blank: give a model's, or leave it out for the embedded")
        return name

    @field_validator("embedder")
    @classmethod
    def _absolute(cls, name: str) -> str:
        """A folder is named in full: a run may be resumed, and scores shared, from elsewhere."""
        return str(Path(name).resolve()) if Path(name).is_dir() else name


class RunConfig(ModelConfig, FilterConfig):
    """Everything that decides the outcome of a run. Kept with the run.

    out: the folder of the results; empty for one named after the run. subgoals: given ones;
    clarification and decomposition are skipped. documents: text files that synthetic rows may be
    grounded in. tau: threshold of A(s), in [0, 1]. synthesize: most rows to synthesise for a
    subgoal. rounds: most rounds of clarification, of decomposition and of synthesis. questions:
    most in a round. memory: offer the approved subgoals of a similar goal as a start, and keep what
    is approved here; for runs that a person answers. mode: of judging; audit: share of the rows
    that are judged in the other mode too; batch: judge by the server's Batch API. precision: judge
    a random sample until every A(s) is known to ± this, in (0, 0.5), and predict the other rows;
    open_ended: judge all rows, in random order, so that a person who stops it has an estimate;
    max_calls, budget (USD): hard caps of all roles together; rejudge: most predicted rows near the
    filter's cut to judge, None for as many as were sampled. digest: of the
    data file, so that a run is not resumed on other rows. state: STATE_VERSION of the run. checks,
    clustering, discriminator: False switches that part of the method off, to see what it
    contributes (`goalcover eval ablation`); the report says so. The filter's: see FilterConfig.
    """

    source: DataSource
    goal: Goal
    out: str = ""
    subgoals: list[Subgoal] = []
    tau: float = Field(default=0.5, ge=0, le=1)
    synthesize: int = Field(default=5, ge=0)
    synthesis_rounds: int = Field(default=6, ge=1)
    rounds: int = Field(default=3, ge=1)
    questions: int = Field(default=3, ge=0)
    memory: bool = False
    documents: list[str] = []
    mode: Mode = "joint"
    audit: float = Field(default=0.0, ge=0, le=1)
    batch: bool = False
    precision: float | None = Field(default=None, gt=0, lt=0.5)
    max_calls: int | None = Field(default=None, ge=1)
    budget: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    open_ended: bool = False
    rejudge: int | None = Field(default=None, ge=0)
    digest: str = ""
    state: int = 0
    checks: bool = True
    clustering: bool = True
    discriminator: bool = True

    @model_validator(mode="after")
    def _compares_models(self) -> Self:
        if self.audit and not (self.model or self.judge):
            raise ValueError("--audit compares two ways to ask a model: give --judge")
        return self

    @model_validator(mode="after")
    def _surveys(self) -> Self:
        if self.rejudge is not None and not self.survey:
            raise ValueError(
                "--rejudge judges rows that a survey predicted: give --precision, --max-calls or "
                "--budget"
            )
        return self

    @model_validator(mode="after")
    def _can_be_stopped(self) -> Self:
        if self.open_ended and self.batch:
            raise ValueError(
                "open_ended judges until a person stops it, and a batch that was sent is not "
                "stopped: leave out batch, or give precision in place of open_ended"
            )
        if self.open_ended and self.precision is not None:
            raise ValueError(
                "open_ended judges all rows, and precision ends before: leave one out. A survey "
                "can be stopped too"
            )
        return self

    @property
    def survey(self) -> bool:
        """Whether rows are judged in random order; those that are not judged are predicted."""
        bounds = (self.precision, self.max_calls, self.budget)
        return self.open_ended or any(asked is not None for asked in bounds)

    @model_validator(mode="after")
    def _weighs_subgoals(self) -> Self:
        if self.subgoals or self.weights:  # else they are not known yet
            self.check([subgoal.id for subgoal in self.subgoals])
        return self


C = TypeVar("C", bound=Record)


def checked(kind: type[C], values: dict[str, Any]) -> C:
    """A configuration of that kind. Raises UserError, naming the field, for a bad value."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = f"{first['loc'][0]}: " if first["loc"] else ""
        raise UserError(f"{place}{first['msg'].removeprefix('Value error, ')}.") from error


def home() -> Path:
    """The folder of the store, checkpoints and vectors: GOALCOVER_HOME or ~/.goalcover."""
    return Path(os.environ.get("GOALCOVER_HOME") or Path.home() / ".goalcover")


def rows_cache(place: Path, path: str) -> Path:
    """The folder, under the home `place`, for copies of a data file's rows. Those of a file in a
    session's private folder, `place/chat/SESSION`, lie there too and go with it."""
    private, file = (place / "chat").resolve(), Path(path).resolve()
    if file.is_relative_to(private) and file.parent != private:
        return private / file.relative_to(private).parts[0] / "datasets"
    return place / "datasets"


def checkpoint_url() -> str | None:
    """GOALCOVER_CHECKPOINTS: a Postgres URL, where the default SQLite file will not do."""
    return os.environ.get("GOALCOVER_CHECKPOINTS") or None


def untraced() -> AbstractContextManager[None]:
    """Keeps LangSmith's tracing, which a shell may have on, from sending rows to its server."""
    from langsmith import tracing_context

    return tracing_context(enabled=False)


def open_model(
    name: str | None,
    config: ModelConfig,
    embedder: Embedder,
    batch: bool = False,
    unasked: bool = False,
) -> Model:
    """The chat model of that name, or the embedded model where none is named.

    `batch`: what it is asked goes by the Batch API; `unasked`: it will be asked nothing.
    """
    if name is None:
        return EmbeddedModel(embedder)
    return ChatModel(
        name,
        config.base_url,
        timeout=config.timeout,
        max_concurrency=config.max_concurrency,
        rpm=config.rpm,
        tpm=config.tpm,
        prices=config.prices,
        batch=batch,
        unasked=unasked,
    )
