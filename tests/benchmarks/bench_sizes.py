"""Memory, disk and time by size: `python -m tests.benchmarks.bench_sizes [--sizes N …] [--killed] [--known N] [--keep DIR]`.

For each size, the real command asks that many questions from a Parquet file, about 1.6 kB a result, and is called again when it
has finished. Peak memory is that of the command's process (`VmHWM`), and apart from it that of its children, which is Prefect's
temporary server. Bytes on disk are blocks in use, looked at four times a second: each kind's highest, the highest sum, and what
is left in the end. `--killed` kills the command once, when a checkpoint holds half of what it asks, and calls it again. What
was asked again is counted at the endpoint, what is lost or doubled in the results file. Runs that are in the folder of `--keep`
already are only called again. With `--known` the answers to the first N questions are put into a checkpoint beforehand, so that
a million questions take minutes.
"""

import argparse
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tests.support.known_answers import answer_first
from tests.support.outcomes import judge, read_our_answers
from tests.support.peaks import KINDS, LOOK_SECONDS, SPOOLS, Peaks, Watch, measure_files
from tests.support.quick_endpoint import quick_endpoint, take_traffic

MCQA = Path(sys.executable).with_name("mcqa")
SIZES = [1_000, 10_000, 100_000]
ROW_GROUP = 10_000
WORKERS = 64
WORDS = (
    "protein kinase receptor genome plasma entropy lattice catalyst membrane photon isotope enzyme cortex mantle orbit vector "
    "polymer solvent neuron antigen ribosome gradient isomer ligand quark magma"
)


def write_questions(path: Path, count: int) -> None:
    """Write this many questions as Parquet."""
    chance, words = random.Random(7), WORDS.split()
    schema = pa.schema({"question": pa.string(), "answer": pa.string()})
    with pq.ParquetWriter(path, schema) as file:
        for start in range(0, count, ROW_GROUP):
            rows = [make_question(number, chance, words) for number in range(start + 1, min(start + ROW_GROUP, count) + 1)]
            file.write_table(pa.Table.from_pylist(rows, schema))


def make_question(number: int, chance: random.Random, words: list[str]) -> dict[str, str]:
    """Return a question of random words, 420 characters, of which the endpoint answers two of three right."""
    stem = f"Question {number}: {' '.join(chance.choices(words, k=23))}?"
    choices = [f"{label}) {' '.join(chance.choices(words, k=6))}" for label in "ABCD"]
    return {"question": "\n".join([stem, *choices]), "answer": choices[(number + (number % 3 == 0)) % 4]}


def prepare(folder: Path, count: int, url: str) -> None:
    """Write the questions and the settings of a run into the folder."""
    (folder / "tmp").mkdir(parents=True)
    write_questions(folder / "exam.parquet", count)
    settings = {
        "questions_file": "exam.parquet",
        "model": {"generator_settings": {"model": "quick", "base_url": url, "api_key": "none"}},
        "processing": {"parallel_workers": WORKERS, "progress_bar": False},
        "output": {"output_directory": "output"},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))


def call(folder: Path, *, kill_at: int | None = None) -> Peaks:
    """Call the command in the folder; with `kill_at`, kill it when a checkpoint holds that many results."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environment = {**os.environ, "PREFECT_HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    with (folder / "output.txt").open("ab") as output:
        command = [str(MCQA), "score", "--config", "config.yaml"]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
        watch = Watch(process, folder)
        watch.start()
        if kill_at is not None:
            wait_for_results(folder, kill_at, process)
            process.kill()
        process.wait()
    watch.join()
    if kill_at is None and process.returncode:
        sys.exit(f"the command has ended with {process.returncode}: {(folder / 'output.txt').read_text()[-2_000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    watch.peaks.seconds = time.monotonic() - started
    watch.peaks.cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    watch.peaks.left = measure_files(folder)
    return watch.peaks


def wait_for_results(folder: Path, count: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the newest checkpoint holds this many results, or the process has ended."""
    while process.poll() is None and read_completed(folder / "checkpoints" / "latest.json") < count:
        time.sleep(LOOK_SECONDS)


def read_completed(path: Path) -> int:
    """Return the number of results that a checkpoint claims to hold; 0 without a checkpoint."""
    with suppress(OSError), path.open("rb") as file:
        found = re.search(rb'"completed_count": (\d+)', file.read(200))
        return int(found[1]) if found else 0
    return 0


def list_rows(folder: Path, count: int, *, is_killed: bool, known: int) -> Iterator[tuple[str, Peaks]]:
    """Yield what each call of the command has taken."""
    if not folder.exists():
        with quick_endpoint() as url:
            prepare(folder, count, url)
            if known:
                answer_first(folder, known)
            if is_killed:
                yield "until killed", call(folder, kill_at=(known + count) // 2)
            yield "continued" if is_killed or known else "asked", call(folder)
            if not known:
                print(f"{count:>9,} {judge(read_our_answers(folder / 'output'), take_traffic(url), count)}", flush=True)
    yield "called again", call(folder)


def print_row(count: int, name: str, peaks: Peaks) -> None:
    """Print what a call has taken: seconds, MiB of memory, MB on disk."""
    kinds = " ".join(f"{peaks.disk[kind] / 1e6:>10.1f}" for kind in [*KINDS, SPOOLS])
    print(
        f"{count:>9,} {name:>12} {peaks.seconds:>7.1f} {peaks.cpu_seconds:>7.1f} {peaks.memory / 2**20:>7.0f} "
        f"{peaks.child_memory / 2**20:>8.0f} {kinds} {peaks.disk_sum / 1e6:>8.1f} {peaks.left.total() / 1e6:>8.1f}",
        flush=True,
    )


def main() -> None:
    """Print a row a call."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, metavar="N", help="questions in a run")
    parser.add_argument("--killed", action="store_true", help="kill each run at half, and continue it")
    parser.add_argument("--known", type=int, default=0, metavar="N", help="begin where a checkpoint holds N answers")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the runs in this folder")
    options = parser.parse_args()
    kinds = " ".join(f"{kind:>10}" for kind in [*KINDS, SPOOLS])
    measures = f"{'wall s':>7} {'CPU s':>7} {'MiB':>7} {'children':>8} {kinds} {'MB most':>8} {'MB left':>8}"
    print(f"{'questions':>9} {'call':>12} {measures}", flush=True)
    folder = (options.keep or Path(tempfile.mkdtemp(dir=Path.cwd()))).resolve()
    try:
        for count in options.sizes:
            for name, peaks in list_rows(folder / str(count), count, is_killed=options.killed, known=options.known):
                print_row(count, name, peaks)
    finally:
        if not options.keep:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
