"""Are the gaps that are found the ones that are there, and is a missing subgoal called missing?

Sets with planted gaps (`planted.py`) go through the analyzer of a run (`delivered.py`), and beside
it through the clustering functions alone and baselines (`grouping.py`).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from ...memory.errors import UserError
from ...memory.records import GapKind, Record, Spent
from ...memory.store import open_store
from ...memory.vectors import VectorStore
from ...tools.coverage import share_interval
from ...tools.embeddings import Embedder
from ...tools.kinds import kind_of
from ...tools.model import Door
from ...tools.settings import ModelConfig, home, open_model, untraced
from ..exhibit import Exhibit, Table
from ..intervals import Rate, said
from .delivered import Delivery, deliver, delivery
from .grouping import METHODS, Result, grouped, grouping
from .planted import (
    DOMAINS,
    PlantedRow,
    PlantedSet,
    gold_rows,
    labelled_kinds,
    pooled_sets,
    task_sets,
)
from .withheld import MissingResult, missing_subgoals

TASK_SETS, POOLED_SETS = 10, 20
FAMILIES = {
    "tasks": "tasks of a capability",
    "pooled": "subgoals of a domain",
    "kinds": "subgoals of a domain × kind",
}

DELIVERED = "delivered gaps"
"""The method that is not one of METHODS: the whole analyzer."""

NOTE = (
    "Delivered gaps: kinds, clusters, names, merging and assignment, as in a run; the others are "
    "clusters alone. Found and planted gaps match one to one where they share half of their rows "
    "(Jaccard overlap 0.5). Agreement: adjusted Rand index. Intervals: 95 %, bootstrap over sets "
    "(Wilson for shares of rows). Sets of one capability or domain share rows, so the intervals "
    "are somewhat too narrow. Explanations of “tasks” are the benchmark's own descriptions of poor "
    "answers."
)


class KindResult(Record):
    """Share of labelled rows whose kind is right. baseline: of "absent" where the score is 0."""

    on: str
    accuracy: Rate
    baseline: Rate


class Evaluation(Exhibit):
    """What `goalcover eval gaps` prints and writes."""

    model: str
    embedder: str
    split: str
    seed: int
    gaps: list[Result]
    deliveries: list[Delivery]
    kinds: list[KindResult]
    missing: MissingResult
    note: str = NOTE

    def headline(self) -> str:
        found = [
            f"{FAMILIES[r.family]} {said(r.recall)} at a precision of {said(r.precision)}"
            for r in self.gaps
            if r.method == DELIVERED
        ]
        return f"Of the planted gaps are found: {'; '.join(found)}."

    def tables(self) -> list[Table]:
        """Recall and precision of found gaps."""
        columns = ["planted", "method", "sets", "recall", "precision", "agreement", "purity"]
        rows = [
            [FAMILIES[r.family], r.method, str(r.sets)]
            + [said(rate) for rate in (r.recall, r.precision, r.agreement, r.purity)]
            for r in self.gaps
        ]
        return [Table(title=f"Planted gaps ({self.split})", columns=columns, rows=rows)]

    def lines(self) -> list[str]:
        told = [f"Model of the delivered gaps: {self.model}.", *map(_told, self.deliveries)]
        told += [
            f"Kinds, on {kinds.on}: {said(kinds.accuracy)} right; “absent where the score is 0” "
            f"{said(kinds.baseline)}."
            for kinds in self.kinds
        ]
        missing = self.missing
        told.append(
            f"Verdict “missing”, {missing.sets} sets of {missing.subgoals} subgoals with one to "
            f"four withheld, embedded judge: recall {said(missing.recall)}, precision "
            f"{said(missing.precision)} (by chance {missing.chance:.2f}), “missing” or “thin” for "
            f"{said(missing.short)} of the withheld, false alarms {said(missing.alarms)}."
        )
        return [*told, self.note]


def kinds_of(on: str, rows: Sequence[PlantedRow]) -> KindResult:
    """Accuracy of the rule over the rows whose kind is known."""
    known = [row for row in rows if row.kind is not None]

    def rate(rule: Callable[[PlantedRow], GapKind]) -> Rate:
        right = sum(rule(row) == row.kind for row in known)
        return Rate(value=right / len(known) if known else None,
                    interval=share_interval(right, len(known)), of=len(known))  # fmt: skip

    return KindResult(
        on=on,
        accuracy=rate(lambda row: kind_of(row.explanation, row.score)),
        baseline=rate(lambda row: "absent" if row.score == 0 else "weak"),
    )


def _kinds(data: Path, sets: Sequence[PlantedSet], split: str) -> list[KindResult]:
    """The rule on the labelled rows of the split, and on the rows of the sets of tasks."""
    labelled = [
        row
        for domain in DOMAINS
        if split in ("all", labelled_kinds()[domain].split)
        for rows in gold_rows(data, domain).values()
        for row in rows
    ]
    planted = (row for one in sets if one.family == "tasks" for row in one.rows)
    written = {(row.id, row.explanation): row for row in planted}
    return [
        kinds_of("a judge's explanations, labelled by reading", labelled),
        kinds_of("the benchmark's descriptions", list(written.values())),
    ]


async def run(
    config: ModelConfig, data: Path, split: str, on_progress: Callable[[int, int, Spent], None]
) -> tuple[Evaluation, Spent]:
    """Builds the sets from the files in `data` and evaluates, the gaps that are delivered with the
    model of `config`; its replies are kept, so a second run is free.

    split: "dev", "test" or "all". on_progress gets the steps done, all steps, and what is spent.
    Raises UserError, naming it, where a file cannot be read.
    """
    sets = _sets(data, split, config.seed)
    embedder = Embedder(config.embedder)
    model = open_model(config.model, config, embedder)
    with open_store(home()) as store, untraced(), TemporaryDirectory() as folder:
        name = f"eval-gaps-{datetime.now():%Y%m%d-%H%M%S}"
        door, vectors = Door(model, store, name), VectorStore(Path(folder), embedder.version)

        def tell(done: int, steps: int) -> None:
            on_progress(done, steps, store.ledger(name).total())

        try:
            gaps, deliveries = await evaluate(door, vectors, embedder, sets, config.seed, tell)
        finally:
            await model.aclose()
        spent = store.ledger(name).total()
    found = Evaluation(
        model=model.name,
        embedder=embedder.name,
        split=split,
        seed=config.seed,
        gaps=gaps,
        deliveries=deliveries,
        kinds=_kinds(data, sets, split),
        missing=await missing_subgoals(data, embedder, config.seed),
    )
    return found, spent


def _sets(data: Path, split: str, seed: int) -> list[PlantedSet]:
    every = [
        *task_sets(data, TASK_SETS, seed),
        *pooled_sets(data, POOLED_SETS, seed),
        *pooled_sets(data, POOLED_SETS, seed, by_kind=True),
    ]
    sets = [planted for planted in every if split in ("all", planted.split)]
    if not sets:
        raise UserError(f"there is no set of the split {split}.")
    return sets


async def evaluate(
    door: Door,
    vectors: VectorStore,
    embedder: Embedder,
    sets: Sequence[PlantedSet],
    seed: int,
    tell: Callable[[int, int], None] = lambda done, steps: None,
) -> tuple[list[Result], list[Delivery]]:
    """The delivered gaps, and METHODS, on each family of the sets. tell: steps done, all steps."""
    families = list(dict.fromkeys(planted.family for planted in sets))
    results: list[Result] = []
    deliveries: list[Delivery] = []
    done, steps = 0, len(sets) + len(families) * len(METHODS) + 1

    def step() -> None:
        nonlocal done
        done += 1
        tell(done, steps)

    for family in families:
        chosen = [planted for planted in sets if planted.family == family]
        outcomes = await deliver(door, vectors, embedder, chosen, seed, step)
        deliveries.append(delivery(chosen, outcomes, seed))
        results.append(grouped(DELIVERED, chosen, [own.labels for own in outcomes], seed))
        texts = [[row.explanation for row in planted.rows] for planted in chosen]
        encoded = [await vectors.embed("explanations", own, embedder.encode) for own in texts]
        for method in METHODS:
            results.append(grouping(method, chosen, encoded, seed))
            step()
    return results, deliveries


def _told(own: Delivery) -> str:
    """What is delivered on one family, in a line."""
    by_rules = f" In {own.by_rules} sets the rules stood in for a reply." if own.by_rules else ""
    return (
        f"{FAMILIES[own.family].capitalize()}: {said(own.gaps)} gaps a set of {said(own.clusters)} "
        f"clusters, {said(own.planted)} planted; {said(own.unassigned)} of the rows in no gap; "
        f"{own.claims} claims, {own.bare} without a quote; {own.quotes} quotes, {own.untrue} not "
        f"in their row. Stability {said(own.seeds)} over orders of the rows, "
        f"{said(own.subsamples)} over subsamples of 80 %.{by_rules}"
    )
