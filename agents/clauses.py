"""The parts of a goal, of a specification and of a description, by plain rules of English.

What the embedded model knows of grammar is here. The rules and lists were written on the
development domains of `evals/decompositions.yaml`; the test domains say how far they carry.
"""

import re

from ..memory.records import ClauseCover, Question, Specification
from ..tools.text import VERBS, stem, words

PREPOSITIONS = ("about", "of", "for", "from", "with", "on", "in", "by", "into", "to")
ASSUMED = "(assumed)"
"""Ends a statement that the person did not make."""

REJECTION = Question(id="rejection", dimension="remark", text="What should be different?")
"""What a person says when they reject the subgoals hangs on this question."""

NEEDS_ROWS = ("in_scope", "safety", "evidence", "edge_cases")
"""Fields of a specification whose points ask for rows of their own."""

QUALIFIES = ("users", "language", "output_format")
"""Fields that say something of every row."""

FRAMED = 4
"""From so many clauses on, a first one like "act as a tutor" says what all the others are of."""

_LEADING = re.compile(r"^(?:and|or|also|then|but|while|which|that|considering|including)\s+", re.I)
_SAYS_NOTHING = re.compile(
    r"(?:no|none|nothing|any|not needed|none needed|no preference|n/a|as in the data|"
    r"(?:none|nothing|no \w+) (?:in particular|special|specific|needed|required)|"
    r"(?:none|nothing) (?:beyond|more than|else|other than)\b.*|no (?:special|particular) \w+|"
    r"everything the goal names|only what the data is about)",
    re.I,
)
"""Whole statements alone: "no claim without a source" asks for something."""

_EXCLUDES = re.compile(
    r"^(?:drop|remove|delete|leave out|exclude|ignore|without|never|no|not|don'?t|do not)\b(?!-)|"
    r"\bout of (?:the )?scope\b",
    re.I,
)
_FRAME = re.compile(
    r"(?:act|help|tutor|assist|support|serve|answer|give feedback|review|plan|write for|work)\b"
    r"[^,;:.!?]*(?:[:.!?]\s|\bby\s+\w+ing\b)",
    re.I,
)
"""A first clause that ends in a colon or a full stop, or goes on with "by …ing"."""

_MANNER = re.compile(
    r"^(?:be|stay|remain|sound|always|never|keep (?:it|answers|the tone|your)|in (?:plain|simple)|"
    r"politely)\b|^(?:brief|friendly|polite|concise)$",
    re.I,
)
_LISTED = re.compile(r"\s+(?:and|or|as well as|plus|along with)\s+", re.I)
_JOINED = re.compile(
    r"\s*;\s+(?:also\s+)?|\.\s+(?=[A-Z])|\s+(?:as well as|plus|along with|besides|while also)\s+"
)
_INSTANCES = re.compile(
    r",?\s*\b(?:such as|for example|for instance|be it|like|including|(?<=, )whether)\b.*$", re.I
)
_ASKING = {"what", "how", "when", "whether", "where", "which", "who"}
_DETERMINERS = """
the a an that them it its their his her whom why each every any all this these those out up
"""
_BEFORE_OBJECTS = _ASKING | set(_DETERMINERS.split())
_VERBS = """
apologise ask book calculate drill escalate estimate help lead make mark name offer point propose
put remind route run schedule send set show spot tell track
"""
_MORE_VERBS = VERBS | set(_VERBS.split())


def clauses(text: str) -> list[str]:
    """The parts of a goal between commas, semicolons and full stops that name something."""
    parts = re.split(r"[;,:]\s+|[.!?](?:\s+|$)|\n+", text)
    found = []
    for part in parts:
        clause = part.strip()
        while (shorter := _LEADING.sub("", clause)) != clause:
            clause = shorter
        if words(clause):
            found.append(clause)
    return found


SENTENCE_END = r"[;.!?](?:\s+|$)|\n+"


def statements(text: str) -> list[str]:
    """What a person says in an answer, sentence by sentence: a comma ends no thought of theirs."""
    parts = (part.strip() for part in re.split(SENTENCE_END, text))
    return [part for part in parts if words(part)]


def excludes(statement: str) -> bool:
    """Whether a statement says what is not wanted: "never discuss prices", "x is out of scope"."""
    return bool(_EXCLUDES.search(statement))


def pieces(clause: str) -> list[str]:
    """The items that a clause lists by "and", "or" and their like; else the clause itself.

    What they share is repeated: "warn about a and b" gives "warn about a", "warn about b". The lead
    of a list of "-ing" forms is an item of its own: "help learners by correcting mistakes".
    """
    lead = re.match(r"(.+?)\s+by\s+(\w+ing\b.*)", clause)
    first, *rest = _LISTED.split(lead.group(2) if lead else clause)
    if not all(words(part) for part in (first, *rest)):
        return [clause]
    items = [first]
    # After "by", an "-ing" form says what is done; elsewhere it may be a thing ("breastfeeding").
    items += [
        part if lead and _is_gerund(part.split()[0]) else _shared_start(first, part) + part
        for part in rest
    ]
    return [lead.group(1), *items] if lead else items


