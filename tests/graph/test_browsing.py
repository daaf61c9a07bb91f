"""Leafing through the rows of a finished run: what is found, in which order, and how it is told."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reports
from answers import SUBGOALS, answer, support_rows
from fake_server import FakeServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judging import THREE

from goalcover.graph import session
from goalcover.graph.browsing import RowPage, RowQuery, browse, row_of
from goalcover.memory.errors import UserError
from goalcover.memory.records import Score, Subgoal
from goalcover.memory.store import open_store
from goalcover.tools.coverage import coverage_of
from goalcover.tools.datasets import load
from goalcover.tools.exporters import write_rows
from goalcover.tools.report import write_json
from goalcover.tools.settings import home

ROWS, KEPT, GAP = 40, [0, 2, 12, 39], [1, 2, 3, 30]
EMPTY = 7
IDS = [subgoal.id for subgoal in THREE]
COPIES = {4: 2, 5: 2}
"""Rows that are word for word an earlier one."""


def score_of(row: int, column: int) -> tuple[float | None, str]:
    """A value and its source: judged, predicted, failed, failed but predicted, or none."""
    row = COPIES.get(row, row)
    kind = ["judged", "judged", "predicted", "failed", "both", "none"][(row + column) % 6]
    value = round(((row * 7 + column * 3) % 6) / 5, 1)
    return (None if kind in ("failed", "none") else value), kind


def scored_run(folder: Path) -> str:
    """A finished run of ROWS rows, written by the store."""
    texts = [f"Was ist mit Nr. {COPIES.get(i, i)}? {'Straße' * (i == 9)}" for i in range(ROWS)]
    rows = [
        {"prompt": text, "completion": "" if i == EMPTY else f"{'long ' * 50 * (i == 8)}ok"}
        for i, text in enumerate(texts)
    ]
    data, out = folder / "rows.jsonl", folder / "out"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = session.configure(data, "A goal.", subgoals=THREE, out=str(out))
    config.source.max_chars = 120
    run_id = session.new_run(config)
    table = load(config.source, home() / "datasets")
    samples = [sample for sample in table if sample]
    with open_store(home()) as store:
        store.scores.join(run_id, samples)
        for sample in samples:
            for column, subgoal in enumerate(THREE):
                value, kind = score_of(sample.index, column)
                said = f"Row {COPIES.get(sample.index, sample.index)} on {subgoal.id}."
                judged = Score(value=value, explanation=said)
                if kind != "judged":
                    judged = Score(error="no whole reply")
                if kind in ("judged", "failed", "both"):
                    store.scores.put("the judge", sample.hash, {subgoal.hash: judged})
                if kind in ("predicted", "both"):
                    at = np.array([value])
                    store.predictions.put(
                        run_id, subgoal.hash, [sample.index], at, at - 0.1, at + 0.1, at
                    )
    write_rows(table, KEPT, out / "filtered.jsonl")
    report = reports.report(
        "x", run=run_id, coverage=[coverage_of(s, {0.2: 2}, 0.5, 1) for s in THREE],
        files={"filtered": str(out / "filtered.jsonl")},
    )  # fmt: skip
    report.provenance.judge = "the judge"
    report.filtered.kept = len(KEPT)
    report.gaps[0].members = GAP
    write_json(report, out / "report.json")
    return run_id


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home and the run in it, which tests only look at."""
    folder = tmp_path_factory.mktemp("browsing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOALCOVER_HOME", str(folder / "home"))
        return folder / "home", scored_run(folder)


