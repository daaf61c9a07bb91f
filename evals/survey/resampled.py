"""Rows judged by an LLM, as small finite populations: samples of them are drawn, and the estimate
is compared with the mean over all.

The real features and head. The samples are far smaller than a survey's first look, so this is a
test of the estimate, not of the stop.
"""

from pathlib import Path

import numpy as np

from ...memory.records import Record
from ...tools.datasets import DataSource, load
from ...tools.embeddings import Embedder
from ...tools.settings import home
from ...tools.survey.features import features_of
from ..intervals import Rate
from ..labels import LabelledDomain, read_labelled
from .held import Held
from .trials import figures, holds, rate, ratio, with_support

PARTS = (1 / 3, 1 / 2)


class Resampled(Record):
    """Of a subgoal. sampled of rows: judged. mean, share: coverage; ratio: width of A(s)'s interval
    to the classical one's; r2: mean."""

    domain: str
    subgoal_id: str
    rows: int
    sampled: int
    mean: Rate
    share: Rate
    ratio: float
    r2: float


async def run(folder: Path, repeats: int, seed: int) -> list[Resampled]:
    """Of every domain of the folder, every subgoal, and every part of its rows."""
    embedder = Embedder()
    found: list[Resampled] = []
    for domain in read_labelled(folder):
        path = str(folder / f"{domain.name}.jsonl")
        table = load(DataSource(path=path, input_columns=["input"], output_column="output"),
                     home() / "datasets")  # fmt: skip
        held = Held.of(await features_of(table, embedder, home() / "datasets", ignore))
        complete = np.flatnonzero(~np.isnan(domain.labels).any(axis=1))
        for part in PARTS:
            scores = domain.labels[complete]
            found += resampled(domain, held.only(complete), scores, part, repeats, seed)
    return found


def ignore(done: int, total: int) -> None:
    """Nothing is shown of small files."""


def resampled(
    domain: LabelledDomain, features: Held, scores: np.ndarray, part: float, repeats: int, seed: int
) -> list[Resampled]:
    """scores: (m, k), of the rows that have them all."""
    rows, k = scores.shape
    truth = with_support(scores).mean(axis=0)
    look = figures(features, scores, seed)
    draw = np.random.default_rng([seed, rows, *domain.name.encode()])
    size = round(part * rows)
    told = [look(draw.choice(rows, size, replace=False)) for _ in range(repeats)]
    found = []
    for j, subgoal in enumerate(domain.subgoals):
        means = [one[j][0] for one in told]
        found.append(
            Resampled(
                domain=domain.name,
                subgoal_id=subgoal.id,
                rows=rows,
                sampled=size,
                mean=rate([holds(mean, truth[j]) for mean in means]),
                share=rate([holds(one[j][1], truth[k + j]) for one in told]),
                ratio=ratio([m.half_width for m in means], [m.classical for m in means]),
                r2=float(np.mean([m.r2 or 0.0 for m in means])),
            )
        )
    return found