def split_compound(text: str) -> list[str]:
    """Two parts of a text that joins capabilities by "and" or "or"; else the text itself."""
    for match in re.finditer(r"\s+(?:and|or)\s+", text):
        left, right = text[: match.start()], text[match.end() :].rstrip(".")
        if words(left) and words(right):
            return [left, _shared_start(left, right) + right]
    return [text]


def joined_predicates(text: str) -> tuple[str, str] | None:
    """The two sides of a description that says two things of the model: "finds a place to stay and
    recommends a restaurant". Instances of one thing ("such as …") are left out."""
    text = text.strip().rstrip(".")
    for match in _JOINED.finditer(text):
        if both := _sides(text, match):
            return both
    core = _INSTANCES.sub("", text)
    for match in re.finditer(r",?\s+and\s+|,\s+", core):
        if (both := _sides(core, match)) and (_is_predicate(both[1], core) or _both_ask(*both)):
            return both
    return None


def joined_objects(text: str) -> tuple[str, str] | None:
    """The two sides of an "and" between things: "warns about side effects and interactions"."""
    core = _INSTANCES.sub("", text.strip().rstrip("."))
    for match in re.finditer(r"\s+and\s+", core):
        if both := _sides(core, match):
            return both[0], _shared_start(*both) + both[1]
    return None


def _sides(text: str, match: re.Match[str]) -> tuple[str, str] | None:
    left, right = text[: match.start()], text[match.end() :]
    return (left, right) if words(left) and words(right) else None


def _is_predicate(right: str, whole: str) -> bool:
    """Whether a text begins with a verb in the form of the whole's first: "drills the forms"."""
    verb, *rest = right.lower().split()
    lead, follows = whole.lower().split()[0], rest[0] if rest else ""
    if _is_gerund(verb):
        return _is_gerund(lead) or follows in _BEFORE_OBJECTS
    if not rest or verb in ("does", "is", "has") or verb.endswith("s") != lead.endswith("s"):
        return False
    stems = {verb, verb[:-1], verb[:-2]} if verb.endswith("s") else {verb}
    return follows in _BEFORE_OBJECTS or bool(stems & _MORE_VERBS)


def _both_ask(left: str, right: str) -> bool:
    """ "what may go in and what may not": two questions, each with words of its own."""
    first, *rest = right.lower().split()
    return first in _ASKING and len(rest) > 1 and bool(_ASKING & set(left.lower().split()))


def _is_gerund(word: str) -> bool:
    return word.lower().endswith("ing") and len(word) > 5


def _shared_start(left: str, right: str) -> str:
    first = right.split()[0].lower()
    if first in VERBS or first.rstrip("s") in VERBS:
        return ""
    tokens = left.split()
    places = [i for i, token in enumerate(tokens) if i and token.lower() in PREPOSITIONS]
    if not places:
        return f"{tokens[0]} " if tokens[0].lower().rstrip("s") in VERBS else ""
    end = places[-1] if first in PREPOSITIONS else places[-1] + 1
    return " ".join(tokens[:end]) + " "


def _stems(text: str) -> set[str]:
    return {stem(word) for word in words(text)}


def says_something(statement: str) -> bool:
    """Whether a point of a specification asks for anything: "none in particular" does not."""
    bare = statement.strip(" .!")
    return not bare.endswith(ASSUMED) and not _SAYS_NOTHING.fullmatch(bare)


def clauses_of(specification: Specification) -> list[ClauseCover]:
    """Every clause that the subgoals answer for: the goal's own, then the points settled beside it.

    There is at least one. Points that say again what the goal says are left out, and so is what is
    assumed, out of scope or asks for nothing. `qualifies` is set by rules here; a model judges for
    itself.
    """
    said = _stems(specification.goal.text)
    goal = specification.goal.text
    own = [piece for clause in clauses(goal) for piece in pieces(clause)] or [goal.strip()]
    found: dict[str, ClauseCover] = {}

    def add(field: str, text: str, qualifies: bool) -> None:
        one = ClauseCover(id=f"c{len(found) + 1}", field=field, text=text, qualifies=qualifies)
        found.setdefault(" ".join(words(text)) or text.lower(), one)

    for place, clause in enumerate(own):
        frames = place == 0 and len(own) >= FRAMED and bool(_FRAME.match(goal))
        add("goal", clause, frames or bool(_MANNER.match(clause)))
    points = [(field, getattr(specification, field)) for field in (*NEEDS_ROWS, *QUALIFIES)]
    rejected = [a.text for a in specification.answers if a.question.id == REJECTION.id]
    points.append((REJECTION.id, [s for s in rejected if not excludes(s)]))
    for field, told in points:
        for statement in (s for some in told if says_something(some) for s in statements(some)):
            if not _stems(statement) <= said:
                add(field, statement, field in QUALIFIES)
    return list(found.values())
