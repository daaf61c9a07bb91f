"""Rows that are unlike the others, and in what."""

import re
from statistics import median

import numpy as np

from ..memory.records import OddRow, Sample
from .datasets import Table
from .text import last_turn, shorten

FAR, FAR_ROWS = 0.25, 20
"""A row is unlike the others when no other has a cosine of FAR, nor of half the median row's
nearest one, among at least FAR_ROWS rows. Unrelated texts lie at 0 to 0.2."""

MOST_ODD, EACH = 8, 2
"""Odd rows named, and at most so many for one reason."""

TINY, TINY_MEDIAN = 50, 250
"""An output TINY times shorter than the median is odd, where the median is TINY_MEDIAN or more:
among code or sums, a short one is a right answer."""

HUGE, HUGE_CHARS = 20, 2_000
"""A text HUGE times longer than the median, and longer than HUGE_CHARS characters, is odd."""

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


def odd_lengths(numbers: list[int], inputs: list[int], outputs: list[int]) -> dict[str, list[int]]:
    """Row numbers with far shorter outputs or far longer texts than the median, by reason."""
    odd: dict[str, list[int]] = {}
    for name, lengths in (("input", inputs), ("output", outputs)):
        middle = round(median(lengths)) if lengths else 0
        long = max(HUGE * middle, HUGE_CHARS)
        rows = [row for row, n in zip(numbers, lengths, strict=True) if n > long]
        odd[f"an {name} of more than {long:,} characters where the median is {middle:,}"] = rows
        if name == "output" and middle >= TINY_MEDIAN:
            rows = [row for row, n in zip(numbers, lengths, strict=True) if n < middle / TINY]
            odd[f"an output of {middle // TINY:,} characters or fewer, the median {middle:,}"] = (
                rows
            )
    return {reason: rows for reason, rows in odd.items() if rows}


def far_rows(samples: list[Sample], similarity: np.ndarray) -> dict[int, str]:
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


def odd_rows(table: Table, odd: dict[str, list[int]], far: dict[int, str]) -> list[OddRow]:
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
