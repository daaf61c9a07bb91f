"""What the data looks like before anything is judged: the clarifier asks better when it knows."""

import asyncio
import random
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np

from ..memory.records import DataProfile, DataTopic, Sample, content_hash
from ..memory.vectors import VectorStore
from .clustering import central
from .datasets import Table
from .embeddings import Embedder
from .forms import forms_of
from .languages import CERTAIN, language
from .oddities import FAR, far_rows, odd_lengths, odd_rows, oddity
from .text import last_turn, shorten
from .topics import SEEN, Topic, as_example, embedded_rows, embedded_text

CHATS = ("messages", "conversations")
"""Forms of data whose rows hold turns."""

LOOKED_AT = 5_000
"""Rows that lengths, languages, forms and copies are counted on."""

NEAR, SHARED = 0.95, 0.5
"""Cosine of near-duplicates: pairs above it were one text edited (bills, House and Senate), pairs
at 0.90 to 0.94 different tasks on one theme (code). They must also share SHARED of the runs of
three characters of both: to an encoder all words of a script that it does not know are the same."""

MOST_LINES = 14


@dataclass
class _Seen:
    """What is counted over the rows looked at; no text is kept, so memory stays flat."""

    rows: list[int] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    forms: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    odd: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, sample: Sample) -> None:
        self.rows.append(sample.index)
        self.inputs.append(len(sample.input))
        self.outputs.append(len(sample.output))
        forms = forms_of(sample.output)
        self.forms.update(forms)
        self.languages.update(filter(None, [language(sample, forms)]))
        self.counts.update(system=bool(sample.system.strip()), cut=sample.cut > 0)
        self.counts.update(turns=last_turn(sample.input) != sample.input)
        key = _key(sample)
        self.counts.update(copies=key in self.keys)
        self.keys.add(key)
        if reason := oddity(sample):
            self.odd[reason].append(sample.index)

    def share(self, count: int) -> float:
        return count / len(self.rows) if self.rows else 0.0


async def profile(
    table: Table, topics: list[Topic], vectors: VectorStore, embedder: Embedder, seed: int
) -> DataProfile:
    """The profile of a table. `topics` are those that `find_topics` found with the same seed.

    Lengths are of the texts as the judge sees them (cut at max_chars). Raises UserError for a row
    that does not have the form of the first one.
    """
    seen = await asyncio.to_thread(_look, table, seed)
    samples, found = await embedded_rows(table, vectors, embedder, seed)
    similarity = found @ found.T if samples else np.zeros((0, 0))
    odd = {**seen.odd, **odd_lengths(seen.rows, seen.inputs, seen.outputs)}
    # What most rows show is the way of the data, not odd.
    odd = {reason: rows for reason, rows in odd.items() if 2 * len(rows) <= max(4, len(seen.rows))}
    return DataProfile(
        read=len(table),
        looked_at=len(seen.rows),
        embedded=len(samples),
        format=table.format,
        system=seen.share(seen.counts["system"]),
        # Elsewhere "user: " is a word of the text.
        multi_turn=seen.share(seen.counts["turns"]) if table.format in CHATS else 0.0,
        input_lengths=_percentiles(seen.inputs),
        output_lengths=_percentiles(seen.outputs),
        languages=_named(seen.languages),
        forms={name: seen.share(count) for name, count in seen.forms.most_common()},
        topics=_described(topics, samples, found),
        copies=seen.counts["copies"],
        near_duplicates=_near(samples, similarity),
        odd=odd_rows(table, odd, far_rows(samples, similarity)),
        how=_how(seen, len(samples), table, seed),
    )


