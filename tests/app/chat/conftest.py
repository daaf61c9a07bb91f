"""What the tests of the chat share: a server of its own, and a page in the system's Chromium."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from chat_process import ChatProcess
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect, sync_playwright

PATIENCE = 60_000  # milliseconds: a slow machine is no failure
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatProcess]:
    """`goalcover chat`, one for a module: it takes some 3 s to start."""
    with ChatProcess(tmp_path_factory.mktemp("chat")) as server:
        yield server
        assert server.connections == "", "the server asked another host"


@dataclass
class Watch:
    """What a browser did."""

    hosts: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        context.on("request", lambda request: self._asked(request.url))
        context.on("console", self._said)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("page", lambda page: page.on("websocket", lambda ws: self._asked(ws.url)))

    def _asked(self, url: str) -> None:
        if (parts := urlsplit(url)).scheme not in ("data", "blob"):
            self.hosts.add(parts.hostname or url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)


@pytest.fixture
def expected_errors() -> list[str]:
    """Parts of what the browser's console says of failures that a test causes on purpose."""
    return []


@pytest.fixture
def browser_page(expected_errors: list[str]) -> Iterator[Page]:
    """A page in headless Chromium. The test fails at its end where the page asked another host, or
    where the console shows an error, as of a breach of the content policy.

    While it is open, its thread has a running loop: no `asyncio.run` there (another thread can).
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("needs Chromium: apt install chromium")
    watch = Watch()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        watch.over(context)
        yield context.new_page()
        browser.close()
    assert watch.hosts <= {"127.0.0.1"}, "the page asked another host"
    unexpected = [e for e in watch.errors if not any(part in e for part in expected_errors)]
    assert not unexpected, "\n".join(["the browser's console shows errors:", *unexpected])


@pytest.fixture(scope="module")
def upload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("upload") / "rows.csv"
    path.write_text("question,answer\nHow much?,Two a day.\n")
    return path
