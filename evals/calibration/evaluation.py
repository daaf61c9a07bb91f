"""How far the embedded judge agrees with judged rows, and how far it does so on other domains.

Its weight and cuts were fitted to judged rows. Each domain is therefore judged again with those
fitted on the other domains only (leave one domain out), beside simpler rules.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from ...memory.errors import UserError
from ...memory.records import Spent
from ...tools.embeddings import Embedder
from ...tools.plain import read_plain
from ...tools.settings import ModelConfig
from ..labels import LabelledDomain, read_labelled
from ..passport.measures import Column, overall, resampled
from ..reliability import kappa, means, spearman, weights_of
from .report import GROUPS, RULES, Agreed, Calibration, Fitted, Judged, Mean
from .rules import (
    PREVIOUS_CUTS,
    SHIPPED,
    Measured,
    Parameters,
    cuts_of,
    fit,
    measure,
)

TOPICS = Path(__file__).with_name("calibration.yaml")


async def run(
    config: ModelConfig,
    data: Path,
    topics: Path | None,
    on_progress: Callable[[int, int, Spent], None],
) -> tuple[Calibration, Spent]:
    """Reads `data`, a folder of judged rows or one that has them in gold/ (see `read_labelled`).

    topics: file that lists the subgoals that are topics. on_progress gets rows done and all rows.
    Raises UserError where a file is not what is needed, or there are not two domains.
    """
    folder = data / "gold" if (data / "gold").is_dir() else data
    domains = [domain for domain in read_labelled(folder) if not np.isnan(domain.labels).all()]
    if len(domains) < 2:
        raise UserError(
            f"{folder} has judged rows of {len(domains)} domain: give two NAME.jsonl with scores "
            "or more, as each is tested with what was fitted on the others."
        )
    marked, embedder = topics_of(topics or TOPICS), Embedder(config.embedder)
    if topics:  # the packaged ones are of other rows
        _check_topics(topics, marked, domains)
    measured, total = [], sum(map(len, domains))
    done = 0
    for domain in domains:
        on_progress(done, total, Spent())
        measured.append(await measure(domain, embedder))
        done += len(domain)
        on_progress(done, total, Spent())
    return evaluate(measured, marked, embedder.name, data.resolve().name, config.seed), Spent()


def topics_of(path: Path) -> set[str]:
    """The ids under `topics` in a YAML or JSON file. Raises UserError where it has none."""
    try:
        found = TypeAdapter(dict[str, list[str]]).validate_python(read_plain(path))
        return set(found["topics"])
    except (ValidationError, KeyError) as error:
        raise UserError(f"{path} must hold “topics”, a list of ids of subgoals.") from error


def _check_topics(path: Path, topics: set[str], domains: Sequence[LabelledDomain]) -> None:
    known = dict.fromkeys(subgoal.id for domain in domains for subgoal in domain.subgoals)
    if unknown := sorted(topics - known.keys()):
        raise UserError(
            f"{path}: topics has {unknown[0]}, which is no subgoal of the judged rows; there are "
            f"{', '.join(known)}."
        )


def evaluate(
    measured: Sequence[Measured], topics: set[str], embedder: str, data: str, seed: int
) -> Calibration:
    """Every rule on every subgoal, and the means."""
    subgoals: list[Judged] = []
    draws: list[dict[str, dict[str, np.ndarray]]] = []
    fitted = []
    for place, one in enumerate(measured):
        others = [other for i, other in enumerate(measured) if i != place]
        refitted = fit(others)
        fitted.append(Fitted(without=one.domain.name, stated=refitted.stated, cuts=refitted.cuts))
        weights = weights_of(len(one.domain), seed + place)
        anchors = _anchors(one, others, refitted)
        for column, subgoal in enumerate(one.domain.subgoals):
            labels = one.domain.labels[:, column]
            if len(set(labels[~np.isnan(labels)])) < 2:
                continue  # nothing to rank
            found = {
                rule: _draws(values[:, column], labels, weights) for rule, values in anchors.items()
            }
            draws.append(found)
            subgoals.append(
                Judged(
                    domain=one.domain.name,
                    id=subgoal.id,
                    name=subgoal.name,
                    topic=subgoal.id in topics,
                    rows=int((~np.isnan(labels)).sum()),
                    rules={
                        rule: _agreed(own, anchors[rule][:, column], labels)
                        for rule, own in found.items()
                    },
                )
            )
    if not subgoals:
        raise UserError("no subgoal has two different scores: there is nothing to rank.")
    return Calibration(
        embedder=embedder,
        data=data,
        seed=seed,
        subgoals=subgoals,
        means=_means(subgoals, draws),
        fitted=fitted,
    )


def _anchors(
    one: Measured, others: Sequence[Measured], refitted: Parameters
) -> dict[str, np.ndarray]:
    """The anchors that each rule gives, shape (n, k)."""
    rules = {"shipped": SHIPPED, "refitted": refitted, "topic": fit(others, evidence=False)}
    labels = [other.domain.labels for other in others]
    cosine = Parameters(0.0, cuts_of([other.cosine for other in others], labels))
    return {
        **{rule: _capped(one, parameters) for rule, parameters in rules.items()},
        "previous": Parameters(0.0, PREVIOUS_CUTS).anchors(one.previous),
        "cosine": cosine.anchors(one.cosine),
    }


def _capped(one: Measured, parameters: Parameters) -> np.ndarray:
    """The anchors of the judge's rule with these parameters."""
    return np.minimum(parameters.anchors(one.topic + parameters.stated * one.evidence), one.most)


def _draws(values: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Each figure and its resamples, shape (1 + resamples,), NaN where one is not defined.

    A rule that gives all rows one anchor ranks nothing, in no resample either: Spearman 0.
    """
    ranks = spearman(values, labels, weights)
    return {
        "spearman": np.zeros_like(ranks) if np.isnan(ranks[0]) else ranks,
        "kappa": kappa(values, labels, weights),
        "error": means(np.abs(values - labels), weights),
    }


def _agreed(draws: dict[str, np.ndarray], values: np.ndarray, labels: np.ndarray) -> Agreed:
    there = ~np.isnan(labels)
    count = int(there.sum())
    return Agreed(
        **{name: resampled(own, count) for name, own in draws.items()},
        predicted=float(values[there].mean()),
        judged=float(labels[there].mean()),
    )


def _means(
    subgoals: Sequence[Judged], draws: Sequence[dict[str, dict[str, np.ndarray]]]
) -> list[Mean]:
    """Over all subgoals, topics and skills; subgoals of a domain share their resamples."""
    found = []
    for rule in RULES:
        for group in GROUPS:
            places = [i for i, own in enumerate(subgoals) if _in(own, group)]
            if not places:
                continue
            rows = sum(subgoals[i].rows for i in places)
            figures = {
                name: overall(
                    [Column(draws[i][rule][name], subgoals[i].rows) for i in places], rows
                )
                for name in ("spearman", "kappa", "error")
            }
            levels = [subgoals[i].rules[rule] for i in places]
            off = float(np.mean([abs(own.predicted - own.judged) for own in levels]))
            found.append(Mean(rule=rule, group=group, subgoals=len(places), off=off, **figures))
    return found


def _in(own: Judged, group: str) -> bool:
    return group == "all" or own.topic == (group == "topics")
