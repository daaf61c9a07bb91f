"""What the judge answers without a language model: a detector of topics, no judge of skill.

docs/embedded-judge.md says how it was made and how far it agrees with a language model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from ..memory.records import Subgoal
from ..memory.scores import SUPPORTING
from .contrast import GENERAL, spread, to_general
from .embeddings import Embedder
from .rubric import ANCHORS
from .stated import KINDS, Kind, Stated, asked_for, stated
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

MOST_KNOWN = 64
"""Sets of subgoals whose vectors are kept."""

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
class _Aim:
    """A subgoal: its words with their vectors (w, d), and the form that it asks for."""

    named: list[str]
    of_named: np.ndarray
    kind: Kind | None


@dataclass(frozen=True)
class _Aims:
    """What rows are compared with. texts: three vectors a subgoal (its name, description and text),
    shape (3 k, d); general: those of GENERAL; scale: see `spread`."""

    aims: list[_Aim]
    texts: np.ndarray
    general: np.ndarray
    scale: float


@dataclass(frozen=True)
class _Row:
    """A row against k subgoals. nearness: of its passages, their mean and its words, in this order,
    with each subgoal, (n, k); general: with what is general, (n,). of_held: vectors of its words.
    """

    output: str
    passages: list[str]
    held: list[str]
    of_held: np.ndarray
    stems: set[str]
    nearness: np.ndarray
    general: np.ndarray


def anchor_of(match: float, cuts: Sequence[float] = CUTS) -> float:
    """The rubric's anchor for a match: topic and evidence, weighted."""
    return ANCHORS[sum(match >= cut for cut in cuts)]


async def matches_of(
    embedder: Embedder, text_in: str, text_out: str, subgoals: Sequence[Subgoal]
) -> list[Match]:
    """The match of a row with each subgoal, in their order; none depends on the others."""
    against = await _aims_of(embedder, subgoals)
    texts = [*passages(text_in), *passages(text_out)] or [" "]
    held = _words(f"{text_in} {text_out}")
    vectors = await embedder.encode([*texts, *held])
    of_texts, of_held = vectors[: len(texts)], vectors[len(texts) :]
    mean = of_texts.mean(axis=0, keepdims=True)
    mean /= max(float(np.linalg.norm(mean)), 1e-9)
    whole = np.concatenate([of_texts, mean, of_held])
    row = _Row(
        output=text_out,
        passages=texts,
        held=held,
        of_held=of_held,
        stems={stem(word) for word in held},
        nearness=(whole @ against.texts.T).reshape(len(whole), len(subgoals), 3).max(axis=2),
        general=to_general(whole, against.general),
    )
    return [_match(row, place, aim, against.scale) for place, aim in enumerate(against.aims)]


_known: WeakKeyDictionary[Embedder, dict[tuple[str, ...], _Aims]] = WeakKeyDictionary()
"""The same subgoals are asked of row after row."""


async def _aims_of(embedder: Embedder, subgoals: Sequence[Subgoal]) -> _Aims:
    key = tuple(text for own in subgoals for text in (own.name, own.description))
    known = _known.setdefault(embedder, {})
    if key not in known:
        if len(known) >= MOST_KNOWN:
            known.clear()
        known[key] = await _read_aims(embedder, subgoals)
    return known[key]


async def _read_aims(embedder: Embedder, subgoals: Sequence[Subgoal]) -> _Aims:
    named = [words(subgoal.text) for subgoal in subgoals]
    texts = [text for own in subgoals for text in (own.name, own.description, own.text)]
    parts = [texts, list(GENERAL), [kind.sentence for kind in KINDS], *named]
    vectors = await embedder.encode([text for part in parts for text in part])
    ends = np.cumsum([len(part) for part in parts])[:-1]
    of_texts, general, kinds, *of_named = np.split(vectors, ends)
    aims = [
        _Aim(own, vectors, asked_for(text, kinds))
        for own, vectors, text in zip(named, of_named, of_texts[2::3], strict=True)
    ]
    return _Aims(aims, of_texts, general, spread(general))


def _words(text: str) -> list[str]:
    found = words(text)
    if len(found) > MOST_WORDS:
        found = [found[int(i)] for i in np.linspace(0, len(found) - 1, MOST_WORDS)]
    return list(dict.fromkeys(word[:LONGEST_WORD] for word in found))


def _match(row: _Row, place: int, aim: _Aim, scale: float) -> Match:
    """The row's match with the subgoal in that place."""
    passages = len(row.passages)
    near = row.nearness[:, place]
    contrast = near - row.general
    by_word = contrast[passages + 1 :]
    best = int(contrast[:passages].argmax())
    nearest = np.argsort(-by_word, kind="stable")[:NEAREST_WORDS]
    contrasts = [contrast[best], contrast[passages]]
    if len(nearest):
        contrasts.append(by_word[nearest].mean())
    return Match(
        topic=float(np.mean(contrasts)) / scale,
        stated=stated(aim.kind, row.output) if aim.kind else None,
        passage=row.passages[best],
        similarity=float(near[best]),
        general=float(row.general[best]),
        named=aim.named,
        found=_found(row, aim),
        near=[row.held[place] for place in nearest],
    )


def _found(row: _Row, aim: _Aim) -> list[str]:
    """The subgoal's words that the row holds, in another form or as a near synonym too."""
    near = (aim.of_named @ row.of_held.T).max(axis=1, initial=0.0)
    return [
        word
        for word, own in zip(aim.named, near, strict=True)
        if stem(word) in row.stems or own >= SAME
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
