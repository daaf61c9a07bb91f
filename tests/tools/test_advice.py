"""Recommendations as files: all of them, and no mark-up from what is in the data."""

import json

from reports import HOSTILE, report
from surveys import estimated

from goalcover.memory.records import Subgoal
from goalcover.tools.advice import as_markdown, as_records, write_advice
from goalcover.tools.coverage import coverage_of


def test_both_files_hold_what_is_recommended(tmp_path):
    paths = write_advice(report("say"), tmp_path)
    text = paths["recommendations"].read_text()
    assert "## 1. say" in text
    assert "- **Rows to add**: 3 for this gap, until it has enough" in text
    assert "2 of this gap support no subgoal (index 4, 7)" in text
    assert "Nothing to collect" not in text, "no verdict is known"
    found = json.loads(paths["recommendations_json"].read_text())
    assert [r["rows_wanted"] for r in found] == [0, 3]
    assert found[1]["gap"]["claims"][0]["quotes"][0]["text"] == "say"
    assert found[1]["subgoal"]["wanted"] == 2


def test_markdown_of_hostile_text_shows_it_and_does_nothing_else():
    text = as_markdown(report(HOSTILE))
    assert "<" not in text.replace("&lt;", "")
    assert "](" not in text.replace("\\]\\(", "")
    assert "![" not in text.replace("\\!\\[", "")
    assert "://" not in text.replace("\\://", "")


def test_what_has_enough_rows_is_listed_whatever_its_mean():
    names = ("s", "t")
    subgoals = [Subgoal(id=name, name=f"Skill {name}", description="d") for name in names]
    found = [coverage_of(subgoals[0], {1.0: 9}, 0.5, 2), coverage_of(subgoals[1], {0.0: 9}, 0.5, 2)]
    assert "## Nothing to collect\n\n- Skill s\n" in as_markdown(report("x", coverage=found))


def test_a_run_without_gaps_has_files_too():
    nothing = report("x", gaps=[], recommendations=[])
    assert "There is no gap." in as_markdown(nothing)
    assert as_records(nothing) == []


def test_what_is_estimated_is_no_count():
    subgoals = [Subgoal(id=name, name=f"Skill {name}", description="d") for name in ("s", "t")]
    found = [estimated(subgoals[0]), estimated(subgoals[1], share=0.205)]
    text = as_markdown(report("x", coverage=found))
    assert "Now thin: about 3,120 of 19,870 rows (14 % – 18 %) support it, 3974 are wanted." in text
    assert "- Skill t\n\nThe sample does not settle it for “Skill t” (perhaps thin)." in text
    assert "The supporting rows are estimated by a survey" in text
    kept = [one["subgoal"] for one in as_records(report("x", coverage=found))]
    assert {"share_interval", "interval", "possible"} <= kept[0].keys()
    counted = [one["subgoal"] for one in as_records(report("x"))]
    assert "possible" not in counted[0]
