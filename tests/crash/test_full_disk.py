"""The real command on a disk that is really full, in the middle of a run."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.fake_endpoint import FakeEndpoint, hold_back, make_questions, wait_until, write_config, write_questions
from tests.support.results import assert_complete
from tests.support.small_disk import NoSmallDisk, SmallDisk

COUNT = 120
WORKERS = 4
MCQA = str(Path(sys.executable).with_name("mcqa"))


@pytest.fixture
def disk(folder: Path) -> Iterator[SmallDisk]:
    """Yield a disk of 16 MB in the working directory."""
    with ExitStack() as stack:
        try:
            disk = stack.enter_context(SmallDisk(folder / "disk", 16_000_000))
        except NoSmallDisk as reason:
            pytest.skip(f"this machine gives a user no file systems of his own: {reason}")
        yield disk


@pytest.fixture(autouse=True)
def questions(folder: Path) -> None:
    """Write a file of questions."""
    write_questions(folder, make_questions(COUNT))


def start(disk: SmallDisk, folder: Path, **environment: str) -> "subprocess.Popen[str]":
    """Start the command where the disk is mounted."""
    command = disk.command(folder, MCQA, "score", "--config", "config.yaml")
    together = {**os.environ, "FAKE_KEY": "sk-very-secret", **environment}
    return subprocess.Popen(command, cwd=folder, env=together, stdout=-1, stderr=-2, text=True)


def finish(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Return the exit code and all that was printed."""
    printed, _ = process.communicate(timeout=120)
    assert "Traceback" not in printed
    return process.returncode, printed


def test_a_full_disk_stops_the_run(folder: Path, endpoint: FakeEndpoint, prefect_server: str, disk: SmallDisk) -> None:
    """No question more is asked; when there is room again, the same command ends right."""
    write_config(folder, endpoint.url, checkpoint_directory="disk/checkpoints", parallel_workers=WORKERS)
    release = hold_back(endpoint, after=40)
    process = start(disk, folder, PREFECT_API_URL=prefect_server)
    wait_until(lambda: len(endpoint.bodies) > 40)
    disk.fill()
    release.set()
    code, printed = finish(process)
    assert code == 1, printed
    assert "make room or fix the folder, then run the same command again" in printed
    assert len(endpoint.asked()) <= 40 + 2 * WORKERS
    disk.make_room()
    assert finish(start(disk, folder, PREFECT_API_URL=prefect_server))[0] == 0
    assert_complete(folder / "out", endpoint, COUNT, asked_again=WORKERS)


def test_a_full_disk_under_prefects_own_database_costs_nothing(folder: Path, endpoint: FakeEndpoint, disk: SmallDisk) -> None:
    """The temporary server fails, and the scoring goes on: the results are written, exit code 0."""
    write_config(folder, endpoint.url, parallel_workers=WORKERS)
    release = hold_back(endpoint, after=40)
    process = start(disk, folder, TMPDIR=str(disk.folder))
    wait_until(lambda: len(endpoint.bodies) > 40)
    disk.fill()
    release.set()
    code, printed = finish(process)
    assert code == 0, printed
    assert_complete(folder / "out", endpoint, COUNT, asked_again=0)
