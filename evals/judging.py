"""Judgements for evaluations, by the scorer of a run; they are kept, so a second run is free."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import numpy as np

from ..memory.errors import UserError
from ..memory.records import Sample, Subgoal
from ..memory.store import open_store
from ..tools.embeddings import Embedder
from ..tools.judge import Mode
from ..tools.model import Door
from ..tools.scorer import Listener, Scorer, ignore
from ..tools.settings import ModelConfig, home, open_model, untraced

EMBEDDED = "embedded"
"""The name of the embedded judge among several."""


@asynccontextmanager
async def open_judges(
    config: ModelConfig, run: str, names: Sequence[str] = (), mode: Mode = "joint"
) -> AsyncIterator[list[Scorer]]:
    """A scorer for each judge named, or for the judge of `config` where none is.

    `run` is what usage is kept under; all judges share one store and one ledger. Raises UserError
    where a name is blank.
    """
    if not all(name.strip() for name in names):
        raise UserError(f"--judge: the name is blank: give a model's, or “{EMBEDDED}”.")
    embedder = Embedder(config.embedder)
    wanted = [None if name == EMBEDDED else name for name in names]
    with open_store(home()) as store, untraced():
        models = [
            open_model(name, config, embedder) for name in wanted or [config.judge or config.model]
        ]
        try:
            doors = [Door(model, store, run) for model in models]
            yield [Scorer(door, store, config.max_concurrency, mode) for door in doors]
        finally:
            for model in models:
                await model.aclose()


async def judge_rows(
    scorer: Scorer,
    samples: Sequence[Sample],
    subgoals: Sequence[Subgoal],
    on_progress: Listener = ignore,
) -> np.ndarray:
    """A(x, y, s) of every row and subgoal, shape (n, k), NaN where there is no judgement.

    Errors: see `Scorer.score`.
    """
    run = scorer.door.run
    numbered = [sample.model_copy(update={"index": i}) for i, sample in enumerate(samples)]
    values = np.full((len(samples), len(subgoals)), np.nan)
    try:
        await scorer.score(run, numbered, len(numbered), subgoals, on_progress)
        for place, subgoal in enumerate(subgoals):
            for row, value in scorer.store.scores.values(run, scorer.judge, subgoal):
                values[row, place] = value
    finally:
        scorer.store.scores.leave(run)
    return values
