"""The database of a temporary Prefect server: a copy of one that an earlier server has migrated.

Migrating an empty database takes longer than all the rest of a start. A copy is used only if it is sound and has the newest
schema of the installed Prefect, so that no upgrade, downgrade or damage stops a server: it then makes the schema itself.
"""

import os
import re
import shutil
import sqlite3
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path

from tasks.evaluation.storage.durable_files import replace_file, write_bytes, write_durably

# In the package of Prefect; a file's name begins with its date, followed by the id of the revision.
MIGRATIONS = "server/database/_migrations/versions/sqlite"
REVISION = re.compile(r"\d{4}_\d\d_\d\d_\d{6}_([0-9a-f]{12})_\w+\.py")


def prepare_database(database: Path, templates: Path) -> bool:
    """Return True if the database has the newest schema; a missing one is copied from the template with that schema first."""
    revision = find_newest_revision()
    if revision is None:
        return False
    if database.exists():
        return is_current(database, revision)
    with suppress(OSError):
        shutil.copyfile(find_template(templates, revision), database)
    if is_current(database, revision):
        return True
    database.unlink(missing_ok=True)
    return False


def find_template(templates: Path, revision: str) -> Path:
    """Return the path of the template with this schema."""
    return templates / f"server-{revision}.db"


def is_current(database: Path, revision: str) -> bool:
    """Return True if the file is a sound database with the schema of this revision."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        return found == [(revision,)] and connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    return False


def find_newest_revision() -> str | None:
    """Return the id of the newest revision of the installed Prefect's schema; None if its files are not where we know them."""
    spec = find_spec("prefect")
    folders = list(spec.submodule_search_locations or []) if spec else []
    names = sorted(path.name for folder in folders for path in Path(folder, MIGRATIONS).glob("*.py"))
    match = REVISION.fullmatch(names[-1]) if names else None
    return match[1] if match else None


def keep_template(database: Path, templates: Path) -> None:
    """Copy the migrated database atomically; if that fails, the next start just takes longer."""
    with suppress(OSError, sqlite3.Error), closing(sqlite3.connect(database)) as connection:
        [[revision]] = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        content, template = connection.serialize(), find_template(templates, revision)
        templates.mkdir(parents=True, exist_ok=True)
        temporary = template.with_name(f".{template.name}.{os.getpid()}")
        write_durably(temporary, lambda descriptor: write_bytes(descriptor, content), replace_file(template))
