"""The Prefect server of `mcqa serve`: `python -m flows.serving.lasting_server [OPTION …]`.

The options are those of `prefect server start`, which it runs, and the server is the same but for its connections to SQLite.
"""

import sys

from flows.serving.sqlite_connections import close_failed_statements


def main() -> None:
    """Serve until a signal arrives."""
    close_failed_statements()
    from prefect.cli import app  # noqa: PLC0415 - takes seconds

    sys.argv = ["prefect", "server", "start", *sys.argv[1:]]
    app()


if __name__ == "__main__":
    main()
