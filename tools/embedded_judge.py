"""What the judge answers without a language model: a detector of topics, no judge of skill.

docs/embedded-judge.md says how it was made and how far it agrees with a language model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..memory.records import Subgoal
from ..memory.scores import SUPPORTING
from .contrast import GENERAL, spread, to_general
from .embeddings import Embedder
from .rubric import ANCHORS
from .stated import KINDS, Stated, stated
from .text import VERBS, listed, passages, shorten, stem, words

STATED = 2.0
CUTS = (0.56, 0.87, 1.09, 1.36, 1.96)
"""Weight of the evidence, and the matches at which the next anchor begins: fitted to 240 rows of
three domains that a language model judged (`evals.calibration_rules`), for the default embedder."""

UNNAMED = 0.4
"""The most for a row with none of the subgoal's words, nor a near synonym. In rows of one narrow
field all are nearer to every subgoal of it than to what is general; words tell them apart."""

MOST_WORDS, LONGEST_WORD = 400, 40
"""Words of a row that are looked at, evenly spread over it, and characters of one."""

NEAREST_WORDS = 3
"""A row's words that are nearest to a subgoal: what stands for all its words."""

SAME = 0.6
"""Cosine from which a word of the row counts as one of the subgoal: "pregnant", "pregnancy"."""


@dataclass(frozen=True)
class Match:
    """How near a row comes to a subgoal.

    topic: mean contrast of best passage, whole row and nearest words, in units of `spread`.
    passage: the best one, with its cosine to the subgoal and its mean to what is general.
    named: the subgoal's words; found: those that the row holds. near: the row's nearest words.
    """

    topic: float
    stated: Stated | None
    passage: str
    similarity: float
    general: float
    named: list[str]
    found: list[str]
    near: list[str]

    @property
    def evidence(self) -> float:
        """Of the form that the subgoal asks for, -0.5 to 0.5; 0 where it asks for none."""
        return self.stated.evidence if self.stated else 0.0

    @property
    def most(self) -> float:
        """The highest anchor that it can get."""
        asked = set(self.named) - VERBS
        return 1.0 if not asked or asked & set(self.found) else UNNAMED

    @property
    def score(self) -> float:
        """The rubric's anchor."""
        return min(anchor_of(self.topic + STATED * self.evidence), self.most)


@dataclass(frozen=True)
class _Texts:
    """Texts of a row, their vectors (n, d), and how near each is to what is general (n,)."""

    texts: list[str]
    vectors: np.ndarray
    general: np.ndarray

    def near(self, aims: np.ndarray) -> np.ndarray:
        """Cosine of each with the nearest of the aims (a, d): shape (n,)."""
        return (self.vectors @ aims.T).max(axis=1)

    def contrast(self, aims: np.ndarray) -> np.ndarray:
        return self.near(aims) - self.general


@dataclass(frozen=True)
class _Row:
    """A row as its passages, their mean and its words; kinds: vectors of the sentences of KINDS."""

    output: str
    passages: _Texts
    whole: _Texts
    words: _Texts
    scale: float
    kinds: np.ndarray


def anchor_of(match: float, cuts: Sequence[float] = CUTS) -> float:
    """The rubric's anchor for a match: topic and evidence, weighted."""
    return ANCHORS[sum(match >= cut for cut in cuts)]


async def matches_of(
    embedder: Embedder, text_in: str, text_out: str, subgoals: Sequence[Subgoal]
) -> list[Match]:
    """The match of a row with each subgoal, in their order; none depends on the others."""
    texts = [*passages(text_in), *passages(text_out)] or [" "]
    held = _words(f"{text_in} {text_out}")
    named = [words(subgoal.text) for subgoal in subgoals]
    aims = [
        [subgoal.name, subgoal.description, subgoal.text, *own]
        for subgoal, own in zip(subgoals, named, strict=True)
    ]
    kinds = [kind.sentence for kind in KINDS]
    parts = [texts, held, GENERAL, kinds, *aims]
    vectors = await embedder.encode([text for part in parts for text in part])
    ends = np.cumsum([len(part) for part in parts])[:-1]
    of_texts, of_held, general, of_kinds, *of_aims = np.split(vectors, ends)
    mean = of_texts.mean(axis=0, keepdims=True)
    mean /= max(float(np.linalg.norm(mean)), 1e-9)
    row = _Row(
        text_out,
        _Texts(texts, of_texts, to_general(of_texts, general)),
        _Texts([], mean, to_general(mean, general)),
        _Texts(held, of_held, to_general(of_held, general)),
        spread(general),
        of_kinds,
    )
    return [_match(row, *aim) for aim in zip(named, of_aims, strict=True)]


def _words(text: str) -> list[str]:
    found = words(text)
    if len(found) > MOST_WORDS:
        found = [found[int(i)] for i in np.linspace(0, len(found) - 1, MOST_WORDS)]
    return list(dict.fromkeys(word[:LONGEST_WORD] for word in found))


def _match(row: _Row, named: list[str], vectors: np.ndarray) -> Match:
    """vectors: of the subgoal's name, description and text, and of its words."""
    aims, of_named = vectors[:3], vectors[3:]
    by_passage, by_word = row.passages.contrast(aims), row.words.contrast(aims)
    best = int(by_passage.argmax())
    nearest = np.argsort(-by_word, kind="stable")[:NEAREST_WORDS]
    contrasts = [by_passage[best], row.whole.contrast(aims)[0]]
    if len(nearest):
        contrasts.append(by_word[nearest].mean())
    return Match(
        topic=float(np.mean(contrasts)) / row.scale,
        stated=stated(aims[2], row.kinds, row.output),
        passage=row.passages.texts[best],
        similarity=float(row.passages.near(aims)[best]),
        general=float(row.passages.general[best]),
        named=named,
        found=_found(row.words, named, of_named),
        near=[row.words.texts[place] for place in nearest],
    )


def _found(held: _Texts, named: list[str], of_named: np.ndarray) -> list[str]:
    """The subgoal's words that the row holds, in another form or as a near synonym too."""
    stems = {stem(word) for word in held.texts}
    near = (of_named @ held.vectors.T).max(axis=1, initial=0.0)
    return [
        word for word, own in zip(named, near, strict=True) if stem(word) in stems or own >= SAME
    ]


def explain(match: Match) -> str:
    """Which of the subgoal's words the row holds and lacks, and what its score comes from."""
    absent = [word for word in match.named if word not in match.found and word not in VERBS]
    parts = [f"Not mentioned: {listed(absent[:8])}."] if absent else []
    if match.found:
        parts.append(f"Mentioned: {listed(match.found[:8])}.")
    passage = shorten(match.passage, 160)
    nearest = (
        f"nearest passage (similarity {match.similarity:.2f}, to general capabilities "
        f"{match.general:.2f}): “{passage}”."
    )
    rest = [f"Nearest words: {listed(match.near)}."] if match.near else []
    rest += [str(match.stated)] if match.stated else []
    if match.score >= SUPPORTING:
        return " ".join([f"On the topic: {nearest}", *rest, *parts])
    return " ".join([*parts, f"N{nearest[1:]}", *rest])
