"""Phase 2: judges the rows, or a sample of them, and makes coverage of the scores."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..memory.errors import UserError
from ..memory.records import Foretold, RowCounts, Spent, Subgoal, Survey
from ..memory.store import Store
from ..memory.usage import Ledger
from ..tools import audit as audits
from ..tools import coverage as coverages
from ..tools import filtering, overlap
from ..tools.cap import Cap, counted
from ..tools.datasets import Table
from ..tools.embedded_model import EmbeddedModel
from ..tools.foretell import foretold
from ..tools.judge import JudgeAsk
from ..tools.scoring import collect_ended, score_all, survey_of, wish_of
from ..tools.settings import RunConfig
from ..tools.survey.survey import Surveyed, survey
from .state import State
from .toolbox import Run, Toolbox, tell, teller

LEFT = 0.2
"""Share of what is left of a cap that a survey leaves to gaps, recommendations and synthesis."""


async def foretell(state: State, runtime: Run) -> State:
    """What the scoring is expected to take; nothing where it costs nothing."""
    box = runtime.context
    if isinstance(box.judge.model, EmbeddedModel):
        return {}
    tell(runtime, "foretell")
    ledger, table = box.judge.door.ledger, box.table
    return {
        "foretold": await asyncio.to_thread(
            foretold_scoring, box.config, table, box.store, state["subgoals"], ledger
        )
    }


async def score(state: State, runtime: Run) -> State:
    """Judges every row against every subgoal, or as many as a survey asks for. Resumes from the
    store."""
    box, subgoals = runtime.context, state["subgoals"]
    box.out.mkdir(parents=True, exist_ok=True)
    before, start = _spent(box), time.monotonic()
    told: State = {}
    await collect_ended(box.judge)
    if box.config.survey:
        with _leaving(box):
            found = await _survey(subgoals, runtime)
        told |= {"counts": found.counts, "coverage": found.coverage}
        told["survey"] = survey_of(box.config, found)
    else:
        told |= {"counts": await _score_all(subgoals, runtime)}
    told["scoring"] = _spent(box)
    if not before.calls:  # of an interrupted scoring the time is not known
        told["scoring_seconds"] = time.monotonic() - start
    return told


def cap_of_scoring(config: RunConfig, ledger: Ledger) -> Cap:
    """The run's, less what a language model's other roles may need."""
    cap = Cap.of(config)
    return cap.leaving(LEFT, ledger) if cap and config.model else cap


def foretold_scoring(
    config: RunConfig, table: Table, store: Store, subgoals: list[Subgoal], ledger: Ledger
) -> Foretold:
    """What the scoring of a run is expected to take, within its own cap."""
    cap = cap_of_scoring(config, ledger)
    own = config.model_copy(update={"max_calls": cap.calls, "budget": cap.usd})
    return foretold(own, table, store, subgoals, counted(ledger.entries()))


@contextmanager
def _leaving(box: Toolbox) -> Iterator[None]:
    """Within it the judge has the cap of the scoring."""
    door = box.judge.door
    cap, door.cap = door.cap, cap_of_scoring(box.config, door.ledger)
    try:
        yield
    finally:
        door.cap = cap


def _spent(box: Toolbox) -> Spent:
    """On judging rows, by this run so far."""
    entries = box.store.ledger(box.run).entries()
    return sum((entry for entry in entries if entry.role == JudgeAsk.role), Spent())


async def _survey(subgoals: list[Subgoal], runtime: Run) -> Surveyed:
    box = runtime.context

    def embedded(done: int, total: int) -> None:
        tell(runtime, "embed", done=done, total=total)

    return await survey(
        box.judge,
        box.run,
        box.table,
        subgoals,
        wish_of(box.config, explain=True),
        box.embedder,
        await _copies(box),
        box.cache,
        teller(runtime, "score"),
        embedded,
        box.stop,
    )


async def _score_all(subgoals: list[Subgoal], runtime: Run) -> RowCounts:
    box = runtime.context
    tell(runtime, "score", done=0, total=len(box.table))
    return await score_all(box.judge, box.run, box.table, subgoals, teller(runtime, "score"))


async def _copies(box: Toolbox) -> dict[int, int]:
    """Some seconds for large data."""
    return await asyncio.to_thread(lambda: box.near_duplicates)


async def audit(state: State, runtime: Run) -> State:
    """Judges some rows in the other mode too."""
    box = runtime.context
    if not box.config.audit:
        return {"audit": []}
    return {
        "audit": await audits.audit(
            box.judge,
            box.auditor,
            box.store,
            box.run,
            box.table,
            state["subgoals"],
            box.config.audit,
            box.config.seed,
            teller(runtime, "audit"),
            box.sampled_rows(state.get("survey")),
        )
    }


async def assess(state: State, runtime: Run) -> State:
    """A(s) against tau, and what the scores say of the subgoals' overlap."""
    box = runtime.context
    tell(runtime, "assess")
    scores, judge, subgoals = box.store.scores, box.judge.judge, state["subgoals"]
    survey = state.get("survey")
    if survey:
        found = state["coverage"]
    else:
        copies = await _copies(box)
        found = coverages.assess(scores, box.run, judge, subgoals, box.config.tau, copies)
    if not any(c.judged or c.failed for c in found):
        raise UserError(f"the store holds no scores of {judge} for this run.")
    pairs, standing = overlap.overlaps(
        scores, box.run, judge, subgoals, box.excerpt, box.config.seed
    )
    near = _near_cut(box, survey, subgoals) if survey else []
    return {"coverage": found, "overlaps": pairs, "standing": standing, "near_cut": near}


def _near_cut(box: Toolbox, survey: Survey, subgoals: list[Subgoal]) -> list[int]:
    """Predicted rows on which the filter could decide otherwise. Chosen once, or a run that is
    resumed while they are judged would choose others."""
    most = survey.sampled if box.config.rejudge is None else box.config.rejudge
    stopped = survey.by_hand or (box.stop and box.stop.is_set())
    if stopped or not most:  # who stopped the judging does not want to pay for more of it
        return []
    ids = [subgoal.id for subgoal in subgoals]
    rows = box.scored_rows(subgoals)
    return filtering.near_cut(rows, ids, box.config, most, box.near_duplicates)
