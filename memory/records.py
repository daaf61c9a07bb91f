"""The records everyone shares. Words and symbols follow section 3 of the paper.

They are plain pydantic models: the graph's state, the stores, `report.json` and the interrupts
all carry them.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from operator import add, sub
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

Verdict = Literal["enough", "thin", "missing", "unknown"]


def content_hash(*parts: str) -> str:
    """128-bit hex digest of texts, unambiguous about where one part ends."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:".encode())
        digest.update(part.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]


class Record(BaseModel):
    """Base of all records: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid")


class Goal(Record):
    """The practitioner's sentence G with its domain d and task type t."""

    text: str = Field(min_length=1)
    domain: str = ""
    task: str = ""


class Question(Record):
    """A clarifying question with the answer that is used when the person skips it."""

    id: str
    dimension: str
    text: str
    reason: str = ""
    suggestions: list[str] = []
    default: str = ""


class Answer(Record):
    """One answered question. `given` is False where the default was taken."""

    question: Question
    text: str
    given: bool = True


class Draft(Record):
    """What is settled so far, each point a short statement. Which of them a row can show is for
    the decomposition to say."""

    users: list[str] = []
    in_scope: list[str] = []
    out_of_scope: list[str] = []
    safety: list[str] = []
    evidence: list[str] = []
    output_format: list[str] = []
    language: list[str] = []
    edge_cases: list[str] = []


class Specification(Draft):
    """The goal after clarification: R(G) in the paper's terms.

    open_points: what is not settled. ended: why no more is asked. based_on: the run whose approved
    subgoals were the starting point, if any.
    """

    goal: Goal
    answers: list[Answer] = []
    open_points: list[str] = []
    ended: str = ""
    based_on: str = ""


@lru_cache(1024)
def _subgoal_hash(*parts: str) -> str:
    return content_hash(*parts)


class Example(Record):
    """A row that shows what a text means."""

    input: str
    output: str


class Subgoal(Record):
    """One atomic, independently evaluable capability s, optionally with the support wanted.

    counts, does_not_count: what demonstrates the capability, and what seems to but does not; the
    judge is told both. example: a row that fits; shown to people, not to the judge, which would
    look for its likes.
    """

    id: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    name: str = Field(min_length=1)
    description: str = Field(min_length=1)
    counts: str = ""
    does_not_count: str = ""
    example: Example | None = None
    target_share: float | None = Field(default=None, gt=0, le=1)
    target_count: int | None = Field(default=None, gt=0)

    @property
    def text(self) -> str:
        """What it says, in one line: what is embedded of it."""
        return f"{self.name}. {self.description}"

    @property
    def hash(self) -> str:
        """What a judgement depends on: not the example, and not the wanted support."""
        counts = [self.counts, self.does_not_count]
        return _subgoal_hash(self.id, self.name, self.description, *(counts if any(counts) else []))


class Finding(Record):
    """What a check found wrong with a decomposition (Eqs. 1-3 of the paper).

    id: of its content, so that it is the same finding as long as what it is about stays as it is.
    subgoal_ids: one (atomic), two (disjoint), none or one (complete). clause: the words of the
    specification that no subgoal covers. evidence: rows, quotes or figures, one a line. overruled:
    the reason that a person gave to let it stand.
    """

    id: str
    check: Literal["atomic", "disjoint", "complete"]
    subgoal_ids: list[str] = []
    clause: str = ""
    message: str
    evidence: list[str] = []
    overruled: str | None = None


class ClauseCover(Record):
    """One line of the matrix of clauses and subgoals (Eq. 3: G is the union of its subgoals).

    field: of the specification, "goal" for the goal's own words. qualifies: the clause says
    something of every row (audience, language) and needs no subgoal of its own.
    """

    id: str
    field: str
    text: str
    subgoal_ids: list[str] = []
    qualifies: bool = False


class Probe(Record):
    """A row written to fit one subgoal and not another, and what another call made of it.

    row: None where none was written, possible: False where the model said that none can be.
    shown_by: the subgoals of the pair that it was found to demonstrate; the probe holds when that
    is `fits` alone.
    """

    fits: str
    not_fits: str
    row: Example | None = None
    possible: bool = True
    shown_by: list[str] = []
    note: str = ""

    @property
    def holds(self) -> bool:
        return self.row is not None and self.shown_by == [self.fits]


