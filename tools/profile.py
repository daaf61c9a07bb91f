"""What the data looks like before anything is judged: the clarifier asks better when it knows."""

import asyncio
import json
import random
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from ..memory.records import DataProfile, DataTopic, Example, OddRow, Sample, content_hash
from ..memory.vectors import VectorStore
from .clustering import central
from .datasets import Table
from .embeddings import Embedder
from .text import last_turn, shorten
from .topics import SEEN, Topic, embedded_text, sampled_samples

CHATS = ("messages", "conversations")
"""Forms of data whose rows hold turns."""

LOOKED_AT = 5_000
"""Rows that lengths, languages, forms and copies are counted on."""

NEAR, SHARED = 0.95, 0.5
"""Cosine of near-duplicates: pairs above it were one text edited (bills, House and Senate), pairs
at 0.90 to 0.94 different tasks on one theme (code). They must also share SHARED of the runs of
three characters of both: to an encoder all words of a script that it does not know are the same."""

FAR, FAR_ROWS = 0.25, 20
"""A row is unlike the others when no other has a cosine of FAR, nor of half the median row's
nearest one, among at least FAR_ROWS rows. Unrelated texts lie at 0 to 0.2."""

MOST_LINES = 14

MOST_ODD, EACH = 8, 2
"""Odd rows named, and at most so many for one reason."""

TINY, TINY_MEDIAN = 50, 250
"""An output TINY times shorter than the median is odd, where the median is TINY_MEDIAN or more:
among code or sums, a short one is a right answer."""

HUGE, HUGE_CHARS = 20, 2_000
"""A text HUGE times longer than the median, and longer than HUGE_CHARS characters, is odd."""

CERTAIN, LETTERS, IDENTIFIED = 0.7, 20, 400
"""Languages: probability and letters below which a text is left out, characters looked at of
each part."""

_LANGUAGES = """
af Afrikaans|am Amharic|ar Arabic|az Azerbaijani|be Belarusian|bg Bulgarian|bn Bengali|ca Catalan
cs Czech|cy Welsh|da Danish|de German|el Greek|en English|es Spanish|et Estonian|eu Basque
fa Persian|fi Finnish|fr French|ga Irish|gl Galician|gu Gujarati|ha Hausa|he Hebrew|hi Hindi
hr Croatian|hu Hungarian|hy Armenian|id Indonesian|is Icelandic|it Italian|ja Japanese|ka Georgian
kk Kazakh|km Khmer|kn Kannada|ko Korean|la Latin|lo Lao|lt Lithuanian|lv Latvian|mk Macedonian
ml Malayalam|mn Mongolian|mr Marathi|my Burmese|ne Nepali|nl Dutch|no Norwegian|pa Punjabi|pl Polish
ps Pashto|pt Portuguese|ro Romanian|ru Russian|si Sinhala|sk Slovak|sl Slovenian|so Somali
sq Albanian|sr Serbian|sv Swedish|sw Swahili|ta Tamil|te Telugu|th Thai|tl Tagalog|tr Turkish
uk Ukrainian|ur Urdu|uz Uzbek|vi Vietnamese|yo Yoruba|zh Chinese|zu Zulu|zxx no language
"""
_ENTRIES = (entry.partition(" ") for entry in re.split(r"[|\n]", _LANGUAGES.strip()))
LANGUAGES = {code: name for code, _, name in _ENTRIES}

_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_BULLET = re.compile(r"\s{0,12}(?:[-*•]|\d{1,3}[.)])\s+\S")
_RULE = re.compile(r"\s*\|?\s*:?-{3,}:?\s*\|[\s|:-]*")
_CODE = re.compile(
    r"\s*(?:SELECT|INSERT INTO|CREATE|ALTER TABLE|UPDATE|DELETE FROM)\s.*"
    r"|\s*(?:FROM|WHERE|GROUP BY|ORDER BY|JOIN|VALUES|SET|LIMIT|AND)\s.*|#!.*|\s*end\s*"
    r"|\s*(?:def|class)\s+\w+.*[:{]\s*|\s*(?:import|from)\s+[\w.]+(?:\s+import\s.*|\s+as\s.*|;?)"
    r"|\s*(?:function|const|let|var|public|private|static|void|int|#include|package|using)\b.*[;{>)]"
    r"|\s*(?:if|for|while|elif|else|try|except|with)\b.*[:{]\s*|\s*</?\w[^>]*>.*|\s*<!.*"
    r"|.*[;{}]\s*|\s*(?:return|print|echo)\b\s*[\w(\"'].*[)\w\"'\]]\s*|\s*[\w.\[\]'\"]+\s*[-+*]?=\s*\S.*"
    r"|\s*[\w.]+\(.*\)\s*"
)
_BROKEN = re.compile("\ufffd|[ÃÐÑ][\u0080-\u00bf]|â€")
_PLACEHOLDER = re.compile(
    r"(?i)\W*(?:n/?a|not applicable|todo|tbd|fixme|xxx+|placeholder|lorem ipsum.*|undefined|nan"
    r"|no ?(?:output|answer|response|input)(?: (?:needed|required|given))?)\W*"
)
_REFUSAL = re.compile(
    r"(?i)\bas an? (?:ai|artificial intelligence)(?: language)? (?:model|assistant)\b"
    r"|\A\W*(?:i(?:'|’)?m |i am )?(?:sorry|unable)\b.{0,40}\b(?:can(?:'|’)?t|cannot|unable|to)"
    r" (?:assist|help|fulfil|comply|provide|answer)"
    r"|\A\W*i (?:can(?:'|’)?t|cannot) (?:assist|help|fulfil|comply|provide|answer)"
)


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
    samples = sampled_samples(table, seed)
    found = await vectors.embed("rows", [embedded_text(s) for s in samples], embedder.encode)
    similarity = found @ found.T if samples else np.zeros((0, 0))
    odd = {**seen.odd, **_lengths_odd(seen)}
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
        odd=_odd_rows(table, odd, _far(samples, similarity)),
        how=_how(seen, len(samples), table, seed),
    )


