"""The report: the record round trip, and a page that hostile text cannot take over."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from reports import HOSTILE, overlap, report
from surveys import FEW, FORETOLD, TOOK, estimated, survey

from goalcover.memory.records import Contract, Finding, RowCounts, Standing
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


def test_rows_that_a_person_moved_are_told_apart(tmp_path, figures):
    text = words(tmp_path, figures, report("x"))
    assert "By hand: 1 row accepted and 1 dropped." in text and "dropped by hand: 1" in text
    assert text.count("· accepted by hand") == 1


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


def surveyed(text: str, **changes: object) -> Report:
    """A report by survey: the second subgoal's predictions are of no use, and it is not settled."""
    subgoals = [c.subgoal for c in report(text).coverage]
    subgoals[1].target_share = None
    coverage = [
        estimated(subgoals[0], warning=FEW),
        estimated(subgoals[1], share=0.205, weight=0),
    ]
    fields = {
        "coverage": coverage, "survey": survey(ended=text, how=[text]), "foretold": FORETOLD,
        "scoring": TOOK, "scoring_seconds": 88.0, "rows": RowCounts(read=20_022, usable=20_000),
    }  # fmt: skip
    return report(text, **(fields | changes))


def test_a_survey_says_what_was_judged_and_how_sure_it_is(tmp_path, figures):
    text = words(tmp_path, figures, surveyed("x"))
    assert "20,000 rows of x surveyed against 2 subgoals." in text
    assert "1 of 2 lack supporting rows" in text
    assert "For 1 the sample does not settle the verdict." in text
    assert "A survey: 412 of 20,000 rows were judged, drawn at random;" in text
    assert "thin about 3,120 of 19,870 14 % – 18 % 3,974 0.310 below τ" in text
    assert "0.281 – 0.339 ± 0.029, few rows" in text
    assert "enough, perhaps thin about 4,070 of 19,870 18 % – 22 % 3,974" in text
    assert "does not settle it for “x.” (perhaps thin)." in text
    assert "of the 412 of 20,000 rows that were judged." in text
    assert "The means mix judged and predicted rows." in text
    assert "20,000 with an output, 412 of 20,000 of them judged as the sample" in text
    assert "0 of 824 pairs of the sample" in text


def test_how_a_surveys_figures_were_estimated(tmp_path, figures):
    text = words(tmp_path, figures, surveyed("x"))
    part = text[text.index("How the figures were estimated", 1500) :]
    assert "472 calls: 0.6 % of the 80,000" in part and "after 100, 200 and 412 rows" in part
    assert "x 65 judged rows of the sample support it Only 6 judged rows support it" in part
    assert "A(s) 0.310 ± 0.029 ± 0.044 0.61 0.90 412 of 20,000" in part
    helpless = "predictions did not help: the classical interval 0.205 ± 0.020 ± 0.020 0.02 0.00"
    assert helpless in part
    assert "foretold 480 312,000 96,000 0.31 USD 0:01:35" in part
    assert "actual 472 299,120 90,400 0.27 USD 0:01:28" in part
    assert "60 of the rows that are predicted low were judged for their explanations" in part
    assert "The supporting rows are estimated by a survey" in part
    assert "Before is as the survey estimates it." in part


def test_a_filter_by_predictions_says_so(tmp_path, figures):
    result = report("x").filtered
    mixed = result.model_copy(update={"unjudged": 20, "predicted": 7, "open": 2})
    text = words(tmp_path, figures, surveyed("x", filtered=mixed))
    assert "7 of the kept rows were not judged but predicted" in text and "2 predicted rows" in text


def test_a_survey_that_judged_all_rows_estimates_nothing(tmp_path, figures):
    whole = surveyed(
        "x", survey=survey(rows=3, sampled=3, looks=[], explained=0), coverage=report("x").coverage
    )
    text = words(tmp_path, figures, whole)
    assert "A survey: all 3 rows were judged: nothing is predicted." in text
    assert "mix judged and predicted" not in text and "Low rows are judged rows" not in text
    assert "R²" not in text and "estimated by a survey" not in text


def test_hostile_text_adds_no_tag_to_the_page_of_a_survey(tmp_path, figures):
    write_html(surveyed(HOSTILE), figures, tmp_path / "hostile.html")
    write_html(surveyed("plain"), figures, tmp_path / "plain.html")
    assert Page(tmp_path / "hostile.html").tags == Page(tmp_path / "plain.html").tags


def test_without_a_survey_nothing_is_said_of_one(page):
    assert not re.search(r"survey|predicted|estimated|about \d|±", page.words)


def test_what_was_foretold_is_said_without_a_survey_too(tmp_path, figures):
    text = words(tmp_path, figures, report("x", foretold=FORETOLD, scoring=TOOK))
    assert "foretold 480 312,000 96,000 0.31 USD 0:01:35 actual 472" in text and "USD – " in text


def test_a_report_of_an_earlier_version_is_read():
    kept = report("x").model_dump(mode="json")
    for name in ("survey", "foretold", "scoring", "scoring_seconds"):
        del kept[name]
    for one in kept["coverage"]:
        del one["estimate"], one["possible"]
    for name in ("predicted", "unjudged", "open"):
        del kept["filtered"][name]
    assert Report.model_validate(kept).survey is None


def test_a_report_by_survey_is_read_as_it_was_written(tmp_path):
    one = surveyed("x")
    write_json(one, tmp_path / "report.json")
    assert Report.model_validate_json((tmp_path / "report.json").read_text("utf-8")) == one
