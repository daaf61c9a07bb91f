"""The way to the server: what is sent and where, and what is made of any answer."""

import asyncio
import gc
import json
import ssl
import subprocess
import time
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from fake_server import Behaviour, Body, FakeServer
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from goalcover.memory.errors import ModelUnavailable, ReplyFailure, UserError
from goalcover.tools.aio_chat import AioChatOpenAI, HttpFailure, _error_of, _retry_after
from goalcover.tools.chat_model import ChatModel
from goalcover.tools.judge import JudgeAsk, Judgements

SECRET = "sk-very-secret-0123456789"
HELLO: Any = [{"role": "user", "content": "Hello."}]


@pytest.fixture(autouse=True)
def no_proxy_of_this_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def chat(base_url: str, **options: Any) -> AioChatOpenAI:
    given: dict[str, Any] = {"model": "m", "api_key": SecretStr(SECRET), "timeout": 10}
    return AioChatOpenAI(base_url=base_url, **(given | options))


async def text_from(base_url: str) -> str:
    client = chat(base_url)
    try:
        return str((await client.ainvoke(HELLO)).text)
    finally:
        await client.aclose()


def tea(body: Body) -> str:
    return "tea"


def completion(message: dict[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": '{"judgements": []}'} | (message or {})
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "x", "model": "m", "choices": [choice], "usage": usage} | others


@asynccontextmanager
async def serving(
    handler: Callable[[web.BaseRequest], Any], context: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Answers every request by `handler`; gives host:port."""
    server = web.Server(handler)
    runner = web.ServerRunner(server, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


# --- a ChatOpenAI


async def test_it_is_a_chat_openai_in_all_but_the_way() -> None:
    with FakeServer(tea) as server:
        client = chat(server.base_url, temperature=0.5)
        assert isinstance(client, ChatOpenAI)
        message = await client.ainvoke("Hello.", stop=["."])
        await client.aclose()
    assert isinstance(message, AIMessage) and message.content == "tea"
    assert message.usage_metadata and message.usage_metadata["total_tokens"] > 0
    (body,) = server.requests
    assert body["messages"] == HELLO
    assert (body["model"], body["temperature"], body["stop"]) == ("m", 0.5, ["."])


async def test_it_calls_tools() -> None:
    tool = {"name": "brew", "parameters": {"type": "object", "properties": {}}}
    with FakeServer(lambda body: {"leaf": "green"}) as server:
        client = chat(server.base_url)
        bound = client.bind_tools([{"type": "function", "function": tool}], tool_choice="brew")
        message = await bound.ainvoke("Tea, please.")
        await client.aclose()
    assert isinstance(message, AIMessage)
    (call,) = message.tool_calls
    assert (call["name"], call["args"]) == ("brew", {"leaf": "green"})


async def test_a_refusal_is_noted_as_chat_openai_notes_it() -> None:
    with FakeServer(tea, behaviour=lambda n, body: Behaviour("refusal")) as server:
        client = chat(server.base_url)
        message = await client.ainvoke("Hello.")
        await client.aclose()
    assert message.additional_kwargs["refusal"] == "I cannot help with that."


async def test_the_key_is_in_one_header_and_nowhere_else() -> None:
    with FakeServer(tea) as server:
        await text_from(server.base_url)
    (headers,) = server.headers
    assert headers.pop("authorization") == f"Bearer {SECRET}"
    assert headers["content-type"] == "application/json"
    assert SECRET not in json.dumps([headers, server.requests])


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_nothing_follows_to_another_server(status: int) -> None:
    seen: list[str] = []

    async def elsewhere(request: web.BaseRequest) -> web.Response:
        seen.append(request.path)
        return web.json_response(completion({"content": "tea"}))

    async def redirect(request: web.BaseRequest) -> web.Response:
        return web.Response(status=status, headers={"Location": f"http://{other}{request.path}"})

    async with serving(elsewhere) as other, serving(redirect) as place:
        model = ChatModel("m", f"http://{place}/v1")
        with pytest.raises(ModelUnavailable, match=f"redirects.*{other}.*--base-url"):
            await model.answer(ASK)
        await model.aclose()
    assert seen == []


async def test_an_address_without_a_path_is_that_host() -> None:
    paths: list[str] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        paths.append(request.path)
        return web.json_response(completion({"content": "tea"}))

    async with serving(answer) as place:
        for url in (f"http://{place}", f"http://{place}/", f"http://{place}/v1/"):
            assert await text_from(url) == "tea"
    assert paths == ["/chat/completions", "/chat/completions", "/v1/chat/completions"]


# --- answers of all kinds


@given(st.text() | st.sampled_from(["inf", "-inf", "nan", "1e999", "-5", "", "Mon, 99 Foo 1", "²"]))
def test_no_retry_after_is_an_error(text: str) -> None:
    for name in ("retry-after", "retry-after-ms"):
        seconds = _retry_after({name: text})
        assert seconds is None or 0 <= seconds < float("inf")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "1"}, 1.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "nonsense"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert _retry_after(headers) == seconds


def test_retry_after_may_be_a_date() -> None:
    seconds = _retry_after({"retry-after": formatdate(time.time() + 3600, usegmt=True)})
    assert seconds is not None and 3000 < seconds <= 3600


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ('{"error": {"message": "no", "code": "bad"}}', "bad", "no"),
        ('{"error": {"code": "bad"}}', "bad", "{'code': 'bad'}"),
        ('{"error": "no"}', None, '{"error": "no"}'),
        ('{"detail": "no"}', None, '{"detail": "no"}'),
        ('["no"]', None, '["no"]'),
        ("null", None, "null"),
        ("<html>no</html>", None, "<html>no</html>"),
        ("", None, ""),
        ("[" * 100_000, None, "[" * 100_000),
    ],
)
def test_any_body_of_an_error_has_a_message(body: str, code: str | None, message: str) -> None:
    assert _error_of(body) == (code, message)


NO_CHOICES: list[Any] = [
    completion(choices=None),
    completion(choices=[]),
    completion(choices={}),
    {"error": {"message": "upstream is down", "code": 502}},
    {},
    [],
    [1],
    None,
    "tea",
    7,
]
ODD_CHOICES: list[Any] = [
    completion(choices=[None]),
    completion(choices=[{"index": 0, "message": None}]),
    completion({"content": 5}),
]


@pytest.mark.parametrize("body", NO_CHOICES + ODD_CHOICES)
def test_what_is_no_completion_is_a_value_error(body: Any) -> None:
    with pytest.raises(ValueError, match="no chat completion"):
        chat("http://127.0.0.1:9/v1").read(body)


NO_JSON = [b"", b"tea", b"\xff\xfe{", b'{"a": "\xe9"}', b"[" * 100_000]


@pytest.mark.parametrize("answer", NO_JSON)
async def test_what_is_no_json_is_a_value_error(answer: bytes) -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        return web.Response(body=answer)

    async with serving(handler) as place:
        client = chat(f"http://{place}/v1")
        with pytest.raises(ValueError):
            await client.post({})
        await client.aclose()


async def test_another_status_is_a_failure_with_its_text() -> None:
    trouble = Behaviour("status", status=429, retry_after=2)
    with FakeServer(tea, behaviour=lambda n, body: trouble) as server:
        client = chat(server.base_url)
        with pytest.raises(HttpFailure, match="status 429: status 429 on purpose") as caught:
            await client.ainvoke("Hello.")
        await client.aclose()
    assert (caught.value.status, caught.value.retry_after) == (429, 2)


ASK = JudgeAsk(system="", input="q", output="a", subgoals=(), order=())


async def judgements_from(*answers: Any, retries: int = 0, **options: Any) -> tuple[Any, int]:
    """What the model makes of these answers, the last of them for good, and how many it took."""
    calls = 0

    async def handler(request: web.BaseRequest) -> web.Response:
        nonlocal calls
        calls += 1
        return web.json_response(answers[min(calls, len(answers)) - 1])

    async with serving(handler) as place:
        model = ChatModel("m", f"http://{place}/v1", retries=retries, **options)
        try:
            return await model.answer(ASK), calls
        finally:
            await model.aclose()


@pytest.mark.parametrize("body", NO_CHOICES)
async def test_what_is_no_completion_is_asked_for_again(
    body: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a broken body is: gateways report a passing trouble with status 200, too."""
    monkeypatch.setattr("goalcover.tools.chat_model.FIRST_WAIT", 0.01)
    reply, calls = await judgements_from(body, completion(), retries=1)
    assert (reply.value, calls) == (Judgements(judgements=[]), 2)
    with pytest.raises(ReplyFailure, match="no chat completion"):
        await judgements_from(body)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None},
        {"prompt_tokens": 5, "completion_tokens": 2},
        {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": "7"},
    ],
)
async def test_usage_that_is_not_told_stops_nothing(usage: Any) -> None:
    reply, _ = await judgements_from(completion(usage=usage), tpm=1e9)
    assert reply.spent.calls == 1


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "text", "text": '{"judgements": []}'}],
        [{"type": "thinking", "thinking": "{hm}"}, {"type": "text", "text": '{"judgements": []}'}],
    ],
)
async def test_content_may_come_in_parts(content: Any) -> None:
    reply, _ = await judgements_from(completion({"content": content}))
    assert reply.value == Judgements(judgements=[])


