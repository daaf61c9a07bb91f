"""Whether a quote stands verbatim in a text."""

import re

LEAST, LETTERS = 2, 4
"""Fewer words, or letters of scripts that part no words by spaces, prove nothing."""

_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")

_PLAIN = str.maketrans("‘’‚“”„–—\u00a0", "'''\"\"\"-- ")
"""Typographic characters that models write for plain ones, one for one."""


def verbatim(quote: str, text: str) -> str | None:
    """The passage of `text` that a quote repeats, in one line; None where there is none.

    Case, spaces at line ends and typographic marks may differ, words may not. Quotes too
    short (LEAST, LETTERS), and marks around a quote, do not count.
    """
    line = " ".join(text.split())
    folded, said = _folded(line), _folded(quote)
    for bare in (said, said.strip("\"'").removesuffix("…").removesuffix("...").strip()):
        at = folded.find(bare)
        if at >= 0 and (len(bare.split()) >= LEAST or len(_UNSPACED.findall(bare)) >= LETTERS):
            return line[at : at + len(bare)]
    return None


def _folded(text: str) -> str:
    # Lower-casing by character, because some letters become two, and places would shift.
    line = " ".join(text.split()).translate(_PLAIN)
    return "".join(lower if len(lower := letter.lower()) == 1 else letter for letter in line)
