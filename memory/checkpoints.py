"""Where the graph's checkpoints lie: a SQLite file, or Postgres by URL."""

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from . import records
from .errors import UserError


def serializer(*more: type) -> JsonPlusSerializer:
    """A serializer that revives our records, the types in `more`, and nothing else."""
    ours = [
        (records.__name__, name)
        for name, kind in inspect.getmembers(records, inspect.isclass)
        if issubclass(kind, records.Record)
    ]
    return JsonPlusSerializer(
        allowed_msgpack_modules=[*ours, *((kind.__module__, kind.__qualname__) for kind in more)]
    )


@asynccontextmanager
async def open_checkpoints(
    home: Path, url: str | None, serde: JsonPlusSerializer
) -> AsyncIterator[BaseCheckpointSaver]:
    """The checkpointer at `url` ("postgresql://...") or, without one, in `home/checkpoints.db`.

    Raises UserError where Postgres is asked for but does not answer or is not installed.
    """
    if url:
        async with _postgres(url, serde) as saver:
            yield saver
        return
    import aiosqlite
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with aiosqlite.connect(home / "checkpoints.db", timeout=30) as connection:
        (home / "checkpoints.db").chmod(0o600)
        yield AsyncSqliteSaver(connection, serde=serde)


@asynccontextmanager
async def _postgres(url: str, serde: JsonPlusSerializer) -> AsyncIterator[BaseCheckpointSaver]:
    try:
        import psycopg
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    except ImportError as error:
        raise UserError(
            "checkpoints in Postgres need: pip install 'goalcover[postgres]'"
        ) from error
    try:
        async with AsyncPostgresSaver.from_conn_string(url, serde=serde) as saver:
            await saver.setup()
            yield saver
    except psycopg.OperationalError as error:
        # The URL may carry a password: it is not repeated.
        raise UserError(
            f"GOALCOVER_CHECKPOINTS: Postgres does not answer: {str(error).splitlines()[0]}"
        ) from error
