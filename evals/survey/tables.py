"""The tables of survey scoring's evidence."""

from collections.abc import Callable, Sequence
from itertools import groupby

from ...tools.coverage import share_interval
from ...tools.survey.covered import FEW
from ...tools.text import percent
from ..exhibit import Table
from ..intervals import Rate
from .proxies import Proxy
from .resampled import Resampled
from .simulation import AGAIN, Cell
from .whole import Of, Whole

BANDS = ((0, 5), (5, 10), (10, FEW), (FEW, 100), (100, float("inf")))
"""Supporting rows in the sample, mean of a cell."""


def pooled(rates: Sequence[Rate]) -> Rate:
    of = sum(rate.of for rate in rates)
    hits = round(sum((rate.value or 0) * rate.of for rate in rates))
    return Rate(value=hits / of if of else None, interval=share_interval(hits, of), of=of)


def both(rates: Sequence[Rate]) -> str:
    """Pooled, with its interval."""
    return fine(pooled(rates))


def fine(rate: Rate) -> str:
    """ "94.8 % (94.1–95.4)"."""
    if rate.value is None or rate.interval is None:
        return "–"
    low, high = rate.interval
    return f"{percent(rate.value, 1)} ({100 * low:.1f}–{100 * high:.1f})"


def short(rate: Rate) -> str:
    return "–" if rate.value is None else percent(rate.value, 1)


def _lowest(rates: Sequence[Rate]) -> str:
    return short(min(rates, key=lambda rate: rate.value or 0)) if rates else "–"


def simulated(cells: Sequence[Cell]) -> Table:
    """Cells with the same share, R² and precision, over shapes and numbers of rows."""
    alone = [cell for cell in cells if cell.together == 1]

    def key(cell: Cell) -> tuple[float, float, float]:
        return -cell.precision, cell.share, cell.r2

    return Table(
        title="Simulation: surveys of one subgoal, over data sets of 300 to 1,000,000 rows and "
        "all shapes",
        columns=["support", "R² (found)", "±", "cells", "rows judged", "supporting",
                 "coverage A(s)", "lowest", "coverage share", "lowest", "by classical width"],
        rows=[
            [percent(share), f"{r2:g} ({_mean(own, lambda c: c.best.r2):.2f})", f"{-precision:g}",
             str(len(own)), f"{_mean(own, lambda c: c.best.sampled):.0f}",
             f"{_mean(own, lambda c: c.best.supporting):.0f}",
             short(pooled([c.best.mean for c in own])), _lowest([c.best.mean for c in own]),
             short(pooled([c.best.share for c in own])), _lowest([c.best.share for c in own]),
             f"{_mean(own, lambda c: c.best.ratio):.2f}"]
            for (precision, share, r2), own in _grouped(alone, key)
        ],
    )  # fmt: skip


def _grouped(cells: Sequence[Cell], key: Callable) -> list[tuple[tuple, list[Cell]]]:
    return [(name, list(own)) for name, own in groupby(sorted(cells, key=key), key)]


def _mean(cells: Sequence[Cell], of: Callable[[Cell], float]) -> float:
    return sum(map(of, cells)) / len(cells)


def warned(cells: Sequence[Cell]) -> Table:
    """Either side of the warning."""
    rows = []
    for low, high in BANDS:
        own = [cell for cell in cells if low <= cell.best.supporting < high]
        if own:
            named = f"{low} to {high:g}" if high < float("inf") else f"{low} and more"
            rows.append([
                named, "warned" if high <= FEW else "", str(len(own)),
                both([c.best.mean for c in own]), _lowest([c.best.mean for c in own]),
                both([c.best.share for c in own]), _lowest([c.best.share for c in own]),
            ])  # fmt: skip
    return Table(
        title="Either side of the warning: simulated cells by supporting rows in the sample",
        columns=["supporting", "", "cells", "coverage A(s)", "lowest cell", "coverage share",
                 "lowest cell"],
        rows=rows,
    )  # fmt: skip


def lowest(cells: Sequence[Cell]) -> Table:
    again = [cell for cell in cells if cell.again]
    return Table(
        title=f"The lowest cells, with all of the same surveys: {AGAIN} times as many, fresh seeds",
        columns=["rows", "shape", "support", "R²", "supporting", "A(s) first", "A(s) fresh",
                 "share first", "share fresh"],
        rows=[
            [f"{c.rows:,}", c.shape, percent(c.share) + (" of several" if c.together > 1 else ""),
             f"{c.r2:g}", f"{c.best.supporting:.0f}", short(c.found.mean), fine(c.best.mean),
             short(c.found.share), fine(c.best.share)]
            for c in sorted(again, key=lambda c: c.found.lowest)
        ],
    )  # fmt: skip


def together(cells: Sequence[Cell]) -> Table:
    """Surveys of several subgoals."""
    return Table(
        title="Simulation: four subgoals in one survey, which stops when the last is narrow enough",
        columns=["R²", "shape", "support", "rows judged", "supporting", "coverage A(s)",
                 "coverage share", "half-width"],
        rows=[
            [f"{c.r2:g}", c.shape, percent(c.share), f"{c.best.sampled:.0f}",
             f"{c.best.supporting:.0f}", fine(c.best.mean), fine(c.best.share),
             f"{c.best.half:.3f}"]
            for c in cells if c.together > 1
        ],
    )  # fmt: skip


def whole(found: Sequence[Whole]) -> Table:
    return Table(
        title="Whole data sets, judged by the embedded judge: repeated surveys",
        columns=["data, features", "subgoal", "A(s)", "support", "calls (most)", "of pairwise",
                 "coverage A(s)", "coverage share", "half-width", "by classical", "R²",
                 "supporting", "inside"],
        rows=[_of(one, own) for one in found for own in one.subgoals],
    )  # fmt: skip


def _of(one: Whole, own: Of) -> list[str]:
    f = own.found
    return [
        f"{one.data}, {one.features}", own.subgoal_id, f"{own.mean:.3f}", percent(own.share, 1),
        f"{one.sampled:.0f} ({one.most})", percent(one.sampled / one.pairwise, 1), fine(f.mean),
        fine(f.share), f"{f.half:.3f}", f"{f.ratio:.2f}", f"{f.r2:.2f}", f"{f.supporting:.0f}",
        "–" if own.inside is None else percent(own.inside, 1),
    ]  # fmt: skip


def proxies(found: Sequence[Proxy]) -> Table:
    return Table(
        title="Judges of summaries as predictions of the experts' mean",
        columns=["judge", "sampled", "R²", "coverage, four skills", "lowest skill",
                 "by classical width", "largest"],
        rows=[
            [p.judge, f"{p.sampled} of {p.rows:,}", f"{p.r2:.2f}", fine(p.coverage),
             short(p.lowest), f"{p.ratio:.3f}", f"{p.largest:.3f}"]
            for p in found
        ],
    )  # fmt: skip


def resampled(found: Sequence[Resampled]) -> Table:
    return Table(
        title="Judged rows, resampled",
        columns=["domain", "subgoal", "sampled", "coverage A(s)", "coverage share",
                 "by classical width", "R²"],
        rows=[
            [r.domain, r.subgoal_id, f"{r.sampled} of {r.rows}", fine(r.mean), fine(r.share),
             f"{r.ratio:.2f}", f"{r.r2:.2f}"]
            for r in found
        ],
    )  # fmt: skip
