"""Peak memory of the whole command as the data grows."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from .clients import SUBGOALS, write_rows
from .throughput import cores, fast_server

ROWS = (20_000, 200_000)


def measure() -> dict[str, float]:
    """peak_mb of `goalcover score` by number of rows, and the ratio of the last to the first."""
    found: dict[str, float] = {}
    _, servers = cores()
    for count in ROWS:
        with tempfile.TemporaryDirectory() as folder, fast_server(0, servers) as url:
            found[f"peak_mb_{count}"] = round(peak_mb(Path(folder), count, url))
    found["ratio"] = round(found[f"peak_mb_{ROWS[-1]}"] / found[f"peak_mb_{ROWS[0]}"], 2)
    return found


def peak_mb(folder: Path, count: int, url: str) -> float:
    write_rows(folder / "rows.jsonl", count)
    listed = ", ".join(s.model_dump_json(exclude_none=True) for s in SUBGOALS)
    (folder / "subgoals.json").write_text(f"[{listed}]")
    process = subprocess.Popen(
        [
            sys.executable, "-m", "goalcover.app.cli", "score", "rows.jsonl",
            "--subgoals", "subgoals.json", "--out", "scores.jsonl",
            "--judge", "bench", "--base-url", url, "--max-concurrency", "64",
        ],
        cwd=folder,
        env={**os.environ, "GOALCOVER_HOME": str(folder / "home")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, "the command ended well"
    with (folder / "scores.jsonl").open() as file:
        assert sum(1 for _ in file) == count
    return usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
