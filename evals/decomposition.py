"""Do the checks of a decomposition find what is wrong with it, and nothing else?

104 labelled lists of subgoals (`decompositions.yaml`, eight domains) go through the same checker
that a run uses. Precision and recall are counted twice: over lists (is anything of the kind flagged
where something of the kind is wrong?) and over items (is it the right subgoal, pair or clause?).
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from ..agents import checker
from ..memory.errors import ReplyFailure, UserError
from ..memory.records import Contract, Goal, Record, Specification, Spent, Subgoal
from ..memory.store import open_store
from ..tools.coverage import share_interval
from ..tools.embeddings import Embedder
from ..tools.model import Door
from ..tools.plain import read_plain
from ..tools.settings import ModelConfig, home, open_model, untraced
from ..tools.text import stem, words
from .exhibit import Exhibit, Table
from .intervals import Rate, said

LABELLED = Path(__file__).with_name("decompositions.yaml")

RESAMPLES, AT_ONCE = 1_000, 8

Check = Literal["atomic", "disjoint", "lost", "unasked"]
CHECKS: tuple[Check, ...] = ("atomic", "disjoint", "lost", "unasked")
"""Complete has two sides: clauses that nothing covers (lost), subgoals that nothing asks for."""

NAMES: dict[Check, str] = {
    "atomic": "atomic",
    "disjoint": "disjoint",
    "lost": "complete: lost",
    "unasked": "complete: unasked",
}


NOTE = (
    "Lists: is anything of the kind flagged where something of the kind is wrong? Items: is it the "
    "right subgoal, pair or clause? Wrong: the share that is, which is the precision of flagging "
    "everything. Intervals: bootstrap over goals, as the lists of a goal are alike; Wilson where "
    "all or none are right."
)


class Case(Record):
    """A labelled list. compound, unasked: ids; overlapping: pairs of ids; lost: words of the goal.

    split: "dev" where thresholds may be set on it, "test" where not.
    """

    id: str
    domain: str
    split: Literal["dev", "test"]
    goal: str
    subgoals: list[Subgoal]
    compound: list[str] = []
    overlapping: list[tuple[str, str]] = []
    lost: list[str] = []
    unasked: list[str] = []


class Result(Record):
    """One check over lists or items. base: the share of wrong ones (precision of flagging all)."""

    check: Check
    unit: Literal["list", "item"]
    precision: Rate
    recall: Rate
    base: float


class Evaluation(Exhibit):
    """What `goalcover eval decomposition` prints and writes."""

    model: str
    split: str
    lists: int
    goals: int
    domains: int
    seed: int
    results: list[Result]
    how: list[str]
    note: str = NOTE

    def headline(self) -> str:
        found = [
            f"{NAMES[r.check]} {said(r.recall)} at a precision of {said(r.precision)}"
            for r in self.results
            if r.unit == "item"
        ]
        return f"Of the faults in {self.lists} labelled lists are found: {'; '.join(found)}."

    def tables(self) -> list[Table]:
        """Precision and recall of each check, over lists and over items."""
        title = (
            f"Checks on {self.lists} labelled lists ({self.split}: {self.goals} goals of "
            f"{self.domains} domains)"
        )
        columns = ["check", "of", "wrong", "precision (95 %)", "recall (95 %)"]
        rows = [
            [NAMES[r.check], f"{r.unit}s", f"{r.base:.0%}", said(r.precision), said(r.recall)]
            for r in self.results
        ]
        return [Table(title=title, columns=columns, rows=rows)]

    def lines(self) -> list[str]:
        return [f"Model: {self.model}.", *self.how, self.note]


@dataclass(frozen=True)
class Outcome:
    """Of one list and check: how many items were right, flagged wrongly, missed; of how many."""

    goal: str
    hits: int
    false: int
    missed: int
    items: int


def read_cases(path: Path = LABELLED) -> list[Case]:
    """Raises UserError, naming the entry, where the file is not a list of labelled lists."""
    try:
        cases = TypeAdapter(list[Case]).validate_python(read_plain(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path}, entry {place}: {first['msg']}.") from error
    for case in cases:
        named = {s.id for s in case.subgoals}
        for name in {
            *case.compound,
            *case.unasked,
            *(n for pair in case.overlapping for n in pair),
        }:
            if name not in named:
                raise UserError(f"{path}: {case.id} labels {name}, which is no subgoal of it.")
        if len(named) < len(case.subgoals):
            raise UserError(f"{path}: {case.id} has two subgoals with one id.")
        if twice := [first for first, second in case.overlapping if first == second]:
            raise UserError(f"{path}: {case.id} labels {twice[0]} as overlapping with itself.")
        for text in case.lost:
            if text not in case.goal:
                raise UserError(f"{path}: {case.id}: “{text}” does not stand in its goal.")
    return cases


async def run(
    config: ModelConfig, data: Path, split: str, on_progress: Callable[[int, int, Spent], None]
) -> tuple[Evaluation, Spent]:
    """Evaluates the checks with the model of `config`; replies are kept, so a second run is free.

    split: "dev", "test" or "all". on_progress gets the lists done, all lists, and what is spent.
    Raises UserError where there is no list to evaluate.
    """
    cases = [case for case in read_cases(data) if split in ("all", case.split)]
    if not cases:
        raise UserError(f"{data} has no list of the split {split}.")
    embedder = Embedder(config.embedder)
    model = open_model(config.model, config, embedder)
    with open_store(home()) as store, untraced():
        name = f"eval-decomposition-{datetime.now():%Y%m%d-%H%M%S}"
        door = Door(model, store, name)

        def tell(done: int) -> None:
            on_progress(done, len(cases), store.ledger(name).total())

        try:
            found = await evaluate(door, embedder, cases, split, config.seed, tell)
        except ReplyFailure as failure:
            raise UserError(f"the model gave no usable reply ({failure}).") from failure
        finally:
            await model.aclose()
        return found, store.ledger(name).total()


async def evaluate(
    door: Door,
    embedder: Embedder,
    cases: Sequence[Case],
    split: str,
    seed: int,
    on_done: Callable[[int], None] = lambda done: None,
) -> Evaluation:
    """Checks every list and compares. `on_done` is told how many lists are done."""
    turns, done = asyncio.Semaphore(AT_ONCE), 0

    async def one(case: Case) -> Contract:
        nonlocal done
        async with turns:
            specification = Specification(goal=Goal(text=case.goal))
            found = await checker.check(door, embedder, specification, case.subgoals, {})
        done += 1
        on_done(done)
        return found

    contracts = await asyncio.gather(*(one(case) for case in cases))
    results = []
    for check in CHECKS:
        items = [_items(check, *pair) for pair in zip(cases, contracts, strict=True)]
        lists = [_as_list(outcome) for outcome in items]
        results += [_result(check, "list", lists, seed), _result(check, "item", items, seed)]
    return Evaluation(
        model=door.model.name,
        split=split,
        lists=len(cases),
        goals=len({case.goal for case in cases}),
        domains=len({case.domain for case in cases}),
        seed=seed,
        results=results,
        how=[*(contracts[0].how if contracts else []), *_unchecked(contracts)],
    )


def _unchecked(contracts: Sequence[Contract]) -> list[str]:
    """A line on the lists that some check got no usable reply for."""
    lacking = [contract.unchecked[0] for contract in contracts if contract.unchecked]
    if not lacking:
        return []
    return [
        f"Not checked in whole: {len(lacking)} of {len(contracts)} lists, where nothing counts as "
        f"found ({lacking[0]})."
    ]


def _items(check: Check, case: Case, contract: Contract) -> Outcome:
    """Compares the findings of a list with its labels."""
    if check == "lost":
        return _lost(case, contract)
    if check == "disjoint":
        wrong = {frozenset(pair) for pair in case.overlapping}
        flagged = {frozenset(f.subgoal_ids) for f in contract.findings if f.check == "disjoint"}
        items = len(list(combinations(case.subgoals, 2)))
    else:
        wrong = {frozenset((n,)) for n in (case.compound if check == "atomic" else case.unasked)}
        kind = "atomic" if check == "atomic" else "complete"
        flagged = {
            frozenset(f.subgoal_ids) for f in contract.findings if f.check == kind and f.subgoal_ids
        }
        items = len(case.subgoals)
    return Outcome(
        case.goal, len(wrong & flagged), len(flagged - wrong), len(wrong - flagged), items
    )


def _lost(case: Case, contract: Contract) -> Outcome:
    """A finding hits the lost piece with which it shares half of the content words of either."""
    said = [f.clause for f in contract.findings if f.clause]
    hits = sum(any(_same(piece, text) for text in said) for piece in case.lost)
    false = sum(not any(_same(piece, text) for piece in case.lost) for text in said)
    return Outcome(case.goal, hits, false, len(case.lost) - hits, len(contract.matrix))


def _same(one: str, other: str) -> bool:
    first, second = ({stem(word) for word in words(text)} for text in (one, other))
    return len(first & second) * 2 >= min(len(first), len(second)) > 0


def _as_list(items: Outcome) -> Outcome:
    """The list as one item: wrong, flagged, or both."""
    wrong, flagged = items.hits + items.missed > 0, items.hits + items.false > 0
    return Outcome(items.goal, wrong and flagged, flagged and not wrong, wrong and not flagged, 1)


def _result(
    check: Check, unit: Literal["list", "item"], outcomes: list[Outcome], seed: int
) -> Result:
    wrong, items = sum(o.hits + o.missed for o in outcomes), sum(o.items for o in outcomes)
    return Result(
        check=check,
        unit=unit,
        precision=_rate(outcomes, lambda o: o.hits, lambda o: o.hits + o.false, seed),
        recall=_rate(outcomes, lambda o: o.hits, lambda o: o.hits + o.missed, seed),
        base=wrong / items if items else 0.0,
    )


def _rate(
    outcomes: list[Outcome],
    part: Callable[[Outcome], int],
    whole: Callable[[Outcome], int],
    seed: int,
) -> Rate:
    """part / whole summed over the outcomes, with a percentile bootstrap over goals.

    All or none: the bootstrap cannot vary that, so the interval is Wilson's over the items.
    """

    def ratio(some: Iterable[Outcome]) -> float | None:
        chosen = list(some)
        total = sum(map(whole, chosen))
        return sum(map(part, chosen)) / total if total else None

    by_goal: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_goal.setdefault(outcome.goal, []).append(outcome)
    groups, draw = list(by_goal.values()), random.Random(seed)
    drawn = (
        ratio(o for group in draw.choices(groups, k=len(groups)) for o in group)
        for _ in range(RESAMPLES if groups else 0)
    )
    values = sorted(value for value in drawn if value is not None)
    value, of = ratio(outcomes), sum(map(whole, outcomes))
    if value in (0, 1):
        return Rate(value=value, interval=share_interval(sum(map(part, outcomes)), of), of=of)
    interval = None
    if values:
        interval = values[int(0.025 * len(values))], values[int(0.975 * len(values))]
    return Rate(value=value, interval=interval, of=of)
