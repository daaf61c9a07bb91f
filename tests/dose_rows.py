"""A small file of rows about doses and bread, and its scores by the embedded judge."""

import json
from pathlib import Path

from goalcover.memory.records import Coverage, Goal, RowCounts, Subgoal
from goalcover.tools.datasets import DataSource
from goalcover.tools.scoring import score_file
from goalcover.tools.settings import RunConfig

DOSE = Subgoal(id="dose", name="Drug dosage", description="States the dosage of a drug.")
ROWS = [
    {"id": "r1", "prompt": "What dosage of the drug?", "completion": "The dosage is 5 mg a day."},
    {"id": "r2", "prompt": "How to bake bread?", "completion": "Knead, wait, bake."},
    {"id": "r3", "prompt": "Empty?", "completion": " "},
    {"id": "r4", "prompt": "Half \ud83d an emoji", "completion": "Bread \ud83d again."},
]


def written(path: Path) -> DataSource:
    """The rows in a file, and a line that is no row."""
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS) + "no json\n")
    return DataSource(path=str(path), skip_bad_rows=True)


async def scored(source: DataSource, out: Path) -> tuple[RowCounts, list[Coverage]]:
    config = RunConfig(source=source, goal=Goal(text="g"), out=str(out), subgoals=[DOSE])
    found = await score_file(config, "name")
    return found.counts, found.coverage
