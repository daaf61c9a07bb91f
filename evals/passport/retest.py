"""The same rows judged over and over: again, with the subgoals in another order, pair by pair."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from ...memory.records import Spent, content_hash
from ...tools.embedded_model import EmbeddedModel
from ...tools.judge import MOST_SUBGOALS, Mode, asks_of
from ...tools.scorer import READ_AT_ONCE, ScoreProgress, Scorer
from ...tools.text import many
from ..judging import judge_rows
from ..labels import LabelledDomain

BASE, ORDER, PAIRWISE = "base", "order", "pairwise"

Progress = Callable[[int, int, Spent], None]
"""Gets the rows done, all rows, and what is spent."""


@dataclass(frozen=True)
class Pass:
    """One way to judge all rows. variant: see Scorer; empty where judgements of earlier runs serve
    as well. shuffle: seed of the order of the subgoals."""

    name: str
    mode: Mode = "joint"
    variant: str = ""
    shuffle: int | None = None

    def calls(self, domain: LabelledDomain) -> int:
        """Most calls that it takes, without repairs."""
        return len(domain) * -(-len(domain.subgoals) // self.at_once)

    @property
    def at_once(self) -> int:
        """Subgoals of a call."""
        return MOST_SUBGOALS if self.mode == "joint" else 1


@dataclass
class Judged:
    """What one judge said: by pass, an array (n, k) for each domain. failures: of the base pass."""

    name: str
    judge: str
    values: dict[str, list[np.ndarray]] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)


def passes_of(repeats: int, order: bool, pairwise: bool, seed: int) -> list[Pass]:
    """In the order in which they are made: the base first."""
    again = [Pass(f"retest {n}", variant=f"retest {n}") for n in range(2, repeats + 1)]
    ordered = [Pass(ORDER, variant=f"order {seed}", shuffle=seed)] * order
    return [Pass(BASE), *again, *ordered, *([Pass(PAIRWISE, mode="pairwise")] * pairwise)]


def foretold(
    domains: Sequence[LabelledDomain], passes: Sequence[Pass], scorers: Sequence[Scorer]
) -> str:
    """The most calls that the servers of these judges get, and how many the store saves."""
    calls = {made.name: sum(map(made.calls, domains)) for made in passes}
    parts = ", ".join(f"{name} {count:,}" for name, count in calls.items())
    each = f" for each of {len(scorers)} judges" if len(scorers) > 1 else ""
    most = sum(calls.values()) * len(scorers)
    left = sum(
        calls_left(made, scorer, domain)
        for made, scorer, domain in product(passes, scorers, domains)
    )
    rows = many(sum(map(len, domains)), "row")
    return (
        f"{rows}: at most {sum(calls.values()):,} calls{each} ({parts}); kept from before, "
        f"so not asked again: {most - left:,}; a reply that does not fit is asked for once more"
    )


def calls_left(made: Pass, scorer: Scorer, domain: LabelledDomain) -> int:
    """Calls that a pass takes, less what the store has."""
    own = scorer_of(made, scorer, 1, domain)
    rows = list({sample.hash: None for sample in domain.samples})
    calls = 0
    for start in range(0, len(rows), READ_AT_ONCE):
        batch = rows[start : start + READ_AT_ONCE]
        known = own.store.scores.known(own.judge, batch)
        pending = (sum(not known.get((row, s.hash)) for s in domain.subgoals) for row in batch)
        calls += sum(-(-count // made.at_once) for count in pending)
    return calls


async def judge_all(
    scorers: Sequence[tuple[str, Scorer]],
    concurrency: int,
    domains: Sequence[LabelledDomain],
    passes: Sequence[Pass],
    on_progress: Progress,
) -> list[Judged]:
    """Every pass by every judge (name, scorer), pass by pass: the base of all judges comes first.

    All is kept as it comes, so that it goes on where it ended. Errors: see `Scorer.score`.
    """
    found = [Judged(name, scorer.judge) for name, scorer in scorers]
    total, done = len(passes) * len(found) * sum(map(len, domains)), 0
    for made in passes:
        for judged, (_, scorer) in zip(found, scorers, strict=True):
            values = judged.values.setdefault(made.name, [])
            for domain in domains:

                def tell(progress: ScoreProgress, before: int = done) -> None:
                    on_progress(before + progress.done, total, progress.spent)

                own = scorer_of(made, scorer, concurrency, domain)
                rows = await judge_rows(own, domain.samples, domain.subgoals, tell)
                values.append(rows)
                done += len(domain)
                if made.name == BASE:
                    judged.failures += reasons(own, domain, rows)
    return found


def scorer_of(made: Pass, scorer: Scorer, concurrency: int, domain: LabelledDomain) -> Scorer:
    """The scorer of a pass. A variant's name carries the set of subgoals: judged beside others,
    they would be another question."""
    of = content_hash(*(subgoal.hash for subgoal in domain.subgoals))[:8]
    variant = f"{made.variant} of {of}" if made.variant else ""
    return Scorer(scorer.door, scorer.store, concurrency, made.mode, variant, made.shuffle)


def reasons(scorer: Scorer, domain: LabelledDomain, values: np.ndarray) -> Counter[str]:
    """Why judgements are missing: pairs by reason."""
    found: Counter[str] = Counter()
    for row in np.flatnonzero(np.isnan(values).any(axis=1)):
        kept = scorer.store.scores.get(scorer.judge, domain.samples[row].hash)
        for place in np.flatnonzero(np.isnan(values[row])):
            score = kept.get(domain.subgoals[place].hash)
            found[(score and score.error) or "not judged"] += 1
    return found


def is_embedded(scorer: Scorer) -> bool:
    """Whether it costs nothing, and is no judge of skill."""
    return isinstance(scorer.model, EmbeddedModel)


def ensemble(judges: Sequence[Judged], name: str) -> Judged:
    """The median of the values that are there, in every pass, as a judge of its own."""
    both = Judged(name, name)
    for made in judges[0].values:
        sides = zip(*(judged.values[made] for judged in judges), strict=True)
        both.values[made] = [_median(np.stack(side)) for side in sides]
    return both


def _median(values: np.ndarray) -> np.ndarray:
    """Over the first axis; NaN where nothing is there."""
    there = ~np.isnan(values).all(axis=0)
    found = np.full(values.shape[1:], np.nan)
    found[there] = np.round(np.nanmedian(values[:, there], axis=0), 6)  # 0.6, not 0.6000…01
    return found


def places(domain: LabelledDomain, made: Pass) -> tuple[np.ndarray, np.ndarray]:
    """Where each subgoal stands, from 0, in the list and in the order that is asked for, (n, k).

    Of a first call: a pair that failed and was asked again later stood elsewhere then.
    """
    column = {subgoal.id: place for place, subgoal in enumerate(domain.subgoals)}
    shape = len(domain), len(domain.subgoals)
    listed, asked = np.zeros(shape, dtype=int), np.zeros(shape, dtype=int)
    for row, sample in enumerate(domain.samples):
        for ask in asks_of(sample, domain.subgoals, made.mode, made.shuffle):
            for place, (subgoal, name) in enumerate(zip(ask.subgoals, ask.order, strict=True)):
                listed[row, column[subgoal.id]] = place
                asked[row, column[name]] = place
    return listed, asked
