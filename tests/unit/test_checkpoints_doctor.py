"""`mcqa checkpoints doctor`: what it tries, and what it says of a folder that cannot do what a run needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from tasks.evaluation.storage.folder_checks import HELD_NAME, Finding, examine
from tasks.evaluation.storage.mounts import Mount, find_weakness, read_mount
from tests.support.saved_checkpoints import run, run_json

# Holds the lock as another machine would whose clock is `sys.argv[2]` seconds ahead; its beat goes on.
HOLDER = """
import fcntl, sys, time
file = open(sys.argv[1], "r+b", buffering=0)
if sys.argv[3] == "locks":
    fcntl.flock(file, fcntl.LOCK_EX)
print(flush=True)
for _ in range(600):
    file.seek(0)
    file.write(f"node7\\n{time.time() + float(sys.argv[2])}".encode().ljust(200))
    time.sleep(0.1)
"""


def find(findings: list[Finding], name: str) -> Finding:
    return next(finding for finding in findings if finding.name == name)


def beside_holder(folder: Path, ahead_seconds: float, how: str) -> Finding:
    """Return what is found between machines while that holder goes on."""
    (folder / HELD_NAME).touch()
    command = [sys.executable, "-c", HOLDER, str(folder / HELD_NAME), str(ahead_seconds), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        found = find(list(examine(folder)), "between machines")
        holder.kill()
    return found


def test_a_sound_folder_passes_and_stays_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each trial has its line; nothing of it is left behind."""
    tried = run_json(capsys, "doctor", str(tmp_path))
    names = [each["name"] for each in tried]
    assert names[-9:] == [
        "room",
        "write and fsync",
        "fsync of a folder",
        "rename",
        "hard link",
        "symbolic link",
        "lock",
        "clock",
        "between machines",
    ]
    assert [each["name"] for each in tried[1:] if not each["is_well"]] == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_which_nothing_can_be_written_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """With the system's reason and what it means; the exit code is 1."""
    code, printed = run(capsys, "doctor", "/proc")
    assert code == 1
    assert printed.splitlines()[-2:] == [
        "NO  write and fsync    No such file or directory",
        "    no run can keep anything here: it stops before its first question",
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "there is no directory nowhere; make it first (mkdir -p nowhere), or name another"),
        ("exam.json", "exam.json is a file; name a directory"),
    ],
)
def test_what_is_no_folder_is_a_mistake(tmp_path: Path, name: str, message: str) -> None:
    """One message that says what to do."""
    (tmp_path / "exam.json").touch()
    command = [str(Path(sys.executable).with_name("mcqa")), "checkpoints", "doctor", name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"mcqa: error: {message}\n"


def test_a_clock_that_differs_from_the_file_systems_is_told(tmp_path: Path) -> None:
    """By how much, and in which direction."""
    found = find(list(examine(tmp_path, now=lambda: 4_000_000_000.0)), "clock")
    assert found.detail.endswith(" s ahead of the file system's")
    assert "NTP" in found.meaning


@pytest.mark.slow
def test_a_lock_of_another_machine_is_looked_for(tmp_path: Path) -> None:
    """Seen, not seen, with another clock, or left over by a killed process."""
    seen = beside_holder(tmp_path, 0, "locks")
    assert (seen.is_well, seen.detail) == (True, "the lock that node7 holds is seen; clock within 2 s of its own")
    skewed = beside_holder(tmp_path, 100, "locks")
    assert (skewed.is_well, skewed.detail) == (False, "100 s behind its own")
    unseen = beside_holder(tmp_path, 0, "does not lock")
    assert (unseen.is_well, unseen.detail) == (False, "the lock that node7 holds is not seen here")
    left = find(list(examine(tmp_path)), "between machines")
    assert (left.is_well, left.detail) == (True, "not tried: the file of a lock is left over, and nobody holds it")


def test_hold_keeps_a_lock_for_its_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And leaves nothing behind."""
    code, printed = run(capsys, "doctor", str(tmp_path), "--hold", "1")
    assert (code, printed) == (0, f"Holding a lock for 1 s; on another machine, call: mcqa checkpoints doctor {tmp_path}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "options", "weakness"),
    [
        ("ext4", "rw,relatime", ""),
        ("nfs4", "rw,vers=4.2,local_lock=none", ""),
        ("nfs", "rw,local_lock=flock", "locks hold among the processes of one machine alone"),
        ("nfs", "rw,local_lock=all", "locks hold among the processes of one machine alone"),
        ("nfs", "rw,vers=3,nolock", "locks hold among the processes of one machine alone"),
        ("lustre", "rw,flock,lazystatfs", ""),
        ("lustre", "rw,localflock", "locks hold among the processes of one machine alone"),
        ("lustre", "rw,lazystatfs", "it has no locks"),
        ("tmpfs", "rw", "it is in memory"),
    ],
)
def test_what_a_mount_promises(kind: str, options: str, weakness: str) -> None:
    """NFS and Lustre say it in their options."""
    assert find_weakness(Mount(kind, frozenset(options.split(",")))).startswith(weakness)
    assert bool(find_weakness(Mount(kind, frozenset(options.split(","))))) == bool(weakness)


def test_the_nearest_mount_counts(tmp_path: Path) -> None:
    """A folder is on the file system that is mounted nearest above it, the latest where two are mounted at one place."""
    folder = tmp_path / "with space" / "checkpoints"
    folder.mkdir(parents=True)
    place = str(folder.parent).replace(" ", "\\040")
    table = tmp_path / "mounts"
    table.write_text(f"/dev/a / ext4 rw 0 0\nserver:/x {place} nfs4 rw 0 0\nserver:/y {place} nfs4 ro,local_lock=all 0 0\n")
    assert read_mount(folder, table) == Mount("nfs4", frozenset({"ro", "local_lock=all"}))
    assert read_mount(tmp_path, table) == Mount("ext4", frozenset({"rw"}))
    assert read_mount(tmp_path, tmp_path / "missing") is None
