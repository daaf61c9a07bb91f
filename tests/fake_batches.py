"""The files and batches of the fake endpoint, shaped as OpenAI's are."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Body = dict[str, Any]
Line = tuple[int, Any] | None
"""Status and body of the answer to one line; None where the line gets no answer at all."""


@dataclass(eq=False)
class FakeBatches:
    """How batches fare. They are in progress for so many GETs of them as `looks` says.

    `made` holds the batches as the server shows them, `lines` the bodies that were answered,
    `billed` the custom ids of those that got status 200, and `polls` counts GETs of one batch.
    """

    looks: int = 0
    hold: bool = False  # batches stay in progress, or in cancelling
    shuffled: bool = True  # lines come in another order than they were sent
    refuse: Callable[[int], tuple[str, str] | None] = lambda n: None
    """Code and message with which the n-th batch fails at validation."""
    queue: int | None = None  # most lines under way at once; a batch beyond it fails at validation
    expire: Callable[[int], bool] = lambda n: False
    """Whether the n-th batch expires."""
    partly: int = 0  # lines that are answered before a batch expires or is cancelled
    odd: Callable[[str, str], web.Response | None] = lambda method, path: None
    """Answers a request of this method and path (below /v1) in the server's place."""
    show: Callable[[Body], Body] = lambda batch: batch
    """What a GET of a batch says of it."""
    unanswered: int = 0  # so many batches are made, and the connection closed without an answer
    cut: int = 0  # so many downloads break off half-way
    made: list[Body] = field(default_factory=list, init=False)
    lines: list[Body] = field(default_factory=list, init=False)
    billed: list[str] = field(default_factory=list, init=False)
    files: dict[str, bytes] = field(default_factory=dict, init=False)
    polls: int = field(default=0, init=False)
    answer: Callable[[int, Body], Line] = field(init=False)  # the server's
    _seen: list[int] = field(default_factory=list, init=False)

    def add_routes(self, app: web.Application, denied: Callable[[web.Request], Any]) -> None:
        """`denied` gives the answer to a request with a wrong key."""

        def guarded(handler: Callable[..., Any]) -> Callable[..., Any]:
            async def handle(request: web.Request) -> web.StreamResponse:
                odd = self.odd(request.method, request.path.removeprefix("/v1"))
                return denied(request) or odd or await handler(request)

            return handle

        app.router.add_post("/v1/files", guarded(self._upload))
        app.router.add_get("/v1/files/{id}", guarded(self._show_file))
        app.router.add_get("/v1/files/{id}/content", guarded(self._content))
        app.router.add_post("/v1/batches", guarded(self._create))
        app.router.add_get("/v1/batches", guarded(self._list))
        app.router.add_get("/v1/batches/{id}", guarded(self._show))
        app.router.add_post("/v1/batches/{id}/cancel", guarded(self._cancel))

    # --- files

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        upload = form["file"]
        assert isinstance(upload, web.FileField) and form["purpose"] == "batch"
        return web.json_response(_file(self._add_file(upload.file.read()), self.files))

    async def _show_file(self, request: web.Request) -> web.Response:
        if (name := request.match_info["id"]) not in self.files:
            return error(404, f"No such File object: {name}")
        return web.json_response(_file(name, self.files))

    async def _content(self, request: web.Request) -> web.StreamResponse:
        if (name := request.match_info["id"]) not in self.files:
            return error(404, f"No such File object: {name}")
        content = self.files[name]
        if self.cut:
            self.cut -= 1
            return await _break_off(request, content)
        return web.Response(body=content, content_type="application/octet-stream")

    def _add_file(self, content: bytes) -> str:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return name

    # --- batches

    async def _create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        assert asked["endpoint"] == "/v1/chat/completions" and asked["completion_window"] == "24h"
        n, now = len(self.made), int(time.time())
        total = len(self.files[asked["input_file_id"]].splitlines())
        batch = {
            "id": f"batch_{n}",
            "object": "batch",
            "errors": None,
            "status": "validating",
            "output_file_id": None,
            "error_file_id": None,
            "created_at": now,
            "expires_at": now + 86_400,
            "request_counts": {"total": total, "completed": 0, "failed": 0},
            "metadata": None,
            **asked,
        }
        self.made.append(batch)
        self._seen.append(0)
        if self.unanswered and request.transport:
            self.unanswered -= 1
            request.transport.close()
        return web.json_response(batch)

    async def _list(self, request: web.Request) -> web.Response:
        limit = int(request.query.get("limit", 20))
        newest = self.made[::-1][:limit]
        return web.json_response(
            {"object": "list", "data": newest, "has_more": len(self.made) > limit}
        )

    async def _show(self, request: web.Request) -> web.Response:
        self.polls += 1
        for n, batch in enumerate(self.made):
            if batch["id"] == request.match_info["id"]:
                self._advance(n, batch)
                return web.json_response(self.show(batch))
        return error(404, f"No batch found with id '{request.match_info['id']}'.")

    async def _cancel(self, request: web.Request) -> web.Response:
        for batch in self.made:
            if batch["id"] == request.match_info["id"]:
                if batch["status"] not in ("validating", "in_progress"):
                    return error(409, f"Cannot cancel a batch with status '{batch['status']}'.")
                batch["status"] = "cancelling"
                return web.json_response(batch)
        return error(404, f"No batch found with id '{request.match_info['id']}'.")

    def _advance(self, n: int, batch: Body) -> None:
        self._seen[n] += 1
        if batch["status"] not in ("validating", "in_progress", "cancelling"):
            return
        if refused := self.refuse(n) or self._crowded(batch):
            code, message = refused
            errors = [{"code": code, "message": message, "param": None, "line": None}]
            batch |= {"status": "failed", "errors": {"object": "list", "data": errors}}
        elif self.hold or self._seen[n] <= self.looks:
            if batch["status"] == "validating":
                batch["status"] = "in_progress"
        elif batch["status"] == "cancelling":
            self._finish(batch, "cancelled", self.partly)
        elif self.expire(n):
            self._finish(batch, "expired", self.partly)
        else:
            self._finish(batch, "completed", batch["request_counts"]["total"])

    def _crowded(self, batch: Body) -> tuple[str, str] | None:
        busy = [b for b in self.made if b["status"] == "in_progress" or b is batch]
        lines = sum(b["request_counts"]["total"] for b in busy)
        if self.queue is None or batch["status"] != "validating" or lines <= self.queue:
            return None
        return "token_limit_exceeded", "Enqueued token limit reached for m."

    def _finish(self, batch: Body, status: str, answered: int) -> None:
        """Answers the first lines, and says of the others why not."""
        good, bad = [], []
        for place, text in enumerate(self.files[batch["input_file_id"]].splitlines()):
            asked = json.loads(text)
            assert (asked["method"], asked["url"]) == ("POST", batch["endpoint"])
            made = self._answered(asked) if place < answered else _unanswered(asked, status)
            if made:
                (bad if made["error"] or made["response"]["status_code"] != 200 else good).append(
                    made
                )
        counts = {"completed": len(good), "failed": len(bad)}
        batch |= {"status": status, "request_counts": batch["request_counts"] | counts}
        for key, lines in (("output_file_id", good), ("error_file_id", bad)):
            if self.shuffled:
                random.Random(len(lines)).shuffle(lines)
            if lines:
                batch[key] = self._add_file(b"".join(json.dumps(x).encode() + b"\n" for x in lines))

    def _answered(self, asked: Body) -> Body | None:
        n = len(self.lines)
        self.lines.append(asked["body"])
        answer = self.answer(n, asked["body"])
        if answer is None:
            return None
        status, body = answer
        if status == 200:
            self.billed.append(asked["custom_id"])
        response = {"status_code": status, "request_id": f"req_{n}", "body": body}
        return {"id": f"batch_req_{n}", "custom_id": asked["custom_id"], "response": response,
                "error": None}  # fmt: skip


def _unanswered(asked: Body, status: str) -> Body:
    code = {"expired": "batch_expired", "cancelled": "batch_cancelled"}[status]
    why = {"code": code, "message": f"This request was not executed: {code}."}
    return {"id": "", "custom_id": asked["custom_id"], "response": None, "error": why}


def _file(name: str, files: dict[str, bytes]) -> Body:
    return {
        "id": name,
        "object": "file",
        "bytes": len(files[name]),
        "created_at": 0,
        "filename": f"{name}.jsonl",
        "purpose": "batch",
        "status": "processed",
    }


async def _break_off(request: web.Request, content: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(content))})
    await response.prepare(request)
    await response.write(content[: len(content) // 2])
    if request.transport:
        request.transport.close()
    return response


def error_body(status: int, message: str, code: str | None = None) -> Body:
    kind = "invalid_request_error" if status < 429 else "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def error(status: int, message: str, code: str | None = None) -> web.Response:
    return web.json_response(error_body(status, message, code), status=status)
