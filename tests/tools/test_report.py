"""The report: the record round trip, and a page that hostile text cannot take over."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from reports import HOSTILE, overlap, report

from goalcover.memory.records import Contract, Finding, Standing
from goalcover.tools.figures import draw_all
from goalcover.tools.report import Report, write_html, write_json


class Page(HTMLParser):
    """Tags with their attributes, and the visible text, of an HTML file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.parts: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.parts)

    @property
    def words(self) -> str:
        """All text on one line, parts of different tags apart."""
        return " ".join(" ".join(self.parts).split())


@pytest.fixture
def figures(tmp_path) -> dict[str, Path]:
    one = report("plain")
    return draw_all(one.coverage, one.heat_map, one.overlaps, 0.5, tmp_path)


@pytest.fixture
def page(tmp_path, figures) -> Page:
    write_html(report(), figures, tmp_path / "report.html")
    return Page(tmp_path / "report.html")


def test_hostile_text_adds_no_tag_to_the_page(tmp_path, figures, page):
    write_html(report("plain"), figures, tmp_path / "plain.html")
    assert page.tags == Page(tmp_path / "plain.html").tags
    assert not {"script", "iframe", "link", "object", "base"} & {tag for tag, _ in page.tags}


def test_hostile_text_is_shown_as_it_is(page):
    assert page.text.count(HOSTILE) > 100
    assert "213351" not in page.text, "no template of theirs is run"


def test_the_page_fetches_nothing(tmp_path, page):
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "srcset", "action", "data"):
            target = attributes.get(name)
            assert target is None or target.startswith(("#", "data:image/png;base64,")), tag
    raw = (tmp_path / "report.html").read_text()
    style = raw[raw.index("<style>") : raw.index("</style>")]
    assert "url(" not in style and "@import" not in style
    policy = [a.get("content") or "" for t, a in page.tags if t == "meta" and "http-equiv" in a]
    assert any("default-src 'none'" in content for content in policy)
    # Excerpts are cut anywhere, also within the hostile addresses.
    assert "http" not in re.sub(r"http-equiv|https?://evil\.example/\S*", "", raw)


def test_the_page_holds_its_figures(page):
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(images) == 4 and all(image.get("alt") for image in images)


def words(tmp_path: Path, figures: dict[str, Path], one: Report) -> str:
    write_html(one, figures, tmp_path / "report.html")
    return Page(tmp_path / "report.html").words


def test_a_run_that_found_nothing_has_a_page(tmp_path, figures):
    del figures["correlations"]
    nothing = report(
        "x", gaps=[], analyses=[], recommendations=[], plan=None, synthesis=[], ledger=[], usage=[],
        contract=Contract(), profile=None, overlaps=[], standing=[],
    )  # fmt: skip
    text = words(tmp_path, figures, nothing)
    assert "No row was synthesised" in text and "None: there is no gap" in text
    assert "The subgoals were not checked." in text
    assert "Overlap" not in text and "The data" not in text


def test_gaps_and_what_to_do_in_words(tmp_path, figures):
    text = words(tmp_path, figures, report("x"))
    assert "Badly shown: these rows call for it and fall short. 100 % of the analysed" in text
    assert "“x” judge on index 0" in text and "“x” in index 0" in text
    assert "0.90 (0.75)" in text and "adjusted Rand index" in text
    assert "3 for this gap, until it has enough beside the rows added for other subgoals" in text
    assert "1 alone would make it thin; 4 in all beside the rows that the filter keeps." in text
    assert "2 of this gap support no subgoal, such as index 4, 7 (counted from 0)." in text
    assert "Nothing to collect for “x”, “x” and “x.”" not in text
    assert "1 of 2" in text and "says nothing of skill" in text
    assert "1 below the bar; a call failed: x" in text
    assert "1 groups (4 candidates)" not in text and "1 group (4 candidates)" in text
    assert "Near-duplicates count as one row: 1 of the 3 rows" in text


def test_the_contract_in_words(tmp_path, figures):
    text = words(tmp_path, figures, report("x"))
    assert "1 finding of the checks stands open" in text
    assert "Not disjoint: “x”, “x.” and “x”" in text and "overruled: x" in text
    assert "x Language applies to every row x Goal nothing" in text
    assert "Probes: 1 of 3 rows" in text and "No row was written." in text
    assert "Found to show “x” and “x.”: not as intended" in text
    assert "Still open x" in text and "the approved subgoals of run x" in text


def test_the_overlap_in_words(tmp_path, figures):
    text = words(tmp_path, figures, report("x"))
    assert "1 pair of subgoals goes together in this data" in text
    assert "20 rows support both, 1 only “x”, 2 only “x.”." in text
    assert "“x” lies within “x.” 20 of the 20 rows" in text
    assert "The data does not tell “x” apart from the goal as a whole" in text
    assert "For 1 of the 3 pairs nothing can be said" in text


def test_pairs_that_do_not_go_together(tmp_path, figures):
    apart = overlap("x", together=False, both=5, first_only=20, second_only=20)
    standing = [Standing(subgoal_id="s", supporting=45, parted=40, apart=True)]
    text = words(tmp_path, figures, report("x", overlaps=[apart], standing=standing))
    assert "No two subgoals go together in this data." in text
    assert "No subgoal is found to be the same as the goal as a whole." in text
    assert "nothing can be said" not in text


def test_half_an_emoji_does_not_stop_the_page(tmp_path, figures):
    finding = Finding(id="f", check="atomic", message="half \ud83d, whole 😀")
    text = words(tmp_path, figures, report("x", contract=Contract(findings=[finding])))
    assert "half ?, whole 😀" in text


def test_the_record_is_read_as_it_was_written(tmp_path):
    one = report(HOSTILE + " \u2028 😀")
    write_json(one, tmp_path / "report.json")
    assert Report.model_validate_json((tmp_path / "report.json").read_text("utf-8")) == one
