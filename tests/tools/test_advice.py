"""Recommendations as files: all of them, and no mark-up from what is in the data."""

import json

from reports import HOSTILE, report

from goalcover.tools.advice import as_markdown, as_records, write_advice


def test_both_files_hold_what_is_recommended(tmp_path):
    paths = write_advice(report("say"), tmp_path)
    text = paths["recommendations"].read_text()
    assert "## 1. say" in text
    assert "- **Rows to add**: 3 here; 3 for all gaps of the subgoal" in text
    assert "until it has enough; 1 make it thin." in text
    assert "2 of this gap support no subgoal (index 4, 7)" in text
    assert "## Nothing to collect\n\n- say." in text
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


def test_a_run_without_gaps_has_files_too():
    nothing = report("x", gaps=[], recommendations=[])
    assert "There is no gap." in as_markdown(nothing)
    assert as_records(nothing) == []