@pytest.mark.parametrize(
    "arguments", ['["tea"]', '"tea"', "null", "tea", "", '{"judgements": [', 5]
)
async def test_arguments_that_are_no_object_are_repaired_and_paid_for(arguments: Any) -> None:
    def called(arguments: Any) -> dict[str, Any]:
        function = {"name": "Judgements", "arguments": arguments}
        call = {"id": "1", "type": "function", "function": function}
        return completion({"content": None, "tool_calls": [call]})

    refusal = {"error": {"message": "response_format is not supported"}}
    calls = 0

    async def handler(request: web.BaseRequest) -> web.Response:
        nonlocal calls
        calls += 1
        if "tools" not in await request.json():
            return web.json_response(refusal, status=400)
        given = arguments if calls == 2 else {"judgements": []}
        return web.json_response(called(given))  # an object as it is, as some servers send it

    async with serving(handler) as place:
        model = ChatModel("m", f"http://{place}/v1", retries=0)
        reply = await model.answer(ASK)
        await model.aclose()
    assert (reply.value, reply.spent.calls) == (Judgements(judgements=[]), 2)


# --- proxies


@asynccontextmanager
async def proxy(seen: list[str]) -> AsyncIterator[str]:
    async def forward(request: web.BaseRequest) -> web.Response:
        seen.append(str(request.url))
        headers = {"Authorization": request.headers["Authorization"]}
        async with (
            aiohttp.ClientSession() as session,
            session.post(request.url, data=await request.read(), headers=headers) as answer,
        ):
            return web.Response(body=await answer.read(), content_type="application/json")

    async with serving(forward) as place:
        yield place


