"""Loaded by the server's Python at start: notes every connection that leaves the machine."""

import os
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any

NOTES = Path(os.environ["CHAT_CONNECTIONS"])


def leaves(host: str) -> bool:
    try:
        return not (ip_address(host).is_loopback or ip_address(host).is_unspecified)
    except ValueError:
        return host != "localhost"


def note(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(args[1], tuple):
        host = args[1][0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else host
    if name and leaves(name):
        with NOTES.open("a") as notes:
            notes.write(f"{event} {name}\n")


sys.addaudithook(note)
