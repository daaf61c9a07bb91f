"""Controlled corruption for a reader: tables."""

from collections.abc import Callable, Sequence

from ..exhibit import Table
from ..statistics import Separation
from .changes import Change
from .records import DomainResult, Paper, RemovalResult
from .separations import CLEAR, Group, Interval, Kind, Rows

NONE = "–"
HEADLINE: dict[Kind, Rows] = {"pattern": "strategic", "tag": "natural"}
"""The paper samples for patterns; tags are shared evenly enough as they are."""

SAMPLES: dict[Rows, str] = {"strategic": "strategic samples", "natural": "natural rows"}


def percent(value: float | None) -> str:
    """A relative change, signed, in per cent."""
    return NONE if value is None else f"{value * 100:+.1f}".replace("-", "−")


def size(value: float | None) -> str:
    """A change without its sign, in per cent."""
    return NONE if value is None else f"{abs(value) * 100:.1f}"


def number(value: float | None, digits: int = 2) -> str:
    return NONE if value is None else f"{value:.{digits}f}".replace("-", "−")


def chance(value: float | None) -> str:
    """A p-value."""
    if value is None:
        return NONE
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def ranged(value: float | None, interval: Interval) -> str:
    """ "−20.1 (−25.0 to −15.2)", in per cent."""
    if interval is None:
        return percent(value)
    return f"{percent(value)} ({percent(interval[0])} to {percent(interval[1])})"


def summary(groups: Sequence[Group], paper: Paper, of_paper: Separation) -> Table:
    """All statistics, of our groups and of the paper's table by the same rules."""
    own: list[tuple[str, Callable[[Group], str]]] = [
        ("targets change, mean %", lambda g: ranged(g.statistics.target, g.target_interval)),
        ("others change, mean %", lambda g: ranged(g.statistics.other, g.other_interval)),
        ("targets, over seeds", lambda g: _spread(g.target_by_set)),
        ("others, over seeds", lambda g: _spread(g.other_by_set)),
    ]
    rows = [[name, *map(tell, groups), NONE, NONE] for name, tell in own]
    rows[0][-2:] = [percent(of_paper.target), NONE]
    rows[1][-2:] = [percent(of_paper.other), NONE]
    if head := paper.headline:
        rows[0][-1], rows[1][-1] = percent(-head.target_fall / 100), percent(-head.other_fall / 100)
    for name, tell, said in _statistics(paper):
        rows.append([name, *(tell(g.statistics) for g in groups), tell(of_paper), said])
    against: list[tuple[str, Callable[[Group], str]]] = [
        ("p, random removals part them so far", lambda g: chance(g.placebo_p)),
        (f"targets below random removals (p < {CLEAR:g})",
         lambda g: f"{g.targets_clear} of {g.targets}"),
        (f"others below random removals (p < {CLEAR:g})",
         lambda g: f"{g.others_clear} of {g.others}"),
        ("targets that become a gap", lambda g: f"{g.targets_gaps} of {g.targets}"),
        ("others that become a gap", lambda g: f"{g.others_gaps} of {g.others}"),
    ]  # fmt: skip
    rows += [[name, *map(tell, groups), NONE, NONE] for name, tell in against]
    theirs = ["paper's table", "paper says"][: bool(paper.removals) + bool(paper.headline)]
    columns = ["over removals", *(f"{g.kind}, {g.rows}" for g in groups), *theirs]
    beside = f"; the paper's {len(paper.removals)} by our rules" if theirs else ""
    return Table(
        title=f"Targets against other subgoals: removal by, rows{beside}",
        columns=columns,
        rows=[cells[: len(columns)] for cells in rows],
    )


def _statistics(paper: Paper) -> list[tuple[str, Callable[[Separation], str], str]]:
    """(name, how to tell it, what the paper says)."""
    head, theirs = paper.headline, str(len(paper.removals))
    return [
        ("removals", lambda s: str(s.experiments), theirs),
        ("targets change, median %", lambda s: percent(s.target_median), NONE),
        ("others change, median %", lambda s: percent(s.other_median), NONE),
        ("others change, mean size %", lambda s: size(s.other_absolute), NONE),
        ("Cohen's d, pooled SD", lambda s: number(s.d), number(head.d if head else None)),
        ("d_z, paired", lambda s: number(s.d_z), NONE),
        ("paired t-test, p", lambda s: chance(s.t_p), head.p if head else NONE),
        ("sign flips, p (least)", lambda s: f"{chance(s.flips_p)} ({chance(s.least_p)})", NONE),
        ("target hit most (by chance)", lambda s: f"{s.hit_most} ({s.by_chance:.1f})",
         theirs),
        ("target hit most, p", lambda s: chance(s.hit_p), NONE),
    ]  # fmt: skip


def _spread(values: Sequence[float]) -> str:
    """Least to greatest."""
    if len(values) < 2:
        return NONE
    return f"{percent(min(values))} to {percent(max(values))}"


