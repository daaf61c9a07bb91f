"""`goalcover score` and `goalcover filter` on real rows, by the bare encoder's time on the same.

`PYTHONPATH=tests python -m bench.filtering ROWS.jsonl`, or GOALCOVER_BENCH_ROWS: CodeAlpaca 20k
(instruction, input, output; on the hub as sahil2801/CodeAlpaca-20k).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from goalcover.memory.records import Subgoal
from goalcover.tools.datasets import DataSource, load
from goalcover.tools.embeddings import packaged
from goalcover.tools.filter_config import FLOOR, FLOOR_SCORE
from goalcover.tools.onnx_encoder import opened
from goalcover.tools.score_files import read_scores

from .encoder import texts_of

ROWS = "GOALCOVER_BENCH_ROWS"

SUBGOALS = [
    Subgoal(id=name.lower().replace(" ", "_"), name=name, description=description)
    for name, description in {
        "General programming": "Writes correct, idiomatic code for everyday programming tasks.",
        "ML libraries": "Uses machine-learning libraries such as scikit-learn, TensorFlow or "
        "PyTorch correctly.",
        "Web frameworks": "Builds web applications, HTTP APIs or web pages with web frameworks.",
        "Error handling": "Validates input and handles exceptions and edge cases explicitly.",
    }.items()
]


def measure(path: Path) -> dict[str, float]:
    """ratio: seconds of both commands, from start to end, by those of encoding the passages that
    the judge encodes, in turns: half before, half after; cpu_ratio: the same of CPU seconds, which
    what else the machine does touches less. peak_mb: of the larger command. beaten:
    subgoals whose mean in the aligned subset is above that of random rows; floors: subgoals that
    keep their floor."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        listed = ", ".join(s.model_dump_json(exclude_none=True) for s in SUBGOALS)
        (folder / "subgoals.json").write_text(f"[{listed}]")
        data, turns = str(path.resolve()), [_encoded(path)]
        command = ["score", data, "--subgoals", "subgoals.json", "--out", "scores.jsonl"]
        scored = _command(folder, *command)
        command = ["filter", data, "--scores", "scores.jsonl", "--out", "hf", "--format", "hf"]
        filtered = _command(folder, *command)
        turns.append(_encoded(path))
        found = _kept(folder)
    encoded = Took(*(sum(some) / len(turns) for some in zip(*turns, strict=True)))
    return {
        "encode_s": round(encoded.wall, 1),
        "score_s": round(scored.wall, 1),
        "filter_s": round(filtered.wall, 1),
        "ratio": round((scored.wall + filtered.wall) / encoded.wall, 3),
        "cpu_ratio": round((scored.cpu + filtered.cpu) / encoded.cpu, 3),
        "peak_mb": round(max(scored.peak, filtered.peak)),
        **found,
    }


class Took(NamedTuple):
    """Seconds, CPU seconds of all threads, and peak memory in MB."""

    wall: float
    cpu: float
    peak: float = 0.0


def _encoded(path: Path) -> Took:
    """What a process of its own takes to encode all passages, without loading anything."""
    command = [sys.executable, "-m", "bench.filtering", "--encode", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Took(*map(float, done.stdout.split()))


def _encode(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        table = load(DataSource(path=str(path)), Path(folder))
        texts = texts_of([sample for sample in table if sample])
    encode = opened(packaged()).encode
    encode(["warm"])
    start = time.perf_counter(), time.process_time()
    encode(texts)
    print(time.perf_counter() - start[0], time.process_time() - start[1])


def _command(folder: Path, *arguments: str) -> Took:
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "goalcover.app.cli", *arguments],
        cwd=folder,
        env={**os.environ, "GOALCOVER_HOME": str(folder / "home")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"{arguments[0]} ended well"
    megabyte = 1024 if sys.platform == "linux" else 1024**2
    cpu = usage.ru_utime + usage.ru_stime
    return Took(time.perf_counter() - start, cpu, usage.ru_maxrss / megabyte)


def _kept(folder: Path) -> dict[str, float]:
    """What is in the folder, recomputed from its columns."""
    import pandas as pd

    kept = pd.read_parquet(folder / "hf" / "data" / "train.parquet")
    values = pd.DataFrame([row.values for row, _ in read_scores(folder / "scores.jsonl")])
    chance = values.sample(len(kept), random_state=0).mean()
    names = [subgoal.id for subgoal in SUBGOALS]
    columns = {name: kept[f"goalcover_{name}"] for name in names}
    floors = [min(FLOOR, (values[name] >= FLOOR_SCORE).sum()) for name in names]
    reached = [(columns[name] >= FLOOR_SCORE).sum() for name in names]
    return {
        "rows": len(values),
        "kept": len(kept),
        "beaten": sum(bool(columns[name].mean() > chance[name]) for name in names),
        "floors": sum(bool(n >= floor) for n, floor in zip(reached, floors, strict=True)),
        "subgoals": len(names),
    }


def main() -> None:
    *options, given = sys.argv[1:] or [os.environ.get(ROWS, "")]
    if options == ["--encode"]:
        _encode(Path(given))
    elif not Path(given).is_file():
        print(f"skipped: no rows; name a file, or set {ROWS}")
    else:
        print(json.dumps(measure(Path(given)), indent=1))


if __name__ == "__main__":
    main()
