"""The results of a finished session: its sections, and that reports are shown as text."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from answers import SUBGOALS, support_rows
from hostile import BIG, HOSTILE, check
from reports import gap, report
from streamlit.testing.v1 import AppTest

from goalcover.app.chat.results import about as about_view
from goalcover.app.chat.results import coverage as coverage_view
from goalcover.app.chat.results import gaps as gaps_view
from goalcover.app.chat.results import overlap as overlap_view
from goalcover.app.chat.results import results
from goalcover.graph import session
from goalcover.memory.errors import UserError
from goalcover.memory.records import Subgoal
from goalcover.tools import sentences
from goalcover.tools.embedded_model import HONESTY
from goalcover.tools.report import Report

PAGE = Path(results.__file__).parents[1] / "page.py"
NAMES = {"s": "Dosing", "t": "Red flags"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Report]]:
    """A home with a run that the command line could have made, and its report."""
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOALCOVER_HOME", str(folder / "home"))
        (folder / "rows.jsonl").write_text(support_rows(24))
        made = session.run(
            folder / "rows.jsonl",
            "Help with charges.",
            subgoals=[Subgoal.model_validate(one) for one in SUBGOALS],
            synthesize=0,
            out=str(folder / "out"),
        )
    yield folder / "home", made


@pytest.fixture
def page(finished: tuple[Path, Report], monkeypatch: pytest.MonkeyPatch) -> AppTest:
    home, made = finished
    monkeypatch.setenv("GOALCOVER_HOME", str(home))
    app = AppTest.from_file(str(PAGE), default_timeout=60)
    app.query_params["session"] = made.run
    return app.run()


def shown(app: AppTest) -> str:
    """All that is shown as HTML."""
    return "\n".join(str(one.proto.body) for one in app.get("html"))


def open_section(app: AppTest, run: str, name: str) -> AppTest:
    app.session_state[f"section-{run}"] = name
    return app.run()


def test_a_run_of_the_command_line_shows_every_section(
    page: AppTest, finished: tuple[Path, Report]
) -> None:
    made = finished[1]
    assert not page.exception
    assert sentences.lacking(made.coverage).replace("“", "") in shown(page).replace("“", "")
    assert HONESTY in shown(page)
    for c in made.coverage:
        assert c.subgoal.name in shown(page)
    for name, word in (("Gaps", "of the analysed low rows"), ("Rows", "24 of 24 scored rows"),
                       ("Overlap", "Correlations"), ("About", made.provenance.judge),
                       ("Questions", "Ask in the box below"), ("Downloads", "Files of this run"),
                       ("Synthetic rows", "row")):  # fmt: skip
        app = open_section(page, made.run, name)
        assert not app.exception, name
        assert word in shown(app), name


def test_a_gaps_rows_are_one_press_away(page: AppTest, finished: tuple[Path, Report]) -> None:
    made = finished[1]
    first = gaps_view.ordered(made)[0]
    app = open_section(page, made.run, "Gaps")
    app.button(key=f"gap-rows-{made.run}-{first.id}").click().run()
    assert not app.exception
    assert f"{len(first.members)} of 24 scored rows" in shown(app)
    assert app.session_state[f"section-{made.run}"] == "Rows"


def test_a_question_is_answered_and_kept(page: AppTest, finished: tuple[Path, Report]) -> None:
    made = finished[1]
    name = made.coverage[0].subgoal.name
    app = open_section(page, made.run, "Questions")
    app.chat_input(key=f"ask-{made.run}").set_value(f"Show the worst rows for {name}").run()
    assert not app.exception
    assert "Low rows" in shown(app) and "Judge on" in shown(app)
    again = AppTest.from_file(str(PAGE), default_timeout=60)
    again.query_params["session"] = made.run
    again.session_state[f"section-{made.run}"] = "Questions"
    again.run()
    assert "Low rows" in shown(again), "a reload shows it"


def test_a_report_is_read_again_once_it_has_changed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no report"):
        results.report_of(tmp_path, "r1")
    one = report("one")
    (tmp_path / "report.json").write_text(one.model_dump_json())
    assert results.report_of(tmp_path, "r1") == one
    assert results.report_of(tmp_path, "r1") is results.report_of(tmp_path, "r1")
    two = report("another one")
    (tmp_path / "report.json").write_text(two.model_dump_json())
    assert results.report_of(tmp_path, "r1") == two
    (tmp_path / "report.json").write_text('{"run": "r1"}')
    with pytest.raises(UserError, match="another version"):
        results.report_of(tmp_path, "r1")


def test_the_verdict_says_how_many_lack_rows_and_which() -> None:
    made = report("Dosing")
    enough, short = (made.coverage[0].model_copy(update={"verdict": v}) for v in ("enough", "thin"))
    unknown = short.model_copy(update={"verdict": "unknown"})
    say = sentences.lacking
    assert say([enough, short]) == "1 of 2 subgoals lacks supporting rows: “Dosing”."
    assert say([short, short]) == "2 of 2 subgoals lack supporting rows: “Dosing” and “Dosing”."
    assert say([enough]) == "All subgoals have the supporting rows they want."
    assert say([unknown]) == "There is no verdict on “Dosing”: too many judgements failed."
    notes = made.provenance.model_copy(update={"notes": [HONESTY]})
    assert HONESTY in results.verdict_html(made.model_copy(update={"provenance": notes}))
    assert HONESTY not in results.verdict_html(made)
    assert results.sections_of(made) == list(results.SECTIONS)
    assert "Overlap" not in results.sections_of(made.model_copy(update={"overlaps": []}))


def test_gaps_are_filtered_and_ordered_by_rank() -> None:
    made = report("x")
    wanted = (("a", "weak", "s"), ("b", "absent", "s"), ("g", "weak", "t"))
    gaps = [
        gap("a").model_copy(update={"id": i, "kind": kind, "subgoal_id": s})
        for i, kind, s in wanted
    ]
    made = made.model_copy(update={"gaps": gaps})
    ordered = gaps_view.ordered
    assert [g.id for g in ordered(made)] == ["g", "a", "b"], "that with rows to collect leads"
    assert [g.id for g in ordered(made, "s")] == ["a", "b"]
    assert [g.id for g in ordered(made, None, "weak")] == ["g", "a"]
    assert ordered(made, "t", "absent") == []


def _gap_card(made: Report) -> str:
    return str(gaps_view.gap_html(made.gaps[0], made.recommendations[-1], made, NAMES))


PARTS: dict[str, Callable[[Report], str]] = {
    "verdict": lambda made: str(results.verdict_html(made)),
    "coverage": lambda made: str(coverage_view.coverage_table(made.coverage)),
    "notes": lambda made: str(coverage_view.notes(made)),
    "distribution": lambda made: str(coverage_view.distribution_table(made.coverage)),
    "filter": lambda made: str(coverage_view.filter_html(made)),
    "gap": _gap_card,
    "overlap": lambda made: str(overlap_view.overlap_html(made)),
    "about": lambda made: str(about_view.about_html(made)),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_hostile_report_is_shown_as_text(part: str) -> None:
    page = PARTS[part](report(HOSTILE))
    check(page)
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("part", [part for part in PARTS if part != "about"])
def test_a_megabyte_in_every_place_is_cut(part: str) -> None:
    page = PARTS[part](_short_rules(report(BIG)))
    check(page)
    assert len(page) < 60_000


def _short_rules(made: Report) -> Report:
    """Rules and notes are the tool's own words."""
    own = {"verdict_rule": "r", "overlap_note": "n", "kind_note": "k", "overlap_rules": ["r"]}
    filtered = made.filtered.model_copy(update={"rule": "r", "how_diverse": "h"})
    return made.model_copy(
        update={"provenance": made.provenance.model_copy(update=own), "filtered": filtered}
    )


