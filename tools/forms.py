"""Which forms an output takes: code, list, JSON, table."""

import json
import re
from itertools import pairwise

FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
"""A fenced block of Markdown, also one that is cut."""
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


def forms_of(output: str) -> list[str]:
    """Which of "JSON", "code", "list" and "table" an output holds."""
    if _is_json(output):
        return ["JSON"]
    bare = FENCE.sub("", output)
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


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False
