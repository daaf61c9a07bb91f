"""Untrusted text as Markdown that shows it and does nothing else."""

import html
import re

# A parenthesis means something after a bracket only.
_SPECIAL = re.compile(r"([\\`*_\[\]#!|~$@]|(?<=\])\()")


def plain(text: str) -> str:
    """One line of text in which Markdown and HTML mean nothing, and no address is made a link."""
    line = html.escape(" ".join(text.split()), quote=False)
    line = _SPECIAL.sub(r"\\\1", line)
    return re.sub(r"(?i)\bwww\.", lambda m: m.group()[:-1] + "\\.", line.replace("://", "\\://"))
