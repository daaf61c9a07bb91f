"""`goalcover chat` as a process of its own, which can be killed and started again."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

HERE = Path(__file__).parent / "app" / "chat"
STUB = HERE / "stub_page.py"

LOST = ("net::ERR_", "WebSocket", "disconnected from server", "Failed to fetch dynamically")
"""Parts of what a browser's console says while the server is gone."""

STUB_CLI = """
import sys
from functools import partial
from pathlib import Path
from goalcover.app import cli
from goalcover.app.chat import launch
launch.serve = partial(launch.serve, page=Path(sys.argv.pop(1)))
cli.main()
"""


class ChatProcess:
    """A server with a folder of its own, in which it finds its cwd, home and GOALCOVER_HOME.

    page: of another script than the chat's own. `base_url` stays the same when it is started again.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        page: Path | None = None,
        env: dict[str, str] | None = None,
    ) -> None:
        self.home = folder / "home"
        self.cwd = folder / "cwd"
        self.user = folder / "user"
        for path in (self.home, self.cwd, self.user):
            path.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._options = options
        self._page = page
        self._env = env or {}
        self._port = 0
        self.base_url = ""
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def output(self) -> str:
        """What all its processes wrote to stdout."""
        return (self._folder / "stdout").read_text()

    @property
    def errors(self) -> str:
        return (self._folder / "stderr").read_text()

    @property
    def connections(self) -> str:
        """Those that left the machine, one a line."""
        notes = self._folder / "connections"
        return notes.read_text() if notes.exists() else ""

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    def start(self) -> None:
        """Returns when it has printed its address, from when on it answers."""
        with (
            (self._folder / "stdout").open("wb") as out,
            (self._folder / "stderr").open("wb") as err,
        ):
            self.process = subprocess.Popen(
                [*self._command(), "--headless", "--port", str(self._port), *self._options],
                cwd=self.cwd,
                env=self.environment(),
                stdout=out,
                stderr=err,
            )
        end = time.monotonic() + 60
        while not (found := re.search(r"^GoalCover chat: (http://\S+:(\d+))$", self.output, re.M)):
            assert self.process.poll() is None and time.monotonic() < end, self.errors
            time.sleep(0.02)
        self.base_url, self._port = found[1], int(found[2])

    def kill(self) -> None:
        """SIGKILL: it cannot tidy up."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def restart(self) -> None:
        """On the same home and port."""
        self.kill()
        self.start()

    def interrupt(self) -> int:
        """As Ctrl-C does; returns the exit code."""
        assert self.process
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)

    def _command(self) -> list[str]:
        if self._page is None:
            return [sys.executable, "-m", "goalcover.app.cli", "chat"]
        return [sys.executable, "-c", STUB_CLI, str(self._page), "chat"]

    def environment(self) -> dict[str, str]:
        """Of the process: what is set for other tests does not reach it."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GOALCOVER_", "OPENAI_", "STREAMLIT_"))
        }
        return kept | {
            "HOME": str(self.user),
            "GOALCOVER_HOME": str(self.home),
            "PYTHONPATH": str(HERE / "watched"),
            "CHAT_CONNECTIONS": str(self._folder / "connections"),
            **self._env,
        }
