"""A passport for a reader: its answer in a sentence, and what the tables do not say."""

from collections import Counter
from collections.abc import Sequence

from ...tools.embedded_model import HONESTY
from ...tools.text import listed
from .measures import HOW
from .places import HOW as PLACES
from .records import Entry, JudgeFacts
from .verdicts import Rule


def headline(judges: Sequence[JudgeFacts], entries: Sequence[Entry]) -> str:
    """The verdicts, counted, of each judge; where none can be given, what to do."""
    told = []
    for judge in judges:
        own = [entry.verdict for entry in entries if entry.judge == judge.name and entry.verdict]
        counts = Counter(own).most_common()
        told.append(
            f"{judge.name}: {listed(f'{verdict} {count}' for verdict, count in counts)} of "
            f"{len(own)} subgoals"
        )
    return "; ".join(told) + "." + _advice(entries)


def _advice(entries: Sequence[Entry]) -> str:
    given = {entry.verdict for entry in entries if entry.verdict}
    if given != {"cannot tell"}:
        return ""
    if any(any(entry.labelled) for entry in entries):
        return " Label more rows for a verdict: see docs/judges.md."
    return " No row is labelled: for a verdict, give scores of your own; see docs/judges.md."


def lines(judges: Sequence[JudgeFacts], entries: Sequence[Entry], rule: Rule) -> list[str]:
    """What failed and why and who the judges are; then the rule and how figures were obtained."""
    told = []
    for judge in judges:
        told.append(f"{judge.name}: {judge.judge}." if judge.judge != judge.name else
                    f"{judge.name}: of the values that are there, in every pass.")  # fmt: skip
        own = next(e for e in entries if e.judge == judge.name and not e.subgoal)
        pairs = own.figures.get("retest_changed")
        if judge.same and pairs:
            told.append(f"{judge.name}: deterministic in what was measured, {pairs.of} judgements "
                        "asked again and none changed.")  # fmt: skip
        told += [f"{judge.name}, failed: {count} × {reason}" for reason, count in judge.failures]
    if any(judge.embedded for judge in judges):
        told.append(HONESTY)
    told.append(
        "Effective: number of anchors, exp of their entropy; off: not on an anchor; (?): no "
        "interval. Where no anchor changes, a table shows the judge over all alone."
    )
    told += [str(rule), HOW]
    return [*told, PLACES] if any(judge.places for judge in judges) else told
