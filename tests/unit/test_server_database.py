"""The database of a temporary Prefect server: a copy of an earlier one, or none."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flows.serving.server_database import MIGRATIONS, find_newest_revision, find_template, keep_template, prepare_database


@pytest.fixture
def revision() -> str:
    found = find_newest_revision()
    assert found
    return found


def make_database(path: Path, revision: str) -> Path:
    """Write what Prefect's migrations leave, as far as it matters here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
    return path


def test_an_earlier_server_leaves_its_database_for_the_next_one(tmp_path: Path, revision: str) -> None:
    """Which then has nothing to migrate."""
    keep_template(make_database(tmp_path / "first/prefect.db", revision), tmp_path / "kept")
    database = tmp_path / "prefect.db"
    assert prepare_database(database, tmp_path / "kept")
    assert database.read_bytes() == find_template(tmp_path / "kept", revision).read_bytes()


def test_the_first_server_makes_its_own(tmp_path: Path) -> None:
    """There is nothing to copy, and no empty file in its way."""
    assert not prepare_database(tmp_path / "prefect.db", tmp_path / "kept")
    assert not (tmp_path / "prefect.db").exists()


@pytest.mark.parametrize("of", ["0123456789ab", ""])
def test_another_schema_is_not_used(tmp_path: Path, revision: str, of: str) -> None:
    """Not even under the name of the right one: of an older Prefect, of a newer one, of a migration that was cut off."""
    make_database(find_template(tmp_path, revision), of)
    assert not prepare_database(tmp_path / "prefect.db", tmp_path)
    assert not (tmp_path / "prefect.db").exists()


@pytest.mark.parametrize("content", [b"", b"no database at all", b"SQLite format 3\0" + b"\xff" * 4_096])
def test_a_damaged_database_is_not_used(tmp_path: Path, revision: str, content: bytes) -> None:
    """The server makes its own."""
    find_template(tmp_path, revision).write_bytes(content)
    assert not prepare_database(tmp_path / "prefect.db", tmp_path)
    assert not (tmp_path / "prefect.db").exists()


def test_a_restarted_server_keeps_its_database(tmp_path: Path, revision: str) -> None:
    """The run is in it; a template does not replace it."""
    make_database(find_template(tmp_path, revision), revision)
    database = make_database(tmp_path / "own/prefect.db", revision)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE flow_run (id)")
    content = database.read_bytes()
    assert prepare_database(database, tmp_path)
    assert database.read_bytes() == content


def test_a_database_that_was_not_migrated_to_its_end_is_migrated(tmp_path: Path) -> None:
    """When a server has ended during its first start."""
    database = make_database(tmp_path / "prefect.db", "0123456789ab")
    assert not prepare_database(database, tmp_path)
    assert database.exists()


def test_the_newest_schema_is_that_of_prefects_own_migrations(revision: str) -> None:
    """The name of its newest file tells it; the head of the chain is what a migration ends at."""
    import prefect
    from alembic.script import ScriptDirectory
    from prefect.server.database.alembic_commands import alembic_config

    config = alembic_config()
    config.set_main_option("version_locations", str(Path(prefect.__file__).parent / MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [revision]
