"""How near each client comes to what the server allows, and what a call costs it."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .clients import AT_ONCE, LATENCY, REPLY, UNDER_WAY

CALLS = {"bare": (25_600, 60_000), "raw": (25_600, 15_000), "goalcover": (25_600, 15_000),
         "chat_openai": (5_120, 3_000)}  # fmt: skip
"""Calls at the reference point, and without latency: some 20 s and 10 s."""

HERE = Path(__file__).parent


@contextmanager
def fast_server(latency: float, core: str) -> Iterator[str]:
    """The server in a process of its own; gives its base URL."""
    command = [sys.executable, str(HERE / "fast_server.py"), "--text", REPLY]
    process = subprocess.Popen(
        [*command, "--latency", str(latency), "--core", core], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def cores() -> tuple[str, str]:
    """For the client and for the server; empty where a process cannot be told."""
    if not hasattr(os, "sched_getaffinity"):
        return "", ""
    first, *others = sorted(os.sched_getaffinity(0))
    return str(first), str(others[0] if others else first)


def run_client(name: str, url: str, calls: int, under_way: int, core: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.clients", name, url, str(calls), str(under_way), core],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure() -> dict[str, dict[str, float]]:
    """By client: ratio_of_ideal and cpu_ms_per_call at the reference point, calls_per_s without
    latency, peak_mb of both."""
    found = {}
    ours, servers = cores()
    for name, (slow, fast) in CALLS.items():
        with fast_server(LATENCY, servers) as url:
            waiting = run_client(name, url, slow, UNDER_WAY, ours)
        with fast_server(0, servers) as url:
            busy = run_client(name, url, fast, AT_ONCE, ours)
        ideal = math.ceil(slow / UNDER_WAY) * LATENCY
        found[name] = {
            "ratio_of_ideal": round(ideal / waiting["wall_s"], 3),
            "cpu_ms_per_call": round(1000 * waiting["cpu_s"] / slow, 3),
            "calls_per_s": round(fast / busy["wall_s"]),
            "peak_mb": round(max(waiting["peak_mb"], busy["peak_mb"])),
        }
    return found
