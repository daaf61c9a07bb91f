"""What no page may show as anything but text, and how it is found there."""

import re

BIG = "A megabyte. " * 90_000
HOSTILE = (
    "<script>alert(1)</script><img src=http://evil.example/a.png onerror=x> "
    "![x](http://evil.example/b.png) [l](javascript:x) :material/home: **b** $x$ \u202eRTL\u2066 "
    "שלום \u2028line\u2029 🙂🏽 \x00 \"'> </details></div></style> {0} {} {name} '); alert(1); ('"
)

_TAG = re.compile(r"<\s*/?\s*([a-zA-Z][\w-]*)([^>]*)>")
OWN = {
    "article", "b", "blockquote", "br", "caption", "dd", "details", "div", "dl", "dt", "em", "h2",
    "h3", "li", "ol", "p", "section", "span", "strong", "summary", "table", "tbody", "td", "th",
    "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"class", "dir", "role", "tabindex", "aria-label", "scope", "colspan"}


def check(page: str) -> None:
    """Nothing but our own tags and attributes, each that is opened closed again, and nothing that
    cannot be sent."""
    page.encode("utf-8")
    assert "\x00" not in page
    opened: list[str] = []
    for whole in _TAG.finditer(page):
        name, rest = whole.groups()
        assert name in OWN, whole.group()
        for attribute in re.findall(r"([\w-]+)\s*=", re.sub(r"'[^']*'", "", rest)):
            assert attribute in ATTRIBUTES, whole.group()
        if name == "br":
            continue
        if whole.group().startswith("</"):
            assert opened and opened.pop() == name, whole.group()
        else:
            opened.append(name)
    assert opened == []