class Contract(Record):
    """What the three checks made of a set of subgoals, for a person to read and trust.

    unchecked: what no usable reply was had for, with the reason, one a line: there, no finding
    means nothing.
    """

    findings: list[Finding] = []
    unchecked: list[str] = []
    matrix: list[ClauseCover] = []
    probes: list[Probe] = []
    how: list[str] = Field(default=[], description="how each check was made, one line each")

    @property
    def open(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.overruled is None]


class Proposal(Record):
    """A set of subgoals with what the checks made of it."""

    subgoals: list[Subgoal]
    contract: Contract


class DataTopic(Record):
    """A cluster of rows, named by the words that tell it apart; `share` of the embedded rows."""

    name: str
    share: float
    example: Example


class OddRow(Record):
    """A row unlike the others, `row` counted from 0, and in what."""

    row: int
    reason: str
    excerpt: str


class DataProfile(Record):
    """What the data looks like before anything is judged. Shares are between 0 and 1.

    read: rows of the data. looked_at: rows that lengths, languages, forms and copies are counted
    on; embedded: rows that topics, near-duplicates and odd rows are found in; both are seeded
    samples where there are more. lengths: 5th, 50th and 95th percentile of characters. languages:
    share by English name, the largest first. forms: share of outputs that hold "code", "list",
    "JSON" or "table". copies: rows whose text is that of an earlier one but for case, space
    and punctuation. near_duplicates: rows with a nearer neighbour than a stated similarity.
    """

    read: int
    looked_at: int
    embedded: int
    format: str
    system: float = 0.0
    multi_turn: float = 0.0
    input_lengths: tuple[int, int, int] = (0, 0, 0)
    output_lengths: tuple[int, int, int] = (0, 0, 0)
    languages: dict[str, float] = {}
    forms: dict[str, float] = {}
    topics: list[DataTopic] = []
    copies: int = 0
    near_duplicates: int = 0
    odd: list[OddRow] = []
    how: str = Field(default="", description="how it was found, in one sentence")


class Sample(Record):
    """One training row (x, y) as the judge sees it.

    `system` is the system message of a chat row: part of x, but no topic of the row. `cut` counts
    the characters left out because the row was too long for the judge.
    """

    index: int
    id: str
    system: str = ""
    input: str
    output: str
    cut: int = 0

    @property
    def hash(self) -> str:
        return content_hash(self.system, self.input, self.output)


class Score(Record):
    """A(x, y, s) with its explanation r, or None with the reason why there is no judgement.

    source: "predicted" where a survey did not ask the judge about the row; interval: then, where
    nine of ten judgements of rows like this one lie; supports: the probability that the row
    supports the subgoal (A >= 0.6).
    """

    value: float | None = Field(default=None, ge=0, le=1)
    explanation: str = ""
    error: str | None = None
    source: Literal["judged", "predicted"] = "judged"
    interval: tuple[float, float] | None = None
    supports: float | None = Field(default=None, ge=0, le=1)


class Figure(Record):
    """A mean over `rows` rows, estimated from `sampled` of them that were drawn at random.

    interval: 95 %. r2: share of the judgements' variance that out-of-fold predictions explain, None
    where none were made. weight: of the predictions (lambda of PPI++), 0 where they were of no use:
    then the interval is the classical one. classical: half-width of the interval that the same
    judgements give without predictions.
    """

    value: float
    interval: tuple[float, float]
    rows: int
    sampled: int
    r2: float | None = None
    weight: float = 0.0
    classical: float

    @property
    def half_width(self) -> float:
        return (self.interval[1] - self.interval[0]) / 2


class Estimate(Record):
    """The figures of a subgoal by a survey: A(s) over all rows; share of the distinct rows that
    support it. supporting: judged rows of the sample that support it. warning: why the intervals
    may be too narrow, empty where they are not."""

    mean: Figure
    share: Figure
    supporting: int
    warning: str = ""


