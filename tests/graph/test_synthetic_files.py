"""The synthetic rows' two files: rows in the data's form, and where each comes from."""

import csv
import json
from pathlib import Path

from fake_server import FakeServer
from synthesising import GAP, RETURNS, Roles, box_of, item, run_loop

from goalcover.graph import synthetic_files
from goalcover.graph.state import State, replaced
from goalcover.graph.toolbox import Toolbox
from goalcover.memory.records import Score, SynthesisOutcome
from goalcover.memory.store import Store
from goalcover.tools.datasets import DataSource
from goalcover.tools.exporters import as_sample


async def test_rows_and_provenance_go_together(tmp_path: Path, store: Store) -> None:
    with FakeServer(Roles(["good", "good", "bad"])) as server:
        box = box_of(tmp_path, store, server, {"out": str(tmp_path)})
        outcome = await run_loop(box, item(3))
    before = Path(box.config.source.path).read_bytes()
    for index, row in enumerate(outcome.accepted):
        sample = as_sample(index, row)
        store.scores.join(box.synthetic_run, [sample])
        store.scores.put(box.judge.judge, sample.hash, {RETURNS.hash: Score(value=0.8)})
    state: State = {"synthesis": [outcome], "subgoals": [RETURNS]}
    files = synthetic_files.write(state, box)
    rows = [json.loads(line) for line in files["synthetic"].read_text().splitlines()]
    assert rows == [{"prompt": c.input, "completion": c.output} for c in outcome.accepted]
    told = [json.loads(line) for line in files["provenance"].read_text().splitlines()]
    assert [one["line"] for one in told] == [1, 2, 3]
    for one, row in zip(told, outcome.accepted, strict=True):
        assert (one["gap"], one["subgoal"], one["id"]) == (GAP.id, "returns", row.id)
        assert one["alignment"] == {"returns": 0.8} and one["score"] == 1.0
        assert one["generator"].startswith("writer at ") and one["judge"] == box.judge.judge
        assert one["cell"]["difficulty"] == "basic" and one["explanations"]["format"]
    assert [one["round"] for one in told] == [1, 1, 2]
    assert Path(box.config.source.path).read_bytes() == before

    assert synthetic_files.write({"synthesis": [], "subgoals": [RETURNS]}, box) == {}
    assert not files["synthetic"].exists(), "of an earlier run into the same folder"


async def test_rows_of_a_table_are_written_as_one(tmp_path: Path, store: Store) -> None:
    with FakeServer(Roles(["good"])) as server:
        box = box_of(tmp_path, store, server, {"out": str(tmp_path)})
        outcome = await run_loop(box, item(1))
        data = tmp_path / "data.csv"
        data.write_text("prompt,completion\nHow?,So.\n")
        source = DataSource(path=str(data))
        config = box.config.model_copy(update={"source": source})
        box = Toolbox("run", config, tmp_path, store)
        files = synthetic_files.write({"synthesis": [outcome], "subgoals": [RETURNS]}, box)
    assert files["synthetic"].suffix == ".csv"
    (row,) = outcome.accepted
    with files["synthetic"].open(newline="") as file:
        assert [*csv.DictReader(file)] == [{"prompt": row.input, "completion": row.output}]


def test_an_outcome_takes_the_place_of_that_of_the_same_gap() -> None:
    one, two = (SynthesisOutcome(item=item(rows)) for rows in (1, 2))
    other = SynthesisOutcome(item=item(3).model_copy(update={"gap_id": "other"}))
    assert replaced([one, other], [two]) == [two, other]
    assert replaced([], [one, other]) == [one, other]
