"""May this judge be used for this subgoal? A stated rule on the bounds of intervals."""

from collections.abc import Mapping
from typing import Literal

from ...memory.records import Record
from ..intervals import Rate

Verdict = Literal["use", "use with care", "do not use", "cannot tell"]


class Rule(Record):
    """Thresholds. Those of "use" are met by the worse end of the interval."""

    labels: int = 30
    kappa: float = 0.6
    spearman: float = 0.6
    flips: float = 0.1
    failed: float = 0.05
    place: float = 0.05
    least_kappa: float = 0.2
    support: float = 0.5

    def __str__(self) -> str:
        return (
            "Rule, the first that holds. Do not use: surely more than "
            f"{self.failed:.0%} of the judgements failed. Cannot tell: fewer than {self.labels} "
            "labelled rows with a judgement, or labels all the same. Do not use: one value for "
            f"all rows, kappa below {self.least_kappa:g}, an interval of the rank correlation that "
            "does not lie above 0, precision or recall of support surely below "
            f"{self.support:.0%}. Cannot tell: no interval, as too few rows differ. Use: the "
            f"intervals of kappa and of the rank correlation lie at {self.kappa:g} and "
            f"{self.spearman:g} or above, that of anchors changed on a retest at {self.flips:.0%} "
            f"or below, at most {self.failed:.0%} of the judgements failed, and the first place "
            f"in a call does not surely shift a judgement by more than {self.place:g}. Use with "
            "care: all else, with what is lacking. Surely: the whole interval says so. Labels are "
            "taken to be right, and the rows to be drawn as those that will be judged. Each "
            "subgoal is looked at by itself: of many, some pass or fail by chance."
        )


def verdict_of(
    figures: Mapping[str, Rate], varied: bool, first_place: Rate | None, rule: Rule
) -> tuple[Verdict, list[str]]:
    """The verdict with its reasons. figures: see `measures`; varied: labels take several values."""
    kappa, spearman = figures["kappa"], figures["spearman"]
    failed = figures["judgements_failed"]
    if failed.interval and failed.interval[0] > rule.failed:
        return "do not use", [f"{failed.value:.0%} of the judgements failed"]
    if kappa.of < rule.labels:
        few = f"{kappa.of} labelled rows, {rule.labels} are needed" if kappa.of else "no labels"
        return "cannot tell", [few]
    if not varied:
        return "cannot tell", ["all labels are the same"]
    if wrong := _wrong(figures, rule):
        return "do not use", wrong
    if kappa.interval is None or spearman.interval is None:
        return "cannot tell", ["too few rows differ for an interval"]
    lacking = _lacking(figures, first_place, rule)
    return ("use with care", lacking) if lacking else ("use", _strong(figures))


def _wrong(figures: Mapping[str, Rate], rule: Rule) -> list[str]:
    kappa, spearman = figures["kappa"], figures["spearman"]
    if spearman.value is None:  # labels vary
        return ["it gives one value to all rows"]
    found = []
    if kappa.value is not None and kappa.value < rule.least_kappa:
        found.append(f"kappa {signed(kappa.value)}, below {rule.least_kappa:g}")
    if spearman.interval and spearman.interval[0] <= 0:
        found.append(f"rank correlation from {signed(spearman.interval[0])}: it may be none")
    for name in ("precision", "recall"):
        _, high = figures[f"labels_{name}"].interval or (0.0, 1.0)
        if high < rule.support:
            found.append(f"{name} of support at most {high:.0%}")
    return found


def _lacking(figures: Mapping[str, Rate], first_place: Rate | None, rule: Rule) -> list[str]:
    found = []
    for name, least in (("kappa", rule.kappa), ("spearman", rule.spearman)):
        low, _ = figures[name].interval or (-1.0, 1.0)
        if low < least:
            said = "rank correlation" if name == "spearman" else name
            found.append(f"{said} may be {signed(low)}")
    flips = figures.get("retest_changed")
    if flips is None or flips.interval is None:
        found.append("not asked again")
    elif flips.interval[1] > rule.flips:
        found.append(f"up to {flips.interval[1]:.0%} change on a retest")
    failed = figures["judgements_failed"].value or 0.0
    if failed > rule.failed:
        found.append(f"{failed:.0%} of the judgements failed")
    if first_place and first_place.interval:
        low, high = first_place.interval
        if low > rule.place or high < -rule.place:
            found.append(f"asked first, it gives {first_place.value:+.2f}")
    return found


def _strong(figures: Mapping[str, Rate]) -> list[str]:
    lows = [f"{(figures[name].interval or (0, 0))[0]:.2f}" for name in ("kappa", "spearman")]
    return [f"kappa from {lows[0]}, rank correlation from {lows[1]}"]


def signed(value: float) -> str:
    """Two decimals, with a true minus."""
    return f"{value:.2f}".replace("-", "−")
