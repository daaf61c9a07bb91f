"""Sentences on a run's results, the same on the report's page and in the chat."""

from collections.abc import Mapping, Sequence

from ..memory.records import (
    Coverage,
    FilterResult,
    Gap,
    Overlap,
    Recommendation,
    RowCounts,
    Spent,
    Standing,
    Survey,
)
from .overlap import LEAST_ROWS, within
from .prices import money
from .survey import words
from .text import listed, many, percent, shorten

Names = Mapping[str, str]
"""Of subgoals, by id."""

NAME = 200
"""Characters of a name in a sentence."""

MEANS = (
    "Mean alignment of each subgoal. A low bar alone may only say that the capability does not "
    "apply to most rows; the colour says whether enough rows support it."
)
CORRELATIONS = (
    "Rank correlation of the scores of each pair of subgoals; “–” where one of the two has the "
    "same score in every row."
)
FAIR = "Selecting by a score raises the mean of that score"


def named(ids: Sequence[str], names: Names) -> str:
    """ "“Dosing” and “Red flags”". Findings may name a subgoal that was taken out since."""
    return listed(f"“{shorten(names.get(i, i), NAME)}”" for i in ids)


def lacking(coverage: Sequence[Coverage]) -> str:
    """The verdict in a sentence: how many subgoals lack supporting rows, and which."""
    short = [c for c in coverage if c.lacking]
    unknown = [c for c in coverage if c.verdict == "unknown"]
    of = f"{len(short)} of {many(len(coverage), 'subgoal')}"
    told = f"{of} {'lacks' if len(short) == 1 else 'lack'} supporting rows: {_quoted(short)}."
    if not short:
        told = "" if unknown else "All subgoals have the supporting rows they want."
    if unknown:
        told += f" There is no verdict on {_quoted(unknown)}: too many judgements failed."
    return told.strip()


def _quoted(coverage: Sequence[Coverage]) -> str:
    return listed(f"“{shorten(c.subgoal.name, NAME)}”" for c in coverage)


def distribution(survey: Survey | None) -> str:
    told = "Distribution of scores over the six anchors of the rubric"
    if survey is None or survey.whole:
        return f"{told}."
    return f"{told}, of the {survey.sampled:,} of {survey.rows:,} rows that were judged."


def by_topic(count: int, seed: int, survey: Survey | None) -> str:
    """count: rows that topics were found in."""
    mixed = " The means mix judged and predicted rows." if sampled(survey) else ""
    return (
        "Mean alignment by topic of the rows. Topics are clusters of sentence embeddings of "
        f"{count} rows (seed {seed}), named by the words that set them apart.{mixed}"
    )


def sampled(survey: Survey | None) -> bool:
    """Whether some rows were not judged."""
    return survey is not None and not survey.whole


def prevalence(gap: Gap) -> str:
    """How many rows show a gap, and what it makes of the shortfall."""
    low, high = gap.interval
    of = f", a seeded sample of {gap.low}" if gap.analysed < gap.low else ""
    return (
        f"{percent(gap.prevalence)} of the analysed low rows ({gap.rows} of {gap.analysed}{of}; "
        f"95 % interval {percent(low)} – {percent(high)}), {percent(gap.shortfall)} of the "
        "shortfall: of what all of them lack to τ."
    )


def low_rows(survey: Survey | None) -> str:
    """Which low rows gaps are found in; nothing where all rows were judged."""
    if survey is None or survey.whole:
        return ""
    told = "Low rows are judged rows: where a row was predicted there is no explanation."
    if survey.explained:
        told += (
            f" Beside the sample {survey.explained:,} of the rows that are predicted low were "
            "judged for their explanations; shares of the analysed rows are not those of all low "
            "rows."
        )
    return told


def to_look_at(r: Recommendation) -> str:
    """Rows of a gap that support nothing; nothing where there are none."""
    if not r.remove:
        return ""
    such = ", ".join(map(str, r.remove[:5]))
    return (
        f"{len(r.remove)} of this gap support no subgoal, such as index {such} (counted from 0). "
        f"{r.remove_reason}"
    ).strip()


