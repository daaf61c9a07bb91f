"""What the embedded clarifier asks about: fixed dimensions, and the topics of the data."""

from dataclasses import dataclass, replace

from ..memory.records import DataProfile, DataTopic
from ..tools.languages import LANGUAGES
from ..tools.text import shorten, stem, words

TOPIC_FROM, TOPICS_ASKED = 0.1, 2
"""Topics of the data with at least this share of the rows are asked about, at most so many."""

AS_FAR = "only where the goal covers it"

ONLY_DATA = "only what the data is about"
"""Answered to the scope, its topics are in scope."""

UNNAMED = 0.8
"""Where topics of this share of the rows are not mentioned, the goal names no topics at all."""

MIXED = (0.1, 0.9)
"""A form or language that this share of the rows has is neither an exception nor the rule."""


@dataclass(frozen=True)
class Dimension:
    """An elicitation dimension. `field` of the specification takes the answer; `stated` are words
    of a goal that already settle it."""

    name: str
    field: str
    question: str
    reason: str
    suggestions: tuple[str, ...]
    default: str
    stated: frozenset[str] = frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SCOPE = Dimension(
    name="scope",
    field="in_scope",
    question="Which topics must the model handle?",
    reason="The goal names one thing only; subgoals are derived from what is in scope.",
    suggestions=("everything the goal names", ONLY_DATA),
    default="everything the goal names",
)
FORMAT = Dimension(
    name="format",
    field="output_format",
    question="What form must the output have (length, structure, style)?",
    reason="A required form is a capability that rows must demonstrate.",
    suggestions=("as in the data", "short paragraphs", "bullet points", "JSON"),
    default="as in the data",
    stated=_words(
        "format json bullet bullets table tables concise brief short summary summaries plain "
        "structured code markdown"
    ),
)
LANGUAGE = Dimension(
    name="language",
    field="language",
    question="In which languages are questions asked and answered?",
    reason="Each language needs rows of its own.",
    suggestions=("the language of the question", "English only"),
    default="as in the data",
    stated=_words("english language languages german french spanish chinese translate bilingual"),
)
GENERAL = (
    Dimension(
        name="safety",
        field="safety",
        question="What must the model warn about, refuse, or hand over to a person?",
        reason="Warnings and refusals are capabilities of their own and need rows of their own.",
        suggestions=("no special warnings", "warn about risks", "refuse and refer to an expert"),
        default="nothing beyond what the goal says",
        stated=_words(
            "safe safety safely risk risks warn warns warning warnings refuse refuses harm harmful "
            "urgent emergency escalate refer refers"
        ),
    ),
    Dimension(
        name="edge cases",
        field="edge_cases",
        question="Which unusual or difficult inputs must it handle?",
        reason="Rare cases are the ones that data most often lacks.",
        suggestions=("incomplete input", "contradictory input", "none in particular"),
        default="none in particular",
        stated=_words("edge unusual rare malformed ambiguous incomplete contradictory"),
    ),
    Dimension(
        name="audience",
        field="users",
        question="Who reads the answers, and what do they know already?",
        reason="The same fact is taught differently to a layperson and to an expert.",
        suggestions=("the general public", "professionals of the field", "developers"),
        default="whoever the data is written for",
        stated=_words(
            "patient patients clinician clinicians doctors nurses students pupils children parents "
            "lawyers developers programmers customers experts beginners analysts investors plain "
            "layperson laypeople public citizens professionals tenants travellers"
        ),
    ),
    Dimension(
        name="evidence",
        field="evidence",
        question="Must answers cite sources, give reasons, or state how certain they are?",
        reason="Grounding is learnt only from rows that show it.",
        suggestions=("no", "give reasons", "cite sources", "state the uncertainty"),
        default="no",
        stated=_words("evidence cite cites citation citations source sources reasons grounded"),
    ),
)
BY_NAME = {dimension.name: dimension for dimension in (SCOPE, *GENERAL, FORMAT, LANGUAGE)}


def open_dimensions(goal_words: set[str], clauses: int, profile: DataProfile) -> list[Dimension]:
    """What a goal of so many clauses leaves open, what changes the subgoals most first.

    Form and language are asked only where the data itself is mixed, or speaks another language
    than the goal asks for; else it settles them.
    """
    found = [SCOPE] if clauses < 2 else []
    found += GENERAL
    if forms := _mixed(profile.forms):
        found.append(_seeing(FORMAT, f"{forms} of the outputs"))
    if languages := _mixed(profile.languages):
        found.append(_seeing(LANGUAGE, f"{languages} of the rows"))
    left = [dimension for dimension in found if not goal_words & dimension.stated]
    lacking = [
        name
        for name in LANGUAGES.values()
        if name.lower() in goal_words and profile.languages.get(name, 0) < MIXED[0]
    ]
    if lacking and profile.languages:
        main, share = next(iter(profile.languages.items()))
        seen = f"The goal says {lacking[0]}, but {share:.0%} of your rows are {main}."
        left.insert(0, replace(LANGUAGE, question=f"{seen} {LANGUAGE.question}"))
    return left


def _mixed(shares: dict[str, float]) -> str:
    named = [f"{name} in {share:.0%}" for name, share in shares.items()
             if MIXED[0] <= share <= MIXED[1] and name != "other"]  # fmt: skip
    return ", ".join(named)


def _seeing(dimension: Dimension, seen: str) -> Dimension:
    return replace(dimension, question=f"Your data has {seen}. {dimension.question}")


def unnamed_scope(profile: DataProfile) -> Dimension:
    """Asked instead of topic by topic where the goal names none of them."""
    topics = "; ".join(f"{topic.name} ({topic.share:.0%})" for topic in profile.topics[:5])
    return replace(
        SCOPE,
        question=f"The goal names none of the topics of your rows: {topics}. {SCOPE.question}",
        reason="Subgoals are derived from what is in scope.",
    )


def topic_dimension(topic: DataTopic) -> Dimension:
    return Dimension(
        name=f"topic {topic.name}",
        field="in_scope",
        question=f"{topic.share:.0%} of your rows are about {topic.name}; is that in scope?",
        reason=f"No word of the goal names it. Such a row: “{shorten(topic.example.input, 100)}”",
        suggestions=("in scope", "out of scope"),
        default=AS_FAR,
    )


def unmentioned(profile: DataProfile, said: str) -> list[DataTopic]:
    """Large topics of which the goal and the answers hold no word; the largest first."""
    stems = {stem(word) for word in words(said)}
    return [
        topic
        for topic in profile.topics
        if topic.share >= TOPIC_FROM
        and len(profile.topics) > 1
        and words(topic.name)
        and not stems & {stem(word) for word in words(topic.name)}
    ]
