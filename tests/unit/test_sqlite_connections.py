"""The connections of a Prefect server to SQLite: a statement that fails never makes the event loop wait for another."""

import asyncio
import gc
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from flows.serving.sqlite_connections import close_failed_statements

INSERT = "INSERT INTO numbers VALUES ({})"
# Prefect's is 60,000.
PATIENCE = "PRAGMA busy_timeout = 2000"


async def collect_while_a_write_waits(database: Path) -> None:
    """Collect garbage, on the event loop, while a connection on which a statement has failed waits for the write lock."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{database}")
    event.listen(engine.sync_engine, "connect", lambda connection, _: connection.cursor().execute(PATIENCE))
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE numbers (number UNIQUE)"))
        await connection.execute(text(INSERT.format(1)))
    async with engine.connect() as waiting, engine.connect() as writing:
        with pytest.raises(DBAPIError):
            await waiting.execute(text(INSERT.format(1)))
        await waiting.rollback()
        await writing.execute(text(INSERT.format(2)))
        insert = asyncio.create_task(waiting.execute(text(INSERT.format(3))))
        await asyncio.sleep(0.2)
        gc.collect()
        await writing.commit()
        await insert
    await engine.dispose()


def test_what_has_failed_holds_up_nobody(tmp_path: Path) -> None:
    """Else the event loop waits for the write lock, and the transaction that holds it for the event loop."""
    close_failed_statements()
    gc.collect()
    gc.disable()
    try:
        asyncio.run(collect_while_a_write_waits(tmp_path / "prefect.db"))
    finally:
        gc.enable()
