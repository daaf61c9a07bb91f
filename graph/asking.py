"""Questions about a finished run, answered by retrieving its rows, explanations and gaps."""

from ..agents.answerer import AnswerAsk, sentences_of
from ..memory.errors import BudgetSpent
from ..memory.records import Found, Source
from ..tools.report import Report
from ..tools.survey import words
from .lowest import lowest
from .meant import meant
from .nearest import nearest
from .toolbox import Toolbox
from .useless import useless


async def find(box: Toolbox, report: Report, question: str, count: int, about: str = "") -> Found:
    """What answers a question; with a chat model, an answer in words too.

    At most `count` rows: the nearest ones, or those of the lowest scores where the question asks
    for these, or why a subgoal lacks rows, or those that support nothing. about: id of the subgoal
    that "this" would mean.
    """
    before = box.spent
    asked = await meant(box.embedder, question, report.coverage, about)
    if asked.kind == "useless":
        found = useless(box, report, count)
    elif asked.kind == "near":
        found = await nearest(box, report, asked, question, count)
    else:
        found = lowest(box, report, asked, count)
    passages = _passages(found)
    ask, capped = AnswerAsk(question=question, passages=tuple(passages)), ""
    try:
        reply = await box.door.ask(ask)
    except BudgetSpent as spent:  # what was found is an answer too
        reply, capped = await ask.embedded(box.embedder), f"; no answer was written: {spent}"
    return found.model_copy(
        update={
            "question": question,
            "answer": sentences_of(reply),
            "searched": f"{found.searched}{capped}",
            "spent": box.spent - before,
        }
    )


def _passages(found: Found) -> list[Source]:
    told = [
        Source(id=f"row {r.row}", input=r.excerpt, output=f"Judge: {r.explanation or 'nothing'}")
        for r in found.rows
    ]
    told += [Source(id=gap.id, input=gap.name, output=gap.description) for gap in found.gaps]
    return told + [
        Source(
            id=c.subgoal.id,
            input=c.subgoal.text,
            output=f"{words.support(c)} rows support it, {c.wanted:,} are wanted: "
            f"{words.verdict_text(c)}",
        )
        for c in found.subgoals
    ]
