"""The batches that are not collected yet, for the command line."""

import asyncio
from typing import TYPE_CHECKING

from ..memory.batches import Batch
from ..memory.errors import ModelUnavailable, UserError
from ..memory.store import Store, open_store
from .batch_api import ENDED, BatchApi, KeyRefused, Stuck, files_of
from .settings import home

if TYPE_CHECKING:
    from openai.types import Batch as ServerBatch


def outstanding_batches() -> list[Batch]:
    """All batches that are not collected, the oldest first."""
    with open_store(home()) as store:
        return store.batches.outstanding()


def cancel_batch(name: str) -> str:
    """Asks the server to cancel a batch, and says what became of it.

    `name` is its id, or our key where the server has not confirmed it. What cannot be collected
    any more is given up. Raises UserError where no such batch is under way.
    """
    with open_store(home()) as store:
        for batch in store.batches.outstanding():
            if name in (batch.id, batch.key):
                return asyncio.run(_cancel(store, batch))
    raise UserError(f"there is no batch {name} under way. `goalcover batches` lists them.")


async def _cancel(store: Store, batch: Batch) -> str:
    async with BatchApi.at(batch.base_url) as api:
        batch_id = batch.id or await _confirmed(api, batch)
        if not batch_id:
            why = f"{batch.base_url} does not confirm that there is a batch {batch.key}"
        elif not (found := await api.cancel(batch_id)):
            why = f"the server knows no batch {batch_id}"
        elif found.status in ENDED and (file_id := await _withheld(api, found)):
            why = f"the server does not give the file {file_id} of the batch {batch_id}"
        else:
            store.batches.mark(batch.key, found.status, batch_id)
            return f"{batch_id} {found.status}: the run's next command collects what it has done."
    with store.transaction():
        store.batches.drop(batch.key)
    return f"{why.rstrip('.')}: it is given up."


async def _confirmed(api: BatchApi, batch: Batch) -> str:
    """The id under which the server has the batch; empty where none can be found."""
    try:
        found = (await api.recent()).get(batch.key)
    except KeyRefused:
        raise
    except ModelUnavailable:  # it may be gone for good
        return ""
    return found.id if found else ""


async def _withheld(api: BatchApi, found: "ServerBatch") -> str:
    """The file of replies that the server does not give; empty where it gives all."""
    for file_id in files_of(found):
        try:
            async with api.lines(found, file_id, home()):
                pass
        except Stuck:
            return file_id
    return ""