def nothing_to_collect(coverage: Sequence[Coverage]) -> str:
    """Which subgoals want no rows; nothing where all want some."""
    enough = [c for c in coverage if c.verdict == "enough"]
    if not enough:
        return ""
    told = (
        f"Nothing to collect for {_quoted(enough)}: the rows that are wanted are there. A low mean "
        "says that most rows are about other things."
    )
    return " ".join(filter(None, (told, words.not_settled(coverage))))


def together(o: Overlap, names: Names) -> str:
    """How two subgoals that go together do so."""
    low, high = o.interval or (None, None)
    return (
        f"{o.both} rows support both, {o.first_only} only {named([o.first], names)}, "
        f"{o.second_only} only {named([o.second], names)}. Their scores have a rank correlation of "
        f"{correlation(o.correlation)} (95 % interval {correlation(low)} to {correlation(high)}) "
        f"over {o.rows} rows. Either the two overlap, or the data lacks rows that part them."
    )


def nested(o: Overlap, names: Names) -> str:
    """How a subgoal lies within another; nothing where none does."""
    if not (ids := within(o)):
        return ""
    special, general = (named([name], names) for name in ids)
    alone = o.first_only if ids[0] == o.first else o.second_only
    return (
        f"{o.both} of the {o.both + alone} rows that support {special} support {general} as well, "
        f"which {o.first_only + o.second_only - alone} more rows support alone."
    )


def told_apart(standing: Sequence[Standing], names: Names) -> str:
    """Which subgoals the data does not tell apart from the whole goal."""
    untold = [s.subgoal_id for s in standing if not s.apart]
    if untold:
        which = "it" if len(untold) == 1 else "one of them"
        return (
            f"The data does not tell {named(untold, names)} apart from the goal as a whole: hardly "
            f"a row supports {which} without another subgoal, or others without it."
        )
    return "No subgoal is found to be the same as the goal as a whole." if standing else ""


def scarce(overlaps: Sequence[Overlap]) -> str:
    """For how many pairs nothing can be said."""
    few = sum(o.both + o.first_only + o.second_only < LEAST_ROWS for o in overlaps)
    if not few:
        return ""
    return (
        f"For {few} of the {len(overlaps)} pairs nothing can be said: fewer than {LEAST_ROWS} rows "
        "support either of the two."
    )


def beside(survey: Survey | None) -> str:
    """Which rows overlap is seen in; nothing where all were judged."""
    if survey is None or survey.whole:
        return ""
    more = ", those beside the sample among them" * bool(survey.explained or survey.rejudged)
    return f"Over the judged rows{more}."


def kept(result: FilterResult) -> str:
    return (
        f"{result.kept:,} of {result.total:,} rows kept: {result.rule}. Near-duplicates left out: "
        f"{result.near_duplicates:,}. Kept for a floor alone: {sum(result.floored.values()):,}."
    )


def fair(result: FilterResult) -> str:
    """What the random subset is for, and what diversity is."""
    return (
        f"{FAIR}; the random subset (seed {result.seed}) shows by how much more than chance. "
        f"{result.how_diverse}"
    ).strip()


def rows_read(rows: RowCounts, survey: Survey | None, cut_rule: str) -> str:
    """What happened to the rows between the file and the judge."""
    given = "given to the judge"
    if survey and not survey.whole:
        given = (
            f"with an output, {survey.sampled:,} of {survey.rows:,} of them judged as the sample"
        )
    return (
        f"{rows.read:,} read as {rows.format}, {rows.usable:,} {given}, {rows.empty:,} left out "
        f"for an empty output, {rows.bad:,} bad lines skipped, {rows.cut:,} cut for the judge "
        f"({cut_rule})"
    )


def spent_in_full(spent: Spent) -> str:
    paid = "not known" if spent.cost_usd is None else money(spent.cost_usd)
    return (
        f"{spent.calls:,} calls, {spent.tokens_in:,} tokens in ({spent.tokens_cached:,} cached), "
        f"{spent.tokens_out:,} out, as the server counted them; money {paid}"
    )


def correlation(value: float | None) -> str:
    """A number from −1 to 1; what rounds to zero has no sign."""
    return "–" if value is None else f"{round(value, 2) + 0.0:.2f}".replace("-", "−")
