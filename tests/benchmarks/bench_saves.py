"""How long a checkpoint takes, and which share of a run's time: `python tests/benchmarks/bench_saves.py`.

For each size, results of the usual length are put into a spool and saved three times; the median counts. The share is that of a
run in which a save is always due: by `SaveClock`, one begins a second and fifty durations after the last.
"""

import statistics
import tempfile
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

from tasks.evaluation.json_lines import to_line
from tasks.evaluation.storage.checkpoint_writer import CheckpointWriter
from tasks.evaluation.storage.placed_spool import PlacedSpool

SIZES = (1_000, 10_000, 100_000, 1_000_000)
TEXT = "Each option is weighed against what the stem says before one is chosen. " * 16


def measure(folder: Path, size: int) -> float:
    """Return the median seconds of a save of this many results."""
    seconds = []
    with closing(PlacedSpool(folder, size + 3)) as results:
        for position in range(size):
            results.put(position, to_line({"question_id": position + 1, "question": TEXT, "score": 1}))
        writer = CheckpointWriter(folder, "checkpoint_exam_m", results, lambda _: {}, {})
        for extra in range(3):
            started = time.monotonic()
            writer.save(datetime.now())
            seconds.append(time.monotonic() - started)
            results.put(size + extra, to_line({"question_id": size + extra + 1, "score": 1}))
    return statistics.median(seconds)


def main() -> None:
    """Print a row a size."""
    print(f"{'results':>10} {'seconds a save':>15} {'share of the time':>18}")
    for size in SIZES:
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            seconds = measure(Path(folder), size)
        share = seconds / (seconds + max(1.0, 50 * seconds))
        print(f"{size:>10,} {seconds:>15.3f} {share:>18.2%}")


if __name__ == "__main__":
    main()
