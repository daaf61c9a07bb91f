"""The one door to a run, for the command line, scripts and any other client.

from goalcover.graph.session import run
result = run("rows.jsonl", "Answer billing questions politely and refer refunds to a person.")
for c in result.coverage:
    print(c.subgoal.name, c.mean, c.verdict)
"""

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from ..memory.approved import ApprovedStore
from ..memory.checkpoints import open_checkpoints, serializer
from ..memory.errors import BudgetSpent, ReplyFailure, Unanswered, UserError
from ..memory.files import cannot_write
from ..memory.records import Found, Look, Specification, Spent
from ..memory.store import Store, open_store
from ..memory.vectors import VectorStore
from ..tools.chat_model import server_address
from ..tools.datasets import DataSource, digest
from ..tools.loading import load_libraries
from ..tools.report import Report
from ..tools.settings import STATE_VERSION, RunConfig, checked, checkpoint_url, home, untraced
from . import review
from .asking import find
from .build import build
from .deleting import delete_run as delete_run
from .deleting import delete_run_now as delete_run_now
from .listing import PATIENCE, lock, of_another_version, read_report, stop_path
from .listing import config_of as config_of
from .listing import get_run as get_run
from .listing import list_runs as list_runs
from .listing import rename_run as rename_run
from .revising import revise
from .state import State
from .toolbox import Toolbox

OUT = "goalcover-runs"


@dataclass(frozen=True)
class Progress:
    """How far a stage has got; `total` is 0 where a stage does not count; `look` is a survey's
    latest."""

    stage: str
    note: str = ""
    done: int = 0
    total: int = 0
    failed: int = 0
    spent: Spent = field(default_factory=Spent)
    stored: int = 0
    look: Look | None = None


@dataclass(frozen=True)
class Pending:
    """The run waits for a person. `payload` is the interrupt's, see `review`."""

    payload: dict[str, Any]

    @property
    def name(self) -> str:
        return self.payload["action_requests"][0]["name"]

    @property
    def args(self) -> dict[str, Any]:
        return self.payload["action_requests"][0]["args"]


@dataclass(frozen=True)
class Finished:
    report: Report


Event = Progress | Pending | Finished
Reviewer = Callable[[Pending], dict[str, Any] | None]
"""Answers a pending review (see `review.approve`, `edit`, `reject`); None leaves it waiting."""


WAITS_FOR = {
    "answer_questions": "answers to its questions",
    "approve_subgoals": "approval of its subgoals",
    "approve_synthesis": "approval of the synthesis",
}


class Waiting(Unanswered):
    """Which run waits, and for what."""

    def __init__(self, run_id: str, pending: Pending) -> None:
        super().__init__(f"run {run_id} waits for {WAITS_FOR[pending.name]}")
        self.run_id = run_id
        self.pending = pending


def new_run(config: RunConfig, run_id: str | None = None) -> str:
    """Enters a run in the list and gives its id, once its data, models and folder are checked.

    Relative paths are made absolute and the server's address is kept, so that a run can be resumed
    from anywhere and goes on with the same model. Raises UserError.
    """
    run_id = run_id or new_id()
    out = Path(config.out or Path(OUT) / run_id).resolve()
    source = config.source
    if Path(source.path).exists():
        source = source.model_copy(update={"path": str(Path(source.path).resolve())})
    update: dict[str, Any] = {
        "out": str(out),
        "source": source,
        "documents": [str(Path(path).resolve()) for path in config.documents],
        "state": STATE_VERSION,
    }
    if config.model or config.judge:
        update["base_url"] = server_address(config.base_url)
    config = config.model_copy(update=update)
    with open_store(home()) as store:
        box = Toolbox(run_id, config, home(), store)
        _ = box.door, box.judge, box.documents, box.table
        _check_folder(out, [source.path, *config.documents], store)
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(out, error) from error
        config = config.model_copy(update={"digest": digest(source)})
        store.runs.add(run_id, source.path, config.goal.text, str(out), config.model_dump_json())
    return run_id


WRITTEN = ("filtered.", "synthetic.", "scores.jsonl", "report.", "recommendations.")
"""How the names of a run's files begin."""


def _check_folder(out: Path, inputs: list[str], store: Store) -> None:
    """Raises UserError where the run would write over its own input, or over files of no run."""
    own = [name for name in inputs if Path(name).parent == out]
    if taken := [name for name in own if Path(name).name.startswith(WRITTEN)]:
        raise UserError(f"the run would write over its own input {taken[0]}: choose another --out.")
    of_a_run = (out / "report.json").exists() or any(r.out == str(out) for r in store.runs.list())
    present = sorted(out.iterdir()) if out.is_dir() and not of_a_run else []
    if taken := [path for path in present if path.name.startswith(WRITTEN)]:
        raise UserError(f"{taken[0]} is there already, and of no run: choose another --out.")


