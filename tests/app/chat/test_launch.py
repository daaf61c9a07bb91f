"""The server as a process: what it takes, what it says, and whom it asks."""

import http.client
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from chat_process import LOST, STUB, ChatProcess
from playwright.sync_api import Page, expect
from typer.testing import Result
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from goalcover.app.chat import launch
from goalcover.app.chat.launch import address, allowed_hosts, is_local, streamlit_options

PASSWORD = "open sésame"

STRAY = """
[browser]
gatherUsageStats = true
[client]
allowedOrigins = ["https://evil.example"]
showErrorDetails = "full"
[server]
baseUrlPath = "elsewhere"
enableCORS = false
enableXsrfProtection = false
enableStaticServing = true
enableAgentApi = true
scriptHealthCheckEnabled = true
trustedUserHeaders = { "X-User" = "name" }
[theme]
base = "http://theme.example/theme.toml"
"""
"""Options of another app, which would open this one."""


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatProcess]:
    """A server of the stub page, between files that are not meant for it."""
    server = ChatProcess(tmp_path_factory.mktemp("stub"), "--max-upload", "1", page=STUB)
    for folder in (server.cwd, server.user):
        (folder / ".streamlit").mkdir()
        (folder / ".streamlit" / "config.toml").write_text(STRAY)
        (folder / ".streamlit" / "secrets.toml").write_text("[auth]\nbroken = ")
    with server:
        yield server
    assert server.connections == "", "the server asked another host"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatProcess]:
    """With a password."""
    env = {"GOALCOVER_PASSWORD": PASSWORD}
    with ChatProcess(tmp_path_factory.mktemp("shared"), page=STUB, env=env) as server:
        yield server
        assert PASSWORD not in server.output + server.errors


def get(
    server: ChatProcess, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], str]:
    """Status, headers and body, as curl sees them: nothing is followed or added."""
    connection = http.client.HTTPConnection(urlsplit(server.base_url).netloc, timeout=30)
    connection.request(method, path, headers=headers)
    reply = connection.getresponse()
    told = {name.lower(): value for name, value in reply.getheaders()}
    return reply.status, told, reply.read().decode(errors="replace")


def websocket_status(server: ChatProcess, **options: str) -> int:
    url = f"{server.base_url.replace('http', 'ws', 1)}/_stcore/stream"
    try:
        with connect(url, subprotocols=["streamlit"], proxy=None, **options):  # type: ignore[arg-type,list-item]
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_it_says_its_address_in_one_line(stub: ChatProcess) -> None:
    assert stub.output == f"GoalCover chat: {stub.base_url}\n"
    assert get(stub, "/")[0] == 200


def test_a_taken_port_is_said_in_one_line(call: Callable[..., Result]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        found = call("chat", "--headless", "--port", port)
    assert found.exit_code == 2
    assert found.stderr.startswith(f"goalcover: --port {port} is taken: give another one")
    assert found.stderr.count("\n") == 1 and found.stdout == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "shared.example"])
def test_other_machines_are_let_in_only_with_a_password(
    call: Callable[..., Result], host: str
) -> None:
    found = call("chat", "--headless", "--port", 0, "--host", host)
    assert found.exit_code == 2
    assert f"--host {host} lets other machines in: set GOALCOVER_PASSWORD" in found.stderr


def test_an_address_of_another_machine_is_refused(
    call: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOALCOVER_PASSWORD", PASSWORD)
    found = call("chat", "--headless", "--port", 0, "--host", "192.0.2.1")
    assert found.exit_code == 2
    assert found.stderr == "goalcover: --host 192.0.2.1 is no address of this machine.\n"


def test_a_browser_is_opened_only_where_one_is_wanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened, done = [], threading.Event()
    monkeypatch.setattr(launch.webbrowser, "open", lambda url: (opened.append(url), done.set()))
    launch._announce("127.0.0.1", 8501, headless=True)
    launch._announce("127.0.0.1", 8502, headless=False)
    assert done.wait(10) and opened == ["http://127.0.0.1:8502"]
    assert capsys.readouterr().err == ""
    launch._announce("0.0.0.0", 8501, headless=True)
    assert "unencrypted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "local", "url"),
    [("127.0.0.1", True, "http://127.0.0.1:1"), ("localhost", True, "http://localhost:1"),
     ("127.8.9.1", True, "http://127.8.9.1:1"), ("::1", True, "http://[::1]:1"),
     ("0.0.0.0", False, "http://127.0.0.1:1"), ("::", False, "http://[::1]:1"),
     ("localhost.evil.example", False, "http://localhost.evil.example:1"),
     ("192.0.2.1", False, "http://192.0.2.1:1")],
)  # fmt: skip
def test_which_addresses_are_of_this_machine_alone(host: str, local: bool, url: str) -> None:
    assert (is_local(host), address(host, 1)) == (local, url)


def test_names_are_checked_unless_it_listens_on_every_address() -> None:
    assert allowed_hosts("0.0.0.0") is None
    assert allowed_hosts("192.0.2.1") == ("localhost", "127.0.0.1", "::1", "192.0.2.1")
    assert streamlit_options("127.0.0.1", 1, 7)["server.maxUploadSize"] == 7


