"""What keeping costs a whole run: `python -m tests.benchmarks.bench_runs [--sizes N …] [--rate N] [--incremental N]`.

Everything of ours that writes is at work: answer log, spool, checkpoints at an interval of 50. Answers come at a rate, 500 a
second unless said otherwise; for the two runs with `save_incremental` on and off as fast as they are kept, 64 at a time. Bytes
are those that the process hands to the kernel (`wchar` of /proc/self/io), copies within the kernel included.
"""

import argparse
import asyncio
import math
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.run.folders import make_own_folder
from tasks.evaluation.run.opening import open_ledger
from tasks.evaluation.run.start import read_and_prepare
from tasks.evaluation.scoring.journal import Journal
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.scoring.records import Grade
from tasks.evaluation.storage.answer_log import AnswerLog
from tasks.evaluation.storage.checkpoint_writer import CheckpointWriter
from tasks.evaluation.storage.layout import ANSWERS_FOLDER
from tasks.evaluation.storage.save_clock import SaveClock
from tests.support.fake_endpoint import write_questions

ENDPOINTS = (Endpoint("generator", None, "none", {"model": "fake"}), None)
AT_ONCE, INTERVAL, TICK_SECONDS = 64, 50, 0.25
# Together with its fields, a result of 1.6 kB.
QUESTION = "Each option is weighed against what the stem says before one is chosen. " * 7
ANSWER_TEXT = "It follows from the stem that B is right. " * 10
CHOICES = "\nA) the first\nB) the second\nC) the third\nD) the fourth"


@dataclass
class Cost:
    """What a run has taken."""

    seconds: float
    saving_seconds: float
    saves: int
    written_bytes: int
    result_bytes: int

    def __str__(self) -> str:
        return (
            f"{self.seconds:>9.1f} {self.saves:>6} {self.saving_seconds:>9.2f} {self.saving_seconds / self.seconds:>7.2%} "
            f"{self.written_bytes / 1e6:>11,.1f} {self.result_bytes:>10,}"
        )


class Saver(threading.Thread):
    """Saves whenever a save is due, beside the scoring, until it must end; then once more."""

    def __init__(self, ledger: Ledger, writer: CheckpointWriter, clock: SaveClock) -> None:
        super().__init__()
        self.saves, self.seconds = 0, 0.0
        self.has_ended = threading.Event()
        self._ledger, self._writer, self._clock = ledger, writer, clock

    def run(self) -> None:
        """Look as often as the flow does."""
        while not self.has_ended.wait(TICK_SECONDS):
            if self._clock.is_due(self._writer.unsaved_count, time.monotonic()):
                self._save()
        self._save()

    def _save(self) -> None:
        started = time.monotonic()
        saved = self._writer.save(datetime.now())
        if saved and self._ledger.log:
            self._clock.note(started, time.monotonic())
            self.saves += 1
            self.seconds += time.monotonic() - started
            self._ledger.log.release(self._ledger.results.positions(saved.start, saved.stop))


def measure(count: int, rate: float, *, save_incremental: bool) -> Cost:
    """Measure a run of `count` questions in the working directory, with `rate` answers a second."""
    write_questions(Path(), [{"question": f"Question {n}: {QUESTION}{CHOICES}", "answer": "B"} for n in range(count)])
    model, processing = {"generator_settings": {"model": "fake"}}, {"save_incremental": save_incremental}
    config = Config.model_validate({"questions_file": "exam.json", "model": model, "processing": processing})
    own_folder = make_own_folder(config)
    assert own_folder
    open_log = partial(AnswerLog, own_folder / ANSWERS_FOLDER, str(os.getpid()), sync_at_once=save_incremental)
    with (
        read_and_prepare(config, ENDPOINTS, own_folder=own_folder, run_id="", notify=print) as preparation,
        open_ledger(preparation, open_log) as ledger,
    ):
        writer = CheckpointWriter(Path("checkpoints"), "checkpoint_exam", ledger.results, lambda _: {}, config.for_files())
        saver = Saver(ledger, writer, SaveClock(INTERVAL, follows_each=save_incremental))
        before, started = read_written_bytes(), time.monotonic()
        saver.start()
        asyncio.run(score_all(ledger, Journal(ledger, waits_for_sync=save_incremental), rate))
        saver.has_ended.set()
        saver.join()
        seconds = time.monotonic() - started
        size_bytes = ledger.results.lines.size_bytes(count) // count
        return Cost(seconds, saver.seconds, saver.saves, read_written_bytes() - before, size_bytes)


async def score_all(ledger: Ledger, journal: Journal, rate: float) -> None:
    """Keep an answer and a grade for each question, each at its time."""
    positions, started = iter(range(len(ledger.questions))), time.monotonic()

    async def score_in_turn() -> None:
        for position in positions:
            question, answer = ledger.questions[position], Answer(ANSWER_TEXT, None, {"total_tokens": 300}, "stop", "fake", 0.5)
            assert question
            await asyncio.sleep(started + position / rate - time.monotonic())
            await journal.keep_answer(position, answer)
            await journal.keep_grade(position, question, answer, Grade({"score": 1, "format": "mc"}, {}, 0.0))

    await asyncio.gather(*(score_in_turn() for _ in range(AT_ONCE)))


def read_written_bytes() -> int:
    """Return how many bytes this process has handed to the kernel so far."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])


def print_row(name: str, count: int, rate: float, *, save_incremental: bool) -> None:
    """Measure in a folder of its own and print a row."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory(dir=before) as folder:
        os.chdir(folder)
        try:
            print(f"{name:>22} {measure(count, rate, save_incremental=save_incremental)}", flush=True)
        finally:
            os.chdir(before)


def main() -> None:
    """Print a row a run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000], metavar="N", help="results in a run")
    parser.add_argument("--rate", type=float, default=500, metavar="N", help="answers a second")
    parser.add_argument("--incremental", type=int, default=2_000, metavar="N", help="questions with save_incremental")
    options = parser.parse_args()
    print(f"{'run':>22} {'seconds':>9} {'saves':>6} {'saving, s':>9} {'share':>7} {'written, MB':>11} {'a result, B':>10}")
    for size in options.sizes:
        print_row(f"{size:,}", size, options.rate, save_incremental=False)
    for save_incremental in (False, True) if options.incremental else ():
        name = f"{options.incremental:,} incremental {'on' if save_incremental else 'off'}"
        print_row(name, options.incremental, math.inf, save_incremental=save_incremental)


if __name__ == "__main__":
    main()
