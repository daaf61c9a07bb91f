"""The report: the record round trip, and a page that hostile text cannot take over."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from goalcover.memory.records import (
    Agreement,
    Answer,
    Candidate,
    Evidence,
    FilterResult,
    Finding,
    Gap,
    Goal,
    LedgerEntry,
    PlanItem,
    Question,
    Recommendation,
    RowCounts,
    Specification,
    Subgoal,
    SynthesisOutcome,
    SynthesisPlan,
    Usage,
)
from goalcover.tools.coverage import coverage_of
from goalcover.tools.figures import draw_all
from goalcover.tools.report import Failure, HeatMap, Provenance, Report, write_html, write_json

HOSTILE = (
    "<script>alert(1)</script> <img src=http://evil.example/a onerror=x> \"'> </title></style> "
    "![x](https://evil.example/b.png) {{ 71117 * 3 }} {% raw %} <!-- &lt; javascript:x"
)


def report(text: str = HOSTILE, **changes: object) -> Report:
    subgoal = Subgoal(id="s", name=text, description=text)
    item = PlanItem(gap_id="g", subgoal_id="s", rows=2)
    row = Candidate(
        id="c", input=text, output=text, origin="model", score=0.8, explanation=text, sources=[text]
    )
    question = Question(id="q", dimension="d", text=text, reason=text, default=text)
    evidence = Evidence(row=0, sample_id="<b>", score=0.2, explanation=text, excerpt=text)
    means: dict[str, float | None] = {"s": 0.4}
    fields = {
        "run": "r1",
        "specification": Specification(
            goal=Goal(text=text), answers=[Answer(question=question, text=text, given=False)]
        ),
        "provenance": Provenance(
            version="0", judge=text, model=text, embedder=text, rubric=[text], tau=0.5, seed=0,
            data=text, cut_rule=text, verdict_rule=text, notes=[text, text],
        ),
        "rows": RowCounts(read=4, usable=3, format=text),
        "findings": [Finding(check="atomic", message=text)],
        "coverage": [coverage_of(subgoal, {0.2: 2, 0.8: 1, None: 1}, 0.5, 1)],
        "heat_map": HeatMap(topics=[text], shares=[1], subgoals=[text], values=[[0.4]], sampled=3),
        "gaps": [Gap(id="g", subgoal_id="s", name=text, description=text, prevalence=1.0, rows=1,
                     analysed=1, low=2, evidence=[evidence])],
        "recommendations": [
            Recommendation(gap_id="g", subgoal_id="s", action=text, rows_wanted=n,
                           suits_synthesis=True, reason=text) for n in (0, 3)],
        "plan": SynthesisPlan(items=[item], calls=1, tokens_in=1, tokens_out=1, cost_usd=0.5,
                              how=text, model=text, judge=text),
        "synthesis": [SynthesisOutcome(item=item, accepted=[row], rejected=[row], note=text)],
        "ledger": [LedgerEntry(subgoal_id="s", before=0.4, after=None, added=1, added_mean=None)],
        "filtered": FilterResult(rule=text, total=3, kept=1, means=means, random_means={"s": None},
                                 original_means=means, seed=0),
        "usage": [Usage(role=text, model=text, cost_usd=None)],
        "failures": [Failure(reason=text, pairs=1)],
        "audit": [Agreement(subgoal_id="s", rows=2, spearman=None, kappa=0.5, error=0.1,
                            shift=-0.1, shift_interval=(-0.2, 0.05))],
        "prices": {text: text},
        "files": {"rows": text},
    }  # fmt: skip
    return Report.model_validate(fields | changes)


class Page(HTMLParser):
    """Tags with their attributes, and the visible text, of an HTML file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def figures(tmp_path) -> dict[str, Path]:
    one = report("plain")
    return draw_all(one.coverage, one.heat_map, 0.5, tmp_path)


@pytest.fixture
def page(tmp_path, figures) -> Page:
    write_html(report(), figures, tmp_path / "report.html")
    return Page(tmp_path / "report.html")


def test_hostile_text_adds_no_tag_to_the_page(tmp_path, figures, page):
    write_html(report("plain"), figures, tmp_path / "plain.html")
    assert page.tags == Page(tmp_path / "plain.html").tags
    assert not {"script", "iframe", "link", "object", "base"} & {tag for tag, _ in page.tags}


def test_hostile_text_is_shown_as_it_is(page):
    assert page.text.count(HOSTILE) > 20
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
    assert "http" not in raw.replace("http-equiv", "").replace("http://evil.example/a", "").replace(
        "https://evil.example/b.png", ""
    )


def test_the_page_holds_its_figures(page):
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(images) == 3 and all(image.get("alt") for image in images)


def test_a_run_that_found_nothing_has_a_page(tmp_path, figures):
    nothing = report(
        "x", gaps=[], recommendations=[], plan=None, synthesis=[], ledger=[], findings=[], usage=[]
    )
    write_html(nothing, figures, tmp_path / "report.html")
    text = Page(tmp_path / "report.html").text
    assert "No row was synthesised" in text and "None: there is no gap" in text


def test_half_an_emoji_does_not_stop_the_page(tmp_path, figures):
    finding = Finding(check="atomic", message="half \ud83d, whole 😀")
    write_html(report("x", findings=[finding]), figures, tmp_path / "report.html")
    assert "half ?, whole 😀" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_record_is_read_as_it_was_written(tmp_path):
    one = report(HOSTILE + " \u2028 😀")
    write_json(one, tmp_path / "report.json")
    assert Report.model_validate_json((tmp_path / "report.json").read_text("utf-8")) == one
