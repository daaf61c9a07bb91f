"""What `goalcover chat` does: serves `page.py` with Streamlit, whose options are set here alone."""

import errno
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import typer

from ...memory.errors import UserError
from ...tools import tokens
from .theme import theme_options

PAGE = Path(__file__).with_name("page.py")
LOCAL = ("localhost", "127.0.0.1", "::1")
ANY = ("0.0.0.0", "::")  # every address of the machine

MESSAGE_MB = 50
"""Of one message between page and server; uploads and downloads are none."""

GONE_SECONDS = 600
"""That a page keeps its state for while its connection is lost, as on a laptop that sleeps."""

GRACE_SECONDS = 3
"""For replies under way when the server ends."""


def serve(host: str, port: int, headless: bool, max_upload: int, page: Path = PAGE) -> None:
    """Serves until it is interrupted, which raises KeyboardInterrupt.

    port: 0 takes a free one; max_upload: of a file, in MB. Raises UserError where the address
    cannot be had, or would let others in without a password.
    """
    password = os.environ.get("GOALCOVER_PASSWORD", "")
    if not password and not is_local(host):
        raise UserError(
            f"--host {host} lets other machines in: set GOALCOVER_PASSWORD to a password of yours "
            "first, or leave --host out."
        )
    tokens.stay_here()
    with listen(host, port) as listener:
        port = listener.getsockname()[1]
        _configure(streamlit_options(host, port, max_upload))
        _run(_app(page, host, port, password, headless), listener)


def is_local(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises UserError where it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"--port {port} is taken: give another one, 0 for any that is free, or end what "
                "uses it, perhaps another `goalcover chat`."
            ) from None
        if error.errno == errno.EACCES:
            raise UserError(f"--port {port} is not for everybody: give one from 1024 up.") from None
        if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
            raise UserError(f"--host {host} is no address of this machine.") from None
        raise


def address(host: str, port: int) -> str:
    """The URL that a browser on this machine opens."""
    seen = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{seen}]:{port}" if ":" in seen else f"http://{seen}:{port}"


def streamlit_options(host: str, port: int, max_upload: int) -> dict[str, Any]:
    """The options of Streamlit that are not its defaults, and those that safety hangs on."""
    return theme_options() | {
        "global.developmentMode": False,
        "browser.gatherUsageStats": False,
        "browser.serverAddress": "localhost" if host in ANY else host,
        "browser.serverPort": port,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "viewer",
        "client.showSidebarNavigation": False,
        "client.allowedOrigins": [],
        "runner.magicEnabled": False,
        # Two runs of the page at once would undo what is being typed.
        "runner.fastReruns": False,
        "logger.hideWelcomeMessage": True,
        "logger.level": "warning",
        "logger.enableRich": False,
        "server.headless": True,  # Streamlit would open a browser and look for its own address
        "server.address": host,
        "server.port": port,
        "server.fileWatcherType": "none",
        "server.runOnSave": False,
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        "server.xsrfCookieSameSite": "strict",
        "server.allowedHosts": list(allowed_hosts(host) or []),
        "server.enableStaticServing": False,
        "server.enableAgentApi": False,
        "server.maxUploadSize": max_upload,
        "server.maxMessageSize": MESSAGE_MB,
        "server.disconnectedSessionTTL": GONE_SECONDS,
    }


def allowed_hosts(host: str) -> tuple[str, ...] | None:
    """Names that the server goes by; None for any, where it listens on every address."""
    return None if host in ANY else (*LOCAL, host)


def _configure(options: dict[str, Any]) -> None:
    from streamlit import config
    from streamlit.web import bootstrap

    # A .streamlit folder here or at home is of other apps: it could let other sites in, send
    # usage statistics, or fetch a theme.
    config.get_config_files = lambda file_name: []
    bootstrap.load_config_options(options)


def _app(page: Path, host: str, port: int, password: str, headless: bool) -> Any:
    import streamlit

    from .login import Login
    from .server import Guard, content_policy

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        _announce(host, port, headless)
        yield

    # Streamlit puts the page's folder before all others while the page runs, where a module of
    # ours could be taken for another's of that name; it does not where it is there already.
    sys.path.append(str(page.absolute().parent))
    policy = content_policy(Path(streamlit.__file__).parent / "static" / "index.html")
    login = Login(password, port) if password else None
    return Guard(streamlit.App(page, lifespan=lifespan), policy, allowed_hosts(host), login)


def _announce(host: str, port: int, headless: bool) -> None:
    url = address(host, port)
    typer.echo(f"GoalCover chat: {url}")
    if not is_local(host):
        typer.echo(
            "Other machines reach it unencrypted: what they send can be read on the way, the "
            "password too. An SSH tunnel or a proxy with HTTPS prevents that.",
            err=True,
        )
    if not headless:
        # Some browsers return only when they are closed.
        threading.Thread(target=webbrowser.open, args=[url], daemon=True).start()


def _run(app: Any, listener: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_max_size=MESSAGE_MB * 2**20,
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    server.run(sockets=[listener])
    if not server.started:
        raise RuntimeError("the server did not start")
