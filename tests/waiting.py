"""Waiting for what happens elsewhere: in a thread, a process or a browser."""

import time
from collections.abc import Callable


def until(
    reached: Callable[[], object], problem: str = "it never came", patience: float = 60.0
) -> None:
    """Waits until it is so; fails with the problem after `patience` seconds."""
    end = time.monotonic() + patience
    while not reached():
        assert time.monotonic() < end, problem
        time.sleep(0.02)
