"""What a person's answers say, by plain rules of English."""

import re

from ..memory.records import Answer, DataProfile, Question
from .clauses import ASSUMED, SENTENCE_END, excludes, statements
from .dimensions import AS_FAR, BY_NAME, ONLY_DATA

REMARK = Question(id="remark", dimension="remark", text="Anything else?")
"""What a person says without being asked hangs on this question."""


_STOP = re.compile(
    r"((ok|okay|please) )*(stop( asking)?( me)?( the| these| any)?( more)?( questions| it)?|"
    r"no (more|further) questions|(that'?s |that is )?enough( questions)?|(just )?go on)"
    r"( please| now| thanks| thank you)*",
    re.I,
)
_UNKNOWN = re.compile(
    r"\W*|(sorry )?((i )?(really )?(don'?t|do not|can'?t|cannot)( really)?"
    r" (know|say|tell|mind|care)( yet| really)?|(i have |i've )?no (idea|clue|opinion|preference)|"
    r"(i'?m |i am )?(not sure|unsure)( yet| really)?|(it )?depends|unknown|dunno|idk|n/a|"
    r"skip( this| it| that)?|you decide|up to you|whatever)( sorry)?",
    re.I,
)


_AGREES = re.compile(r"(yes|ok|okay|sure|start from them)\b[\s,;:.!]*(but|and|also)?[\s,]*", re.I)
"""How a remark begins that answers the offer of an earlier run's subgoals."""


_LEAD = re.compile(r"^(yes|no|ok|okay|sure)\b[\s,]*(but\b)?\s*(?=\w)", re.I)
"""What stands before a condition: "yes, but only for firms"."""


def asks_to_stop(text: str) -> bool:
    """Whether the whole answer says that the person wants no more questions."""
    return bool(_STOP.fullmatch(_bare(text)))


def understood(question: Question, text: str) -> Answer:
    """What a person wrote under a question; "I don't know" and nothing at all take the default."""
    if _UNKNOWN.fullmatch(_bare(text)):
        return Answer(question=question, text=question.default, given=False)
    return Answer(question=question, text=text.strip())


def _bare(text: str) -> str:
    return " ".join(text.replace("’", "'").replace(",", " ").strip(" .!?\t\n").split())


def placed(answer: Answer, profile: DataProfile) -> list[tuple[str, str]]:
    """The fields of the specification that an answer belongs to, and what it says there."""
    dimension, text = answer.question.dimension, answer.text
    if dimension.startswith("topic "):
        return _about_topic(dimension.removeprefix("topic "), answer)
    field = BY_NAME[dimension].field if dimension in BY_NAME else "in_scope"
    if not answer.given:
        return [(field, f"{text} {ASSUMED}")]
    if text == ONLY_DATA:
        return [(field, topic.name) for topic in profile.topics]
    if dimension == REMARK.dimension and (agrees := _AGREES.match(text)):
        text = text[agrees.end() :]
    found = []
    for statement in statements(text) or filter(None, [text]):
        if field == "in_scope" and excludes(statement):
            found.append(("out_of_scope", statement))
        elif dimension != REMARK.dimension:
            found.append((field, statement))
        else:
            fitting = (d.field for d in BY_NAME.values() if held(statement) & d.stated)
            found.append((next(fitting, field), statement))
    return found


def _about_topic(topic: str, answer: Answer) -> list[tuple[str, str]]:
    if answer.text == AS_FAR:
        return [("in_scope", f"{topic}: {AS_FAR} {ASSUMED}")]
    first, *others = re.split(SENTENCE_END, answer.text.strip(), maxsplit=1)
    bare, more = _bare(first), statements("".join(others))
    wanted = re.search(r"(?<!not )(?<!n't )\b(yes|include|in scope)\b", bare, re.I)
    out = not wanted and re.search(
        r"^(out|outside|no|not|leave|exclude|ignore)\b|\bout of scope|"
        r"(\bnot|n't) (include|in scope)",
        bare,
        re.I,
    )
    known = wanted or out or re.fullmatch(r"in( please)?", bare, re.I)
    # A condition is kept ("in scope, but only for firms"), other words are only in the answers.
    limited = re.search(r"\b(but|except|only|unless|without|if|when)\b", bare, re.I)
    plain = known and not limited
    said = topic if plain else f"{topic} ({_LEAD.sub('', first)})"
    rest = [("out_of_scope" if excludes(one) else "in_scope", one) for one in more]
    return [("out_of_scope" if out else "in_scope", said), *rest]


def held(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", text.lower()))