def lines(profile: DataProfile, by_index: bool = False) -> list[str]:
    """The profile in short lines of plain text, rows counted from 1, or named by their index.

    Names, reasons and excerpts come from rows: callers fence or escape them.
    """
    name = "index {}".format if by_index else (lambda row: f"row {row + 1:,}")
    told = [
        f"{_rows(profile.read)} of {profile.format}; {profile.looked_at:,} looked at, "
        f"{profile.embedded:,} embedded",
        f"System message: {_percent(profile.system)} of rows; several turns: "
        f"{_percent(profile.multi_turn)}",
        f"Characters (5 %, median, 95 %): input {_figures(profile.input_lengths)}; "
        f"output {_figures(profile.output_lengths)}",
        f"Languages: {_shares(profile.languages) or 'not told (too little text)'}",
        f"Forms of output: {_shares(profile.forms) or 'plain text only'}",
    ]
    if profile.topics:
        named = (f"{shorten(t.name, 60)} {_percent(t.share)}" for t in profile.topics)
        told.append("Topics: " + " · ".join(named))
    told.append(f"Near-duplicates: {_rows(profile.near_duplicates)}; copies: {profile.copies:,}")
    told += [
        f"Odd: {name(odd.row)}: {shorten(odd.reason, 120)}: {shorten(odd.excerpt, 120)}"
        for odd in profile.odd[: MOST_LINES - len(told)]
    ]
    return told


def _look(table: Table, seed: int) -> _Seen:
    picked = random.Random(seed).sample(range(len(table)), min(LOOKED_AT, len(table)))
    seen = _Seen()
    for index in sorted(picked):
        if sample := table.sample(index):
            seen.add(sample)
    return seen


def _key(sample: Sample) -> str:
    """Equal for copies. A part without any word (an emoji, an operator) counts as it is."""
    parts = (sample.input, sample.output)
    return content_hash(*(" ".join(re.findall(r"\w+", p.casefold())) or p.strip() for p in parts))


def _percentiles(lengths: list[int]) -> tuple[int, int, int]:
    low, middle, high = np.percentile(lengths or [0], (5, 50, 95)).round().astype(int).tolist()
    return low, middle, high


def _named(languages: Counter[str]) -> dict[str, float]:
    """Shares of the texts whose language is clear; what is under 1 % is the detector's noise."""
    total = languages.total()
    shares = {name: n / total for name, n in languages.most_common() if n >= total / 100}
    rest = total - sum(languages[name] for name in shares)
    return {**shares, "other": rest / total} if rest else shares


def _described(topics: list[Topic], samples: list[Sample], found: np.ndarray) -> list[DataTopic]:
    """The topics with their most typical rows."""
    place = {sample.index: i for i, sample in enumerate(samples)}
    described = []
    for topic in topics:
        members = [place[row] for row in topic.rows]
        typical = samples[members[central(found[members], 1)[0]]]
        example = as_example(typical)
        described.append(DataTopic(name=topic.name, share=topic.share, example=example))
    return described


def _near(samples: list[Sample], similarity: np.ndarray) -> int:
    """Rows that are NEAR to an earlier row, and no copies."""
    runs = [_runs(embedded_text(sample)) for sample in samples]
    keys: set[str] = set()
    count = 0
    for i, sample in enumerate(samples):
        key = _key(sample)
        if key not in keys:
            close = np.flatnonzero(similarity[i, :i] >= NEAR).tolist()
            count += any(len(runs[i] & runs[j]) >= SHARED * len(runs[i] | runs[j]) for j in close)
        keys.add(key)
    return count


def _runs(text: str) -> set[str]:
    return {text[i : i + 3] for i in range(max(1, len(text) - 2))}


def _how(seen: _Seen, embedded: int, table: Table, seed: int) -> str:
    half, cut = SEEN // 2, seen.counts["cut"]
    too_long = f" ({cut:,} cut at {table.source.max_chars:,} characters a text)" if cut else ""
    return (
        f"Counted on {len(seen.rows):,} of {len(table):,} rows{too_long}, languages by py3langid "
        f"on {seen.languages.total():,} of them where it was at least {CERTAIN:.0%} sure; topics, "
        f"near-duplicates (cosine of {NEAR} or more, {SHARED:.0%} of three-letter "
        f"runs shared) and rows unlike any other (cosine under {FAR} and under "
        f"half the median) on {embedded:,} rows, embedded by the first {half} characters "
        f"of last turn and output; seed {seed}."
    )


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def _percent(share: float) -> str:
    return "under 1 %" if 0 < share < 0.005 else f"{share * 100:.0f} %"


def _shares(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {_percent(share)}" for name, share in shares.items())


def _figures(lengths: tuple[int, int, int]) -> str:
    return ", ".join(f"{length:,}" for length in lengths)
