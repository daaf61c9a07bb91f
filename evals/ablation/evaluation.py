"""What does each part of the method contribute? Whole graphs with a part switched off, on goals
whose capabilities are known beforehand (`ablation.yaml`), against the full method."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from ...graph.session import configure
from ...graph.toolbox import Toolbox
from ...memory.errors import ReplyFailure, UserError
from ...memory.records import Spent
from ...memory.store import Store, open_store
from ...memory.vectors import VectorStore
from ...tools.embeddings import Embedder
from ...tools.settings import ModelConfig, RunConfig, home, untraced
from ..gaps.planted import PlantedSet
from .cases import Case, Chosen, sampled
from .measures import Values, analysed, specified, synthesised
from .planted import PlantedPair, both, sets_in
from .records import GoalShown, RunFigures, of_planted, of_runs
from .report import Ablation
from .runs import ARMS, FULL, Arm, Ran, drive

AT_ONCE = 4
"""Goals under way; the arms of a goal follow one another, so that what they share is paid once."""

ROWS, SEEDS = 100, 2


@dataclass
class Bench:
    """What all runs share. `place`: a folder for results, vectors and data, deleted at the end."""

    config: ModelConfig
    chosen: Chosen
    rows: int
    place: Path
    store: Store
    embedder: Embedder
    vectors: VectorStore
    name: str
    tell: Callable[[Spent], None]
    step: Callable[[], None]


async def run(
    config: ModelConfig,
    chosen: Chosen,
    data: Path | None,
    on_progress: Callable[[int, int, Spent], None],
    seeds: int = SEEDS,
    rows: int = ROWS,
) -> tuple[Ablation, Spent]:
    """Runs every arm on the chosen goals × `seeds` seeds from that of `config`, each on a sample of
    `rows` rows. data: the folder with the files that gaps are planted with, if any.

    Replies and judgements are kept, so a second run is free. Raises UserError.
    """
    sets = sets_in(data, config.seed)
    every = range(config.seed, config.seed + seeds)
    steps, done, total = len(chosen.cases) * seeds * len(ARMS) + 2 * len(sets), 0, Spent()

    def step() -> None:
        nonlocal done
        done += 1
        on_progress(done, steps, total)

    def paid(spent: Spent) -> None:
        nonlocal total
        total += spent

    embedder = Embedder(config.embedder)
    with open_store(home()) as store, untraced(), TemporaryDirectory() as folder:
        place = Path(folder)
        vectors = VectorStore(place, embedder.version)
        name = f"eval-ablation-{datetime.now():%Y%m%d-%H%M%S}"
        bench = Bench(config, chosen, rows, place, store, embedder, vectors, name, paid, step)
        found = await _goals(bench, [(case, seed) for case in chosen.cases for seed in every])
        planted = await _planted(bench, sets)
        return await _exhibit(bench, every, found, planted), total


async def _exhibit(
    bench: Bench, seeds: Sequence[int], found: list[RunFigures], planted: list[PlantedPair]
) -> Ablation:
    config, cases = bench.config, bench.chosen.cases
    box = _box(bench, cases[0], config.seed, "names", ARMS[FULL])
    model, judge = box.door.model.name, box.judge.judge
    await box.aclose()
    return Ablation(
        model=model,
        judge=judge,
        embedder=config.embedder,
        seed=config.seed,
        seeds=list(seeds),
        rows=bench.rows,
        goals=[_shown(case) for case in cases],
        left_out=bench.chosen.left_out,
        runs=found,
        planted=planted,
        comparisons=[
            *of_runs(found, [case.id for case in cases], seeds, config.seed),
            *of_planted(planted, config.seed),
        ],
    )


def _shown(case: Case) -> GoalShown:
    return GoalShown(**case.model_dump(include=set(GoalShown.model_fields)))


async def _goals(bench: Bench, units: Sequence[tuple[Case, int]]) -> list[RunFigures]:
    """Every arm on every goal and seed, in their order. An error ends the others too."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case, seed: int) -> list[RunFigures]:
        async with turns:
            return [await _measured(bench, case, seed, name) for name in ARMS]

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(case, seed)) for case, seed in units]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [figures for task in tasks for figures in task.result()]


def _box(bench: Bench, case: Case, seed: int, name: str, arm: Arm) -> Toolbox:
    """The toolbox of a run that is in no list: its vectors and files go, its judgements stay."""
    run = f"{bench.name}-{case.id}-{seed}-{name.replace(' ', '-')}"
    shared = bench.config.model_dump(exclude={"seed"})
    config: RunConfig = configure(
        sampled(bench.chosen, case, bench.rows, seed, bench.place),
        case.goal,
        domain=case.domain,
        out=str(bench.place / run),
        seed=seed,
        **shared,
        **arm.options,
    )
    box = Toolbox(run, config, bench.place, bench.store)
    box.embedder, box.vectors = bench.embedder, bench.vectors
    return box


async def _measured(bench: Bench, case: Case, seed: int, name: str) -> RunFigures:
    """One run with its figures; its results are deleted."""
    box = _box(bench, case, seed, name, ARMS[name])
    scores = bench.store.scores
    with ExitStack() as after:
        for members in (box.run, box.synthetic_run):
            after.callback(partial(scores.leave, members))
        try:
            ran = await drive(box, ARMS[name], case.answers)
            values = await _values(box, case, ran)
        except ReplyFailure as failure:  # the server is at fault
            raise UserError(f"the model does not answer ({failure}).") from failure
        finally:
            await box.aclose()
            bench.tell(box.spent)
    bench.step()
    return RunFigures(
        goal=case.id,
        seed=seed,
        arm=name,
        values=values,
        questions=ran.questions,
        answered=ran.answered,
        names=[subgoal.name for subgoal in ran.subgoals],
        failed=ran.failed,
    )


async def _values(box: Toolbox, case: Case, ran: Ran) -> Values:
    values: Values = {}
    if ran.specification:
        values |= await specified(box, ran.specification, ran.subgoals, case.capabilities)
    if ran.state:
        values |= analysed(ran.state) | synthesised(box, ran.state)
    return values


async def _planted(bench: Bench, sets: Sequence[PlantedSet]) -> list[PlantedPair]:
    if not sets:
        return []
    box = _box(bench, bench.chosen.cases[0], bench.config.seed, "planted", ARMS[FULL])
    try:
        return await both(
            box.door, bench.vectors, bench.embedder, sets, bench.config.seed, bench.step
        )
    finally:
        await box.aclose()
        bench.tell(box.spent)
