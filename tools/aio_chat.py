"""ChatOpenAI without the weight of the SDK's client: one aiohttp session, bodies as plain JSON.

The SDK and langchain's structured output spend milliseconds of CPU on a call, which is what limits
a scorer with hundreds of calls under way (`make bench` measures it).
"""

import asyncio
import json
import math
import ssl
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import certifi
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI
from pydantic import PrivateAttr


class HttpFailure(Exception):
    """An answer other than 200. `retry_after`: seconds that the server asks to wait."""

    def __init__(self, status: int, body: str, retry_after: float | None) -> None:
        self.status = status
        self.retry_after = retry_after
        self.code, message = _error_of(body)
        super().__init__(f"status {status}: {message}")


class AioChatOpenAI(ChatOpenAI):
    """Prompts, parameters, headers and results are ChatOpenAI's; only the way there is not.

    A call is made once, within `request_timeout` seconds from first to last byte.
    """

    use_responses_api: bool | None = False  # compatible servers know chat completions
    _session: aiohttp.ClientSession | None = PrivateAttr(None)
    _loop: asyncio.AbstractEventLoop | None = PrivateAttr(None)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await self.reply(messages, stop=stop, **kwargs)

    async def reply(self, messages: Sequence[Any], **options: Any) -> ChatResult:
        """`agenerate` for one prompt, without callbacks. Errors: see `post`."""
        return self.read(await self.post(self.payload(messages, **options)))

    def payload(self, messages: Sequence[Any], **options: Any) -> dict[str, Any]:
        """The body of the request."""
        payload = self._get_request_payload(list(messages), **options)
        return {**payload, **payload.pop("extra_body", {})}

    def read(self, body: Any) -> ChatResult:
        """The result in the body of an answer. Raises ValueError where it has another form."""
        try:
            result = self._create_chat_result(_held(body))
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise ValueError(f"it is no chat completion ({error!r})") from error
        if refusal := body["choices"][0]["message"].get("refusal"):
            # As ChatOpenAI notes it of a reply that the SDK has parsed.
            result.generations[0].message.additional_kwargs["refusal"] = refusal
        return result

    async def post(self, payload: dict[str, Any]) -> Any:
        """The decoded body of the answer.

        Raises HttpFailure, aiohttp.ClientError, TimeoutError, and ValueError where it is no JSON.
        """
        # The SDK leaves the slash out where the address has no path.
        url = f"{str(self.root_async_client.base_url).rstrip('/')}/chat/completions"
        data = json.dumps(payload).encode()
        # A redirect would take the rows to a server that nobody named.
        async with self._opened().post(url, data=data, allow_redirects=False) as response:
            answer = await response.read()
            if 300 <= response.status < 400:
                raise HttpFailure(response.status, response.headers.get("Location", ""), None)
            if response.status != 200:
                text = answer.decode("utf-8", "replace")
                raise HttpFailure(response.status, text, _retry_after(response.headers))
        try:
            return json.loads(answer)
        except RecursionError as error:
            raise ValueError("its JSON is nested too deeply") from error

    def _opened(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is None or self._session.closed or self._loop is not loop:
            self._loop = loop  # a session belongs to one
            client = self.root_async_client
            known = {**client.default_headers, **client.auth_headers}
            self._session = aiohttp.ClientSession(
                # The throttle counts calls. Certificates as the SDK's client has them.
                connector=aiohttp.TCPConnector(limit=0, ssl=_certificates(str(client.base_url))),
                timeout=aiohttp.ClientTimeout(total=self.request_timeout),  # pyright: ignore[reportArgumentType]
                headers={k: v for k, v in known.items() if isinstance(v, str)},
                # Not `trust_env`: it looks for ~/.netrc in a thread at every call.
                proxy=_proxy(str(client.base_url)),
            )
        return self._session

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)  # lets the sockets close


def _held(body: Any) -> Any:
    """The body, with the arguments of a tool call as its content where they are no JSON object.

    A langchain message holds no others; whoever reads them can say what is wrong with them.
    """
    choice = body["choices"][0]
    for call in choice["message"].get("tool_calls") or ():
        arguments = call["function"]["arguments"]
        if not isinstance(arguments, str) or not arguments.lstrip().startswith("{"):
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            message = {**choice["message"], "content": text, "tool_calls": None}
            return {**body, "choices": [{**choice, "message": message}]}
    return body


def _certificates(url: str) -> ssl.SSLContext | bool:
    if url.startswith("http:"):
        return True
    context = ssl.create_default_context()  # the system's, SSL_CERT_FILE, SSL_CERT_DIR
    context.load_verify_locations(certifi.where())
    return context


def _proxy(url: str) -> str | None:
    """What HTTPS_PROXY and its kin say; NO_PROXY may name hosts with and without a port."""
    parts = urlsplit(url)
    found = getproxies().get(parts.scheme)
    if not found or proxy_bypass(parts.hostname or "") or proxy_bypass(parts.netloc):
        return None
    return found if "://" in found else f"http://{found}"


def _error_of(body: str) -> tuple[str | None, str]:
    """(code, message) of an error's body, whatever it looks like."""
    try:
        error = json.loads(body)["error"]
        return error.get("code"), str(error.get("message") or error)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None, body


def _retry_after(headers: Any) -> float | None:
    """Seconds to wait, from retry-after-ms or Retry-After (a number or a date)."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        try:
            seconds = float(value) * unit
        except (TypeError, ValueError):
            continue
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after")).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
