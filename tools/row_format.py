"""What form and length the rows of a data set have, and whether another row has it too."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..memory.records import Sample
from .forms import forms_of

USUAL, RARE = 0.9, 0.1
"""A form of at least USUAL of the outputs is demanded; what at most RARE of the rows have (role
labels) or none has (outputs that are JSON) is another format."""

ENOUGH = 20
"""Rows below which nothing is said of forms and lengths."""

WILD, LEAST = 4, 400
"""A text is too long from WILD times the 95th percentile of characters on, but never below LEAST
characters, and too short under the 5th percentile divided by WILD."""

_LABEL = re.compile(
    r"^[*#_ ]{0,5}(user|human|assistant|system|input|output|question|answer|prompt|completion|"
    r"instruction|response|[QA])[*_ ]{0,3}:",
    re.IGNORECASE | re.MULTILINE,
)
_NESTED = re.compile(
    r'\{\s*"(?:messages|conversations|rows|input|output|instruction|prompt|completion|role|from|'
    r'source_ids)"\s*:'
)


@dataclass(frozen=True)
class RowFormat:
    """Lengths: 5th, 50th and 95th percentile of characters. Shares are between 0 and 1.

    forms: share of outputs that hold a form (see `forms_of`). labelled, nested: share of rows with
    role labels, or with an object that looks like a row, in the input or the output.
    """

    rows: int
    inputs: tuple[int, int, int]
    outputs: tuple[int, int, int]
    forms: dict[str, float]
    labelled: float
    nested: float

    def lines(self) -> str:
        """The format in plain words, for a prompt. It holds figures, no text of the data."""
        told = [_lengths("Inputs", self.inputs), _lengths("Outputs", self.outputs)]
        shown = {name: f"{share:.0%}" for name, share in self.forms.items() if share >= 0.005}
        forms = ", ".join(f"{name} {share}" for name, share in shown.items())
        told.append(f"Forms of the outputs: {forms or 'plain text only'}.")
        return "\n".join(told)

    def fault(self, text_in: str, text_out: str) -> str:
        """Why a row has another format, as a sentence; empty where it has not."""
        texts = (text_in, text_out)
        if self.labelled <= RARE and any(map(_has_roles, texts)):
            return "It holds role labels like “User:”: give the bare input and the bare output."
        if self.nested <= RARE and any(map(_NESTED.search, texts)):
            return "It holds a row as JSON: give the bare input and the bare output."
        if self.rows < ENOUGH:
            return ""
        forms = forms_of(text_out)
        for form, share in self.forms.items():
            if share >= USUAL and form not in forms:
                return f"The output holds no {form}; {share:.0%} of the data's outputs do."
        if "JSON" in forms and not self.forms.get("JSON"):
            return "The output is JSON; no output of the data is."
        return _wild("input", text_in, self.inputs) or _wild("output", text_out, self.outputs)


def format_of(samples: Sequence[Sample]) -> RowFormat:
    """The format of the given rows of a data set."""
    forms = Counter(form for sample in samples for form in forms_of(sample.output))
    texts = [(sample.input, sample.output) for sample in samples]
    count = max(1, len(samples))
    return RowFormat(
        rows=len(samples),
        inputs=_percentiles([len(sample.input) for sample in samples]),
        outputs=_percentiles([len(sample.output) for sample in samples]),
        forms={form: n / count for form, n in forms.most_common()},
        labelled=sum(any(map(_has_roles, both)) for both in texts) / count,
        nested=sum(any(map(_NESTED.search, both)) for both in texts) / count,
    )


def _has_roles(text: str) -> bool:
    """A label at the very start, or two different ones at the start of lines: one may be prose."""
    labels = {match.group(1).lower(): match.start() for match in _LABEL.finditer(text)}
    return len(labels) > 1 or 0 in labels.values()


def _percentiles(lengths: list[int]) -> tuple[int, int, int]:
    low, middle, high = np.percentile(lengths or [0], (5, 50, 95)).round().astype(int).tolist()
    return low, middle, high


def _lengths(name: str, lengths: tuple[int, int, int]) -> str:
    low, middle, high = lengths
    return f"{name}: {low:,} to {high:,} characters, mostly about {middle:,}."


def _wild(name: str, text: str, lengths: tuple[int, int, int]) -> str:
    low, _, high = lengths
    if low / WILD <= len(text) <= max(WILD * high, LEAST):
        return ""
    return f"The {name} has {len(text):,} characters; the data's have {low:,} to {high:,}."
