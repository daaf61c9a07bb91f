"""What is settled of the goal, beside the chat and above the subgoals."""

from collections.abc import Collection

from markupsafe import Markup

from ....agents.clauses import ASSUMED
from ....memory.records import Specification
from ....tools.text import many
from ... import contract_words
from ..text import html, joined

Point = tuple[str, str]
"""The name of a field, and a statement there."""


def points(specification: Specification) -> frozenset[Point]:
    found = contract_words.settled(specification)
    return frozenset((name, text) for name, told in found.items() for text in told)


def specification_html(
    specification: Specification, new: Collection[Point] = (), unfolded: bool = True
) -> Markup:
    """A list that can be folded. new: points to mark as such."""
    rows = joined(
        html(
            "<dt>{}</dt>{}",
            name.capitalize(),
            joined(_point(text, (name, text) in new) for text in told),
        )
        for name, told in contract_words.settled(specification).items()
    )
    return html(
        "<details class='gc-spec'{}><summary><h2>{}</h2></summary><dl>{}</dl>{}{}</details>",
        html(" open") if unfolded else html(""),
        contract_words.TITLE,
        rows,
        _answers(specification),
        _how_it_ended(specification),
    )


def _point(text: str, is_new: bool) -> Markup:
    bare = text.removesuffix(ASSUMED).rstrip()
    marks = [html(" <span class='gc-chip gc-unknown'>assumed</span>")] if bare != text else []
    marks += [html(" <span class='gc-chip gc-enough'>new</span>")] if is_new else []
    return html("<dd dir='auto'>{}{}</dd>", bare or text, joined(marks))


def _answers(specification: Specification) -> Markup:
    """What was asked and said, in the person's own words."""
    if not specification.answers:
        return html("")
    rows = joined(
        html(
            "<li dir='auto'><span class='gc-soft'>{}</span><br>{}{}</li>",
            answer.question.text,
            answer.text,
            html("") if answer.given else html(" <span class='gc-chip gc-unknown'>assumed</span>"),
        )
        for answer in specification.answers
    )
    told = many(len(specification.answers), "answer")
    return html("<details><summary>{}</summary><ul>{}</ul></details>", told, rows)


def _how_it_ended(specification: Specification) -> Markup:
    told = []
    if specification.based_on:
        told.append(f"Started from what was approved in run {specification.based_on}.")
    if specification.ended:
        told.append(f"No more questions: {specification.ended}.")
    return joined(html("<p class='gc-soft gc-small'>{}</p>", line) for line in told)
