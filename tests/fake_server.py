"""A fake OpenAI-compatible endpoint on 127.0.0.1, spoken to over real HTTP.

In a test: `with FakeServer(lambda body: {"label": "covered"}) as server: ... server.base_url ...`
As a process, until SIGTERM, printing its base URL first (the module is beside this file or on
PYTHONPATH): `python tests/fake_server.py --port 8099 --latency 0.2 --answers module:function`
"""

import argparse
import asyncio
import json
import pkgutil
import signal
import socket
from collections.abc import Callable, Set
from concurrent.futures import Future
from dataclasses import KW_ONLY, dataclass, field
from threading import Thread
from typing import Any, Literal, Self

from aiohttp import web
from fake_batches import FakeBatches, error_body
from fake_batches import error as _error

Body = dict[str, Any]
Answer = Callable[[Body], dict[str, Any] | str]
Kind = Literal[
    "ok",  # a normal answer
    "status",  # HTTP error `status`, with a Retry-After header when `retry_after` is set
    "hang",  # no answer until the client goes away or the server stops
    "truncate",  # the content is cut in half, finish_reason "length"
    "broken_json",  # status 200, but the HTTP body itself is not valid JSON
    "wrong_schema",  # the content is {"unexpected": true}
    "refusal",  # message.refusal is set, the content is null
    "slow_drip",  # a normal answer, sent 16 bytes at a time over about `seconds`
    "drop",  # the connection is closed without an answer
]


@dataclass(frozen=True)
class Behaviour:
    """How the server treats one call."""

    kind: Kind = "ok"
    status: int = 500
    retry_after: float | None = None
    seconds: float = 1.0


