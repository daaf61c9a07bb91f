"""The Batch API of a server: files and batches, with its errors in words."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from ..memory.errors import ModelUnavailable

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI
    from openai.types import Batch

ENDPOINT = "/v1/chat/completions"

LABEL = "goalcover"
"""What our key of a batch is called in its metadata."""

RETRIES = 3
"""Attempts after the first, of calls that may be made twice."""

ATTEMPTS, PAUSE = 3, 2.0
"""Attempts to create a batch or to download a file, and the seconds between them."""

GOES_ON = "the batches go on there, and the same command collects them"


class Lost(ModelUnavailable):
    """No answer came, or one to come again later: another time may be better."""


class BatchApi:
    """Speaks to one server. Every method raises ModelUnavailable, in one line."""

    def __init__(self, client: "AsyncOpenAI", place: str) -> None:
        """`client` lends its address, key and headers; `place` is the server's name in texts."""
        import openai

        # Its connections are its own: the SDK's are shared, and belong to one event loop.
        own = openai.DefaultAsyncHttpxClient()
        self._client = client.with_options(max_retries=RETRIES, http_client=own)
        self._place = place

    async def aclose(self) -> None:
        await self._client.close()

    async def upload(self, file: IO[bytes], name: str) -> str:
        """The id of a file of requests, which is sent as it is read."""
        with self._in_words("start the server or check --base-url"):
            found = await self._client.files.create(
                file=(f"{name}.jsonl", file, "application/jsonl"), purpose="batch"
            )
        return self._checked(found, "id").id

    async def create(self, file_id: str, key: str) -> "Batch":
        """The batch, created once, also where the answer is lost on its way."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._in_words(GOES_ON):
                    found = await self._client.with_options(max_retries=0).batches.create(
                        input_file_id=file_id,
                        endpoint=ENDPOINT,
                        completion_window="24h",
                        metadata={LABEL: key},
                    )
                return self._checked(found, "id", "status")
            except Lost:
                if known := (await self.recent()).get(key):
                    return known
                if attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(PAUSE)
        raise AssertionError("the last attempt returns or raises")

    async def recent(self) -> dict[str, "Batch"]:
        """The server's newest 100 batches, by our key."""
        with self._in_words(GOES_ON):
            page = await self._client.batches.list(limit=100)
        found: list[Any] = getattr(page, "data", None) or []
        return {batch.metadata[LABEL]: batch for batch in found if LABEL in (batch.metadata or {})}

    async def retrieve(self, batch_id: str) -> "Batch":
        with self._in_words(GOES_ON, self._unknown(batch_id)):
            found = await self._client.batches.retrieve(batch_id)
        return self._checked(found, "id", "status")

    async def cancel(self, batch_id: str) -> str:
        """The batch's status; "unknown" where the server does not know it."""
        import openai

        with self._in_words("try again when it does"):
            try:
                found = await self._client.batches.cancel(batch_id)
            except openai.NotFoundError:
                return "unknown"
        return self._checked(found, "status").status

    @asynccontextmanager
    async def lines(self, file_id: str, folder: Path) -> AsyncIterator[IO[bytes]]:
        """A file of replies, downloaded to a nameless file in `folder`.

        It is empty where the server has it no longer.
        """
        with TemporaryFile(dir=folder) as file:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    file.seek(0)
                    file.truncate()
                    await self._download(file_id, file)
                    break
                except Lost:
                    if attempt == ATTEMPTS:
                        raise
                    await asyncio.sleep(PAUSE)
            file.seek(0)
            yield file

    async def _download(self, file_id: str, file: IO[bytes]) -> None:
        import openai

        with self._in_words(GOES_ON):
            try:
                async with self._client.files.with_streaming_response.content(file_id) as response:
                    try:
                        async for part in response.iter_bytes():
                            file.write(part)
                    except OSError:
                        raise  # the disk is full
                    except Exception as error:  # whatever the SDK's HTTP library raises
                        raise openai.APIConnectionError(request=response.http_request) from error
            except openai.NotFoundError:
                return

    @contextmanager
    def _in_words(self, when_lost: str, when_missing: str = "") -> Iterator[None]:
        import openai

        try:
            yield
        except openai.APIConnectionError as error:
            raise Lost(f"{self._place} does not answer: {when_lost}.") from error
        except openai.APIStatusError as error:
            raise self._meaning(error, when_missing) from error
        except openai.APIError as error:
            raise self._odd() from error

    def _meaning(self, error: "APIStatusError", when_missing: str) -> ModelUnavailable:
        status, said = error.status_code, message_of(error.body) or one_line(error)
        if status in (401, 403):
            return ModelUnavailable(
                f"{self._place} refuses the key in OPENAI_API_KEY: set a key that is valid there."
            )
        if status in (404, 405, 501):
            return ModelUnavailable(
                when_missing or f"{self._place} has no Batch API: leave --batch out."
            )
        if status == 402 or error.code == "insufficient_quota":
            return ModelUnavailable(f"{self._place}: the account's quota is used up.")
        if status in (408, 429) or status >= 500:
            return Lost(f"{self._place} answers with status {status}: {said}. Try again later.")
        return ModelUnavailable(f"{self._place} refuses this: {said}")

    def _unknown(self, batch_id: str) -> str:
        return (
            f"{self._place} knows no batch {batch_id}: set the key that it was sent with, or give "
            f"it up with `goalcover batches --cancel {batch_id}`."
        )

    def _checked(self, found: Any, *names: str) -> Any:
        """The SDK passes on whatever comes with status 200."""
        if not all(isinstance(getattr(found, name, None), str) for name in names):
            raise self._odd()
        return found

    def _odd(self) -> ModelUnavailable:
        return ModelUnavailable(
            f"{self._place} does not answer as a Batch API does: leave --batch out."
        )


def message_of(body: Any) -> str:
    """The message of an error's body, in one line; empty where there is none."""
    found = body.get("error", body) if isinstance(body, dict) else body
    message = found.get("message") if isinstance(found, dict) else found
    return one_line(message or "")


def one_line(text: object) -> str:
    """Shortened, as a server's error text may be long and quote the prompt, halves of emoji too."""
    whole = str(text).encode("utf-8", "replace").decode()
    return " ".join(whole.split())[:300]