def new_id() -> str:
    return f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


class Session:
    """One run, opened by `open_session`."""

    def __init__(self, graph: CompiledStateGraph[State, Toolbox], box: Toolbox) -> None:
        self._graph = graph
        self._box = box
        self._config: Any = {"configurable": {"thread_id": box.run}}

    async def events(self, response: dict[str, Any] | None = None) -> AsyncIterator[Event]:
        """Goes on until the run finishes or waits; the last event is Pending or Finished.

        `response` answers the pending review; without one, a review that waits is given again.
        Raises UserError for whatever the user can mend; the run can be resumed after it.
        """
        runs, run = self._box.store.runs, self._box.run
        pending = await self.pending()
        if pending and response is None:
            runs.mark(run, "waiting", pending.name)
            yield pending
            return
        if pending:
            review.validate(pending.payload, response)
        given = await self._input(response if pending else None)
        runs.mark(run, "running")
        load_libraries()
        stage = ""
        try:
            async for _, event in self._graph.astream(
                given, self._config, context=self._box, stream_mode="custom", subgraphs=True
            ):
                details: Any = event
                progress = Progress(**details)
                if progress.stage != stage:
                    stage = progress.stage
                    runs.mark(run, "running", stage)
                yield progress
        except UserError:
            runs.mark(run, "failed")
            raise
        except BudgetSpent as spent:
            runs.mark(run, "failed")
            raise UserError(
                f"{stage}: {spent} before there was a result. Start the run anew with a higher "
                "--max-calls or --budget: what was answered is not paid for again."
            ) from spent
        except ReplyFailure as failure:
            runs.mark(run, "failed")
            raise UserError(
                f"{stage}: the model gave no usable reply ({failure}). A stronger --model may."
            ) from failure
        except BaseException:
            runs.mark(run, "stopped")
            raise
        if pending := await self.pending():
            runs.mark(run, "waiting", pending.name)
            yield pending
        else:
            runs.mark(run, "finished", "finished")
            yield Finished(read_report(self._box.out, run))

    async def revise(self, accepted: Mapping[str, Collection[str]]) -> bool:
        """Makes other synthetic rows of a finished run the accepted ones: ids by gap, all others
        of the gap are dropped, and a gap that is not named stays as it is.

        `events` then goes on from there: newly accepted rows are judged, and files and report
        written anew. False where nothing changes. Raises UserError for an unknown id, and for a
        run that is not finished.
        """
        return await revise(self._graph, self._config, self._box, accepted)

    async def pending(self) -> Pending | None:
        """The review that waits for an answer, if any."""
        snapshot = await self._graph.aget_state(self._config)
        return Pending(snapshot.interrupts[0].value) if snapshot.interrupts else None

    async def state(self) -> State:
        """What the run has found so far, as its last checkpoint has it."""
        return cast(State, (await self._graph.aget_state(self._config)).values)

    async def _input(self, response: dict[str, Any] | None) -> Any:
        if response is not None:
            return Command(resume=response)
        snapshot = await self._graph.aget_state(self._config)
        if snapshot.created_at is not None:
            return None  # goes on from the last checkpoint
        config = self._box.config
        if not config.subgoals:
            return State(approved=False)
        specification = Specification(goal=config.goal, ended="the subgoals were given")
        return State(subgoals=config.subgoals, specification=specification, approved=True)


@asynccontextmanager
async def open_session(run_id: str, stop: threading.Event | None = None) -> AsyncIterator[Session]:
    """Opens a run of the list. Raises UserError where it is unknown or another process has it.

    stop: once it is set, a survey judges no more rows, and the run goes on with what there is; rows
    that are judged in the order of the file, to the last, are not stopped by it. See also
    `stop_scoring`.
    """
    with open_store(home()) as store:
        store.runs.get(run_id)  # before its name becomes that of a file
    stop = stop or threading.Event()
    with lock(home(), run_id, PATIENCE):
        if stop_path(home(), run_id).exists():
            stop.set()
        async with _opened(run_id, stop) as session:
            yield session


def stop_scoring(run_id: str) -> None:
    """Lets a run judge no more rows of its survey whenever it goes on. Who has it open sets the
    `stop` of `open_session` too. Raises UserError where there is no such run."""
    with open_store(home()) as store:
        store.runs.get(run_id)
    path = stop_path(home(), run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)