@pytest.mark.parametrize("scheme", ["http://", "", "http://user:pass@"])
async def test_a_proxy_is_taken_from_the_environment(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    async with proxy(seen) as place:
        monkeypatch.setenv("HTTP_PROXY", f"{scheme}{place}")
        with FakeServer(tea, api_key=SECRET) as server:
            assert await text_from(server.base_url) == "tea"
    assert seen == [f"{server.base_url}/chat/completions"]


@pytest.mark.parametrize("exempt", ["127.0.0.1", "example.org,127.0.0.1:{port}", "*"])
async def test_no_proxy_is_respected(exempt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with FakeServer(tea) as server:
        monkeypatch.setenv("NO_PROXY", exempt.format(port=server.port))
        assert await text_from(server.base_url) == "tea"


async def test_a_dead_proxy_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("user:pass@127.0.0.1:9", "http://user:pass@127.0.0.1:9"):
        monkeypatch.setenv("HTTP_PROXY", url)
        with FakeServer(tea) as server, pytest.raises(ModelUnavailable) as caught:
            await ChatModel("m", server.base_url, retries=0).answer(ASK)
        assert "('127.0.0.1', 9)" in str(caught.value) and "pass" not in str(caught.value)


async def test_a_proxy_that_refuses_is_told_once_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[str] = []

    async def refuse(request: web.BaseRequest) -> web.Response:
        calls.append(request.path)
        return web.Response(status=407)

    async with serving(refuse) as place:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:pass@{place}")
        with pytest.raises(ModelUnavailable, match=r"the proxy.*407") as caught:
            await ChatModel("m", "https://example.org/v1").answer(ASK)
    assert "pass" not in str(caught.value) and len(calls) <= 1


async def test_a_proxy_that_cannot_be_used_is_a_user_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with FakeServer(tea) as server, pytest.raises(UserError, match="ALL_PROXY"):
        await ChatModel("m", server.base_url).answer(ASK)


# --- certificates


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 that nobody has signed, and its key."""
    path = tmp_path / "own.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
               "-keyout", path, "-out", tmp_path / "cert.pem"]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("openssl cannot make a certificate here")
    path.write_bytes(path.read_bytes() + (tmp_path / "cert.pem").read_bytes())
    return path


async def test_a_certificate_is_verified(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        return web.json_response(completion())

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with serving(handler, context) as place:
        model = ChatModel("m", f"https://{place}/v1", retries=0)
        with pytest.raises(ModelUnavailable, match="CERTIFICATE_VERIFY_FAILED") as caught:
            await model.answer(ASK)
        assert "\n" not in str(caught.value)
        await model.aclose()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert (await model.answer(ASK)).value == Judgements(judgements=[])
        await model.aclose()


# --- sessions


async def test_a_closed_client_opens_again_and_leaves_nothing_behind() -> None:
    gc.collect()  # what others left
    with warnings.catch_warnings(record=True) as caught, FakeServer(tea) as server:
        warnings.simplefilter("always")
        client = chat(server.base_url)
        await client.aclose()  # before its first call
        for _ in range(2):
            assert (await client.ainvoke("Hello.")).text == "tea"
            await client.aclose()
            await client.aclose()
        del client
        gc.collect()
    assert [str(w.message) for w in caught if issubclass(w.category, ResourceWarning)] == []


@pytest.mark.parametrize("closes", [True, False])
def test_one_model_serves_one_event_loop_after_another(closes: bool) -> None:
    with FakeServer(lambda body: {"judgements": []}, latency=0.01) as server:
        model = ChatModel("m", server.base_url, max_concurrency=2)

        async def several() -> None:
            await asyncio.gather(*[model.answer(ASK) for _ in range(5)])
            if closes:
                await model.aclose()

        asyncio.run(several())
        asyncio.run(several())
        asyncio.run(model.aclose())
    assert server.calls == 10