class Coverage(Record):
    """Dataset alignment A(s) of one subgoal, and what stands behind it.

    `mean` is None when no row could be judged; `interval` is its 95 % t-interval. supporting: rows
    with A >= 0.6. Near-duplicates count once in what the verdict is made of: distinct, the judged
    rows; distinct_supporting, those of them that support s, with the 95 % Wilson interval of their
    share; wanted, how many there should be. distinct_histogram: the distinct rows per anchor, each
    with the highest score of its near-duplicates; empty in reports of earlier versions.

    By a survey, where `estimate` is not None: judged, failed, low and both histograms count rows of
    the random sample; distinct, all distinct rows of the data; supporting and distinct_supporting
    are estimated, the share times all rows or all distinct rows; both intervals are those of the
    estimate, and speak of these rows alone. possible: verdicts that the share's interval allows.
    """

    subgoal: Subgoal
    mean: float | None
    interval: tuple[float, float] | None = None
    judged: int
    failed: int = 0
    low: int = 0
    supporting: int = 0
    distinct: int = 0
    distinct_supporting: int = 0
    share_interval: tuple[float, float] | None = None
    wanted: int = 0
    verdict: Verdict = "unknown"
    histogram: list[int] = Field(default=[0] * 6, description="rows per anchor, 0.0 to 1.0")
    distinct_histogram: list[int] = []
    gap: bool = Field(description="A(s) < tau (section 3.4)")
    estimate: Estimate | None = None
    possible: list[Verdict] = []

    @property
    def rows(self) -> int:
        """The rows that A(s) is the mean of."""
        return self.estimate.mean.rows if self.estimate else self.judged

    @property
    def lacking(self) -> bool:
        """Whether fewer rows support it than are wanted."""
        return self.verdict in ("thin", "missing")

    @property
    def studied(self) -> bool:
        """Whether its low rows are looked at: a mean of tau or more may rest on near-duplicates."""
        return self.gap or self.lacking


class Agreement(Record):
    """How two judgements of the same rows agree: a judge with labels, or with another judge.

    Over the rows that have both. spearman: rank correlation, None where one side is constant.
    kappa: quadratic weighted kappa on the six anchors. error: mean absolute difference. shift: mean
    of the first minus the second, with its 95 % t-interval (None for a single row). Without a row
    that has both, all of them are None.
    """

    subgoal_id: str
    rows: int
    spearman: float | None
    kappa: float | None
    error: float | None
    shift: float | None
    shift_interval: tuple[float, float] | None = None


class OverlapRow(Record):
    """A row that two subgoals were judged on, with both values and an excerpt."""

    row: int
    first: float
    second: float
    excerpt: str


class Overlap(Record):
    """How two subgoals' scores go together across the rows that have both.

    correlation: Spearman's, None where one side is constant; interval: 95 %, bootstrap over rows.
    both, first_only, second_only: rows that support both or one of them (A >= 0.6). together: the
    data says that the two overlap, by a rule that the report states. Of reported pairs, examples:
    rows that support both; parting: rows that support one alone.
    """

    first: str
    second: str
    rows: int
    correlation: float | None
    interval: tuple[float, float] | None = None
    both: int
    first_only: int
    second_only: int
    together: bool = False
    examples: list[OverlapRow] = []
    parting: list[OverlapRow] = []


class Standing(Record):
    """Whether any row tells a subgoal apart from the goal as a whole (all the other subgoals).

    supporting: rows that support it or another; parted: those of them that support it without any
    other, or another without it. apart: False where (almost) no row parts them.
    """

    subgoal_id: str
    supporting: int
    parted: int
    apart: bool


class LowRow(Record):
    """A row of R_low(s) (Eq. 7): its place, its score and the judge's explanation.

    topic: the part of its text that says what it is about; excerpt: what a reader is shown of it.
    """

    row: int
    sample_id: str
    score: float
    explanation: str
    topic: str
    excerpt: str


class Evidence(Record):
    """A low row that shows a gap: where it is, and what the judge said of it."""

    row: int
    sample_id: str
    score: float
    explanation: str
    excerpt: str


class Quote(Record):
    """Words that stand verbatim in the explanation of a low row, or in the row itself."""

    row: int
    source: Literal["explanation", "row"]
    text: str


class Claim(Record):
    """A sentence about a gap, with what it rests on. Code has checked the quotes."""

    text: str
    quotes: list[Quote]


GapKind = Literal["absent", "weak"]


