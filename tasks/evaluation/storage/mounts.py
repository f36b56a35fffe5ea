"""What a mount's type and options promise about locks and durability, which no trial on one machine can show.

Source: `nfs(5)` (`local_lock`, `nolock`), Lustre's `mount.lustre(8)` (`flock`, `localflock`), and proc_pid_mounts(5).
"""

from dataclasses import dataclass
from pathlib import Path

PAY_TWICE = (
    "two runs of the same evaluation that start at once would both pay for its questions, and lose nothing. See to it that "
    "each evaluation runs once at a time"
)
ONE_MACHINE = f"locks hold among the processes of one machine alone. On several machines, {PAY_TWICE}"


@dataclass(frozen=True)
class Mount:
    """The file system that a folder is on."""

    kind: str
    """Its type: ext4, nfs4."""
    options: frozenset[str]
    """The options that it is mounted with."""


def read_mount(folder: Path, table: Path = Path("/proc/self/mounts")) -> Mount | None:
    """Return the file system that the folder is on; None where the system has no such table of mounts."""
    try:
        lines = table.read_text(errors="replace").splitlines()
    except OSError:
        return None
    resolved, longest, found = folder.resolve(), 0, None
    for line in lines:
        _, place, kind, options, *_ = line.split(" ")
        point = Path(place.replace("\\040", " "))
        if resolved.is_relative_to(point) and len(point.parts) >= longest:
            longest, found = len(point.parts), Mount(kind, frozenset(options.split(",")))
    return found


def find_weakness(mount: Mount) -> str:
    """Return what a run cannot rely on there, and what to do; empty if nothing is known against it."""
    if mount.kind in ("tmpfs", "ramfs"):
        return "it is in memory: a restart of the machine loses every answer. Choose a folder on a disk"
    if mount.kind in ("nfs", "nfs4") and mount.options & {"local_lock=flock", "local_lock=all", "nolock"}:
        return f"{ONE_MACHINE}, or have it mounted without `local_lock` and `nolock`"
    if mount.kind == "lustre" and "localflock" in mount.options:
        return f"{ONE_MACHINE}, or have it mounted with `flock`"
    if mount.kind == "lustre" and "flock" not in mount.options:
        return f"it has no locks: {PAY_TWICE}, or have it mounted with `flock`"
    return ""