@asynccontextmanager
async def _opened(run_id: str, stop: threading.Event | None = None) -> AsyncIterator[Session]:
    """Without its lock: to look only."""
    place = home()
    with open_store(place) as store:
        run = store.runs.get(run_id)
        config = config_of(run)
        if config.state != STATE_VERSION:
            raise of_another_version(run_id)
        box = Toolbox(run_id, config, place, store, stop)
        with untraced():
            async with open_checkpoints(place, checkpoint_url(), serializer()) as saver:
                try:
                    yield Session(build(saver), box)
                finally:
                    await box.aclose()


async def drive(run_id: str, reviewer: Reviewer, on_progress: Callable[[Progress], None]) -> Report:
    """Takes a run to its end, asking `reviewer` at each review. Raises Waiting on no answer."""
    async with open_session(run_id) as session:
        response: dict[str, Any] | None = None
        while True:
            last: Event | None = None
            async for event in session.events(response):
                last = event
                if isinstance(event, Progress):
                    on_progress(event)
            if isinstance(last, Finished):
                return last.report
            assert isinstance(last, Pending), "events end with Pending or Finished"
            response = reviewer(last)
            if response is None:
                raise Waiting(run_id, last)


def resume(
    run_id: str,
    reviewer: Reviewer = lambda pending: review.approve(),
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Report:
    """Goes on with a run that was started before; approves every review unless told otherwise."""
    return asyncio.run(drive(run_id, reviewer, on_progress))


def configure(
    data: str | Path | DataSource,
    goal: str,
    *,
    domain: str = "",
    task: str = "",
    input_columns: list[str] | None = None,
    output_column: str | None = None,
    **options: Any,
) -> RunConfig:
    """A run's configuration. `options` are the other fields of RunConfig.

    Raises UserError, naming the field, for a value out of its range.
    """
    if not isinstance(data, DataSource):
        data = DataSource(
            path=str(data), input_columns=input_columns or [], output_column=output_column
        )
    if not any(map(str.isalnum, goal)):
        raise UserError("the goal is empty: say what the model shall be able to do.")
    given = {"text": goal.strip(), "domain": domain, "task": task}
    return checked(RunConfig, {"source": data, "goal": given, **options})


def run(
    data: str | Path | DataSource,
    goal: str,
    *,
    reviewer: Reviewer = lambda pending: review.approve(),
    on_progress: Callable[[Progress], None] = lambda progress: None,
    **options: Any,
) -> Report:
    """The whole method on a data file: Algorithm 1 of the paper, with filtering and synthesis.

    Approves every review, synthesis included, unless a `reviewer` is given. `options` are those of
    `configure` (input_columns, subgoals, tau, model, judge, base_url, out, …); results go to
    `goalcover-runs/RUN` unless `out` says otherwise. Raises UserError for what the user can mend.
    """
    return resume(new_run(configure(data, goal, **options)), reviewer, on_progress)


def waits_for(run_id: str) -> Pending | None:
    """The review that a run waits for, if any. Raises UserError where it is unknown."""

    async def look() -> Pending | None:
        async with _opened(run_id) as session:
            return await session.pending()

    return asyncio.run(look())


def state_of(run_id: str) -> State:
    """What a run has found so far, to look only. Raises UserError where it is unknown."""

    async def look() -> State:
        async with _opened(run_id) as session:
            return await session.state()

    return asyncio.run(look())


async def answer(run_id: str, question: str, count: int = 10, about: str = "") -> Found:
    """The rows and gaps of a finished run that answer a question (see `asking.find`); where the run
    has a chat model, with an answer that cites them. Raises UserError.

    about: id of the subgoal that a question means which names none ("why is this thin?").
    """
    if not any(map(str.isalnum, question)):
        raise UserError("the question is empty.")
    with open_store(home()) as store:
        run = store.runs.get(run_id)
        found = read_report(Path(run.out), run_id)
        box = Toolbox(run_id, config_of(run), home(), store)
        with untraced():
            try:
                return await find(box, found, question, count, about)
            except ReplyFailure as failure:
                raise UserError(f"the model gave no usable reply ({failure}).") from failure
            finally:
                await box.aclose()


def ask(run_id: str, question: str, count: int = 10, about: str = "") -> Found:
    """As `answer`, for where no event loop runs."""
    return asyncio.run(answer(run_id, question, count, about))


def approved() -> ApprovedStore:
    """The approved subgoals of earlier conversations: to list and to forget."""
    return ApprovedStore(VectorStore(home()))
