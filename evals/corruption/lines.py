"""Controlled corruption in sentences: the answer, how it was obtained, what it does not show."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...tools.embedded_model import HONESTY
from ..statistics import DEFINITIONS
from .changes import RESAMPLES
from .records import DomainResult, read_paper
from .separations import CLEAR, Group
from .tables import HEADLINE, SAMPLES, chance, ranged, size


@dataclass(frozen=True)
class Conditions:
    """Under what the figures were obtained."""

    judge: str
    tau: float
    seed: int
    seeds: Sequence[int]
    draws: int


def headline(groups: Sequence[Group], judge: str) -> str:
    """Targets and others of each kind of removal, and whose judgements they are.

    Of the others the mean size: their falls and rises would cancel in a mean.
    """
    told = [
        f"Removal by {group.kind} ({SAMPLES[group.rows]}): targets change by "
        f"{ranged(group.statistics.target, group.target_interval)} %, others by "
        f"{size(group.statistics.other_absolute)} % up or down; {group.others_clear} of "
        f"{group.others} others fall below random removals (about {_by_chance(group.others)} by "
        f"chance); targets that become a gap: {group.targets_gaps} of {group.targets}."
        for group in groups
        if group.rows == HEADLINE[group.kind]
    ]
    told.append(f"Judge: {judge}" + (", a topic detector." if _embedded(judge) else "."))
    return " ".join(told)


def _by_chance(others: int) -> str:
    """How many would fall below random removals, were each a random one itself."""
    expected = CLEAR * others
    return f"{expected:.0f}" if expected >= 1 else f"{expected:.1f}"


def _embedded(judge: str) -> bool:
    return judge.startswith("embedded")


def lines(domains: Sequence[DomainResult], groups: Sequence[Group], how: Conditions) -> list[str]:
    """How the figures were obtained, and what they do not show."""
    told = [f"Judge: {how.judge}; τ = {how.tau:g}."]
    if _embedded(how.judge):
        told.append(HONESTY)
    if _embedded(how.judge) and read_paper().beside(domains).removals:
        told.append(
            "The embedded judge was fitted to 240 judged rows of PubMedQA, BillSum and CodeAlpaca, "
            "with subgoals of the same words: on those data sets it is not wholly out of sample."
        )
    told += [line for domain in domains for line in _domain_lines(domain)]
    told += [
        f"{domain.name} without {one.name}: "
        + (f"rows that match {one.expression}" if domain.kind == "pattern" else one.expression)
        for domain in domains
        for one in domain.removed
    ]
    kinds = {domain.kind for domain in domains}
    if "pattern" in kinds:
        told.append(
            "Patterns are regular expressions, without heed of case, over input and output in "
            "full; those of the package hold the paper's terms as words with their inflections, "
            "not as parts of words."
        )
        told.append(
            "A pattern removes rows by their words, and a judge may go by the same words: part of "
            "a target's fall says only that. The embedded judge goes by words that are near to "
            "those of a subgoal, so with it this part is large. Removal by tag has no such leak."
        )
    if "tag" in kinds:
        told.append(
            "A tag is what somebody filed the row under: rows with other tags may support the "
            "subgoal too, so its A(s) need not fall to 0, and other subgoals may fall with it."
        )
    told += [
        f"{group.left_out} of the removals by {group.kind} on {SAMPLES[group.rows]} are not in "
        "the statistics: nothing or everything is removed, or A(s) is 0 before or not known."
        for group in groups
        if group.left_out
    ]
    seeds = f"{how.seeds[0]}–{how.seeds[-1]}" if len(how.seeds) > 1 else f"{how.seeds[0]}"
    return [
        *told,
        "Natural rows: the pool, drawn at random, as it is. Strategic samples: half drawn from the "
        "whole pool, half shared over what the removals match, filled from the pool where a "
        f"removal has too few; figures are means over seeds {seeds}, which share the pool.",
        f"Intervals: 95 %, percentiles of {RESAMPLES:,} resamples of the rows (before and after "
        "from the same one), those of all seeds together. They hold the removals fixed.",
        f"SDs and p: against {how.draws:,} random removals of as many rows, for each removal and "
        "seed. SDs: the change from their mean, in their standard deviations, mean over seeds. p: "
        "one-sided, that A(s) falls as much, the largest over seeds, not adjusted for the number "
        f"of comparisons; it is never below {chance(1 / (1 + how.draws))}.",
        "A(s) falls exactly where the removed rows score above the rest: what is tested is whether "
        "the judge's scores and the removals agree, not whether a model would lack the skill.",
        "A relative change of a small A(s) is large whatever happens: read it beside the change "
        "and the SDs.",
        DEFINITIONS,
        "Removals of one data set share rows and subgoals: they are fewer independent experiments "
        "than the tests over removals assume. The random removals do not depend on that.",
        f"Seed {how.seed}.",
    ]


def _domain_lines(domain: DomainResult) -> list[str]:
    natural = "all" if domain.pool == domain.rows else "drawn at random"
    told = [
        f"{domain.name}: {domain.source}, {domain.rows:,} rows with an output"
        + (f" ({domain.empty:,} without are left out)" if domain.empty else "")
        + f"; judged {domain.pool:,} ({natural}); strategic samples of {domain.target:,}"
        + (f", not {domain.wanted:,}: the pool is to have 1.5 to 2 times as many"
           if domain.pool == domain.rows and domain.target < domain.wanted else "")
        + "."
    ]  # fmt: skip
    if domain.rows < 500:
        told.append(f"{domain.name}: so few rows make wide intervals.")
    if domain.failed:
        told.append(
            f"{domain.name}: {domain.failed:,} judgements failed and are missing; means are over "
            "the others."
        )
    return told
