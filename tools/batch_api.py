"""The Batch API of a server: files and batches, with its errors in words."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from ..memory.errors import ModelUnavailable, UserError
from .chat_model import BAD_PROXY, api_key, key_in_words, without_key
from .text import one_line

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI
    from openai.types import Batch

ENDPOINT = "/v1/chat/completions"

LABEL = "goalcover"
"""What our key of a batch is called in its metadata."""

UNDER_WAY = {"validating", "in_progress", "finalizing", "cancelling"}
ENDED = {"completed", "failed", "expired", "cancelled"}
"""The statuses of a batch, all that there are."""

RETRIES = 3
"""Attempts after the first, of calls that may be made twice."""

ATTEMPTS, PAUSE = 3, 2.0
"""Attempts to create a batch or to download a file, and the seconds between them."""

GOES_ON = "the batches go on there, and the same command collects them"


class Lost(ModelUnavailable):
    """No answer came, or one that makes no sense, or one to come again later."""


class KeyRefused(ModelUnavailable):
    """Nothing comes of asking again."""


class Stuck(ModelUnavailable):
    """One batch cannot be collected, at least now. Others may be."""


class BatchApi:
    """Speaks to one server. Every method raises ModelUnavailable, in one line."""

    def __init__(self, client: "AsyncOpenAI", place: str) -> None:
        self._client = client
        self._place = place
        self._then = ""  # what to do; where batches are there, nobody is told to leave --batch out

    @classmethod
    @asynccontextmanager
    async def at(cls, base_url: str, timeout: float = 120.0) -> AsyncIterator["BatchApi"]:
        """The API at an address, with `api_key`."""
        import openai

        key = api_key() or "none"
        try:
            # Its connections are its own: the SDK's are shared, and belong to one event loop.
            own = openai.DefaultAsyncHttpxClient()
        except Exception as error:  # its text may hold the proxy's password
            raise UserError(BAD_PROXY) from error
        async with openai.AsyncOpenAI(
            base_url=base_url, api_key=key, timeout=timeout, max_retries=RETRIES, http_client=own
        ) as client:
            yield cls(client, base_url.partition("://")[2])

    async def upload(self, file: IO[bytes], name: str) -> str:
        """The id of a file of requests, which is sent as it is read."""
        import openai

        # A redirect would take the rows to a server that nobody named.
        async with openai.DefaultAsyncHttpxClient(follow_redirects=False) as own:
            with self._in_words():
                found = await self._client.with_options(http_client=own).files.create(
                    file=(f"{name}.jsonl", file, "application/jsonl"), purpose="batch"
                )
        return self._checked(found, "id").id

    async def create(self, file_id: str, key: str) -> "Batch":
        """The batch, created once, also where the answer is lost on its way.

        Raises Lost where it may have been made all the same.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._in_words():
                    found = await self._client.with_options(max_retries=0).batches.create(
                        input_file_id=file_id,
                        endpoint=ENDPOINT,
                        completion_window="24h",
                        metadata={LABEL: key},
                    )
                self._then = GOES_ON
                return self._checked(found, "id", "status")
            except Lost as error:
                try:
                    known = (await self.recent()).get(key)
                except ModelUnavailable:
                    raise error from None
                if known:
                    return known
                if attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(PAUSE)
        raise AssertionError("the last attempt returns or raises")

    async def recent(self) -> dict[str, "Batch"]:
        """The server's newest 100 batches, by our key."""
        self._then = GOES_ON
        with self._in_words():
            page: Any = await self._client.batches.list(limit=100)
            found = [self._checked(batch, "id", "status") for batch in page.data or []]
        keys = [part(batch.metadata, LABEL) for batch in found]
        return {key: batch for key, batch in zip(keys, found, strict=True) if isinstance(key, str)}

    async def retrieve(self, batch_id: str) -> "Batch":
        """The batch, with a status that is known. Raises Stuck for another, or for no batch."""
        import openai

        self._then = GOES_ON
        with self._in_words():
            try:
                found = await self._client.batches.retrieve(batch_id)
            except openai.NotFoundError as error:
                raise Stuck(
                    f"{self._place} knows no batch {batch_id}: set the key that it was sent with, "
                    f"or give it up with `goalcover batches --cancel {batch_id}`."
                ) from error
        status = self._checked(found, "id", "status").status
        if status not in UNDER_WAY | ENDED:
            raise Stuck(
                f"{self._place} says that the batch {batch_id} is {one_line(status)!r}, which is "
                f"no status of the Batch API. The same command looks again."
            )
        return found

    async def cancel(self, batch_id: str) -> "Batch | None":
        """The batch, which is being cancelled or has ended; None where the server knows none."""
        import openai

        self._then = "try again later"
        with self._in_words():
            try:
                found = await self._client.batches.retrieve(batch_id)
                if found.status not in {"cancelling", *ENDED}:
                    found = await self._client.batches.cancel(batch_id)
            except openai.NotFoundError:
                return None
        return self._checked(found, "status")

    @asynccontextmanager
    async def lines(self, batch: "Batch", file_id: str, folder: Path) -> AsyncIterator[IO[bytes]]:
        """A file of a batch's replies, downloaded to a nameless file in `folder`.

        Raises Stuck where the server does not give it: what is in it was paid for.
        """
        self._then = GOES_ON
        with TemporaryFile(dir=folder) as file:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    file.seek(0)
                    file.truncate()
                    await self._download(batch.id, file_id, file)
                    self._check(batch, file_id, file)
                    break
                except (Lost, Stuck):
                    if attempt == ATTEMPTS:
                        raise
                    await asyncio.sleep(PAUSE)
            file.seek(0)
            yield file

    async def _download(self, batch_id: str, file_id: str, file: IO[bytes]) -> None:
        import openai

        with self._in_words():
            try:
                async with self._client.files.with_streaming_response.content(file_id) as response:
                    try:
                        async for some in response.iter_bytes():
                            file.write(some)
                    except OSError:
                        raise  # the disk is full
                    except Exception as error:  # whatever the SDK's HTTP library raises
                        raise openai.APIConnectionError(request=response.http_request) from error
            except openai.NotFoundError as error:
                raise self._withheld(batch_id, file_id) from error

    def _check(self, batch: "Batch", file_id: str, file: IO[bytes]) -> None:
        """Raises Stuck where something else came than replies, or nothing in their place."""
        file.seek(0)
        expected = file_id == batch.output_file_id and completed_of(batch) > 0
        if not any(b"custom_id" in line for line in file) and (file.tell() or expected):
            raise self._withheld(batch.id, file_id)

    def _withheld(self, batch_id: str, file_id: str) -> Stuck:
        return Stuck(
            f"{self._place} does not give the file {file_id}, with replies of the batch "
            f"{batch_id}: try again later, or give the batch up with "
            f"`goalcover batches --cancel {batch_id}`."
        )

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        import openai

        try:
            yield
        except openai.APIConnectionError as error:
            then = self._then or "start the server or check --base-url"
            raise Lost(f"{self._place} does not answer: {then}.") from error
        except openai.APIStatusError as error:
            raise self._meaning(error) from error
        except (openai.APIError, AttributeError, TypeError, ValueError) as error:
            raise self._odd() from error

    def _meaning(self, error: "APIStatusError") -> ModelUnavailable:
        status, said = (
            error.status_code,
            message_of(error.body) or one_line(without_key(str(error))),
        )
        if 300 <= status < 400:
            there = one_line(error.response.headers.get("Location"))
            return ModelUnavailable(f"{self._place} redirects to {there}: give --base-url that.")
        if status in (401, 403):
            named, then = key_in_words()
            return KeyRefused(f"{self._place} refuses {named}: {then}.")
        if status in (404, 405, 501) and not self._then:
            return ModelUnavailable(f"{self._place} has no Batch API: leave --batch out.")
        if status == 402 or error.code == "insufficient_quota":
            return ModelUnavailable(f"{self._place}: the account's quota is used up.")
        if status in (408, 429) or status >= 500:
            return Lost(f"{self._place} answers with status {status}: {said}. Try again later.")
        return ModelUnavailable(f"{self._place} refuses this: {said}")

    def _checked(self, found: Any, *names: str) -> Any:
        """The SDK passes on whatever comes with status 200."""
        if not all(isinstance(getattr(found, name, None), str) for name in names):
            raise self._odd()
        return found

    def _odd(self) -> Lost:
        then = self._then or "leave --batch out"
        return Lost(f"{self._place} does not answer as a Batch API does: {then}.")


# --- what a batch of the server holds, whatever the server took that for


def part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def files_of(batch: "Batch") -> list[str]:
    """Its files of replies: there are none where nothing was judged, or nothing failed."""
    found = batch.output_file_id, batch.error_file_id
    return [file_id for file_id in found if file_id and isinstance(file_id, str)]


def completed_of(batch: "Batch") -> int:
    count = part(batch.request_counts, "completed")
    return count if isinstance(count, int) else 0


def refusal_of(batch: "Batch") -> tuple[Any, str]:
    """Code and message of why a batch has failed."""
    errors = part(batch.errors, "data") or batch.errors
    first = errors[0] if isinstance(errors, list) and errors else errors
    return part(first, "code"), one_line(part(first, "message") or "it gives no reason")


def message_of(body: Any) -> str:
    """The message of an error's body, in one line; empty where there is none."""
    found = body.get("error", body) if isinstance(body, dict) else body
    message = found.get("message") if isinstance(found, dict) else found
    return one_line(without_key(str(message or "")))