class Gap(Record):
    """A missing capability, found in the explanations of low rows (Gaps_s, Eq. 8).

    kind: "absent" where the rows do not call for the capability, "weak" where they do and fall
    short of it. prevalence: rows / analysed, with its 95 % Wilson interval. shortfall: what the
    gap's rows lack to tau, sum of tau - A(x, y, s), as a share of what all analysed rows lack.
    members: the indices of its rows in the data; evidence: the most typical of them. origin: who
    named it.
    """

    id: str
    subgoal_id: str
    kind: GapKind
    name: str
    claims: list[Claim]
    prevalence: float = Field(ge=0, le=1)
    interval: tuple[float, float]
    shortfall: float = Field(ge=0, le=1)
    rows: int = Field(description="analysed low rows that show the gap")
    analysed: int = Field(
        description="low rows whose explanations were clustered (a seeded sample)"
    )
    low: int = Field(description="all low rows of the subgoal")
    members: list[int] = []
    evidence: list[Evidence] = []
    origin: str = ""

    @property
    def description(self) -> str:
        return " ".join(claim.text for claim in self.claims)


class Stability(Record):
    """How far a clustering depends on chance: adjusted Rand index with the one that was used.

    Mean and least of `runs` repetitions, on the rows that both clusterings have.
    """

    runs: int
    mean: float
    least: float


class Analysis(Record):
    """How the gaps of one subgoal were found.

    low, analysed: as in Gap. absent: analysed rows that do not call for the subgoal; the others
    fall short of it. clusters: before near-identical gaps were merged. unassigned: analysed rows
    that show no gap. seeds, subsamples: stability over seeds and over 80 % of the rows, None where
    there are too few rows to say.
    """

    subgoal_id: str
    low: int
    analysed: int
    absent: int
    clusters: int
    unassigned: int
    seeds: Stability | None = None
    subsamples: Stability | None = None
    how: list[str] = Field(default=[], description="how it was done, one line each")


class Recommendation(Record):
    """Rec_s for one gap (Eq. 9). They are listed in order of effect per cost: see `rank`.

    action: what to collect; source: from what kind of source; scenarios: situations that the rows
    should show. All counts are computed: rows_wanted, rows to add for this gap; rows_enough, those
    for all gaps of the subgoal together, with which its verdict is "enough"; rows_next, those with
    which it is next_verdict, one step better than now. effect: steps of the verdict gained for 100
    rows added. remove: indices of the gap's rows that support no subgoal.
    """

    gap_id: str
    subgoal_id: str
    rank: int = 0
    action: str
    source: str = ""
    scenarios: list[str] = []
    rows_wanted: int = Field(ge=0)
    rows_enough: int = Field(default=0, ge=0)
    rows_next: int = Field(default=0, ge=0)
    next_verdict: Verdict = "enough"
    effect: float = 0.0
    remove: list[int] = []
    remove_reason: str = ""
    suits_synthesis: bool
    reason: str = ""


class Cell(Record):
    """What one synthetic row is asked to show, so that rows differ: a point of the grid.

    also: the id of a second subgoal that the row is to demonstrate.
    """

    scenario: str = ""
    difficulty: str = ""
    persona: str = ""
    also: str = ""


class Grid(Record):
    """The grid whose points synthetic rows are spread over."""

    scenarios: list[str] = []
    difficulties: list[str] = []
    personas: list[str] = []


class PlanItem(Record):
    """Rows to synthesise for one gap. name: the gap's. wanted: rows that were recommended for it,
    where they are more. also: subgoals that every fourth row is paired with."""

    gap_id: str
    name: str = ""
    subgoal_id: str
    rows: int = Field(ge=0)
    wanted: int = Field(default=0, ge=0)
    grid: Grid = Grid()
    also: list[str] = []


class SynthesisPlan(Record):
    """What a person approves before rows are generated: what, how many, at what cost.

    rounds: most rounds of generator and discriminator for an item.
    """

    items: list[PlanItem]
    rounds: int = 1
    calls: int
    tokens_in: int
    tokens_out: int
    cost_usd: float | None = None
    how: str = Field(description="how calls, tokens and money were foretold")
    model: str
    judge: str


class Source(Record):
    """A text of the user's own: a row of the data, or a passage of a document."""

    id: str
    input: str
    output: str


Refusal = Literal[
    "empty",
    "another format",
    "copies an exemplar",
    "near-duplicate of the data",
    "near-duplicate of another synthetic row",
    "leaks the prompt",
    "below the bar",
    "below the anchor",
    "not judged",
]
"""Why a candidate is rejected. The first six are found by code, without asking a model."""


