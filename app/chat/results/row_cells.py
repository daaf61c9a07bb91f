"""A row's scores as small cells, and the judge's words on them."""

from collections.abc import Mapping

from markupsafe import Markup

from ....memory.records import Score
from ....memory.scores import SUPPORTING
from ....tools.text import many, shorten
from ..text import block, html, joined
from .heat import NAME

EXPLANATION = 2_000
"""Characters of an explanation."""


def scores_html(scores: Mapping[str, Score], names: Mapping[str, str]) -> Markup:
    """A small labelled cell for each subgoal."""
    cells = joined(
        html(
            "<li class='{}' dir='auto'>{} <b>{}</b></li>",
            _kind(scores.get(key)),
            shorten(name, 40),
            score_text(scores.get(key)),
        )
        for key, name in names.items()
    )
    return html("<ul class='gc-scores' aria-label='Scores'>{}</ul>", cells)


def _kind(score: Score | None) -> str:
    if score is None or score.value is None:
        return ""
    supports = "gc-supports" if score.value >= SUPPORTING else ""
    return f"{supports} {'gc-predicted' if score.source == 'predicted' else ''}".strip()


def score_text(score: Score | None) -> str:
    """ "0.8, supports it", "predicted 0.41 (0.20–0.60)", "failed"."""
    if score is None:
        return "not judged"
    if score.value is None:
        return "failed"
    if score.source == "judged":
        return f"{score.value:g}{', supports it' * (score.value >= SUPPORTING)}"
    low, high = score.interval or (score.value, score.value)
    failed = ", judgement failed" if score.error else ""
    return f"predicted {score.value:.2f} ({low:.2f}–{high:.2f}){failed}"


def reasons_html(scores: Mapping[str, Score], names: Mapping[str, str]) -> Markup:
    """The judge's explanations, and why judgements failed."""
    told = joined(
        html(
            "<dt>{}</dt><dd>{}{}</dd>",
            shorten(name, NAME),
            block(score.explanation, EXPLANATION),
            block(f"Failed: {score.error}", EXPLANATION) if score.error else html(""),
        )
        for key, name in names.items()
        if (score := scores.get(key)) and (score.explanation or score.error)
    )
    if not told:
        return html("")
    count = sum(bool(score.explanation or score.error) for score in scores.values())
    return html(
        "<details class='gc-more'><summary>Why: {}</summary><dl class='gc-facts gc-small'>{}</dl>"
        "</details>",
        many(count, "explanation"),
        told,
    )
