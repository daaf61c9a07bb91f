"""What `goalcover eval power` found, and how it is shown."""

from pathlib import Path
from typing import Literal

from ...memory.records import Record
from ...tools.text import percent
from ..exhibit import Exhibit, Table
from .figure import draw_power
from .user_rows import COPIES

Setting = Literal["removal, A(s)", "removal, share", "check"]

TITLES: dict[Setting, str] = {
    "check": "Smallest loss that `goalcover check` notices in a fresh sample of the same source",
    "removal, A(s)": "Smallest removal that A(s) tells from a random one",
    "removal, share": "Smallest removal that the supporting share tells from a random one",
}


class Point(Record):
    """rows: removed, of the supporting ones; part: of them; power: share of the draws in which the
    loss is noticed; fall, share_fall: of A(s) and of the supporting share, means over draws."""

    rows: int
    part: float
    power: float
    fall: float
    share_fall: float


class SmallestLoss(Record):
    """Where the power reaches 80 %: rows with a 95 % interval (None: beyond all supporting rows),
    as a part of the supporting rows, and the falls of the figures that go with it."""

    rows: float
    interval: tuple[float, float | None]
    part: float
    fall: float
    share_fall: float


class Curve(Record):
    """smallest is None where even the loss of all supporting rows is not noticed so often."""

    setting: Setting
    points: list[Point]
    smallest: SmallestLoss | None


class SubgoalPower(Record):
    """judged: distinct rows with a score, and with a label where labels are given. supporting:
    those that doses are taken from; agreed: how many of them this judge calls supporting. mean,
    share: A(s) and the judge's supporting share."""

    subgoal_id: str
    name: str
    judged: int
    supporting: int
    agreed: int
    mean: float | None
    share: float | None
    curves: list[Curve]


class PowerFound(Exhibit):
    """What `goalcover eval power` prints and writes. support: whose scores say which rows support,
    empty for the judge itself. labelled: distinct rows that such a score says something of, for any
    subgoal. missing: pairs without a judgement."""

    judge: str
    data: str
    support: str
    rows: int
    distinct: int
    labelled: int
    missing: int
    draws: int
    seed: int
    subgoals: list[SubgoalPower]
    notes: list[str]

    def headline(self) -> str:
        told = []
        for own in self.subgoals:
            loss = own.curves[0].smallest
            part = percent(loss.part) if loss else "not even all"
            told.append(f"{own.name} {part}")
        return (
            "`goalcover check` on a fresh sample of the same source notices, four times in five, "
            f"the loss of this part of the supporting rows: {'; '.join(told)}."
        )

    def tables(self) -> list[Table]:
        return [
            _table(title, setting, self.subgoals, bool(self.support))
            for setting, title in TITLES.items()
        ]

    def lines(self) -> list[str]:
        used = sorted({own.judged for own in self.subgoals})
        used = used[:: len(used) - 1 or 1]  # the fewest and the most
        whose = (
            f"{self.labelled:,} of {self.distinct:,} distinct rows have labels in {self.support}; "
            "rows without one for a subgoal are left out for it, which leaves "
            f"{' to '.join(f'{count:,}' for count in used)} rows a subgoal. The rows removed "
            "support the subgoal by these labels, so the judge's errors are in these figures: "
            "agreed says how many of those rows it calls supporting."
            if self.support
            else "The rows removed are those that this judge itself scores 0.6 or more: this is "
            "what the figures can show at this number of rows, and says nothing of whether the "
            "judge is right. Give --support with other scores to have its errors in it."
        )
        return [
            f"Judge: {self.judge}. {self.rows:,} rows of {self.data}, {self.distinct:,} distinct; "
            f"{self.missing:,} judgements are missing and left out. {COPIES}",
            whose,
            "Support: rows that losses are taken from; lost, part: of these; fall: of A(s). "
            "Smallest loss: noticed in 80 % of the draws, interpolated on the curve made monotone "
            "(isotonic regression); its 95 % interval is a parametric bootstrap over the draws "
            f"({self.draws:,} a dose, seed {self.seed}) and no statement on other data.",
            "Removal: beyond the 95th percentile of as many rows removed at random from this file. "
            "Check: the file and the changed one are two bootstrap samples of these rows, the rule "
            f"that of `goalcover check` with {len(self.subgoals)} subgoals; its curve begins with "
            "the false alarms.",
            *self.notes,
        ]

    def draw(self, folder: Path) -> dict[str, Path]:
        path = folder / "power.png"
        draw_power(self.subgoals, path)
        return {"Power against dose": path}


def _table(title: str, setting: Setting, subgoals: list[SubgoalPower], agreed: bool) -> Table:
    columns = ["subgoal", "support", "agreed", "A(s)", "lost (95 %)", "part", "fall"]
    lines = []
    for own in subgoals:
        (curve,) = (curve for curve in own.curves if curve.setting == setting)
        mean = "–" if own.mean is None else f"{own.mean:.3f}"
        lines.append([own.name, str(own.supporting), str(own.agreed), mean, *_cells(curve)])
    kept = [place for place, name in enumerate(columns) if agreed or name != "agreed"]
    rows = [[line[place] for place in kept] for line in lines]
    return Table(title=title, columns=[columns[place] for place in kept], rows=rows)


def _cells(curve: Curve) -> list[str]:
    loss = curve.smallest
    if not curve.points:
        return ["no row supports it", "–", "–"]
    if loss is None:
        return [f"not reached ({percent(max(p.power for p in curve.points))} power)", "–", "–"]
    low, high = loss.interval
    upper = "all" if high is None else f"{high:.0f}"
    return [f"{loss.rows:.0f} ({low:.0f}–{upper})", percent(loss.part), f"{loss.fall:.3f}"]
