"""What a low score says: the capability is absent from the row, or badly demonstrated.

A rule on English words, for where no language model is asked. docs/gaps.md has its accuracy.
"""

import re

from ..memory.records import GapKind

PRIOR = ((0.1, 1), (0.3, 0))
"""Points towards "absent" of a score under each bound; HIGH from there on."""
HIGH = -2

LONGEST = 2_000
"""Characters of an explanation that are read."""

TOUCHED = 0.4
"""A judge of similarity sees no skill: rows that reach this anchor are on the subject."""

ABSENT = r"""
nothing to do with|unrelated|irrelevant|(?:not|hardly) (?:applicable|relevant|practised|called for)
(?:does|do|did) not (?:apply|involve|concern|touch|call for)|something else|other than
\bno (?:relation|relevance|connection|link|bearing)|(?:without|not) any (?:link|relation)
\bno [\w' -]{0,40}(?:content|subject|topic|matter|question)\b
\bnothing (?:about|on|in|here|related|to)\b|\bplays? (?:no|any) part
^(?:the (?:sample|row|bill|text) )?(?:mainly|concerns?|deals? with|about|is about|is on)\b
^(?:an?|the) [\w' -]{3,60}\b(?:bill|survey|article)\b
\b(?:subject|topic|question|theme) (?:here )?(?:is|are)|\b(?:is|are) the (?:subject|topic)
\bthe (?:bill|row|sample|text|answer) (?:is about|deals with|concerns|regulates)
\bbut the (?:subject|topic|question|content|answer deals)|; the content is
\bbelongs? to|another (?:matter|topic|subject|field)|rather than|in relation to
\btopics?\b|\bmatters?\b(?! of)|otherwise\b
\b(?:only|just|merely|once|purely) (?:as|in passing|counts|concerns?)\b|as the setting
mentioned (?:once|generically)|the only [\w -]{0,40}(?:term|phrase|mention|word)|passing mention
\bneither (?:text|side)|\bnone appear|has none
\bno (?:medication|drug|code|page|patient evidence|clinical evidence)\b
\b(?:without|contains? no|needs? no|uses? no|any) (?:code|logic|program|link|[\w-]+ content)\b
"""
"""Ways to say that the row is about something else."""

WEAK = r"""
\bdrop(?:s|ped|ping)?\b|\bomit(?:s|ted|ting)?\b|\bleav(?:es?|ing) (?:\w+ )?out|\bleft out
\b(?:missing|lost|damaged|garbled|incomplete|wrong|false|invalid|vague|thin|broken|slight)\b
\bfail(?:s|ed|ing)?\b|\black(?:s|ed|ing)?\b|\bmiss(?:es|ed)\b|overlook|neglect|\bignor(?:es|ed|ing)
\bcrash|\bincorrect|\binaccura|\bmisleading|\berrors?\b|\bsuperficial|\bpartial(?:ly)?\b|\bpartly
\blimited\b|\bshallow|\bpoor(?:ly)?\b|\bminimal(?:ly)?\b|\bgeneric\b|\bmisunderst|\bmisinterpret
\binsufficient|\binadequate|\bstruggl|\bworks against|\bcounterexample|\binstead of\b|\bunclear
\bassum(?:es?|ed|ing)\b|\baccepts?\b[^.]{0,20}\b(?:any|every|all|without)|\bare accepted
\bnot (?:\w+ )?(?:checked|treated|considered|handled|validated|guarded|explained|stated|shown)
\b(?:checks|validates|handles|guards) nothing
|\bnothing (?:[\w-]+ ){0,12}is (?:checked|handled|validated|stated)
\bno (?:\w+,? ){1,6}(?:is|are) (?:stated|kept|given|handled|considered|explained|preserved)
\b(?:states?|gives?|includes?|mentions?|names?|shows?|warns of) no\b|\bno warning
\b(?:but|although|though|however|yet)\b(?! the (?:subject|topic|question|content|answer deals))
+[^.;]{0,60}\b(?:no|not|only|without|lacks?|little)\b
\bonly (?:says|states|mentions|gives|shows|that|loose|the bare|a vague|some|one|a general)
\bthe (?:bill|input|question|source|user|task|prompt) (?:has|sets|says|gives|ties|requires|asks)
\bthe bill's (?!title)|\bin general terms|\bteaches (?:leaving|dropping)
|\bmodels (?:leaving|omitting)|\bshould\b|\battempt
^(?:the|this) (?:response|reply|model)\b|\bviolat|\bharmful|\bbiased|\bdisregard|\bunsafe
\basserted|\bhedge|\bspeculative|\bwould (?:crash|give|raise|fail|stay)
"""
"""Ways to say that the row should show the capability, and falls short of it."""


def _any_of(lines: str) -> list[re.Pattern[str]]:
    """One pattern a line; each counts once, however often it is found. "|": the line goes on."""
    whole = lines.strip().replace("\n|", "|").replace("\n+", "")
    return [re.compile(line, re.IGNORECASE) for line in whole.split("\n")]


_ABSENT, _WEAK = _any_of(ABSENT), _any_of(WEAK)
_NEAREST = re.compile(r"\b[Nn]earest passage \(similarity ")


def kind_of(explanation: str, score: float) -> GapKind:
    """ "absent": the capability does not apply to the row; "weak": the row falls short of it.

    Ways to say the one and the other are counted; the score adds to them, and a tie is "weak".
    Of an explanation of the embedded judge, which sees topics alone, the score decides.
    """
    if _NEAREST.search(explanation):
        return "weak" if score >= TOUCHED else "absent"
    text = explanation[:LONGEST]
    points = next((point for bound, point in PRIOR if score < bound), HIGH)
    points += sum(bool(pattern.search(text)) for pattern in _ABSENT)
    points -= sum(bool(pattern.search(text)) for pattern in _WEAK)
    return "absent" if points > 0 else "weak"
