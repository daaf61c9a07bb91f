"""Questions about the results, answered from the scores, the rows and the gaps."""

from collections.abc import Mapping, Sequence

import streamlit as st
from markupsafe import Markup

from ....graph import session
from ....memory.records import Coverage, Found, FoundRow, Gap, Score, Sentence
from ....tools.report import KINDS, Report
from ....tools.survey import words
from ....tools.text import many, shorten
from ... import pace
from ..asked import asked as asked_before
from ..asked import keep_answer
from ..runner import Runner
from ..standing import Standing
from ..text import block, html, joined, label, line, show
from .heat import NAME
from .row_cells import scores_html

EXCERPT, QUESTION = 600, 1_000
"""Characters of a row and of its explanation; of a question."""

WAIT = "Looking through rows, explanations and gaps. The first question takes some seconds…"


def about(asked: Sequence[Found], chosen: str | None) -> str:
    """Id of the subgoal that "this" means: the last question's first one, else the one that is
    chosen on the page."""
    if asked and asked[-1].subgoals:
        return asked[-1].subgoals[0].subgoal.id
    return chosen or ""


def suggestions(report: Report) -> list[str]:
    """First questions that this report has answers to."""
    shown = max(report.coverage, key=lambda c: c.distinct_supporting)
    short = [c for c in report.coverage if c.lacking]
    told = [f"Which rows show {shorten(shown.subgoal.name, NAME)}?"] if shown.supporting else []
    if short:
        worst = min(short, key=lambda c: c.distinct_supporting / max(1, c.wanted))
        name = shorten(worst.subgoal.name, NAME)
        told += [f"Why is {name} {worst.verdict}?", f"Show the worst rows for {name}"]
    return [*told, "What is missing?"] if report.gaps else told


def show_questions(
    found: Standing, runner: Runner, report: Report, question: str, chosen: str | None
) -> None:
    """question: just asked, "" for none. Raises UserError where it cannot be answered."""
    show(html("<h2>Questions</h2>"))
    asked = asked_before(found.id)
    names = {c.subgoal.id: c.subgoal.name for c in report.coverage}
    if not question and asked:
        *asked, last = asked
        _show_asked(last.question)
        with st.chat_message("assistant"):
            show(found_html(last, names))
    elif question:
        _show_asked(question)
        with st.chat_message("assistant"):
            show(found_html(_answer(found, runner, question, about(asked, chosen)), names))
    else:
        show(line("Ask in the box below: which rows show something, which are worst, why a subgoal "
                  "is thin. The answer comes with its rows.", ""))  # fmt: skip
    show(earlier_html(asked, names))


def earlier_html(asked: Sequence[Found], names: Mapping[str, str]) -> Markup:
    """Folded, below the answer that was waited for; the newest first."""
    folded = joined(
        html("<details class='gc-card gc-more'><summary dir='auto'>{}</summary>{}</details>",
             shorten(one.question, 200), found_html(one, names))
        for one in reversed(asked)
    )  # fmt: skip
    return html("<h3>Earlier questions</h3>{}", folded) if folded else folded


def show_suggestions(session_id: str, report: Report) -> str:
    """Buttons for a first question; gives the one that was pressed, else ""."""
    pressed = ""
    with st.container(horizontal=True):
        for place, question in enumerate(suggestions(report)):
            if st.button(label(question), key=f"suggested-{place}-{session_id}"):
                pressed = question
    return pressed


def _show_asked(question: str) -> None:
    with st.chat_message("user"):
        show(block(question, QUESTION))


def _answer(found: Standing, runner: Runner, question: str, subgoal: str) -> Found:
    """Asked, and kept so that a reload shows it."""
    base_url = found.config.base_url if found.config else None
    with st.spinner(WAIT), runner.keys.used(found.id, base_url):
        answer = session.ask(found.id, question, about=subgoal)
    keep_answer(found.id, answer)
    return answer


def found_html(found: Found, names: Mapping[str, str]) -> Markup:
    """An answer: in words where a model gave one, then subgoals, gaps and rows it rests on."""
    rows = joined(_row(row, names) for row in found.rows)
    if not found.rows:
        rows = line("No row comes near the question.", "")
    title = "Low rows" if found.lowest else "Rows"
    spent = pace.spent_text(found.spent)
    return html(
        "{}{}{}{}<p class='gc-label'>{}</p>{}{}",
        line(found.note, "gc-soft gc-small") if found.note else html(""),
        joined(_sentence(sentence, names) for sentence in found.answer),
        joined(map(_subgoal, found.subgoals)),
        joined(_gap(gap, names) for gap in found.gaps),
        title if found.rows else "",
        rows,
        line(f"{found.searched}; index counts from 0{'; spent: ' * bool(spent)}{spent}.",
             "gc-soft gc-small"),
    )  # fmt: skip


def _sentence(sentence: Sentence, names: Mapping[str, str]) -> Markup:
    cites = ", ".join(names.get(cite, cite) for cite in sentence.cites)
    return block(f"{sentence.text} [{shorten(cites, 300)}]", 2 * EXCERPT)


def _subgoal(c: Coverage) -> Markup:
    mean = "" if c.mean is None else f"; mean alignment {c.mean:.2f}"
    return html(
        "<p dir='auto'><strong>{}</strong> <span class='gc-chip gc-{}'>{}</span> {} of {:,} "
        "support it, {:,} are wanted{}.</p>",
        shorten(c.subgoal.name, NAME), c.verdict, words.verdict_text(c), words.about_rows(c),
        c.distinct, c.wanted, mean,
    )  # fmt: skip


def _gap(gap: Gap, names: Mapping[str, str]) -> Markup:
    return html(
        "<p class='gc-small' dir='auto'>Gap of {}: <strong>{}</strong> ({}). <span class='gc-soft'>"
        "{}</span></p>",
        shorten(names.get(gap.subgoal_id, gap.subgoal_id), NAME), shorten(gap.name, 200),
        many(gap.rows, "row"), KINDS[gap.kind],
    )  # fmt: skip


def _row(row: FoundRow, names: Mapping[str, str]) -> Markup:
    near = "" if row.nearness is None else f" · near {row.nearness:.2f}"
    known = {key: Score(value=value, error=None if value is not None else "failed")
             for key, value in row.scores.items()}  # fmt: skip
    own = shorten(names.get(row.subgoal_id, row.subgoal_id), NAME)
    told = f"Judge on {own}: {row.explanation}"
    # The subgoal that the row was found for leads.
    first = {row.subgoal_id: names[row.subgoal_id]} if row.subgoal_id in names else {}
    return html(
        "<blockquote class='gc-quote'><p class='gc-soft gc-small'>index {}{}</p>{}{}{}"
        "</blockquote>",
        row.row,
        near,
        block(row.excerpt, EXCERPT),
        scores_html(known, {**first, **names}),
        block(told, EXCERPT, "gc-soft gc-small") if row.explanation else html(""),
    )
