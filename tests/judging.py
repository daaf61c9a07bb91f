"""Rows, subgoals and judgements for tests of the scorer."""

from typing import Any

from goalcover.memory.records import RowCounts, Sample, Score, Subgoal
from goalcover.memory.store import Store
from goalcover.tools.judge import Judgement, Judgements, Mode
from goalcover.tools.model import Door, Model
from goalcover.tools.scorer import Scorer

DOSING = Subgoal(id="dosing", name="Dosing", description="States the dose of a medicine.")
RISKS = Subgoal(id="risks", name="Risks", description="Warns about side effects.")
REFERRAL = Subgoal(id="referral", name="Referral", description="Says when to see a doctor.")
THREE = [DOSING, RISKS, REFERRAL]
VALUES = {"dosing": 0.2, "risks": 0.6, "referral": 1.0}


def sample(index: int, text: str | None = None) -> Sample:
    output = text or f"answer {index}"
    return Sample(index=index, id=f"id{index}", input=f"question {index}", output=output)


def judged(ids: list[str], value: float | None = None) -> Judgements:
    return Judgements(
        judgements=[
            Judgement(
                id=name,
                explanation=f"about {name}",
                score=VALUES.get(name, 0.4) if value is None else value,
            )
            for name in ids
        ]
    )


def asked_ids(body: dict[str, Any]) -> list[str]:
    """The capabilities that a request asks for, in its order."""
    prompt = body["messages"][1]["content"].rpartition("in this order: ")[2]
    return prompt.split(".")[0].split(", ")


def well_judged(body: dict[str, Any]) -> dict[str, Any]:
    """What a good server answers."""
    return judged(asked_ids(body)).model_dump()


def scorer_of(model: Model, store: Store, concurrency: int = 4, mode: Mode = "joint") -> Scorer:
    return Scorer(Door(model, store, "run"), store, concurrency, mode)


async def score_rows(
    scorer: Scorer, rows: list[Sample | None], subgoals: list[Subgoal] = THREE
) -> RowCounts:
    return await scorer.score("run", rows, len(rows), subgoals)


def stored(store: Store, scorer: Scorer, row: Sample) -> dict[str, Score]:
    """Scores of a row by subgoal id."""
    kept = store.scores.get(scorer.judge, row.hash)
    return {s.id: kept[s.hash] for s in THREE if s.hash in kept}


def values(scores: dict[str, Score]) -> dict[str, float | None]:
    return {name: score.value for name, score in scores.items()}


def kept_rows(store: Store, scorer: Scorer, rows: list[Sample]) -> int:
    """How many rows have all their values."""
    return sum(values(stored(store, scorer, row)) == VALUES for row in rows)
