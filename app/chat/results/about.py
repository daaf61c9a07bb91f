"""About the results: what was asked for, what was judged, how, and what it cost."""

from collections.abc import Mapping

from markupsafe import Markup

from ....memory.records import Spent
from ....tools import prices, sentences
from ....tools.report import Report
from ....tools.text import shorten
from ... import contract_words
from ..subgoals.cards import finding_html, unchecked_html
from ..tables import table
from ..text import block, html, joined, line, on_page, show
from .heat import NAME

LONG = 2_000
"""Characters of a point."""


def show_about(report: Report) -> None:
    show(about_html(report))


def about_html(report: Report) -> Markup:
    return html("").join(
        [
            _section("Goal and subgoals", _goal(report) + _subgoals(report)),
            _section("Contract", _contract(report)),
            _section("How the numbers were obtained", _provenance(report)),
            _section("Usage", usage_table(report)),
        ]
    )


def _section(title: str, inside: Markup) -> Markup:
    return html("<h2>{}</h2><div class='gc-card'>{}</div>", title, inside)


def facts_html(facts: Mapping[str, str]) -> Markup:
    rows = joined(
        html("<dt>{}</dt><dd>{}</dd>", name, block(told, LONG))
        for name, told in facts.items() if told
    )  # fmt: skip
    return html("<dl class='gc-facts gc-small'>{}</dl>", rows)


def _goal(report: Report) -> Markup:
    told = contract_words.settled(report.specification)
    facts = {name.capitalize(): "\n".join(points) for name, points in told.items()}
    if ended := report.specification.ended:
        facts["No more questions"] = ended
    answers = joined(
        html("<dt>{}</dt><dd>{}</dd>", shorten(a.question.text, 300),
             block(f"{a.text}{'' if a.given else ' (default)'}", LONG))
        for a in report.specification.answers
    )  # fmt: skip
    return facts_html(facts) + (
        html("<details class='gc-more'><summary>Questions and answers</summary>"
             "<dl class='gc-facts gc-small'>{}</dl></details>", answers) if answers else html("")
    )  # fmt: skip


def _subgoals(report: Report) -> Markup:
    return joined(
        html(
            "<h3 dir='auto'>{}</h3>{}",
            shorten(c.subgoal.name, 200),
            facts_html({
                "Means": c.subgoal.description,
                "Counts": c.subgoal.counts,
                "Does not count": c.subgoal.does_not_count,
                "Wanted": f"{c.wanted:,} rows "
                f"({contract_words.wanted(c.subgoal) or 'an even share'})",
            }),
        )
        for c in report.coverage
    )  # fmt: skip


def _contract(report: Report) -> Markup:
    contract = report.contract
    if not (contract.findings or contract.unchecked or contract.how):
        return line("The subgoals were not checked.", "")
    found = joined(finding_html(f, f.overruled, current=True) for f in contract.findings)
    nothing = line(
        "The checks found nothing: the subgoals are atomic, disjoint and complete as far as they "
        "can tell.", "",
    )  # fmt: skip
    clean = not contract.findings and not contract.unchecked
    how = joined(line(one, "gc-soft gc-small") for one in contract.how)
    return (nothing if clean else unchecked_html(contract) + found) + how


def _provenance(report: Report) -> Markup:
    p = report.provenance
    return facts_html(
        {
            "Data": p.data,
            "Judge": on_page(p.judge),
            "Other roles": on_page(p.model),
            "Embedder": p.embedder,
            "Rows": sentences.rows_read(report.rows, report.survey, p.cut_rule),
            "Failed judgements": _failed(report),
            "Verdicts": p.verdict_rule,
            "Survey": on_page("\n".join(report.survey.how)) if report.survey else "",
            "Seed": str(p.seed),
            "Run": f"{report.run}, {report.created}, GoalCover {p.version}",
            "To be known": on_page("\n".join(p.notes)),
            "Rubric": "\n".join(p.rubric),
        }
    )


def _failed(report: Report) -> str:
    """How many pairs have no judgement, and why."""
    failed = sum(c.failed for c in report.coverage)
    pairs = failed + sum(c.judged for c in report.coverage)
    sample = " of the sample" * sentences.sampled(report.survey)
    reasons = (f"{failure.pairs:,}: {failure.reason}" for failure in report.failures)
    return "\n".join([f"{failed:,} of {pairs:,} pairs{sample}", *reasons])


def usage_table(report: Report) -> Markup:
    """What each role asked of a model."""
    columns = ("Role", "Model", "calls", "from the store", "tokens in", "cached", "tokens out",
               "money")  # fmt: skip
    rows = (
        [
            shorten(u.role, NAME), shorten(u.model, NAME),
            *(f"{n:,}" for n in (u.calls, u.from_store, u.tokens_in, u.tokens_cached,
                                 u.tokens_out)),
            "not known" if u.cost_usd is None else prices.money(u.cost_usd),
        ]
        for u in report.usage
    )  # fmt: skip
    spent = sentences.spent_in_full(sum(report.usage, Spent()))
    return table("What each role asked of a model", columns, rows, range(2, 8)) + line(
        f"In all: {spent}.", "gc-small"
    )
