"""Whether a quote stands verbatim in a text."""

LEAST = 2
"""Fewer words prove nothing."""

_PLAIN = str.maketrans("‘’‚“”„–—\u00a0", "'''\"\"\"-- ")
"""Typographic characters that models write for plain ones, one for one."""


def verbatim(quote: str, text: str) -> str | None:
    """The passage of `text` that a quote repeats, in one line; None where there is none.

    Case, spaces at line ends and typographic marks may differ, words may not. Quotes of fewer than
    LEAST words, and marks around a quote, do not count.
    """
    line = " ".join(text.split())
    folded, said = _folded(line), _folded(quote)
    for bare in (said, said.strip("\"'").removesuffix("…").removesuffix("...").strip()):
        at = folded.find(bare)
        if at >= 0 and len(bare.split()) >= LEAST:
            return line[at : at + len(bare)]
    return None


def _folded(text: str) -> str:
    # Lower-casing by character, because some letters become two, and places would shift.
    line = " ".join(text.split()).translate(_PLAIN)
    return "".join(lower if len(lower := letter.lower()) == 1 else letter for letter in line)
