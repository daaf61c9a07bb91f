"""Whom the server answers, and what a browser may do with what it gets."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from goalcover.app.chat.launch import LOCAL
from goalcover.app.chat.server import HEADERS, Guard, content_policy

INDEX = Path(streamlit.__file__).parent / "static" / "index.html"
POLICY = content_policy(INDEX)


async def answered(request: Request) -> PlainTextResponse:
    return PlainTextResponse("answered")


async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("answered")
    await websocket.close()


INNER = Starlette(
    routes=[Route("/", answered), WebSocketRoute("/_stcore/stream", talk)], debug=False
)


def client(hosts: tuple[str, ...] | None = LOCAL) -> TestClient:
    return TestClient(Guard(INNER, POLICY, hosts, None), base_url="http://127.0.0.1:8501")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8501", "localhost:8501", "LocalHost", "[::1]:8501", "127.0.0.1"]
)
def test_it_goes_by_the_names_of_this_machine(host: str) -> None:
    assert client().get("/", headers={"Host": host}).text == "answered"


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example:8501", "localhost@evil.example", "", "[", "[::1",
     "127.0.0.1/..", "evil.example#localhost", "localhost:x y"],
)  # fmt: skip
def test_a_name_of_another_site_is_refused_though_it_points_here(host: str) -> None:
    found = client().get("/", headers={"Host": host})
    assert found.status_code == 403
    assert "the address that it printed" in found.text
    with (
        pytest.raises(WebSocketDisconnect),
        client().websocket_connect("/_stcore/stream", headers={"Host": host}),
    ):
        pass


def test_on_every_address_it_goes_by_any_name() -> None:
    assert client(None).get("/", headers={"Host": "shared.example"}).text == "answered"


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:3000", "http://127.0.0.1", "http://[", ""],
)
def test_a_page_of_another_site_reaches_nothing(origin: str) -> None:
    assert client().get("/", headers={"Origin": origin}).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        client().websocket_connect("/_stcore/stream", headers={"Origin": origin}),
    ):
        pass


def test_its_own_page_reaches_all() -> None:
    own = {"Origin": "http://127.0.0.1:8501"}
    assert client().get("/", headers=own).text == "answered"
    own["Host"] = "127.0.0.1:8501"
    with client().websocket_connect("/_stcore/stream", headers=own) as websocket:
        assert websocket.receive_text() == "answered"


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [("/", "localhost", 200), ("/none", "localhost", 404), ("/", "evil.example", 403)],
)
def test_every_reply_has_the_headers(path: str, host: str, status: int) -> None:
    found = client().get(path, headers={"Host": host})
    assert found.status_code == status
    assert found.headers["Content-Security-Policy"] == POLICY
    assert HEADERS.items() <= {name: found.headers.get(name) for name in HEADERS}.items()


def test_the_policy_lets_in_this_server_alone_and_no_script_but_its_own() -> None:
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert "unsafe-eval" not in POLICY
    assert "'unsafe-inline'" not in rules["script-src"]
    assert not re.search(r"https?:|\*", POLICY)


def test_the_policy_knows_the_inline_scripts_of_the_page_it_is_for(tmp_path: Path) -> None:
    index = tmp_path / "index.html"
    index.write_text("<script>\n  one()\n</script><script src='two.js'></script>")
    digest = b64encode(sha256(b"\n  one()\n").digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in content_policy(index)
    assert "sha256-" in POLICY, "Streamlit's page has an inline script"