@pytest.fixture
def run_id(shared: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> str:
    place, run_id = shared
    monkeypatch.setenv("GOALCOVER_HOME", str(place))
    return run_id


def found(run_id: str, **query: Any) -> list[int]:
    return [row.row for row in page(run_id, **query).rows]


def page(run_id: str, **query: Any) -> RowPage:
    return browse(run_id, RowQuery(**{"size": 100, **query}))


SOURCES = {
    "all": {"judged", "predicted", "failed", "both", "none"},
    "judged": {"judged"},
    "predicted": {"predicted", "both"},
    "failed": {"failed", "both"},
}
CELLS = {i: [score_of(i, c) for c in range(3)] for i in range(ROWS) if i != EMPTY}


def expected(query: RowQuery) -> list[int]:
    """The same by brute force."""
    rows = []
    for row, cells in CELLS.items():
        chosen = cells if query.subgoal is None else [cells[IDS.index(query.subgoal)]]
        fits = any(kind in SOURCES[query.source] for _, kind in chosen)
        if query.subgoal and (query.least is not None or query.most is not None):
            value = chosen[0][0]
            low, high = query.least or 0.0, 1.0 if query.most is None else query.most
            fits = fits and value is not None and low <= value <= high
        fits = fits and (query.kept == "all" or (row in KEPT) == (query.kept == "kept"))
        if fits and (query.gap is None or row in GAP):
            rows.append(row)
    if query.subgoal and query.order != "row":
        sign, column = (1 if query.order == "lowest" else -1), IDS.index(query.subgoal)

        def place(row: int) -> tuple[bool, float, int]:
            value = CELLS[row][column][0]
            return value is None, sign * (value or 0.0), row

        rows.sort(key=place)
    return rows


VALUES = st.sampled_from([None, 0.0, 0.2, 0.5, 0.6, 1.0])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    subgoal=st.sampled_from(IDS), ends=st.tuples(VALUES, VALUES), gap=st.sampled_from([None, "g"]),
    source=st.sampled_from([*SOURCES]), kept=st.sampled_from(["all", "kept", "left out"]),
    order=st.sampled_from(["row", "lowest", "highest"]), number=st.integers(0, 3),
)  # fmt: skip
def test_all_conditions_hold_at_once_on_every_page(
    run_id: str, subgoal: str, ends: tuple[float | None, float | None], gap: str | None,
    source: Any, kept: Any, order: Any, number: int,
) -> None:  # fmt: skip
    least, most = ends
    if least is not None and most is not None:
        least, most = min(least, most), max(least, most)
    query = RowQuery(
        subgoal=subgoal, least=least, most=most, gap=gap, source=source, kept=kept, order=order,
        page=number, size=7,
    )  # fmt: skip
    given = browse(run_id, query)
    wanted = expected(query)
    assert given.total == len(wanted) and given.of == ROWS - 1
    assert [row.row for row in given.rows] == wanted[7 * number :][:7]


@pytest.mark.parametrize("source", [*SOURCES])
def test_without_a_subgoal_the_source_of_any_counts(run_id: str, source: Any) -> None:
    assert found(run_id, source=source) == expected(RowQuery(source=source))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("NR. 12?", [12]),
        ("strasse", [9]),
        ("straße", [9]),
        ("Row 2 on dosing", []),
        ("row 2 ON risks", []),
        ("row 6 on risks", [6]),
        ("nowhere", []),
        ("%", []),
    ],
)
def test_text_is_looked_for_in_rows_and_explanations(
    run_id: str, text: str, rows: list[int]
) -> None:
    assert found(run_id, text=text) == rows


def test_words_that_the_judge_did_not_see_are_found_too(run_id: str) -> None:
    assert found(run_id, text="long " * 50) == [8]
    (shown,) = page(run_id, text="long " * 50).rows
    assert "characters left out" in shown.output and shown.cut > 0
    whole = row_of(run_id, 8)
    assert whole.output == "long " * 50 + "ok" and whole.cut == shown.cut
    assert whole.scores == shown.scores


def test_scores_say_where_they_come_from(run_id: str) -> None:
    shown = {row.row: row for row in page(run_id).rows}
    kinds = {kind: (row, IDS[c]) for row, cells in CELLS.items() for c, (_, kind) in
             enumerate(cells)}  # fmt: skip
    scores = {kind: shown[row].scores.get(name) for kind, (row, name) in kinds.items()}
    judged, predicted, both, failed = (scores[k] for k in ("judged", "predicted", "both", "failed"))
    assert judged and judged.source == "judged" and judged.explanation.startswith("Row")
    assert predicted and predicted.source == "predicted" and predicted.interval
    assert both and both.value is not None and both.error == "no whole reply"
    assert failed and failed.value is None and failed.error == "no whole reply"
    assert scores["none"] is None


