"""A disk that is soon full."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def tiny_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A file system of the size that the module names in TINY_DISK."""
    place = tmp_path / "tiny"
    place.mkdir()
    size = f"size={request.module.TINY_DISK}"
    command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root can mount a tiny disk")
    yield place
    subprocess.run(["umount", str(place)], check=True)
