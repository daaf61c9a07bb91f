"""What a failed call of a server means: try again, a failure of this ask, or the end of the run."""

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ClientResponseError,
    InvalidURL,
)

from ..memory.errors import ModelUnavailable, ReplyFailure
from .aio_chat import HttpFailure
from .chat_model import api_key, key_in_words, without_key
from .text import one_line

PASSING = {408, 409, 425, 429}
"""Statuses below 500 that may be well another time; so may all from 500 up."""

OVERLOADED = {429, 503, 504, 529}
"""Statuses that ask for fewer calls at once."""

PATIENCE = 300.0
"""Seconds that a server may ask to wait; a run stops where it asks for more."""

AT_FIRST = 3
"""Attempts at a server that has not answered yet: most often it was never started."""


def overloads(error: Exception) -> bool:
    """Whether the server had too much."""
    return isinstance(error, TimeoutError) or getattr(error, "status", 0) in OVERLOADED


def retry_after(error: Exception) -> float:
    """Seconds that the server asks to wait; 0 where it does not."""
    return (error.retry_after or 0.0) if isinstance(error, HttpFailure) else 0.0


def attempts(error: Exception, most: int, answered: bool) -> int:
    """How often a call may be made that fails with this. `answered`: the server did before."""
    if isinstance(error, HttpFailure):
        passing = error.status in PASSING or error.status >= 500
        hopeless = error.code == "insufficient_quota" or retry_after(error) > PATIENCE
        return most if passing and not hopeless else 1
    if isinstance(error, TimeoutError):
        return min(most, 2)
    if isinstance(error, InvalidURL | ClientHttpProxyError):
        return 1
    return most if answered else min(most, AT_FIRST)


def meaning(error: Exception, place: str, model: str, timeout: float) -> Exception:
    """What an error that came of all attempts means. A 400 or 422 is given back."""
    if isinstance(error, TimeoutError):
        return ReplyFailure(f"no whole reply within {timeout:g} s", outage=True)
    if isinstance(error, HttpFailure):
        return _of_status(error, place, model)
    if isinstance(error, ClientProxyConnectionError | ClientHttpProxyError):
        return ModelUnavailable(
            f"the proxy that HTTP_PROXY or HTTPS_PROXY names does not lead to {place} "
            f"({line(error)}): set it right, or NO_PROXY."
        )
    if isinstance(error, ClientConnectorError):
        return ModelUnavailable(
            f"{place} does not answer ({line(error.os_error)}): "
            "start the server or check --base-url."
        )
    kind = "connection lost" if isinstance(error, ClientError) else "unreadable reply"
    return ReplyFailure(f"{kind}: {line(error)}", outage=True)


def _of_status(error: HttpFailure, place: str, model: str) -> Exception:
    if error.status in (400, 422):
        return error
    if 300 <= error.status < 400:
        return ModelUnavailable(f"{place} redirects ({line(error)}): give --base-url that address.")
    if error.status in (401, 403) and not api_key():
        return ModelUnavailable(f"{place} wants a key: set OPENAI_API_KEY.")
    if error.status in (401, 403):
        named, then = key_in_words()
        return ModelUnavailable(f"{place} refuses {named}: {then}.")
    if error.status == 404:
        return ModelUnavailable(
            f"{place} knows no model {model!r} (or the URL is wrong, most end in /v1): "
            "check --model and --base-url."
        )
    if error.status == 402 or error.code == "insufficient_quota":
        return ModelUnavailable(f"{place}: the account's quota is used up.")
    if retry_after(error) > PATIENCE:
        return ModelUnavailable(
            f"{place} asks to wait {retry_after(error):.0f} s before the next call. Go on then."
        )
    return ReplyFailure(line(error), outage=error.status in PASSING or error.status >= 500)


def line(error: object) -> str:
    """What went wrong, in one line, without the key."""
    if isinstance(error, ClientResponseError):  # its text holds the URL, that of a proxy too
        error = f"{error.status}: {error.message}"
    return one_line(without_key(str(error)))
