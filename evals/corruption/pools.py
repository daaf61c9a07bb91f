"""The rows that controlled corruption works on: a pool of a data set, and what is removed of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...memory.errors import UserError
from ...memory.records import Sample
from ...tools.datasets import Table, load
from ...tools.settings import home
from .removals import Domain, Removal
from .sampling import pool_of

WHOLE = 10**9
"""Characters of a text that patterns look at: all."""


@dataclass(frozen=True)
class Pool:
    """Rows to judge. matched: p_s of each row and removal, (n, R).

    rows, empty: of the data set, without and with an empty output; matching: share of its rows that
    each removal takes, (R,). target: rows of a strategic sample.
    """

    name: str
    domain: Domain
    source: str
    samples: list[Sample]
    matched: np.ndarray
    rows: int
    empty: int
    matching: np.ndarray
    target: int


def read_pools(
    domains: dict[str, Domain], data: Path | None, rows: int | None, seed: int
) -> list[Pool]:
    """A pool of each domain. rows: most rows of a strategic sample, less than a domain's target.

    data: the folder of the files; None for the hub. Raises UserError where data is not there, or a
    removal takes no row or every row.
    """
    lacking = [_where(name, one, data) for name, one in domains.items() if not one.source(data)]
    if lacking:
        raise UserError(
            f"there is no {'; no '.join(lacking)}: give --data FOLDER that has it, or choose "
            "domains with --domain."
        )
    return [_pool(name, domain, data, rows, seed) for name, domain in domains.items()]


def _where(name: str, domain: Domain, data: Path | None) -> str:
    return f"{data / domain.file} for {name}" if data else f"hub data set for {name}, {domain.file}"


def _pool(name: str, domain: Domain, data: Path | None, rows: int | None, seed: int) -> Pool:
    table = _table(domain, data)
    places, matched = _usable(table, domain.removals)
    for removal, taken in zip(domain.removals, matched.sum(axis=0).tolist(), strict=True):
        if taken in (0, len(places)):
            raise UserError(
                f"{name}, removal {removal.name}: {removal.condition} matches "
                f"{'every' if taken else 'no'} row of {table.source.path} with an output; give one "
                "that some rows match."
            )
    drawn, target = pool_of(len(places), min(domain.target, rows or domain.target), seed)
    if target < 2:
        raise UserError(f"{name}: {table.source.path} has too few rows ({len(places)}).")
    samples = [table.sample(int(places[i])) for i in drawn]
    return Pool(
        name=name,
        domain=domain,
        source=Path(table.source.path).name if data else table.source.path,
        samples=[sample for sample in samples if sample],
        matched=matched[drawn],
        rows=len(places),
        empty=len(table) - len(places),
        matching=matched.mean(axis=0),
        target=target,
    )


def _table(domain: Domain, data: Path | None) -> Table:
    source = domain.source(data)
    assert source  # `read_pools` has looked
    try:
        table = load(source, home() / "datasets")
    except UserError as error:
        if data:
            raise
        raise UserError(f"{error} Or give --data FOLDER with {domain.file}.") from error
    first = table.row(0)
    for tag in (removal.tag for removal in domain.removals if removal.tag):
        if tag.column not in first:
            raise UserError(f"{source.path} has no column {tag.column!r}, which a tag names.")
    return table


def _usable(table: Table, removals: Sequence[Removal]) -> tuple[np.ndarray, np.ndarray]:
    """Places of the rows with an output, and p_s of them, (n, R): of the texts uncut."""
    whole = replace(table, source=table.source.model_copy(update={"max_chars": WHOLE}))
    places: list[int] = []
    matched: list[list[bool]] = []
    for place, sample in enumerate(whole):
        if sample:
            row: dict[str, Any] = table.row(place) if any(one.tag for one in removals) else {}
            places.append(place)
            matched.append([one.removes(row, sample) for one in removals])
    return np.array(places, dtype=int), np.array(matched, dtype=bool).reshape(-1, len(removals))
