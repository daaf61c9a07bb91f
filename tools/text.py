"""Small things done to text: fences for prompts, passages for embedding, words for naming."""

import re
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from ..memory.records import content_hash

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"[^\W\d_](?:[\w'’-]*\w)?")

SHORT, LONG, MOST = 80, 400, 24
"""Passages shorter than SHORT characters are joined, longer than LONG are cut, at most MOST."""

# Words that name no capability: English function words and the vocabulary of goals themselves.
_STOP_WORDS = """
a about above accurate accurately across after all also an and answer answers any are as at based be
been becomes before being between both but by can check checks clear common correct correctly could
data different do does doing done each either etc explain explains every example examples for from
general give gives good got had has have having he her his how i i'm i've if in into is it it's its
just least make makes making may me more most much must my need needs no nor not now of off on once
one only or other our out over own people per please provide provides question questions rather
really same say says should show shows since so some state states still such take takes taking than
that the their them then there these they this those through to too two under up upon use used user
users uses using very was we well were what when where whether which while who why will with within
without would write writes you your get gets getting help tell told
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


_VERBS = """
advise answer ask assess build check choose cite classify compare compute condense convert create
debug decide describe detect document draft ensure explain extract fill find fix flag follow
generate give handle help identify implement judge keep list name note output plan preserve
produce propose recognise recognize recommend refuse report respond review say spot state suggest
summarise summarize support teach tell test translate use validate verify warn write
"""
VERBS = frozenset(_VERBS.split())
"""Verbs that goals begin with: they say what is done, not what it is about."""


def fence(label: str, text: str) -> str:
    """Untrusted text between two marks that it cannot contain: they carry its own hash."""
    mark = f"{label} {content_hash(label, text)[:16]}"
    return f"<<<{mark}\n{text}\n{mark}>>>"


def shorten(text: str, length: int) -> str:
    """One line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def excerpt(text_in: str, text_out: str) -> str:
    """A row in one line, as a reader is shown it."""
    return f"{shorten(text_in, 200)} → {shorten(text_out, 300)}"


def one_line(error: object) -> str:
    """What a server or a library says, in one line of at most 300 characters.

    Without the credentials of URLs, and without halves of emoji, which no store takes.
    """
    whole = str(error).encode("utf-8", "replace").decode()
    return " ".join(re.sub(r"//[^/\s@]*@", "//", whole).split())[:300]


def last_turn(text: str) -> str:
    """What the user said last, of an input that may hold several turns (see `datasets`)."""
    return re.split(r"(?:^|\n\n)(?:user|human): ", text)[-1]


def passages(text: str) -> list[str]:
    """Sentences or lines of a text, short ones joined; at most MOST, evenly spread over it.

    Similarity of the best sentence agrees with judges better than that of the whole text.
    """
    found: list[str] = []
    for part in (piece.strip() for piece in _SENTENCE_END.split(text)):
        if not part:
            continue
        if found and len(found[-1]) + len(part) < SHORT:
            found[-1] += " " + part
        else:
            found.append(part)
    if len(found) > MOST:
        found = [found[int(i)] for i in np.linspace(0, len(found) - 1, MOST)]
    return [passage[:LONG] for passage in found]


def words(text: str) -> list[str]:
    """Lower-case content words in order of first use, without repeats."""
    lowered = (match.group().lower() for match in _WORD.finditer(text))
    return list(dict.fromkeys(w for w in lowered if len(w) > 2 and w not in STOP_WORDS))


@lru_cache(50_000)
def stem(word: str) -> str:
    """A crude stem, enough to match "interactions" with "interacts"."""
    for ending in ("ications", "ication", "ations", "ation", "ings", "ing", "ions", "ion", "ies",
                   "ity", "als", "al", "ers", "ed", "es", "er", "s", "y", "e"):  # fmt: skip
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


def many(count: int, thing: str) -> str:
    """ "1 row", "2 rows"."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def percent(share: float, digits: int = 0) -> str:
    """ "28 %"."""
    return f"{100 * share:.{digits}f} %"


def listed(items: Iterable[str], conjunction: str = "and") -> str:
    """ "a, b and c"."""
    *first, last = list(items) or [""]
    return f"{', '.join(first)} {conjunction} {last}" if first else last