def by_pattern(domains: Sequence[DomainResult], paper: Paper) -> list[Table]:
    """Every removal by pattern and subgoal: beside the paper's on both kinds of rows, and more."""
    chosen = [domain for domain in domains if domain.kind == "pattern"]
    if not chosen:
        return []
    theirs = ["paper, %"] if paper.removals else []
    columns = ["subgoal", "A before → after", "change, % (95 %)", *theirs, "SDs", "p"]
    found = [
        Table(
            title=f"Removals by pattern, {said} (* targeted)",
            columns=columns,
            rows=[cells for domain in chosen for cells in _removals(
                domain, len(columns), lambda d, r, s, rows=rows: _beside(d, r, s, rows, paper))],
        )
        for rows, said in SAMPLES.items()
    ]  # fmt: skip
    columns = ["subgoal", "strategic: change", "over seeds, %", "τ", "natural: change", "τ"]
    more = [cells for domain in chosen for cells in _removals(domain, len(columns), _more)]
    return [*found, Table(title="The same, absolute", columns=columns, rows=more)]


def _removals(
    domain: DomainResult, width: int, cells: Callable[[DomainResult, int, int], list[str]]
) -> list[list[str]]:
    """A line that names the removal, then one for each subgoal: its name and its cells."""
    rows = []
    for number, removal in enumerate(domain.removed):
        rows.append([f"{domain.name} without {removal.name}", *[""] * (width - 1)])
        for place, (id, name) in enumerate(domain.subgoals.items()):
            mark = " *" if id == removal.subgoal else ""
            rows.append([f"· {name}{mark}", *cells(domain, number, place)])
    return rows


def _beside(
    domain: DomainResult, removal: int, subgoal: int, rows: Rows, paper: Paper
) -> list[str]:
    own = domain.of(rows).removals[removal]
    one = own.changes[subgoal]
    said = paper.change(domain.name, own.name, one.subgoal)
    theirs = [percent(said.relative / 100) if said else NONE] if paper.removals else []
    return [
        f"{number(one.before, 3)} → {number(one.after, 3)}",
        ranged(one.relative, one.relative_interval),
        *theirs,
        number(one.z, 1),
        chance(one.p),
    ]


def _more(domain: DomainResult, removal: int, subgoal: int) -> list[str]:
    first, second = (domain.of(rows).removals[removal].changes[subgoal] for rows in SAMPLES)
    seeds = _spread([value for value in first.by_set if value is not None])
    return [
        number(first.absolute, 3), seeds, _gap(first), number(second.absolute, 3), _gap(second)
    ]  # fmt: skip


def _gap(one: Change) -> str:
    words = {True: "gap", False: "satisfied", None: NONE}
    before, after = words[one.gap_before], words[one.gap_after]
    return before if before == after else f"{before} → {after}"


def by_tag(domains: Sequence[DomainResult]) -> list[Table]:
    """Every removal by tag in a line."""
    chosen = [domain for domain in domains if domain.kind == "tag"]
    lines = [
        _tag_row(domain, removal)
        for domain in chosen
        for removal in domain.of(HEADLINE["tag"]).removals
    ]
    title = f"Removals by tag, {SAMPLES[HEADLINE['tag']]}"
    columns = ["removed", "target: A before → after", "change, % (95 %)", "SDs", "p",
               "others, mean %", "other hit most, %"]  # fmt: skip
    return [Table(title=title, columns=columns, rows=lines)] if chosen else []


def _tag_row(domain: DomainResult, removal: RemovalResult) -> list[str]:
    target = removal.target
    others = [(one.relative, one.subgoal) for one in removal.others if one.relative is not None]
    mean = sum(value for value, _ in others) / len(others) if others else None
    least, most = min(others, default=(None, ""))
    return [
        f"{domain.name}: {removal.name}",
        f"{number(target.before, 3)} → {number(target.after, 3)}",
        ranged(target.relative, target.relative_interval),
        number(target.z, 1),
        chance(target.p),
        percent(mean),
        f"{percent(least)} {domain.subgoals.get(most, '')}".strip(),
    ]


def taken(domains: Sequence[DomainResult], paper: Paper) -> Table:
    """How many rows each removal leaves."""
    rows = []
    for domain in domains:
        for place, one in enumerate(domain.removed):
            kept = [domain.of(rows).removals[place].kept for rows in SAMPLES]
            said = paper.removal(domain.name, one.name)
            theirs = [number(said.kept, 1) if said else NONE] if paper.removals else []
            rows.append([
                f"{domain.name}: {one.name}", domain.subgoals[one.subgoal],
                *(number(100 * value, 1) for value in (1 - one.matching, *kept)),
                *theirs,
            ])  # fmt: skip
    columns = ["removed", "target", "data set", *SAMPLES.values()]
    columns += ["paper"] if paper.removals else []
    return Table(title="Rows kept, %", columns=columns, rows=rows)
