"""How the agreement of the embedded judge with judged rows is shown."""

from ...memory.records import Record
from ...tools.embedded_model import HONESTY
from ...tools.text import shorten
from ..exhibit import Exhibit, Table
from ..intervals import Rate
from ..passport.tables import figure
from .rules import SHIPPED

RULES = {
    "shipped": "as shipped",
    "refitted": "refitted on the other domains",
    "topic": "refitted, topic alone",
    "previous": "best passage and shared words (the former rule)",
    "cosine": "plain cosine, cuts refitted",
}
"""What is compared. "topic": without the evidence of what the output states."""

HEADLINE = ("refitted", "topic", "previous", "cosine")

GROUPS = ("all", "topics", "skills")


class Agreed(Record):
    """A rule against the labels of a subgoal. spearman: 0 where the rule gives all one anchor."""

    spearman: Rate
    kappa: Rate
    error: Rate
    predicted: float
    judged: float


class Judged(Record):
    """A subgoal; by rule."""

    domain: str
    id: str
    name: str
    topic: bool
    rows: int
    rules: dict[str, Agreed]


class Mean(Record):
    """Means over subgoals. off: mean distance of the predicted mean from the judged one."""

    rule: str
    group: str
    subgoals: int
    spearman: Rate
    kappa: Rate
    error: Rate
    off: float


class Fitted(Record):
    """What was fitted on all domains but one."""

    without: str
    stated: float
    cuts: tuple[float, ...]


class Calibration(Exhibit):
    embedder: str
    data: str
    seed: int
    subgoals: list[Judged]
    means: list[Mean]
    fitted: list[Fitted]

    def headline(self) -> str:
        by_rule = {own.rule: own for own in self.means if own.group == "all"}
        told = [f"{RULES[rule]} {figure(by_rule[rule].spearman)}" for rule in HEADLINE]
        return f"Mean Spearman within a subgoal: {'; '.join(told)}."

    def tables(self) -> list[Table]:
        columns = ["rule", "over", "subgoals", "Spearman", "kappa", "MAE", "mean off by"]
        overall = [
            [RULES[m.rule], m.group, str(m.subgoals), figure(m.spearman), figure(m.kappa),
             figure(m.error), f"{m.off:.2f}"]
            for m in self.means
        ]  # fmt: skip
        return [
            Table(title="Means over subgoals", columns=columns, rows=overall),
            self._ranks(),
            self._levels(),
        ]

    def _ranks(self) -> Table:
        """Rank correlation of every rule on every subgoal."""
        rows = [
            [self._name(own), *(figure(own.rules[rule].spearman) for rule in RULES)]
            for own in self.subgoals
        ]
        return Table(
            title="Spearman within a subgoal", columns=["subgoal", *RULES.values()], rows=rows
        )

    def _levels(self) -> Table:
        """Kappa, error and levels of the refitted rule."""
        rows = []
        for own in self.subgoals:
            found = own.rules["refitted"]
            figures = [figure(found.kappa), figure(found.error)]
            figures += [f"{found.predicted:.2f}", f"{found.judged:.2f}"]
            rows.append([self._name(own), str(own.rows), *figures])
        return Table(
            title="Refitted on the other domains",
            columns=["subgoal", "rows", "kappa", "MAE", "mean", "judged mean"],
            rows=rows,
        )

    def lines(self) -> list[str]:
        cuts = ", ".join(f"{cut:.2f}" for cut in SHIPPED.cuts)
        told = [
            HONESTY,
            f"Embedder {self.embedder}, rows of {self.data}, seed {self.seed}.",
            "Spearman, quadratic weighted kappa and mean absolute error of the anchors, within a "
            "subgoal; 95 % percentile bootstrap over the rows of a domain, with the fitted figures "
            "held. Resamples in which a figure is not defined are left out; beyond 5 % of them "
            "there is no interval (?). A rule that gives every row one anchor counts as Spearman "
            "0, in all resamples.",
            f"As shipped: weight {SHIPPED.stated:g}, cuts {cuts}. On the rows these were fitted to "
            "the line “as shipped” flatters; “refitted on the other domains” does not use the "
            "domain it is tested on. What the rule is made of was still chosen with these rows "
            "known; rows of your own are the test of that.",
        ]
        return told + [
            f"Fitted without {own.without}: weight {own.stated:.2f}, cuts "
            f"{', '.join(f'{cut:.2f}' for cut in own.cuts)}."
            for own in self.fitted
        ]

    def _name(self, own: Judged) -> str:
        """The domain too, where another has a subgoal of that name."""
        twice = sum(other.name == own.name for other in self.subgoals) > 1
        of = f"{own.domain}: " if twice else ""
        return f"{of}{shorten(own.name, 28)}{' (topic)' if own.topic else ''}"
