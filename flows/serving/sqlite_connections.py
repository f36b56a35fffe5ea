"""The connections of a Prefect server to SQLite, whose failed statements are closed at once.

SQLAlchemy (2.0.58) leaves the cursor of a statement that failed to Python's garbage collector, which runs on the server's event
loop more often than not. To reset the statement, SQLite then waits for its connection, and with it the server for the
connection's thread. While that waits to write, the transaction that holds the write lock needs the event loop to go on: nothing
moves until SQLite gives up after a minute (`database is locked`). With eight workers that happened once a minute.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self


class ClosingCursor(sqlite3.Cursor):
    """A cursor that closes itself when its statement fails, on the connection's own thread, where that waits for nothing."""

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        """Execute the statement."""
        with self._closed_on_failure():
            return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> Self:
        """Execute the statement with each set of parameters."""
        with self._closed_on_failure():
            return super().executemany(sql, parameters)

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""
        with self._closed_on_failure():
            return super().fetchall()

    @contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()
            raise


class ClosingConnection(sqlite3.Connection):
    """A connection with such cursors."""

    def cursor(self, factory: type[sqlite3.Cursor] = ClosingCursor) -> sqlite3.Cursor:  # type: ignore[override]
        """Return a cursor that closes itself when its statement fails."""
        return super().cursor(factory)


def close_failed_statements() -> None:
    """Let all connections to SQLite that SQLAlchemy opens in this process close what fails."""
    from sqlalchemy import event  # noqa: PLC0415 - takes a third of a second, and others import this module
    from sqlalchemy.engine import Engine  # noqa: PLC0415 - the same

    event.listen(Engine, "do_connect", _choose_connection)


def _choose_connection(dialect: Any, _record: object, _arguments: object, parameters: dict[str, object]) -> None:
    if dialect.name == "sqlite":
        parameters["factory"] = ClosingConnection