def lines(profile: DataProfile) -> list[str]:
    """The profile in short lines of plain text, rows counted from 1.

    Names, reasons and excerpts come from rows: callers fence or escape them.
    """
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
        f"Odd: row {odd.row + 1:,}: {shorten(odd.reason, 120)}: {shorten(odd.excerpt, 120)}"
        for odd in profile.odd[: MOST_LINES - len(told)]
    ]
    return told


def forms_of(output: str) -> list[str]:
    """Which of "JSON", "code", "list" and "table" an output holds."""
    if _is_json(output):
        return ["JSON"]
    bare = _FENCE.sub("", output)
    rows = [line[:300] for line in bare.split("\n") if line.strip()][:200]
    code = sum(_CODE.fullmatch(line) is not None for line in rows)
    # Half of the lines, and more than a lone line of prose that happens to end in a semicolon.
    mostly = 2 * code >= len(rows) > 0 and (code > 1 or len(rows) == 1)
    found = ["code"] if mostly or bare != output else []
    if not mostly and sum(_BULLET.match(line) is not None for line in rows) >= 2:
        found.append("list")
    if any("|" in a and _RULE.fullmatch(b) for a, b in pairwise(rows)):
        found.append("table")
    return found


def language(sample: Sample, forms: list[str]) -> str | None:
    """English name of the language of the last turn and the output, None where it is not clear.

    Code and JSON are no language: of such an output only the input is looked at.
    """
    coded = "JSON" in forms or "code" in forms
    parts = [last_turn(sample.input), "" if coded else sample.output]
    text = "\n".join(_FENCE.sub("", part[: 2 * IDENTIFIED])[:IDENTIFIED] for part in parts)
    if sum(map(str.isalpha, text)) < LETTERS:
        return None
    code, probability = _identifier().classify(text)
    return LANGUAGES[code] if probability >= CERTAIN and code != "zxx" else None


def oddity(sample: Sample) -> str | None:
    """What is odd about a row by itself, in words."""
    output = sample.output.strip()
    if len(output) < 200 and _PLACEHOLDER.fullmatch(output):
        return "the output is a placeholder"
    if _REFUSAL.search(output[:300]):
        return "the output is a refusal"
    if _BROKEN.search(sample.input) or _BROKEN.search(output):
        return "broken characters (wrong encoding)"
    if not any(map(str.isalnum, sample.input)):
        return "no letter or digit in the input"
    if not any(map(str.isalnum, output)):
        return "no letter or digit in the output"
    if output.split() == last_turn(sample.input).split():
        return "the output repeats the input"
    return None


@lru_cache(1)
def _identifier() -> Any:
    """Of the languages above: related small ones would take probability from them."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier


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


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


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
        example = Example(
            input=shorten(last_turn(typical.input), 200), output=shorten(typical.output, 300)
        )
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


def _far(samples: list[Sample], similarity: np.ndarray) -> dict[int, str]:
    """Row → reason, of rows unlike any other, the farthest first."""
    if len(samples) < FAR_ROWS:
        return {}
    others = np.where(np.eye(len(samples), dtype=bool), -1, similarity)
    nearest = others.max(axis=1)
    limit = min(FAR, float(np.median(nearest)) / 2)
    return {
        samples[i].index: f"unlike any other row (nearest similarity {max(nearest[i], 0):.2f})"
        for i in np.argsort(nearest, kind="stable").tolist()
        if nearest[i] < limit
    }


def _lengths_odd(seen: _Seen) -> dict[str, list[int]]:
    """Rows with far shorter outputs or far longer texts than the median, by reason."""
    odd: dict[str, list[int]] = {}
    for name, lengths in (("input", seen.inputs), ("output", seen.outputs)):
        median = _percentiles(lengths)[1]
        long = max(HUGE * median, HUGE_CHARS)
        rows = [row for row, n in zip(seen.rows, lengths, strict=True) if n > long]
        odd[f"an {name} of more than {long:,} characters where the median is {median:,}"] = rows
        if name == "output" and median >= TINY_MEDIAN:
            rows = [row for row, n in zip(seen.rows, lengths, strict=True) if n < median / TINY]
            odd[f"an output of {median // TINY:,} characters or fewer, the median {median:,}"] = (
                rows
            )
    return {reason: rows for reason, rows in odd.items() if rows}


def _odd_rows(table: Table, odd: dict[str, list[int]], far: dict[int, str]) -> list[OddRow]:
    """At most MOST_ODD in row order: the first of every reason, then the second of every one."""
    reasons: dict[int, str] = {}
    queues = [
        [(row, f"{reason} (so in {len(rows):,} rows)" if len(rows) > 1 else reason) for row in rows]
        for reason, rows in odd.items()
    ]
    queues.append(list(far.items()))
    for turn in range(EACH):
        for queue in queues:
            if turn < len(queue) and len(reasons) < MOST_ODD:
                reasons.setdefault(*queue[turn])
    return [
        OddRow(row=row, reason=reasons[row], excerpt=_excerpt(table, row))
        for row in sorted(reasons)
    ]


def _excerpt(table: Table, row: int) -> str:
    sample = table.sample(row)
    if sample is None:
        return ""
    return f"{shorten(last_turn(sample.input), 100)} → {shorten(sample.output, 100)}"


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