def test_of_rows_that_are_word_for_word_the_same_the_first_was_kept(run_id: str) -> None:
    assert found(run_id, kept="kept") == KEPT
    assert {4, 5} < set(found(run_id, kept="left out"))


def test_how_it_was_searched_is_told(run_id: str) -> None:
    told = page(
        run_id, text="row", subgoal="dosing", least=0.2, source="judged", kept="left out", gap="g",
        order="lowest",
    ).searched  # fmt: skip
    for part in (
        "of 39 scored rows", "“row”", "Dosing lies from 0.20 to 1.00", "a judgement",
        "left out by the filter", "filtered.jsonl", "gap g", "lowest of Dosing",
    ):  # fmt: skip
        assert part in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"subgoal": "other"}, "no subgoal other. It has: dosing, risks and referral"),
        ({"gap": "other"}, "no gap other"),
        ({"least": 0.5}, "say which"),
        ({"order": "lowest"}, "say which"),
        ({"subgoal": "dosing", "least": 0.5, "most": 0.4}, "at least 0.5 and at most 0.4"),
    ],
)
def test_a_query_without_sense_is_an_error(run_id: str, query: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        page(run_id, **query)


@pytest.mark.parametrize("row", [EMPTY, ROWS, -1])
def test_a_row_that_was_not_scored_is_an_error(run_id: str, row: int) -> None:
    with pytest.raises(UserError, match=f"no row {row}"):
        row_of(run_id, row)


def test_an_unknown_or_unfinished_run_is_an_error(tmp_path: Path) -> None:
    run_id = scored_run(tmp_path)
    with pytest.raises(UserError, match="no run other"):
        page("other")
    (tmp_path / "out" / "report.json").unlink()
    with pytest.raises(UserError, match="no report"):
        page(run_id)


def test_what_has_changed_since_is_not_taken_for_the_runs(tmp_path: Path) -> None:
    run_id = scored_run(tmp_path)
    assert found(run_id)
    filtered = tmp_path / "out" / "filtered.jsonl"
    filtered.write_text(filtered.read_text().replace("Nr. 12", "Nr. 1200"))
    with pytest.raises(UserError, match=r"filtered\.jsonl is not as the run wrote it"):
        page(run_id, kept="kept")
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    with pytest.raises(UserError, match="not the file that run"):
        page(run_id)


def test_rows_can_be_browsed_while_another_writes(tmp_path: Path) -> None:
    run_id = scored_run(tmp_path)
    with open_store(home()) as store, store.transaction():
        store.runs.mark(run_id, "running")
        assert found(run_id, text="Nr. 12?") == [12]


def test_a_run_of_the_graph_is_browsed_as_it_was_filtered(tmp_path: Path) -> None:
    data = tmp_path / "support.jsonl"
    data.write_text(support_rows(12))
    with FakeServer(answer) as server:
        report = session.run(
            data, "Help customers.", model="m", base_url=server.base_url, synthesize=0,
            subgoals=[Subgoal.model_validate(given) for given in SUBGOALS],
            out=str(tmp_path / "results"),
        )  # fmt: skip
    kept = page(report.run, kept="kept").rows
    assert len(kept) == report.filtered.kept > 0
    written = (tmp_path / "results" / "filtered.jsonl").read_text()
    lines = data.read_text().splitlines(keepends=True)
    assert written == "".join(lines[row.row] for row in kept)
    best = [max(score.value or 0 for score in row.scores.values()) for row in kept]
    assert min(best) >= 0.6
    gap = report.gaps[0]
    assert found(report.run, gap=gap.id) == sorted(gap.members)
