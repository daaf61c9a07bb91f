"""One scoring run, killed at ten moments: it ends as if nothing had been."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from answers import SUBGOALS, answer, judged_row, support_rows
from fake_server import FakeServer

AT_ONCE, ROWS, KILLS = 8, 170, 10


def start(server: FakeServer, folder: Path, home: str) -> subprocess.Popen[str]:
    command = [
        sys.executable, "-m", "goalcover.app.cli", "score", folder / "rows.jsonl",
        "--subgoals", folder / "subgoals.json", "--out", folder / f"{home}.jsonl",
        "--judge", "m", "--base-url", server.base_url, "--max-concurrency", AT_ONCE,
    ]  # fmt: skip
    return subprocess.Popen(
        [str(part) for part in command], cwd=folder, text=True, stderr=subprocess.PIPE,
        env=os.environ | {"GOALCOVER_HOME": str(folder / home)},
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def scores(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_killed_ten_times_pays_only_for_what_was_under_way(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(support_rows(ROWS))
    (tmp_path / "subgoals.json").write_text(json.dumps(SUBGOALS))
    chance = random.Random(20)
    cut_off = 0
    with FakeServer(answer, latency=0.03) as server:
        for _ in range(KILLS):
            # At least so many that rows are kept between any two kills.
            seen, end = server.calls + AT_ONCE + chance.randrange(12), time.monotonic() + 120
            process = start(server, tmp_path, "killed")
            while server.calls < seen:
                assert process.poll() is None and time.monotonic() < end, process.communicate()
                time.sleep(0.002)
            process.kill()
            process.wait()
            cut_off += AT_ONCE
        assert not (tmp_path / "killed.jsonl").exists()
        finish(start(server, tmp_path, "killed"))
        asked = Counter(judged_row(body) for body in server.requests)
        assert len(asked) == ROWS
        assert server.calls - ROWS <= cut_off, "what was under way at the kills is asked again"
        before = server.calls
        finish(start(server, tmp_path, "whole"))
        assert server.calls == before + ROWS
    assert scores(tmp_path / "killed.jsonl") == scores(tmp_path / "whole.jsonl")
    assert len(scores(tmp_path / "whole.jsonl")) == ROWS
