"""The report: the record round trip, and a page that hostile text cannot take over."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from goalcover.memory.records import (
    Agreement,
    Answer,
    Candidate,
    ClauseCover,
    Contract,
    DataProfile,
    DataTopic,
    Draft,
    Evidence,
    Example,
    FilterResult,
    Finding,
    Gap,
    Goal,
    LedgerEntry,
    OddRow,
    Overlap,
    OverlapRow,
    PlanItem,
    Probe,
    Question,
    Recommendation,
    RowCounts,
    Specification,
    Standing,
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


def contract(text: str) -> Contract:
    """Each kind of finding, clause and probe that the page tells apart."""
    row = Example(input=text, output=text)
    finding = Finding(
        id="f", check="disjoint", subgoal_ids=["s", "t", text], clause=text, message=text,
        evidence=[text],
    )  # fmt: skip
    return Contract(
        findings=[finding, finding.model_copy(update={"overruled": text})],
        matrix=[
            ClauseCover(id="c", field=text, text=text, subgoal_ids=["s", text]),
            ClauseCover(id="d", field="language", text=text, qualifies=True),
            ClauseCover(id="e", field="goal", text=text),
        ],
        probes=[
            Probe(fits="s", not_fits="t", row=row, shown_by=["s"], note=text),
            Probe(fits="s", not_fits="t", row=row, shown_by=["s", "t"]),
            Probe(fits="t", not_fits=text, note=text),
        ],
        how=[text],
    )


def profile(text: str) -> DataProfile:
    return DataProfile(
        read=4, looked_at=4, embedded=3, format=text, input_lengths=(1, 2, 3),
        output_lengths=(1, 2, 3), languages={text: 1.0}, forms={"code": 0.5}, copies=1,
        topics=[DataTopic(name=text, share=1.0, example=Example(input=text, output=text))],
        odd=[OddRow(row=1, reason=text, excerpt=text)], how=text,
    )  # fmt: skip


def overlap(text: str, **changes: object) -> Overlap:
    row = OverlapRow(row=1, first=0.8, second=0.2, excerpt=text)
    fields = {
        "first": "s", "second": "t", "rows": 60, "correlation": 0.9, "interval": (0.8, 0.95),
        "both": 20, "first_only": 1, "second_only": 2, "together": True, "examples": [row],
        "parting": [row],
    }  # fmt: skip
    return Overlap.model_validate(fields | changes)


def report(text: str = HOSTILE, **changes: object) -> Report:
    row = Example(input=text, output=text)
    subgoals = [
        Subgoal(id="s", name=text, description=text, counts=text, does_not_count=text, example=row),
        Subgoal(id="t", name=text + ".", description=text, target_share=0.5),
    ]
    item = PlanItem(gap_id="g", subgoal_id="s", rows=2)
    candidate = Candidate(
        id="c", input=text, output=text, origin="model", score=0.8, explanation=text, sources=[text]
    )
    question = Question(id="q", dimension="d", text=text, reason=text, default=text)
    evidence = Evidence(row=0, sample_id="<b>", score=0.2, explanation=text, excerpt=text)
    means: dict[str, float | None] = {"s": 0.4, "t": None}
    settled = {field: [text, text] for field in Draft.model_fields}
    within = {"both": 20, "first_only": 0, "second_only": 30, "together": False, "rows": 400}
    fields = {
        "run": "r1",
        "specification": Specification(
            goal=Goal(text=text, domain=text, task=text), open_points=[text], ended=text,
            based_on=text, answers=[Answer(question=question, text=text, given=False)], **settled,
        ),
        "provenance": Provenance(
            version="0", judge=text, model=text, embedder=text, rubric=[text], tau=0.5, seed=0,
            data=text, cut_rule=text, verdict_rule=text, overlap_rules=[text], overlap_note=text,
            notes=[text, text],
        ),
        "rows": RowCounts(read=4, usable=3, format=text),
        "contract": contract(text),
        "profile": profile(text),
        "coverage": [coverage_of(s, {0.2: 2, 0.8: 1, None: 1}, 0.5, 1) for s in subgoals],
        "heat_map": HeatMap(topics=[text], shares=[1], subgoals=[text, text],
                            values=[[0.4], [None]], sampled=3),
        "overlaps": [overlap(text), overlap(text, **within), overlap(text, correlation=None,
                     interval=None, both=0, first_only=0, together=False)],
        "standing": [Standing(subgoal_id="s", supporting=20, parted=1, apart=False),
                     Standing(subgoal_id="t", supporting=20, parted=9, apart=True)],
        "gaps": [Gap(id="g", subgoal_id="s", name=text, description=text, prevalence=1.0, rows=1,
                     analysed=1, low=2, evidence=[evidence])],
        "recommendations": [
            Recommendation(gap_id="g", subgoal_id="s", action=text, rows_wanted=n,
                           suits_synthesis=True, reason=text) for n in (0, 3)],
        "plan": SynthesisPlan(items=[item], calls=1, tokens_in=1, tokens_out=1, cost_usd=0.5,
                              how=text, model=text, judge=text),
        "synthesis": [SynthesisOutcome(item=item, accepted=[candidate], rejected=[candidate],
                                       note=text)],
        "ledger": [LedgerEntry(subgoal_id="s", before=0.4, after=None, added=1, added_mean=None)],
        "filtered": FilterResult(rule=text, total=3, kept=1, means=means, random_means=means,
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
        "x", gaps=[], recommendations=[], plan=None, synthesis=[], ledger=[], usage=[],
        contract=Contract(), profile=None, overlaps=[], standing=[],
    )  # fmt: skip
    text = words(tmp_path, figures, nothing)
    assert "No row was synthesised" in text and "None: there is no gap" in text
    assert "The subgoals were not checked." in text
    assert "Overlap" not in text and "The data" not in text


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