def test_options_of_other_apps_do_not_reach_it(stub: ChatProcess) -> None:
    assert get(stub, "/elsewhere/_stcore/health")[2] != "ok"
    assert get(stub, "/_stcore/health")[2] == "ok"
    assert "evil.example" not in get(stub, "/_stcore/host-config")[2]
    assert "access-control-allow-origin" not in get(stub, "/_stcore/health")[1]
    assert get(stub, "/_stcore/script-health-check")[2] != "ok"
    assert get(stub, "/_stcore/agent/interact", "POST")[0] >= 400
    assert stub.errors == ""


def test_a_foreign_host_or_origin_reaches_nothing(stub: ChatProcess) -> None:
    for path in ("/", "/_stcore/health", "/static/x"):
        status, headers, body = get(stub, path, Host="evil.example")
        assert status == 403 and "does not go by that name" in body
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert get(stub, "/_stcore/health", Origin="http://evil.example")[0] == 403
    assert websocket_status(stub, origin="http://evil.example") == 403
    assert websocket_status(stub, origin=stub.base_url) == 101
    assert stub.connections == "", "Streamlit looks its own address up for a foreign origin"


def test_a_connection_that_leaves_the_machine_is_noticed(tmp_path: Path) -> None:
    server = ChatProcess(tmp_path)
    code = "import socket; [socket.getaddrinfo(h, 80) for h in ('127.0.0.1', 'outside.invalid')]"
    subprocess.run([sys.executable, "-c", code], env=server.environment(), capture_output=True)
    assert server.connections == "socket.getaddrinfo outside.invalid\n"


def test_chart_upload_and_download_work_in_a_browser(
    stub: ChatProcess, browser_page: Page, upload: Path, tmp_path: Path
) -> None:
    browser_page.goto(stub.base_url)
    expect(browser_page.locator(".vega-embed svg, .vega-embed canvas").first).to_be_visible()
    browser_page.locator(".vega-embed").hover()
    large = tmp_path / "large.csv"
    large.write_bytes(b"x" * (2**20 + 1))
    browser_page.set_input_files("input[type=file]", large)
    expect(browser_page.get_by_text("File must be 1.0MB or smaller.")).to_be_visible()
    browser_page.set_input_files("input[type=file]", upload)
    expect(browser_page.get_by_text(f"{upload.stat().st_size} bytes came")).to_be_visible()
    with browser_page.expect_download() as download:
        browser_page.get_by_role("button", name="Rows", exact=True).click()
    assert Path(download.value.path()).read_text() == "a,b\n1,2\n"
    expect(browser_page.get_by_text("Deploy")).to_have_count(0)
    for scheme in ("light", "dark"):
        browser_page.emulate_media(color_scheme=scheme)
        page = "rgb(246, 247, 248)" if scheme == "light" else "rgb(20, 25, 29)"
        expect(browser_page.get_by_test_id("stApp")).to_have_css("background-color", page)


def test_an_error_shows_no_code_to_the_browser_but_is_logged(
    stub: ChatProcess, browser_page: Page
) -> None:
    browser_page.goto(stub.base_url)
    browser_page.get_by_role("button", name="Fail").click()
    expect(browser_page.get_by_test_id("stException")).to_be_visible()
    assert "a secret of the code" not in browser_page.content()
    assert "stub_page.py" not in browser_page.content()
    assert "RuntimeError: a secret of the code" in stub.errors


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/_stcore/upload_file/a/b"), ("GET", "/media/rows.csv"), ("GET", "/_stcore/stream"),
     ("GET", "/_stcore/health"), ("GET", "/static/js/index.js")],
)  # fmt: skip
def test_nothing_is_behind_the_page_for_whom_the_password_is_missing(
    shared: ChatProcess, method: str, path: str
) -> None:
    assert get(shared, path, method)[0] == 403
    assert websocket_status(shared) == 403


def test_who_has_the_password_gets_the_page(
    shared: ChatProcess, browser_page: Page, expected_errors: list[str]
) -> None:
    expected_errors.append("403")
    browser_page.goto(f"{shared.base_url}/?session=abc")
    browser_page.get_by_label("Password").fill("wrong")
    browser_page.get_by_role("button", name="Log in").click()
    expect(browser_page.get_by_role("alert")).to_have_text("That is not the password.")
    browser_page.wait_for_timeout(600)  # of the wait after a wrong one
    browser_page.get_by_label("Password").fill(PASSWORD)
    browser_page.keyboard.press("Enter")
    expect(browser_page.get_by_role("heading", name="A stub")).to_be_visible()
    assert browser_page.url == f"{shared.base_url}/?session=abc"
    browser_page.reload()
    expect(browser_page.get_by_role("heading", name="A stub")).to_be_visible()


def test_after_a_kill_it_starts_on_the_same_address_and_ctrl_c_ends_it_with_a_page_open(
    stub: ChatProcess, browser_page: Page, expected_errors: list[str]
) -> None:
    """The last test: it ends the module's server."""
    browser_page.goto(stub.base_url)
    expect(browser_page.get_by_role("heading", name="A stub")).to_be_visible()
    expected_errors += LOST
    before = stub.base_url
    stub.restart()
    assert stub.base_url == before
    browser_page.reload()
    expect(browser_page.get_by_role("heading", name="A stub")).to_be_visible()
    assert stub.interrupt() == 130
    assert stub.errors.startswith("goalcover: interrupted; nothing judged so far is lost.")
    assert stub.errors.count("\n") == 1
    left = {path.name for path in stub.user.rglob("*")}
    assert left == {".streamlit", "config.toml", "secrets.toml"}, "nothing is written at home"
