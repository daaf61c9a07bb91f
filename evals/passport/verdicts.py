"""May this judge be used for this subgoal? A stated rule on the bounds of intervals."""

from collections.abc import Mapping
from math import nan
from typing import Literal

from ...memory.records import Record
from ...tools.text import many, percent
from ..intervals import Rate

Verdict = Literal["use", "use with care", "do not use", "cannot tell"]


MOST_DIGITS = 6


class Rule(Record):
    """Thresholds. Those of "use" are met by the worse end of the interval."""

    labels: int = 30
    kappa: float = 0.6
    spearman: float = 0.6
    flips: float = 0.1
    failed: float = 0.05
    place: float = 0.05
    bias: float = 0.1
    seen: float = 0.6
    least_kappa: float = 0.2
    support: float = 0.5

    def __str__(self) -> str:
        return (
            "Rule, the first that holds. Do not use: surely more than "
            f"{percent(self.failed)} of the judgements failed. Cannot tell: fewer than "
            f"{self.labels} labelled rows with a judgement, or labels all the same. Do not use: "
            f"one value for all rows, kappa below {self.least_kappa:g}, an interval of the rank "
            "correlation that does not lie above 0, precision or recall of support surely below "
            f"{percent(self.support)}. Cannot tell: no interval, as too few rows differ. Use: the "
            f"intervals of kappa and of the rank correlation lie at {self.kappa:g} and "
            f"{self.spearman:g} or above, those of precision and recall of support, where they are "
            f"defined, at {percent(self.seen)} or above, that of anchors changed on a retest at "
            f"{percent(self.flips)} or below, the mean error is not surely beyond ±{self.bias:g}, "
            f"at most {percent(self.failed)} of the judgements failed, and the first place in a "
            f"call does not surely shift a judgement by more than {self.place:g}. Use with care: "
            "all else, with what is lacking. Surely: the whole interval says so. Labels are "
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
        return "do not use", [f"{_share(failed, rule.failed)} of the judgements failed"]
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
        found.append(f"kappa {apart(kappa.value, rule.least_kappa)}, below {rule.least_kappa:g}")
    if spearman.interval and spearman.interval[0] <= 0:
        found.append(f"rank correlation from {apart(spearman.interval[0], 0)}: it may be none")
    for name in ("precision", "recall"):
        _, high = figures[f"labels_{name}"].interval or (0.0, 1.0)
        if high < rule.support:
            found.append(f"{name} of support at most {share_apart(high, rule.support)}")
    return found


def _lacking(figures: Mapping[str, Rate], first_place: Rate | None, rule: Rule) -> list[str]:
    found = []
    for name, least in (("kappa", rule.kappa), ("spearman", rule.spearman)):
        low, _ = figures[name].interval or (-1.0, 1.0)
        if low < least:
            said = "rank correlation" if name == "spearman" else name
            found.append(f"{said} may be {apart(low, least)}")
    found += _bias(figures["labels_error"], rule) + _unseen(figures, rule)
    flips = figures.get("retest_changed")
    if flips is None or flips.interval is None:
        found.append("not asked again")
    elif flips.interval[1] > rule.flips:
        found.append(f"up to {share_apart(flips.interval[1], rule.flips)} change on a retest")
    failed = figures["judgements_failed"]
    if (failed.value or 0.0) > rule.failed:
        found.append(f"{_share(failed, rule.failed)} of the judgements failed")
    if first_place and first_place.interval:
        low, high = first_place.interval
        if low > rule.place or high < -rule.place:
            found.append(f"asked first, it gives {first_place.value:+.2f}")
    return found


def _bias(error: Rate, rule: Rule) -> list[str]:
    """Whether A(s), a mean, is surely off."""
    if error.value is None or error.interval is None:
        return []
    low, high = error.interval
    if low <= rule.bias and high >= -rule.bias:
        return []
    return [f"A(s) is {apart(abs(error.value), rule.bias)} too {'high' if low > 0 else 'low'}"]


def _unseen(figures: Mapping[str, Rate], rule: Rule) -> list[str]:
    """Whether the count of supporting rows may be far off."""
    told = {
        "labels_recall": ("it sees {share} of {rows}", "supporting row"),
        "labels_precision": ("of {rows} that it counts as support, {share} are", "row"),
    }
    found = []
    for name, (words, row) in told.items():
        rate = figures[name]
        if rate.value is None or rate.interval is None or rate.interval[0] >= rule.seen:
            continue
        low, high = rate.interval
        bounds = f"{apart(100 * low, 100 * rule.seen, 0)}–{apart(100 * high, nan, 0)}"
        share = f"{percent(rate.value)} ({bounds})"
        found.append(words.format(share=share, rows=many(rate.of, row)))
    return found


def _share(rate: Rate, threshold: float) -> str:
    return share_apart(rate.value or 0.0, threshold)


def _strong(figures: Mapping[str, Rate]) -> list[str]:
    lows = [f"{(figures[name].interval or (0, 0))[0]:.2f}" for name in ("kappa", "spearman")]
    return [f"kappa from {lows[0]}, rank correlation from {lows[1]}"]


def signed(value: float) -> str:
    """Two decimals, with a true minus."""
    return f"{value:z.2f}".replace("-", "−")


def apart(value: float, threshold: float, digits: int = 2) -> str:
    """Rounded, but never to the threshold that it is not at."""
    while digits < MOST_DIGITS and value != threshold == round(value, digits):
        digits += 1
    return f"{value:.{digits}f}".replace("-", "−")


def share_apart(share: float, threshold: float) -> str:
    """ "58 %", with decimals where it would look like the threshold that it is not at."""
    return f"{apart(100 * share, 100 * threshold, digits=0)} %"
