"""What a process takes while it runs: the most memory that it had resident, and the most bytes of the disk, by kind of file."""

import os
import re
import subprocess
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

LOOK_SECONDS = 0.25
# The kinds of files by their paths below a run's folder, the first that fits. Files without a name are the spools.
KINDS = {
    "log": re.compile(r"checkpoints/\.mcqa/answers/"),
    "batches": re.compile(r"checkpoints/\.mcqa/results/"),
    "checkpoint": re.compile(r"checkpoints/[^/]*"),
    "results": re.compile(r"output/"),
    "Prefect": re.compile(r"(home|tmp)/"),
}
SPOOLS = "spools"


@dataclass
class Peaks:
    """The highest numbers that were seen of a process, in bytes, and what it has left."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory: int = 0
    child_memory: int = 0
    disk: Counter[str] = field(default_factory=Counter)
    disk_sum: int = 0
    left: Counter[str] = field(default_factory=Counter)


class Watch(threading.Thread):
    """Looks at a process and at the files in its folder until it has ended; `peaks` is what it has seen."""

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path) -> None:
        super().__init__(daemon=True)
        self.peaks = Peaks()
        self._process, self._folder = process, folder

    def run(self) -> None:
        """Look again and again."""
        while self._process.poll() is None:
            self._look()
            time.sleep(LOOK_SECONDS)

    def _look(self) -> None:
        peaks, children = self.peaks, sum(map(read_peak_memory, list_children(self._process.pid)))
        peaks.memory = max(peaks.memory, read_peak_memory(self._process.pid))
        peaks.child_memory = max(peaks.child_memory, children)
        now = measure_files(self._folder)
        now[SPOOLS] = measure_spools(self._process.pid)
        peaks.disk |= now
        peaks.disk_sum = max(peaks.disk_sum, now.total())


def read_peak_memory(process_id: int) -> int:
    """Return the most memory that the process has had resident, in bytes; 0 if it is gone."""
    with suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process_id}/status").read_text())
        return int(found[1]) * 1024 if found else 0
    return 0


def list_children(process_id: int) -> list[int]:
    """Return the ids of the process's children."""
    with suppress(OSError):
        lists = [path.read_text() for path in Path(f"/proc/{process_id}/task").glob("*/children")]
        return [int(child) for each in lists for child in each.split()]
    return []


def measure_files(folder: Path) -> Counter[str]:
    """Return the bytes of the disk in use by kind of file; any other file is left out."""
    found: Counter[str] = Counter()
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            kind = next((kind for kind, form in KINDS.items() if form.match(str(path.relative_to(folder)))), None)
            if kind:
                with suppress(OSError):
                    found[kind] += path.lstat().st_blocks * 512
    return found


def measure_spools(process_id: int) -> int:
    """Return the bytes of the disk in use by the process's files that have no name."""
    sizes = {}
    with suppress(OSError):
        for link in Path(f"/proc/{process_id}/fd").iterdir():
            with suppress(OSError):
                if str(link.readlink()).endswith(" (deleted)"):
                    status = link.stat()
                    sizes[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(sizes.values())
