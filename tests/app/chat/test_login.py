"""The password of a shared machine: nothing without it, and no guessing."""

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from goalcover.app.chat.login import (
    CALM,
    FIRST_WAIT,
    LONGEST_WAIT,
    MOST_BYTES,
    TOO_FAST,
    WRONG,
    Attempts,
    Login,
)
from goalcover.app.chat.server import Guard

PASSWORD = "correct hörse"
STREAM = "ws://127.0.0.1:8501/_stcore/stream"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def reached(request: Request) -> PlainTextResponse:
    return PlainTextResponse("reached")


async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(clock: Clock) -> Guard:
    inner = Starlette(
        routes=[
            WebSocketRoute("/_stcore/stream", talk),
            Route("/{path:path}", reached, methods=["GET", "PUT", "POST", "DELETE"]),
        ]
    )
    return Guard(inner, "default-src 'none'", None, Login(PASSWORD, 8501, Attempts(clock)))


@pytest.fixture
def client(guard: Guard) -> TestClient:
    return TestClient(guard, base_url="http://127.0.0.1:8501", follow_redirects=False)


def log_in(client: TestClient, password: str = PASSWORD, path: str = "/") -> Any:
    return client.post(path, data={"password": password})


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/_stcore/health"), ("GET", "/media/rows.csv"), ("GET", "/static/js/index.js"),
     ("PUT", "/_stcore/upload_file/a/b"), ("PUT", "/"), ("POST", "/_stcore/agent/interact"),
     ("POST", "//evil.example/"), ("GET", "/_stcore/host-config")],
)  # fmt: skip
def test_nothing_is_reached_without_the_cookie(client: TestClient, method: str, path: str) -> None:
    found = client.request(method, f"http://127.0.0.1:8501{path}")
    assert found.status_code == 403
    assert found.text == "Log in at / first.\n"


def test_no_websocket_is_opened_without_the_cookie(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(STREAM):
        pass
    log_in(client)
    with client.websocket_connect(STREAM):
        pass


def test_the_first_page_asks_for_the_password_and_keeps_the_session_of_its_url(
    client: TestClient,
) -> None:
    asked = client.get("/?session=abc")
    assert asked.status_code == 200 and 'type="password"' in asked.text
    assert "no-store" in asked.headers["Cache-Control"]
    found = log_in(client, path="/?session=abc")
    assert (found.status_code, found.headers["Location"]) == (303, "/?session=abc")
    cookie = found.headers["Set-Cookie"].lower()
    assert cookie.startswith("goalcover_8501=") and "httponly" in cookie
    assert "samesite=strict" in cookie and "max-age" not in cookie and PASSWORD not in cookie
    assert client.get("/?session=abc").text == "reached"


def test_a_second_tab_that_still_asks_can_log_in_too(client: TestClient) -> None:
    log_in(client)
    assert log_in(client).status_code == 303


@pytest.mark.parametrize("given", ["", "wrong", PASSWORD + " ", PASSWORD.upper(), "<script>x"])
def test_a_wrong_password_is_said_and_not_repeated(client: TestClient, given: str) -> None:
    found = log_in(client, given)
    assert found.status_code == 403 and WRONG in found.text
    assert "Set-Cookie" not in found.headers and "<script>" not in found.text
    assert client.get("/media/rows.csv").status_code == 403


@pytest.mark.parametrize(
    "cookie", ["goalcover_8501=", "goalcover_8501=x", "goalcover_8501=\xe9", "=", ";;", "a"]
)
def test_a_made_up_cookie_opens_nothing(client: TestClient, cookie: str) -> None:
    found = client.get("/media/rows.csv", headers={"Cookie": cookie.encode("latin-1")})  # type: ignore[dict-item]
    assert found.status_code == 403


def test_the_cookie_of_one_server_is_none_of_another() -> None:
    first, second = Login(PASSWORD, 8501), Login(PASSWORD, 8501)
    assert first._token != second._token


def test_after_a_wrong_password_even_the_right_one_waits(client: TestClient, clock: Clock) -> None:
    log_in(client, "wrong")
    refused = log_in(client)
    assert refused.status_code == 429 and TOO_FAST in refused.text
    assert int(refused.headers["Retry-After"]) >= FIRST_WAIT
    clock.now += FIRST_WAIT
    assert log_in(client).status_code == 303


def test_the_wait_doubles_has_a_top_and_is_forgotten(clock: Clock) -> None:
    attempts, waits = Attempts(clock), []
    for _ in range(2000):
        attempts.failed()
        waits.append(attempts.wait())
        clock.now += attempts.wait()
    assert waits[:4] == pytest.approx([0.5, 1.0, 2.0, 4.0])
    assert max(waits) == pytest.approx(LONGEST_WAIT) == pytest.approx(waits[-1])
    clock.now += CALM + 1
    attempts.failed()
    assert attempts.wait() == pytest.approx(FIRST_WAIT)
    clock.now += FIRST_WAIT
    attempts.failed()
    attempts.passed()
    clock.now += LONGEST_WAIT
    attempts.failed()
    assert attempts.wait() == pytest.approx(FIRST_WAIT), "the right one makes good"


def test_an_endless_form_is_not_read(guard: Guard) -> None:
    chunks, sent = 0, []

    async def receive() -> dict[str, Any]:
        nonlocal chunks
        chunks += 1
        return {"type": "http.request", "body": b"password=" + b"x" * 1000, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/", "query_string": b"", "scheme": "http",
        "server": ("127.0.0.1", 8501), "headers": [(b"host", b"127.0.0.1:8501")],
    }  # fmt: skip
    asyncio.run(guard(scope, receive, send))
    assert sent[0]["status"] == 403
    assert chunks <= MOST_BYTES // 1000 + 1


@pytest.mark.parametrize("body", [b"\xff\xfe", b"&".join([b"a=1"] * 50), b"password", b""])
def test_what_is_no_form_is_a_wrong_password(client: TestClient, body: bytes) -> None:
    assert client.post("/", content=body).status_code == 403
