"""Whole data sets: every row is judged once by the embedded judge, which is free, and surveys of
them are repeated: the real features, head and rule, with and without anything to predict from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...memory.errors import UserError
from ...memory.records import Record, Subgoal
from ...memory.scores import SUPPORTING
from ...tools.copies import copies_of
from ...tools.datasets import load
from ...tools.embeddings import Embedder
from ...tools.scorer import Listener
from ...tools.settings import ModelConfig, home
from ...tools.subgoals import read_subgoals
from ...tools.survey.covered import Found, Sampled, found
from ...tools.survey.features import features_of
from ..corruption.removals import read_domains
from ..judging import judge_rows, open_judges
from .held import Held
from .trials import Pair, Summary, Trial, summary, surveyed

DOMAINS = ("code", "medical")
"""Of the controlled corruption, with all subgoals of the judged rows in gold/."""

PRECISION = 0.03

AT_ONCE = 5
"""Surveys that a worker is given at a time."""


class Of(Record):
    """A subgoal in repeated surveys. mean, share: over all rows, by the judge. inside: share of the
    predicted rows whose score lies in its interval, mean over the surveys; None where all rows were
    judged."""

    subgoal_id: str
    mean: float
    share: float
    found: Summary
    inside: float | None


class Whole(Record):
    """Surveys of a data set. features: "as they are", or "shuffled": nothing can be predicted.
    sampled: rows judged, mean; most: in the longest survey."""

    data: str
    rows: int
    features: str
    sampled: float
    most: int
    subgoals: list[Of]

    @property
    def pairwise(self) -> int:
        return self.rows * len(self.subgoals)


@dataclass(frozen=True)
class Judged:
    """All rows of a data set. scores: (m, k); rows, groups: (m,), see `Sampled`."""

    name: str
    subgoals: list[Subgoal]
    features: Held
    scores: np.ndarray
    rows: np.ndarray
    groups: np.ndarray

    def sampled(self, at: np.ndarray) -> Sampled:
        return Sampled(at, self.scores[at], self.rows, self.groups)


async def judged(name: str, data: Path, config: ModelConfig, on_progress: Listener) -> Judged:
    """All rows of a domain. Raises UserError where its files are not in the folder `data`."""
    domain = read_domains()[name]
    source = domain.source(data)
    if source is None:
        raise UserError(f"there is no file {data / domain.file}: give --data a folder that has it.")
    subgoals = read_subgoals(data / "gold" / f"{name}.subgoals.json")
    table = load(source, home() / "datasets")
    async with open_judges(config, "eval-survey") as (scorer,):
        samples = [sample for sample in table if sample]
        scores = await judge_rows(scorer, samples, subgoals, on_progress)
    features = await features_of(
        table, Embedder(config.embedder), home() / "datasets", lambda done, total: None
    )
    copies = copies_of(table, home() / "datasets")
    groups = np.array([copies.get(row, row) for row in features.rows.tolist()])
    name = Path(source.path).name
    return Judged(name, subgoals, Held.of(features), scores, features.rows, groups)


def whole(
    of: Judged,
    shuffled: bool,
    repeats: int,
    seed: int,
    workers: int,
    tell: Callable[[int], None] = lambda done: None,
) -> Whole:
    """tell: surveys that are done."""
    from joblib import Parallel, delayed

    features = of.features.shuffled(seed) if shuffled else of.features
    numbers = np.arange(repeats)
    some = [
        delayed(surveys)(of, features, numbers[start : start + AT_ONCE], seed)
        for start in range(0, repeats, AT_ONCE)
    ]
    supports = _distinct(of) >= SUPPORTING
    trials: list[tuple[list[Trial], np.ndarray]] = []
    for part in Parallel(n_jobs=workers, return_as="generator")(some):  # pyright: ignore
        trials.extend(part or [])
        tell(len(trials))
    sampled = [own[0].sampled for own, _ in trials]
    return Whole(
        data=of.name,
        rows=len(of.scores),
        features="shuffled" if shuffled else "as they are",
        sampled=float(np.mean(sampled)),
        most=max(sampled),
        subgoals=[
            Of(
                subgoal_id=subgoal.id,
                mean=float(of.scores[:, j].mean()),
                share=float(supports[:, j].mean()),
                found=summary([own[j] for own, _ in trials]),
                inside=_mean([float(inside[j]) for own, inside in trials if not own[j].whole]),
            )
            for j, subgoal in enumerate(of.subgoals)
        ],
    )


def _distinct(of: Judged) -> np.ndarray:
    """Scores of the distinct rows."""
    return of.scores[of.sampled(np.arange(0)).distinct]


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def surveys(
    of: Judged, features: Held, numbers: np.ndarray, seed: int
) -> list[tuple[list[Trial], np.ndarray]]:
    """A survey for each number: how each subgoal fared, and the shares of predicted rows whose
    scores lie in their intervals, (k,)."""
    truth = np.concatenate([of.scores.mean(axis=0), (_distinct(of) >= SUPPORTING).mean(axis=0)])
    done = []
    for number in numbers:
        look = _Look(of, features, seed)
        draw = np.random.default_rng([seed, int(number), *of.name.encode()])
        order = draw.permutation(len(of.scores))
        done.append((surveyed(look, order, of.scores, truth, PRECISION), look.inside()))
    return done


class _Look:
    """What a survey finds, kept for its predictions."""

    def __init__(self, of: Judged, features: Held, seed: int) -> None:
        self._of, self._features, self._seed = of, features, seed
        self._at = np.arange(0)
        self._found: Found | None = None

    def __call__(self, at: np.ndarray) -> list[Pair]:
        self._at = at
        self._found = found(self._of.sampled(at), self._features, self._seed)
        return [(one.mean, one.share) for one in self._found.estimates if one]

    def inside(self) -> np.ndarray:
        """Of each subgoal; none where nothing was looked at, as all rows were judged."""
        rest = np.ones(len(self._of.scores), bool)
        rest[self._at] = False
        made = [one for one in self._found.predictions if one] if self._found else []
        return np.array([
            ((one.lows[rest] <= scores) & (scores <= one.highs[rest])).mean()
            for one, scores in zip(made, self._of.scores[rest].T, strict=False)
        ])  # fmt: skip