class Candidate(Record):
    """A row a generator proposes, with the discriminator's verdict once there is one.

    Scores are on the rubric's anchors; correctness, completeness, faithfulness and format are None
    where they were not judged. explanations: by dimension. refused: why it was rejected, empty
    where it was not; `explanation` then says it in full. round: in which it was written, from 1.
    by_hand: what a person made of it against that verdict.
    """

    id: str
    input: str
    output: str
    origin: Literal["model", "extractive"]
    sources: list[str] = Field(default=[], description="ids of the user's rows it is grounded in")
    cell: Cell = Cell()
    round: int = 1
    score: float | None = None
    correctness: float | None = None
    completeness: float | None = None
    faithfulness: float | None = None
    format: float | None = None
    explanation: str = ""
    explanations: dict[str, str] = {}
    anchor: float | None = Field(default=None, description="score of the anchor in its group")
    refused: Refusal | None = None
    by_hand: Literal["", "accepted", "dropped"] = ""


class Round(Record):
    """One line of the yield table: what one round of an item asked for and got.

    refused: candidates by reason. failed: calls of the generator without a usable reply.
    """

    number: int
    asked: int
    written: int
    accepted: int
    refused: dict[Refusal, int] = {}
    failed: list[str] = []


class OrderEffect(Record):
    """What judging groups of candidates a second time in another order changed.

    difference: mean absolute difference of scores; flips: candidates that one order would accept
    and the other not, as a share of `rows` with its 95 % Wilson interval.
    """

    groups: int = 0
    rows: int = 0
    difference: float | None = None
    flips: int = 0
    interval: tuple[float, float] | None = None


class Reordered(Record):
    """A candidate that was judged in two orders: both scores, and whether each accepts it."""

    scores: tuple[float, float]
    accepts: tuple[bool, bool]


class SynthesisOutcome(Record):
    """What came of one plan item. note: why where it is fewer rows than asked for.

    reordered: by group that was judged twice.
    """

    item: PlanItem
    accepted: list[Candidate] = []
    rejected: list[Candidate] = []
    rounds: list[Round] = []
    reordered: list[list[Reordered]] = []
    note: str = ""


class LedgerEntry(Record):
    """A subgoal before and after its data set is joined by the synthetic rows.

    target: rows were written for it. supporting, wanted, verdict: near-duplicates count once;
    wanted grows with the data.
    """

    subgoal_id: str
    target: bool = False
    before: float | None
    after: float | None
    added: int
    added_mean: float | None
    supporting_before: int = 0
    supporting_after: int = 0
    wanted_before: int = 0
    wanted_after: int = 0
    verdict_before: Verdict = "unknown"
    verdict_after: Verdict = "unknown"
    failed: int = 0


class Subset(Record):
    """Some rows of the data. means: A(s); supporting: rows with A >= 0.6, both by subgoal id;
    predicted rows count as it is probable. diversity: see FilterResult."""

    rows: int
    means: dict[str, float | None]
    supporting: dict[str, int]
    diversity: float | None = None


class FilterResult(Record):
    """The goal-aligned subset, beside the original and a random subset of the same size.

    reached: kept rows that the rule keeps without the floors. near_duplicates: rows left out
    because a kept one is almost the same. floored: rows kept for a subgoal's floor alone, by
    subgoal id. how_diverse: what diversity measures. unjudged: rows that stand on a prediction;
    predicted: those of them that are kept; open: those that judging may decide otherwise. expected:
    rows that probably reach the cut, None where that cannot be told.
    """

    rule: str
    total: int
    kept: int
    reached: int
    near_duplicates: int = 0
    floored: dict[str, int] = {}
    aligned: Subset
    random: Subset
    original: Subset
    how_diverse: str = ""
    seed: int
    path: str = ""
    expected: int | None = None
    predicted: int = 0
    unjudged: int = 0
    open: int = 0


class Foretold(Record):
    """What judging is expected to take, before a single call. rows: that are judged. cost_usd: None
    where the price is not known; seconds: None where nothing is known of the model's speed."""

    method: Literal["pairwise", "joint", "survey"]
    precision: float | None = None
    rows: int
    calls: int
    tokens_in: int
    tokens_out: int
    cost_usd: float | None = None
    seconds: float | None = None


class ScoringPlan(Record):
    """What judging a data set would take, by each way to do it. how: how it was foretold, one line
    each."""

    rows: int
    subgoals: int
    judge: str
    ways: list[Foretold]
    how: list[str] = []


