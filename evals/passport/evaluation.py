"""A judge's passport: what one should know of a judge before paying for a run.

Labelled rows (`labels.py`) are judged over and over (`retest.py`); the figures are those of
`measures.py` and `places.py`, the verdict that of `verdicts.py`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import combinations
from pathlib import Path

import numpy as np

from ...memory.errors import UserError
from ...memory.records import Spent
from ...tools.rubric import ANCHORS
from ...tools.settings import ModelConfig
from ..exhibit import Exhibit, Table
from ..intervals import Rate
from ..judging import EMBEDDED, open_judges
from ..labels import LabelledDomain, read_labelled
from ..reliability import alpha, weights_of
from . import figures, lines, tables
from .measures import Column, averaged, figures_of, nearest, overall, paired_figures, rate
from .places import places_of
from .records import OVERALL, Between, Entry, JudgeFacts
from .retest import (
    BASE,
    Judged,
    Pass,
    Progress,
    ensemble,
    foretold,
    is_embedded,
    judge_all,
    passes_of,
)
from .verdicts import Rule, verdict_of


class Passport(Exhibit):
    """The figures of some judges on some rows. `domains`: name → rows; all_alpha: Krippendorff's
    alpha (ordinal) of all judges together, the mean over subgoals, where there are several."""

    data: str
    domains: dict[str, int]
    seed: int
    passes: list[str]
    judges: list[JudgeFacts]
    entries: list[Entry]
    between: list[Between] = []
    all_alpha: Rate | None = None
    rule: Rule = Rule()

    def headline(self) -> str:
        return lines.headline(self.judges, self.entries)

    def tables(self) -> list[Table]:
        return tables.tables(self.judges, self.entries, self.between)

    def lines(self) -> list[str]:
        told = []
        if self.all_alpha:
            value = tables.figure(self.all_alpha)
            told.append(f"All judges together: Krippendorff's alpha (ordinal) {value}.")
        rows = ", ".join(f"{name} {count}" for name, count in self.domains.items())
        told.append(f"Data: {self.data} (rows: {rows}); passes: {', '.join(self.passes)}; seed "
                    f"{self.seed}.")  # fmt: skip
        return [*told, *lines.lines(self.judges, self.entries, self.rule)]

    def draw(self, folder: Path) -> dict[str, Path]:
        names = [judge.name for judge in self.judges]
        return figures.draw_all(names, self.entries, self.rule, folder)


async def run(
    config: ModelConfig,
    data: Path,
    on_progress: Progress,
    names: Sequence[str] = (),
    subgoals: Path | None = None,
    rows: int | None = None,
    repeats: int = 2,
    order: bool = True,
    pairwise: bool = True,
    announce: Callable[[str], None] = lambda line: None,
) -> tuple[Passport, Spent]:
    """Judges the labelled rows of `data` (see `read_labelled`) and measures.

    names: of the judges, "embedded" among them; the judge of `config` without any. rows: a sample
    of so many of each domain. repeats: how often the same is asked in all. order, pairwise: whether
    to make these passes too. announce gets the most calls, where a server is asked, before the
    first. Judgements are kept, so a second run is free. Raises UserError for bad data or options.
    """
    if repeats < 1:
        raise UserError("--repeats counts all times that the same is asked: give 1 or more.")
    domains = read_labelled(data, subgoals)
    if rows is not None:
        domains = [domain.drawn(rows, config.seed) for domain in domains]
    passes = passes_of(repeats, order, pairwise, config.seed)
    names = list(dict.fromkeys(names)) or [config.judge or config.model or EMBEDDED]
    async with open_judges(config, f"eval-judge-{datetime.now():%Y%m%d-%H%M%S}", names) as scorers:
        servers = [scorer for scorer in scorers if not is_embedded(scorer)]
        if servers:
            announce(foretold(domains, passes, servers))
        judges = await judge_all(
            list(zip(names, scorers, strict=True)),
            config.max_concurrency, domains, passes, on_progress,
        )  # fmt: skip
        spent = scorers[0].door.ledger.total()
    own = {name for name, scorer in zip(names, scorers, strict=True) if is_embedded(scorer)}
    return passport(data.resolve().name, domains, passes, judges, config.seed, own), spent


def passport(
    data: str,
    domains: Sequence[LabelledDomain],
    passes: Sequence[Pass],
    judges: Sequence[Judged],
    seed: int,
    embedded: set[str] = frozenset(),  # pyright: ignore[reportArgumentType]
) -> Passport:
    """The figures of what was judged; of several judges, of their median too."""
    weights = [weights_of(len(domain), seed + i) for i, domain in enumerate(domains)]
    every = [*judges]
    if len(judges) > 1:
        every.append(ensemble(judges, f"median of {len(judges)}"))
    rule, facts, entries = Rule(), list[JudgeFacts](), list[Entry]()
    for judged in every:
        facts.append(
            JudgeFacts(
                name=judged.name,
                judge=judged.judge,
                embedded=judged.name in embedded,
                same=_same(judged),
                failures=judged.failures.most_common(3),
                places=places_of(judged, domains, passes, weights),
            )
        )
        entries += entries_of(judged, domains, weights, facts[-1], rule)
    return Passport(
        data=data,
        domains={domain.name: len(domain) for domain in domains},
        seed=seed,
        passes=[made.name for made in passes],
        judges=facts,
        entries=entries,
        between=[_between(*pair, weights) for pair in combinations(judges, 2)],
        all_alpha=_all_alpha(judges, weights) if len(judges) > 1 else None,
        rule=rule,
    )


def entries_of(
    judged: Judged,
    domains: Sequence[LabelledDomain],
    weights: Sequence[np.ndarray],
    facts: JudgeFacts,
    rule: Rule,
) -> list[Entry]:
    """One a subgoal, and one over all of them."""
    found: list[Entry] = []
    columns: dict[str, list[Column]] = {}
    for i, (domain, drawn) in enumerate(zip(domains, weights, strict=True)):
        figures = figures_of(judged, i, domain.labels, drawn)
        base = judged.values[BASE][i]
        for name, own in figures.items():
            columns.setdefault(name, []).extend(own)
        for place, subgoal in enumerate(domain.subgoals):
            labels = domain.labels[:, place]
            own = {name: rate(column[place]) for name, column in figures.items()}
            both = labels[~np.isnan(labels + base[:, place])]
            first = facts.places.first_asked if facts.places else None
            verdict, reasons = verdict_of(own, len(set(both)) > 1, first, rule)
            found.append(
                Entry(
                    judge=judged.name, domain=domain.name, subgoal=subgoal.id, name=subgoal.name,
                    rows=int((~np.isnan(base[:, place])).sum()),
                    histogram=_histogram(base[:, place]), labelled=_histogram(labels),
                    figures=own, verdict=verdict, reasons=reasons,
                )
            )  # fmt: skip
    rows = sum(map(len, domains))
    whole = Entry(
        judge=judged.name, domain="", subgoal="", name=OVERALL,
        rows=sum(entry.rows for entry in found),
        histogram=[sum(counts) for counts in zip(*(e.histogram for e in found), strict=True)],
        labelled=[sum(counts) for counts in zip(*(e.labelled for e in found), strict=True)],
        figures={name: overall(own, rows) for name, own in columns.items()},
    )  # fmt: skip
    return [*found, whole]


def _histogram(values: np.ndarray) -> list[int]:
    places = nearest(values[~np.isnan(values)]).astype(int)
    return np.bincount(places, minlength=len(ANCHORS)).tolist()


def _same(judged: Judged) -> bool | None:
    """Whether the base and all retests are equal."""
    base = judged.values[BASE]
    again = [arrays for name, arrays in judged.values.items() if name.startswith("retest")]
    if not again:
        return None
    return all(
        np.array_equal(one, other, equal_nan=True)
        for arrays in again
        for one, other in zip(base, arrays, strict=True)
    )


def _between(first: Judged, second: Judged, weights: Sequence[np.ndarray]) -> Between:
    columns: dict[str, list[Column]] = {}
    for x, y, drawn in zip(first.values[BASE], second.values[BASE], weights, strict=True):
        shift = averaged("judges", {"shift": x - y}, drawn)
        for name, own in (paired_figures(x, y, drawn) | shift).items():
            columns.setdefault(name, []).extend(own)
    rows = sum(map(len, first.values[BASE]))
    figures = {name: overall(own, rows) for name, own in columns.items()}
    return Between(first=first.name, second=second.name, figures=figures)


def _all_alpha(judges: Sequence[Judged], weights: Sequence[np.ndarray]) -> Rate:
    columns = []
    for i, drawn in enumerate(weights):
        sides = np.stack([judged.values[BASE][i] for judged in judges])  # (judges, n, k)
        for ratings in np.moveaxis(sides, 2, 0):
            columns.append(
                Column(alpha(ratings, drawn, ordinal=True), int((~np.isnan(ratings)).sum()))
            )
    return overall(columns, sum(len(drawn[0]) for drawn in weights))