def test_a_gap_card_says_what_to_do_and_on_what_it_rests() -> None:
    page = _gap_card(report("Doses are not named"))
    for told in ("Badly shown", "100 % of the analysed low rows (1 of 1, a seeded sample of 2",
                 "What to do", "Rows to add", "3 for this gap", "judge on index 0", "score 0.2",
                 "2 of this gap support no subgoal, such as index 4, 7"):  # fmt: skip
        assert told in page
    made = report("x")
    none = str(gaps_view.advice_html(None, made))
    assert "Nothing is to be collected" in none


def test_subgoal_names_of_the_run_stand_in_no_markdown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole hostile session: nothing untrusted is in a label, an option or a caption."""
    texts = [f"{HOSTILE} {n} dose?" for n in range(12)]
    rows = [{"instruction": text, "output": f"{n} mg ![x](y)"} for n, text in enumerate(texts)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    name = "![pix](http://evil.example/c.png) **dose**"
    subgoals = [Subgoal(id="d", name=name, description=name)]
    subgoals.append(Subgoal(id="e", name=f"Other {name}", description="Tells of gardens."))
    made = session.run(tmp_path / "rows.jsonl", name, subgoals=subgoals, synthesize=0,
                       out=str(tmp_path / "out"))  # fmt: skip
    app = AppTest.from_file(str(PAGE), default_timeout=60)
    app.query_params["session"] = made.run
    app.run()
    for section in results.sections_of(made):
        app = open_section(app, made.run, section)
        assert not app.exception, section
        for told in [*app.markdown, *app.caption]:
            assert "evil" not in told.value.replace(r"evil\.example", ""), section
        for widget in [*app.button, *app.text_input, *app.selectbox, *app.slider]:
            assert "![" not in widget.label.replace(r"\!\[", ""), widget.label
