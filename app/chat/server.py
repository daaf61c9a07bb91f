"""What stands before Streamlit: whom the server answers, and what a browser may do with it."""

import re
from base64 import b64encode
from collections.abc import Collection
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from .login import Login

POLICY_VIOLATION = 1008  # of RFC 6455; before the handshake it becomes a 403

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """ASGI middleware, the outermost: every reply has its headers, its refusals too.

    hosts: names that the server goes by; None for any, which only a password makes safe. login:
    None where there is no password.
    """

    def __init__(
        self, app: ASGIApp, policy: str, hosts: Collection[str] | None, login: Login | None
    ) -> None:
        self._app = app
        self._headers = {"Content-Security-Policy": policy} | HEADERS
        self._hosts = None if hosts is None else {host.lower() for host in hosts}
        self._login = login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        headers, sending = Headers(scope=scope), self._with_headers(send)
        refused = self.refusal(headers)
        if not refused and (self._login is None or self._login.admits(scope)):
            await self._app(scope, receive, sending)
        elif scope["type"] == "websocket":
            await WebSocketClose(POLICY_VIOLATION)(scope, receive, send)
        elif refused or self._login is None:
            await PlainTextResponse(f"{refused}\n", 403)(scope, receive, sending)
        else:
            reply = await self._login.reply(scope, receive)
            await reply(scope, receive, sending)

    def refusal(self, headers: Headers) -> str:
        """Why a request is not even looked at; "" for none.

        Another site can point a name of its own at this machine (DNS rebinding), or have its
        visitors' browsers send requests here. Streamlit looks at the host of websockets alone, and
        asks another machine for its own address before it refuses an origin.
        """
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._hosts is not None and _name(host) not in self._hosts:
            return "This server does not go by that name: open the address that it printed."
        if origin is not None and origin.partition("://")[2] != host:
            return "This request comes from another site."
        return ""

    def _with_headers(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        return sending


def _name(host: str) -> str:
    """Of a Host header, without its port; "" where it is none."""
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname or "", parts.port  # a port that is no number raises
    except ValueError:
        return ""
    return name if parts.netloc == host and "@" not in host else ""


def content_policy(index: Path) -> str:
    """What the page may load and run: what this server sends, and the inline scripts of `index`.

    Streamlit styles inline and carries icons and a font as data; its charts need no eval.
    """
    scripts = re.findall(r"<script>(.*?)</script>", index.read_text("utf-8"), re.DOTALL)
    hashes = [f"'sha256-{b64encode(sha256(s.encode()).digest()).decode()}'" for s in scripts]
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src 'self'", *hashes]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )
