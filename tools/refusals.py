"""What code refuses of synthetic rows, without asking a model, and why."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

import numpy as np

from ..memory.records import Candidate, Example, Gap, Refusal, Source, Subgoal
from .duplicates import SPACELESS, WORD, NearDuplicates
from .embeddings import Embedder
from .row_format import RowFormat
from .text import last_turn
from .topics import SEEN

ALIKE = 0.9
"""Cosine from which two rows say the same. Of 2,750 rows of four data sets (patients' questions,
PubMedQA, BillSum, CodeAlpaca) none but 2.5 % of CodeAlpaca's have another row of their data that
near; copies with a tenth of their words replaced have a median of 0.93 to 0.95."""

COPIED, GRAM, DISTINCT = 0.8, 3, 3
"""A field is a copy where the exemplars' same fields together hold COPIED of its GRAM-grams of
words. Those that two exemplars share are the data's way to ask; under DISTINCT others nothing is
said."""

LEAKED = 8
"""Words in a row that no row shares with instructions by chance; twice as many characters of a
script without spaces."""

Finding = tuple[Refusal, str]
"""Why a candidate is refused, and what the generator is told."""

_MARK = re.compile(r"<<<[A-Z][A-Z ]* [0-9a-f]{16}\b|\b[0-9a-f]{16}>>>")
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|‘[^’]*’")
_SPACELESS = re.compile(f"[{SPACELESS}]")


def text_in_and_out(row: Candidate | Source | Example) -> str:
    """What near-duplicates are compared by: the same as `duplicates.text_of`."""
    return f"{row.input}\n{row.output}"


def embedded_row(row: Candidate) -> str:
    """What stands for a candidate when it is embedded: the same as `topics.embedded_text`."""
    return f"{last_turn(row.input)[: SEEN // 2]}\n{row.output[: SEEN // 2]}"


@dataclass(frozen=True)
class Secrets:
    """What of a prompt must not stand in a row: ids, and runs of LEAKED words."""

    ids: frozenset[str]
    runs: frozenset[tuple[str, ...]]

    def fault(self, text: str) -> str:
        if _MARK.search(text):
            return "It holds a mark of the prompt: a row holds nothing of the prompt."
        if found := next((name for name in sorted(self.ids) if _named(name, text)), None):
            return f"It names {found}, an id of the prompt: a row holds nothing of the prompt."
        if found := next((run for run in _runs(text) if run in self.runs), None):
            return f"It repeats the prompt: “{' '.join(found)}”."
        return ""


def secrets_of(
    system: str,
    subgoals: Sequence[Subgoal],
    gap: Gap,
    ids: Iterable[str],
    own: Sequence[Source],
) -> Secrets:
    """What must not leak: the instructions, subgoals and what is said of the gap.

    What stands there in quotation marks, or in the user's own texts (`own`), is no secret. Short
    ids, and those without a digit, are words of any row.
    """
    told = [system, gap.description, *(e.explanation for e in gap.evidence)]
    told += [text for s in subgoals for text in (s.description, s.counts, s.does_not_count)]
    quoted = [q.text for c in gap.claims for q in c.quotes if q.source == "explanation"]
    runs = {run for text in (*told, *quoted) for run in _runs(_QUOTED.sub("\n", text))}
    public = {run for s in own for text in (s.input, s.output) for run in _runs(text)}
    long = (name for name in ids if len(name) >= 6 and re.search(r"\d", name))
    return Secrets(frozenset(long), frozenset(runs - public))


@dataclass(frozen=True)
class Screen:
    """Refuses candidates by code.

    data: all rows, by their words alone (signs=False); near: unit vectors (n, d) of those that
    candidates are compared with by meaning.
    accepted: rows that are there already; judged: rows that a verdict rejected.
    """

    format: RowFormat
    secrets: Secrets
    exemplars: Sequence[Source]
    data: NearDuplicates
    near: np.ndarray
    accepted: Sequence[Candidate]
    judged: Sequence[Candidate]

    async def sift(
        self, candidates: Sequence[Candidate], embedder: Embedder
    ) -> tuple[list[Candidate], list[Candidate]]:
        """(passed, refused): the latter with reason and explanation. Of two alike, the first
        passes. Candidates that come refused stay so."""
        written = await written_of(self.accepted, embedder)
        stale = {_bare(row) for row in self.judged}
        refused = [row for row in candidates if row.refused]
        fresh = [row for row in candidates if not row.refused]
        vectors = await embedder.encode([embedded_row(row) for row in fresh])
        passed: list[Candidate] = []
        for row, vector in zip(fresh, vectors, strict=True):
            fault = self._fault(row, vector, stale) or written.fault(row, vector)
            if fault:
                refused.append(refuse(row, *fault))
            else:
                written.add(row, vector)
                passed.append(row)
        return passed, refused

    def _fault(
        self, row: Candidate, vector: np.ndarray, stale: Set[tuple[str, ...]]
    ) -> Finding | None:
        if not row.input.strip() or not row.output.strip():
            return "empty", "The input or the output is empty."
        if fault := self.secrets.fault(text_in_and_out(row)):
            return "leaks the prompt", fault
        if fault := self.format.fault(row.input, row.output):
            return "another format", fault
        if fault := copied(row, self.exemplars):
            return "copies an exemplar", fault
        if (self.data.find(text_in_and_out(row)) is not None) or _near(vector, self.near):
            told = "It is almost a row of the data: write about another situation."
            return "near-duplicate of the data", told
        if _bare(row) in stale:
            told = "It was rejected before and comes back unchanged."
            return "near-duplicate of another synthetic row", told
        return None


class Written:
    """Synthetic rows that further ones are compared with, by words and by meaning."""

    def __init__(self) -> None:
        self._words = NearDuplicates(signs=False)
        self._vectors: list[np.ndarray] = []

    def add(self, row: Candidate, vector: np.ndarray) -> None:
        self._words.add(row.id, text_in_and_out(row))
        self._vectors.append(vector)

    def fault(self, row: Candidate, vector: np.ndarray) -> Finding | None:
        near = bool(self._vectors) and _near(vector, np.stack(self._vectors))
        if near or self._words.find(text_in_and_out(row)) is not None:
            told = "It is almost another of the rows written: write about another situation."
            return "near-duplicate of another synthetic row", told
        return None


async def written_of(rows: Sequence[Candidate], embedder: Embedder) -> Written:
    written = Written()
    for row, vector in zip(
        rows, await embedder.encode([embedded_row(row) for row in rows]), strict=True
    ):
        written.add(row, vector)
    return written


def refuse(row: Candidate, reason: Refusal, explanation: str) -> Candidate:
    return row.model_copy(update={"refused": reason, "explanation": explanation})


def copied(row: Candidate, exemplars: Sequence[Source]) -> str:
    """Which field copies exemplars, as a sentence; empty where none does.

    What is extracted is put together from several: it is compared with one at a time.
    """
    for name in ("input", "output"):
        own = set(_grams(getattr(row, name), GRAM))
        fields = [set(_grams(getattr(exemplar, name), GRAM)) for exemplar in exemplars]
        seen = Counter(gram for grams in fields for gram in grams)
        own -= {gram for gram, times in seen.items() if times > 1}
        compared = fields if row.origin == "extractive" else [set(seen)]
        if len(own) >= DISTINCT and any(len(own & g) >= COPIED * len(own) for g in compared):
            return f"The {name} copies an exemplar: write another situation in your own words."
    return ""


def _bare(row: Candidate) -> tuple[str, ...]:
    """A row's words, without case and punctuation."""
    return tuple(WORD.findall(text_in_and_out(row).casefold()))


def _named(name: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _near(vector: np.ndarray, others: np.ndarray) -> bool:
    return len(others) > 0 and float((others @ vector).max()) >= ALIKE


def _grams(text: str, size: int) -> list[tuple[str, ...]]:
    tokens = WORD.findall(text.casefold())
    return [tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1)]


def _runs(text: str) -> list[tuple[str, ...]]:
    """Runs of LEAKED words; of twice as many where one is a character of a script without spaces:
    that says half as much."""
    return [
        run
        for times in (1, 2)
        for run in _grams(text, times * LEAKED)
        if any(map(_SPACELESS.fullmatch, run)) is (times == 2)
    ]