@dataclass(eq=False)
class FakeServer:
    """Answers POST /v1/chat/completions (not streamed), GET /v1/models, and batches if told so.

    `requests[n]` and `headers[n]` (lower-case names) belong to the call that `behaviour(n, body)`
    sees. Calls refused with 401, 404 or 400 are numbered too, but reach neither callback; `answer`
    is asked only when its text is sent. Both run on the event loop and must not block; what they
    raise, or a malformed request, becomes a 500 and is kept in `errors`. `latency` precedes every
    reply to a POST; without any, `in_flight_peak` may fall short of the client's concurrency.
    Lines of `batches` are answered by the same callbacks, numbered apart from calls; "hang" is then
    a time-out of its own, and "drop" leaves the line without an answer.
    """

    answer: Answer
    _: KW_ONLY
    latency: float = 0.0
    behaviour: Callable[[int, Body], Behaviour] | None = None
    api_key: str | None = None  # None accepts any
    models: Set[str] | None = None  # None accepts any
    structured: Set[str] = frozenset({"json_schema", "tools", "json_object"})
    batches: FakeBatches | None = None  # None: a server without the Batch API
    port: int = 0  # 0 takes a free one
    base_url: str = field(default="", init=False)
    requests: list[Body] = field(default_factory=list, init=False)
    headers: list[dict[str, str]] = field(default_factory=list, init=False)
    errors: list[Exception] = field(default_factory=list, init=False)
    calls: int = field(default=0, init=False)
    in_flight_peak: int = field(default=0, init=False)
    _in_flight: int = field(default=0, init=False)
    _thread: Thread | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port), backlog=1024)
        self.port = listener.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}/v1"
        self._stopping: Future[None] = Future()
        self._thread = Thread(target=asyncio.run, args=[self._serve(listener)], daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Cut off the calls in flight; start() takes the same port again and keeps the records."""
        if self._thread is not None:
            self._stopping.set_result(None)
            self._thread.join()
            self._thread = None

    async def _serve(self, listener: socket.socket) -> None:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._list_models)
        if self.batches:
            self.batches.answer = self._line
            self.batches.add_routes(app, lambda request: self._refusal(request, {}))
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.05)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        await asyncio.wrap_future(self._stopping)
        await runner.cleanup()

    async def _list_models(self, request: web.Request) -> web.Response:
        models = [{"id": name, "object": "model"} for name in sorted(self.models or {"fake"})]
        return self._refusal(request, {}) or web.json_response({"object": "list", "data": models})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self.calls += 1
        self._in_flight += 1
        self.in_flight_peak = max(self.in_flight_peak, self._in_flight)
        try:
            return await self._reply(request)
        finally:
            self._in_flight -= 1

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        try:
            body: Body = await request.json()
            n = len(self.requests)
            self.requests.append(body)
            self.headers.append({name.lower(): value for name, value in request.headers.items()})
            await asyncio.sleep(self.latency)
            if (refusal := self._refusal(request, body)) is not None:
                return refusal
            act = self.behaviour(n, body) if self.behaviour else Behaviour()
            silent = act.kind in ("status", "hang", "drop")
            payload = b"" if silent else json.dumps(self._completion(n, body, act.kind)).encode()
        except Exception as error:
            self.errors.append(error)
            return _error(500, f"{type(error).__name__}: {error}")
        if act.kind == "status":
            response = _error(act.status, f"status {act.status} on purpose")
            if act.retry_after is not None:
                response.headers["Retry-After"] = f"{act.retry_after:g}"
            return response
        if act.kind == "hang":
            await asyncio.Event().wait()  # only cancellation ends it
        if act.kind == "drop" and request.transport is not None:
            request.transport.close()
        if act.kind == "slow_drip":
            return await _drip(request, payload, act.seconds)
        end = len(payload) // 2 if act.kind == "broken_json" else None
        return web.Response(body=payload[:end], content_type="application/json")

    def _line(self, n: int, body: Body) -> tuple[int, Any] | None:
        """The answer to one line of a batch."""
        try:
            if unfit := self._unfit(body):
                return unfit[0], error_body(*unfit)
            act = self.behaviour(n, body) if self.behaviour else Behaviour()
            if act.kind == "drop":
                return None
            if act.kind in ("status", "hang"):
                status = act.status if act.kind == "status" else 408
                return status, error_body(status, f"status {status} on purpose")
            return 200, self._completion(n, body, act.kind)
        except Exception as error:
            self.errors.append(error)
            return 500, error_body(500, f"{type(error).__name__}: {error}")

    def _refusal(self, request: web.Request, body: Body) -> web.Response | None:
        if self.api_key and request.headers.get("Authorization") != f"Bearer {self.api_key}":
            return _error(401, "Incorrect API key provided", "invalid_api_key")
        unfit = self._unfit(body)
        return _error(*unfit) if unfit else None

    def _unfit(self, body: Body) -> tuple[int, str, str | None] | None:
        """Status, message and code with which a body is refused."""
        if body and self.models is not None and body.get("model") not in self.models:
            return 404, f"Model {body.get('model')!r} does not exist", "model_not_found"
        if body.get("stream"):
            return 400, "streaming is not supported", None
        wanted = (body.get("response_format") or {}).get("type", "text")
        if wanted != "text" and wanted not in self.structured:
            return 400, f"response_format type {wanted} is not supported", None
        if body.get("tools") and "tools" not in self.structured:
            return 400, "tools are not supported", None
        return None

    def _completion(self, n: int, body: Body, kind: Kind) -> dict[str, Any]:
        fixed = {"wrong_schema": {"unexpected": True}, "refusal": ""}
        answer = fixed[kind] if kind in fixed else self.answer(body)
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        text = text[: len(text) // 2] if kind == "truncate" else text
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        finish_reason = "length" if kind == "truncate" else "stop"
        if kind == "refusal":
            message |= {"content": None, "refusal": "I cannot help with that."}
        elif (choice := body.get("tool_choice")) == "required" or isinstance(choice, dict):
            tool = choice if isinstance(choice, dict) else body["tools"][0]
            call = {"name": tool["function"]["name"], "arguments": text}
            tool_calls = [{"id": f"call_{n}", "type": "function", "function": call}]
            message |= {"content": None, "tool_calls": tool_calls}
        read, written = len(json.dumps(body["messages"], ensure_ascii=False)) // 4, len(text) // 4
        usage = {"prompt_tokens": read, "completion_tokens": written}
        usage |= {"total_tokens": read + written, "prompt_tokens_details": {"cached_tokens": 0}}
        return {
            "id": f"chatcmpl-{n}",
            "object": "chat.completion",
            "created": 0,
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
            "usage": usage,
        }


async def _drip(request: web.Request, payload: bytes, seconds: float) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for start in range(0, len(payload), 16):
        await response.write(payload[start : start + 16])
        await asyncio.sleep(seconds * 16 / len(payload))
    return response


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the fake endpoint until SIGTERM.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--answers", required=True, metavar="MODULE:FUNCTION")
    args = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # leaves it to sigwait
    answer = pkgutil.resolve_name(args.answers)
    with FakeServer(answer, latency=args.latency, port=args.port) as server:
        print(server.base_url, flush=True)
        signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    main()
