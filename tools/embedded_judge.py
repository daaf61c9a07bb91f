"""What the judge answers without a language model: topics by similarity and shared words."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..memory.records import Subgoal
from ..memory.scores import SUPPORTING
from .embeddings import Embedder
from .rubric import ANCHORS
from .text import VERBS, listed, passages, shorten, stem, words

NAMED = 0.3
"""What a row gains on the similarity of its best passage when it holds all the subgoal's words."""

CUTS = (0.27, 0.32, 0.38, 0.44, 0.52)
"""Match (similarity + gain) at which the next anchor begins: the quantiles that give 240 rows of
three domains, judged by a language model, the anchors' frequencies they have there."""


@dataclass(frozen=True)
class Match:
    """How near a row comes to a subgoal: the cosine of its best passage, and of the words that name
    the subgoal those that it holds."""

    passage: str
    similarity: float
    named: list[str]
    found: list[str]

    @property
    def score(self) -> float:
        """The rubric's anchor."""
        gain = NAMED * len(self.found) / max(1, len(self.named))
        return anchor_of(self.similarity + gain)


def anchor_of(match: float) -> float:
    """The rubric's anchor for a match, or for a plain cosine similarity."""
    return ANCHORS[sum(match >= cut for cut in CUTS)]


async def matches_of(
    embedder: Embedder, text_in: str, text_out: str, subgoals: Sequence[Subgoal]
) -> list[Match]:
    """The match of a row with each subgoal, in their order."""
    texts = [*passages(text_in), *passages(text_out)] or [" "]
    aims = [text for subgoal in subgoals for text in (subgoal.name, subgoal.description)]
    vectors = await embedder.encode([*texts, *aims])
    of_row, of_aims = vectors[: len(texts)], vectors[len(texts) :]
    held = {stem(word) for word in words(f"{text_in} {text_out}")}
    matches = []
    for place, subgoal in enumerate(subgoals):
        by_passage = (of_row @ of_aims[2 * place : 2 * place + 2].T).max(axis=1)
        best = int(by_passage.argmax())
        named = words(f"{subgoal.name} {subgoal.description}")
        found = [word for word in named if stem(word) in held]
        matches.append(Match(texts[best], float(by_passage[best]), named, found))
    return matches


def explain(match: Match) -> str:
    """Which of the subgoal's words the row holds and lacks, and which passage is nearest."""
    absent = [word for word in match.named if word not in match.found and word not in VERBS]
    parts = [f"Not mentioned: {listed(absent[:8])}."] if absent else []
    if match.found:
        parts.append(f"Mentioned: {listed(match.found[:8])}.")
    passage = shorten(match.passage, 160)
    nearest = f"nearest passage (similarity {match.similarity:.2f}): “{passage}”."
    if match.score >= SUPPORTING:
        return " ".join([f"On the topic: {nearest}", *parts])
    return " ".join([*parts, f"N{nearest[1:]}"])