class Look(Record):
    """What a survey knew when it looked at its intervals. rows: judged by then, all subgoals of
    each; means: by subgoal id A(s) and the ends of its 95 % interval, of no width once every row
    has its judgement; a subgoal with fewer than two judgements is left out."""

    rows: int
    means: dict[str, tuple[float, float, float]]


class Survey(Record):
    """How a survey went: a random sample of the rows judged, all others predicted.

    precision: half-width of A(s)'s intervals that was asked for, None for as narrow as the cap
    allows; reached: whether all are. rows: with an output; sampled: of them, judged at random.
    calls, calls_whole: what judging the sample takes where nothing is known before, and what
    judging every pair in a call of its own would. known: rows outside of the sample that earlier
    runs have judged; their scores are in the files, not in the estimates. looks: sample sizes at
    which the intervals were looked at. ended: why it went no further; by_hand: a person stopped it.
    explained, rejudged: rows judged beside the sample, which do not enter the estimates: for their
    explanations, and because they lay near the filter's cut. how: the method, one line each.
    """

    precision: float | None
    reached: bool
    rows: int
    sampled: int
    calls: int = 0
    calls_whole: int
    known: int = 0
    looks: list[int]
    ended: str
    by_hand: bool = False
    explained: int = 0
    rejudged: int = 0
    seed: int = 0
    how: list[str] = []

    @property
    def whole(self) -> bool:
        """Whether all rows were judged, so that nothing is estimated."""
        return self.sampled >= self.rows


class RowCounts(Record):
    """What happened to the rows between the file and the judge."""

    read: int
    usable: int = Field(description="rows with an output, given to the judge")
    bad: int = 0
    empty: int = 0
    cut: int = 0
    format: str = ""


class Spent(Record):
    """What replies cost: calls that were answered, tokens as the server counted them, money.

    `tokens_cached` are those of `tokens_in` that the server had in its prefix cache. `cost_usd` is
    None where a price is not known, and stays so in sums.
    """

    calls: int = 0
    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0
    cost_usd: float | None = 0.0

    def __add__(self, other: Self) -> Self:
        return self._with(other, add)

    def __sub__(self, other: Self) -> Self:
        return self._with(other, sub)

    def _with(self, other: Self, operation: Callable[[Any, Any], Any]) -> Self:
        found: dict[str, Any] = {}
        for name, mine in self:
            if not isinstance(mine, str):
                theirs = getattr(other, name)
                unknown = mine is None or theirs is None
                found[name] = None if unknown else operation(mine, theirs)
        return self.model_copy(update=found)


class Usage(Spent):
    """What a role asked of a model in one run; `seconds` sums the waits for replies."""

    role: str
    model: str
    from_store: int = 0
    seconds: float = 0.0


class FoundRow(Record):
    """A row that answers a question about a run.

    nearness: cosine of the question with the row or with an explanation, and a gain for words they
    share; None where the row was found by its score. explanation: the judge's, of `subgoal_id`,
    that comes nearest; empty where none was looked at. scores: A by subgoal id.
    """

    row: int
    nearness: float | None
    excerpt: str
    subgoal_id: str = ""
    explanation: str = ""
    scores: dict[str, float | None] = {}


class Sentence(Record):
    """A sentence of an answer; cites: rows ("row 7") and ids of gaps and subgoals it rests on."""

    text: str
    cites: list[str]


class Found(Record):
    """What was found for a question about a run. answer: empty without a language model.
    subgoals: those that are asked for. lowest: the rows are those with their lowest scores, else
    the nearest ones, those that support them first. note: what was taken for granted. spent: on the
    answer."""

    question: str
    note: str = ""
    lowest: bool = False
    answer: list[Sentence] = []
    subgoals: list[Coverage] = []
    rows: list[FoundRow] = []
    gaps: list[Gap] = []
    spent: Spent = Spent()
    searched: str = Field(default="", description="what was searched, in one sentence")


class Approved(Record):
    """What a person approved in a run, kept as a starting point for goals that resemble its own.

    id: the run's. created: UTC, ISO 8601. similarity: cosine of its goal and the goal asked for,
    None where none was.
    """

    id: str
    created: str
    specification: Specification
    subgoals: list[Subgoal]
    similarity: float | None = None
