"""The password of a shared machine (GOALCOVER_PASSWORD): one page, one cookie."""

import time
from collections.abc import Callable
from hashlib import sha256
from secrets import compare_digest, token_urlsafe
from string import Template
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request, cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope

from .theme import DARK, FONT, LIGHT, RADIUS

FIRST_WAIT, LONGEST_WAIT, CALM = 0.5, 5.0, 60.0
"""Seconds to wait after the first wrong password, at most, and until they are forgotten."""

MOST_BYTES = 4096
"""Of a log-in's form: whoever has not logged in yet shall not fill the memory."""

WRONG = "That is not the password."
TOO_FAST = "Too many wrong passwords: wait a few seconds, then try again."


class Attempts:
    """The wait after wrong passwords, doubled by each. It is the same for all callers, who can so
    neither get round it nor make it grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong = 0
        self._open_at = 0.0

    def wait(self) -> float:
        """Seconds until the next attempt is heard; 0 for now."""
        return max(0.0, self._open_at - self._clock())

    def failed(self) -> None:
        now = self._clock()
        self._wrong = 0 if now - self._open_at > CALM else self._wrong
        self._open_at = now + min(FIRST_WAIT * 2**self._wrong, LONGEST_WAIT)
        self._wrong = min(self._wrong + 1, 10)

    def passed(self) -> None:
        self._wrong = 0


class Login:
    """Who knows the password gets a cookie, which is good until the server ends."""

    def __init__(self, password: str, port: int, attempts: Attempts | None = None) -> None:
        self._password = _digest(password)
        self._attempts = attempts or Attempts()
        self._token = token_urlsafe(32)
        # Browsers do not tell ports apart: a second server shall not take the first one's cookie.
        self._cookie = f"goalcover_{port}"

    def admits(self, scope: Scope) -> bool:
        """Whether a request may go on: its sender has logged in, and it is no log-in itself, as
        from a second tab."""
        given = cookie_parser(Headers(scope=scope).get("cookie", "")).get(self._cookie, "")
        form = scope.get("method") == "POST" and scope["path"] == "/"
        return compare_digest(_digest(given), _digest(self._token)) and not form

    async def reply(self, scope: Scope, receive: Receive) -> Response:
        """To a request from anybody else: the page at "/", a refusal everywhere else."""
        request = Request(scope, receive)
        if request.url.path != "/" or request.method not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("Log in at / first.\n", 403)
        if request.method != "POST":
            return login_page()
        given = await _password(request)
        # Nothing is awaited from here on: attempts at the same time wait for one another.
        if wait := self._attempts.wait():
            return login_page(TOO_FAST, 429, {"Retry-After": str(int(wait) + 1)})
        if given is None or not compare_digest(_digest(given), self._password):
            self._attempts.failed()
            return login_page(WRONG, 403)
        self._attempts.passed()
        query = request.url.query
        found = RedirectResponse(f"/?{query}" if query else "/", 303)
        found.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
        return found


def _digest(text: str) -> bytes:
    """Of one length, so that a comparison does not tell the password's."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


async def _password(request: Request) -> str | None:
    """What the form says; None where it is no form, or longer than one may be."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                return None
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=5)
    except (ClientDisconnect, ValueError):
        return None
    return fields.get("password", [None])[0]


def login_page(
    message: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> HTMLResponse:
    """message: words of ours; nothing of the request is shown."""
    said = f'<p class="wrong" role="alert">{message}</p>' if message else ""
    # Without a referrer the browser would not say where the form comes from either.
    kept = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    return HTMLResponse(PAGE.substitute(message=said), status, kept | (headers or {}))


def _colours(mode: dict[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in mode.items())


PAGE = Template(f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Log in to GoalCover</title>
<style>
:root {{ color-scheme: light dark; {_colours(LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_colours(DARK)} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  background: var(--page); color: var(--ink); font: 16px/1.55 {FONT}; }}
main {{ width: 100%; max-width: 22rem; padding: 1.6rem; background: var(--card);
  border: 1px solid var(--line); border-radius: {RADIUS}; }}
h1 {{ font-size: 1.35rem; margin: 0 0 .3rem; }} p {{ margin: 0 0 1.1rem; color: var(--soft); }}
p.wrong {{ color: var(--missing); }} label {{ display: block; font-weight: 600; }}
input, button {{ width: 100%; font: inherit; padding: .55rem .7rem; margin-top: .35rem;
  border-radius: {RADIUS}; border: 1px solid var(--edge); }}
input {{ background: var(--page); color: inherit; }}
button {{ margin-top: 1rem; background: var(--accent); color: var(--on_accent);
  border-color: var(--accent); font-weight: 600; cursor: pointer; }}
:focus-visible {{ outline: 2px solid var(--accent); outline-offset: 2px; }}
</style>
</head>
<body>
<main>
<h1>GoalCover</h1>
<p>This machine is shared: whoever started the chat has the password.</p>
$message
<form method="post">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required
  autofocus>
<button>Log in</button>
</form>
</main>
</body>
</html>
""")
