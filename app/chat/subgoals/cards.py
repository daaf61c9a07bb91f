"""What is shown of subgoals and of what the checks found."""

from markupsafe import Markup

from ....memory.records import Contract, Finding, Subgoal
from ....tools.text import shorten
from ... import contract_words
from ..text import html, joined
from .changes import Card, Changes

EXAMPLE = 300
"""Characters of an example row's input, and of its output."""


def card_html(card: Card, number: int) -> Markup:
    subgoal = card.subgoal
    changed = html(" <span class='gc-chip gc-thin'>not checked yet</span>") if card.changed else ""
    facts = {
        "Counts": subgoal.counts,
        "Does not count": subgoal.does_not_count,
        "For example": _example(subgoal),
        "Rows wanted": contract_words.wanted(subgoal) or "an even share",
    }
    rows = joined(
        html("<dt>{}</dt><dd dir='auto'>{}</dd>", name, told)
        for name, told in facts.items()
        if told
    )
    return html(
        "<h3 dir='auto'>{}. {}{}</h3><p dir='auto'>{}</p><dl class='gc-facts gc-small'>{}</dl>",
        number,
        subgoal.name,
        changed,
        subgoal.description,
        rows,
    )


def _example(subgoal: Subgoal) -> str:
    if row := subgoal.example:
        return f"{shorten(row.input, EXAMPLE)} → {shorten(row.output, EXAMPLE)}"
    return ""


def finding_html(finding: Finding, reason: str | None, current: bool) -> Markup:
    """reason: why it may stand, None where it is open; current: it is about texts as they are."""
    if reason is not None:
        state = html("<p class='gc-small'>Overruled: {}</p>", reason)
    elif not current:
        state = html("<p class='gc-soft gc-small'>Found before your changes.</p>")
    else:
        state = html("")
    evidence = joined(html("<li dir='auto'>{}</li>", line) for line in finding.evidence)
    return html(
        "<div class='gc-notice'><p dir='auto'><strong>Not {}</strong>: {}</p>{}{}</div>",
        finding.check,
        finding.message,
        html("<ul class='gc-lines gc-soft'>{}</ul>", evidence) if finding.evidence else html(""),
        state,
    )


def unchecked_html(contract: Contract) -> Markup:
    """What nobody looked at, so that no finding means nothing there."""
    return joined(
        html("<p dir='auto'><strong class='gc-missing'>Not checked</strong>: {}</p>", line)
        for line in contract.unchecked
    )


def matrix_html(contract: Contract, changes: Changes) -> Markup:
    """Which subgoals answer for which clause, as they were checked."""
    names = {subgoal.id: subgoal.name for subgoal in changes.versions[0].subgoals}
    rows = joined(
        html(
            "<tr><th scope='row' dir='auto'>{}</th><td dir='auto' class='{}'>{}</td></tr>",
            clause.text,
            "" if clause.subgoal_ids else "gc-soft" if clause.qualifies else "gc-missing",
            contract_words.covering(clause, names),
        )
        for clause in contract.matrix
    )
    old = html("<p class='gc-soft gc-small'>As of the last check.</p>") if changes.told else ""
    return html(
        "{}<div class='gc-scroll' tabindex='0' role='region' aria-label='Who answers for what'>"
        "<table class='gc-table'><thead><tr><th scope='col'>What is asked for</th>"
        "<th scope='col'>Subgoals</th></tr></thead><tbody>{}</tbody></table></div>",
        old,
        rows,
    )


def how_html(contract: Contract) -> Markup:
    rows = joined(html("<li dir='auto'>{}</li>", line) for line in contract.how)
    return html(
        "<details class='gc-soft gc-small'><summary>How the checks were made</summary>"
        "<ul>{}</ul></details>",
        rows,
    )


def changes_html(changes: Changes) -> Markup:
    """What was done, in order."""
    rows = joined(html("<li dir='auto'>{}</li>", told) for told in changes.told)
    return html("<ol class='gc-lines'>{}</ol>", rows)
