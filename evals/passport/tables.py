"""A passport for a reader: tables that fit a terminal."""

from collections.abc import Callable, Sequence

from ...tools.rubric import ANCHORS
from ...tools.text import shorten
from ..exhibit import Table
from ..intervals import Rate, said
from .records import Between, Entry, JudgeFacts
from .verdicts import signed

Cell = Callable[[Rate], str]


def figure(rate: Rate) -> str:
    """ "0.59 (0.53–0.66)", "0.09 (−0.03…0.21)", or without an interval "0.59 (?)"."""
    if rate.value is None:
        return "–"
    if rate.interval is None:
        return f"{signed(rate.value)} (?)"
    return said(rate)


def share(rate: Rate) -> str:
    """ "4 % (1–9)"."""
    if rate.value is None:
        return "–"
    low, high = rate.interval or (None, None)
    bounds = "?" if low is None or high is None else f"{100 * low:.0f}–{100 * high:.0f}"
    return f"{100 * rate.value:.0f} % ({bounds})".replace("-", "−")


def shift(rate: Rate) -> str:
    """ "+0.05 (+0.01…+0.09)"."""
    if rate.value is None:
        return "–"
    low, high = rate.interval or (None, None)
    bounds = "?" if low is None or high is None else f"{low:+z.2f}…{high:+z.2f}"
    return f"{rate.value:+z.2f} ({bounds})".replace("-", "−")


TABLES: list[tuple[str, list[tuple[str, str, Cell]]]] = [
    (
        "Agreement with the labels",
        [
            ("weighted kappa", "kappa", figure),
            ("Spearman", "spearman", figure),
            ("alpha, ordinal", "alpha_ordinal", figure),
        ],
    ),
    (
        "Error against the labels (judge − label)",
        [
            ("alpha, interval", "alpha_interval", figure),
            ("mean error", "labels_error", shift),
            ("mean absolute", "labels_absolute", figure),
        ],
    ),
    (
        "Support (0.6 and up) against the labels",
        [("precision", "labels_precision", share), ("recall", "labels_recall", share)],
    ),
    (
        "The same asked again",
        [
            ("anchor changed", "retest_changed", share),
            ("crosses 0.6", "retest_crossed", share),
            ("mean change", "retest_change", figure),
        ],
    ),
    (
        "Subgoals in another order",
        [
            ("anchor changed", "order_changed", share),
            ("beyond retest", "order_beyond", share),
            ("crosses 0.6", "order_crossed", share),
        ],
    ),
    (
        "One subgoal a call against all in one (pairwise − joint)",
        [
            ("mean difference", "pairwise_shift", shift),
            ("weighted kappa", "pairwise_kappa", figure),
            ("crosses 0.6", "pairwise_crossed", share),
        ],
    ),
]
"""Title, and columns: head, figure, how it is written. Those of passes not made are left out."""


def tables(
    judges: Sequence[JudgeFacts], entries: Sequence[Entry], between: Sequence[Between]
) -> list[Table]:
    """The verdict first; entries of one subgoal stand together."""
    order = {(entry.domain, entry.subgoal): None for entry in entries}
    place = {key: number for number, key in enumerate(order)}
    ranked = sorted(entries, key=lambda entry: place[entry.domain, entry.subgoal])
    several = len(judges) > 1
    found = [_verdicts(ranked, several)]
    for title, columns in TABLES:
        names = [name for _, name, _ in columns]
        told = [entry for entry in ranked if any(_there(entry, name) for name in names)]
        if told:
            still = {judge.name for judge in judges if _still(judge.name, told, names[0])}
            shown = [entry for entry in told if entry.judge not in still or not entry.subgoal]
            found.append(_table(title, columns, shown, several))
    if shifted := [judge for judge in judges if judge.places]:
        found.append(_places(shifted))
    found += [_anchors(ranked, several), _used(ranked, several)]
    if between:
        found.append(_between(between))
    return found


def _there(entry: Entry, name: str) -> bool:
    return name in entry.figures and entry.figures[name].value is not None


def _still(judge: str, entries: Sequence[Entry], name: str) -> bool:
    """Whether the figure is 0 on every subgoal: over all says it."""
    return all(entry.figures[name].value == 0 for entry in entries if entry.judge == judge)


def _start(entry: Entry, several: bool) -> list[str]:
    return [shorten(entry.name, 28), *([shorten(entry.judge, 18)] * several)]


def _verdicts(entries: Sequence[Entry], several: bool) -> Table:
    return Table(
        title="Verdict for each subgoal",
        columns=["subgoal", *["judge"] * several, "verdict", "why"],
        rows=[
            [*_start(entry, several), entry.verdict, "; ".join(entry.reasons)]
            for entry in entries
            if entry.verdict
        ],
        right=False,
    )


def _table(
    title: str, columns: Sequence[tuple[str, str, Cell]], entries: Sequence[Entry], several: bool
) -> Table:
    nothing = Rate(value=None, of=0)
    return Table(
        title=title,
        columns=["subgoal", *["judge"] * several, "of", *(head for head, *_ in columns)],
        rows=[
            [
                *_start(entry, several),
                str(entry.figures.get(columns[0][1], nothing).of),
                *(write(entry.figures.get(name, nothing)) for _, name, write in columns),
            ]
            for entry in entries
        ],
    )


def _places(judges: Sequence[JudgeFacts]) -> Table:
    rows = []
    for judge in judges:
        if places := judge.places:
            for order, shifts, first in (
                ("asked for", places.asked, places.first_asked),
                ("listed", places.listed, places.first_listed),
            ):
                cells = [shift(rate).partition(" ")[0] for rate in shifts]
                rows.append([shorten(judge.name, 18), order, *cells, shift(first)])
    most = max(len(row) for row in rows) - 3
    return Table(
        title="Mean shift by place in a call",
        columns=["judge", "order", *(str(place + 1) for place in range(most)), "first − others"],
        rows=rows,
    )


def _anchors(entries: Sequence[Entry], several: bool) -> Table:
    heads = [f"{anchor:g}" for anchor in ANCHORS]
    rows = []
    for entry in entries:
        total = max(1, sum(entry.histogram))
        shares = (f"{100 * count / total:.0f}" for count in entry.histogram)
        rows.append([*_start(entry, several), *shares])
    return Table(
        title="Use of the anchors (% of the rows; the nearest anchor)",
        columns=["subgoal", *["judge"] * several, *heads],
        rows=rows,
    )


def _used(entries: Sequence[Entry], several: bool) -> Table:
    return Table(
        title="Number of anchors, and judgements off them or failed",
        columns=["subgoal", *["judge"] * several, "effective", "off", "failed"],
        rows=[
            [
                *_start(entry, several),
                figure(entry.figures["anchors_effective"]),
                share(entry.figures["anchors_off"]),
                share(entry.figures["judgements_failed"]),
            ]
            for entry in entries
        ],
    )


def _between(between: Sequence[Between]) -> Table:
    names = {"weighted kappa": "kappa", "alpha, ordinal": "alpha_ordinal", "Spearman": "spearman"}
    return Table(
        title="The judges with one another, mean over subgoals",
        columns=["first", "second", *names, "first − second"],
        rows=[
            [
                shorten(pair.first, 18),
                shorten(pair.second, 18),
                *(figure(pair.figures[name]) for name in names.values()),
                shift(pair.figures["judges_shift"]),
            ]
            for pair in between
        ],
    )
