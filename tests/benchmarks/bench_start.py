"""What a start takes, beside what Prefect takes: `python -m tests.benchmarks.bench_start [--pairs N]`.

The peer is a flow that does nothing, on its own temporary server, as Prefect starts one by default. Both homes are warm: their
databases are there. Each pair runs the peer and then everything of ours; the numbers are medians, and a ratio is the median of
the pairs' ratios. The evaluation has 100 questions and asks an endpoint on loopback that answers at once.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.fake_endpoint import FakeEndpoint, Rule, make_questions, write_questions

QUESTIONS = 100
EMPTY_FLOW = "from prefect import flow\n\n\n@flow\ndef empty() -> None:\n    pass\n\n\nempty()\n"
EMPTY, PREFECT = "an empty flow on its own temporary server", "import prefect"
MCQA = [sys.executable, "-c", "from flows.commands.cli import main; main()"]


class Bench:
    """The commands that are measured, in a folder of their own.

    Args:
        folder: an empty folder.
        endpoint: is asked by the evaluation.
    """

    def __init__(self, folder: Path, endpoint: FakeEndpoint) -> None:
        self._folder, self._endpoint = folder, endpoint
        self._first_request = 0.0
        endpoint.rule = self._note_request(endpoint.rule)
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PREFECT")},
            "DO_NOT_TRACK": "1",
            "PREFECT_HOME": str(folder / "home"),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        write_questions(folder, make_questions(QUESTIONS))
        (folder / "empty.py").write_text(EMPTY_FLOW)
        (folder / "config.yaml").write_text(
            f"questions_file: exam.json\nmodel: {{generator_settings: {{model: fake, base_url: '{endpoint.url}'}}}}\n"
            "processing: {parallel_workers: 16, progress_bar: false}\noutput: {output_directory: out}\n"
        )

    def warm_up(self) -> None:
        """Let both make their databases and their compiled modules."""
        self.time_empty_flow()
        self.time_to_first_request()
        self.time_again()

    def time_empty_flow(self) -> float:
        """Return how long the peer takes."""
        return self._time([sys.executable, "empty.py"])

    def time_to_first_request(self) -> float:
        """Return how long a new evaluation takes from the command to its first request."""
        for name in ("checkpoints", "out"):
            shutil.rmtree(self._folder / name, ignore_errors=True)
        self._first_request, started = 0.0, time.monotonic()
        self._time([*MCQA, "score", "--config", "config.yaml"])
        return self._first_request - started

    def time_again(self) -> float:
        """Return how long the same command takes once the evaluation is finished."""
        asked = len(self._endpoint.bodies)
        seconds = self._time([*MCQA, "score", "--config", "config.yaml"])
        assert len(self._endpoint.bodies) == asked, "it asks nothing"
        return seconds

    def time_import(self, module: str) -> float:
        """Return how long a process takes that imports the module; an empty one's time is taken off."""
        return self._time([sys.executable, "-c", f"import {module}"]) - self._time([sys.executable, "-c", ""])

    def time_compare(self) -> float:
        """Return how long the comparison of two results files takes."""
        results = sorted(str(path) for path in (self._folder / "out").glob("*_????????_??????*.json"))
        return self._time([*MCQA, "compare", results[0], results[-1]])

    def time_command(self, *arguments: str) -> float:
        """Return how long a command of ours takes."""
        return self._time([*MCQA, *arguments])

    def _time(self, command: Sequence[str]) -> float:
        started = time.monotonic()
        ended = subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False, timeout=120
        )
        seconds = time.monotonic() - started
        assert ended.returncode == 0, f"{command}: {ended.stdout} {ended.stderr}"
        return seconds

    def _note_request(self, rule: Rule) -> Rule:
        def answer(body: Mapping[str, object]) -> object:
            self._first_request = self._first_request or time.monotonic()
            return rule(dict(body))

        return answer  # type: ignore[return-value]


def list_measurements(bench: Bench) -> dict[str, tuple[Callable[[], float], str]]:
    """Return what is measured, in this order, each with the peer that it is compared with, if any."""
    return {
        EMPTY: (bench.time_empty_flow, ""),
        "from the command to the first request": (bench.time_to_first_request, EMPTY),
        "a finished evaluation again": (bench.time_again, EMPTY),
        PREFECT: (lambda: bench.time_import("prefect"), ""),
        "import flows.score_questions": (lambda: bench.time_import("flows.score_questions"), PREFECT),
        "mcqa --help": (lambda: bench.time_command("--help"), PREFECT),
        "mcqa questions check": (lambda: bench.time_command("questions", "check", "exam.json"), PREFECT),
        "mcqa checkpoints list": (lambda: bench.time_command("checkpoints", "list"), PREFECT),
        "mcqa compare": (bench.time_compare, PREFECT),
    }


def main() -> None:
    """Print a row a measurement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5, metavar="N", help="how often everything is measured")
    pairs = parser.parse_args().pairs
    seconds: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, FakeEndpoint() as endpoint:
        bench = Bench(Path(folder), endpoint)
        measurements = list_measurements(bench)
        bench.warm_up()
        for _ in range(pairs):
            for name, (measure, _peer) in measurements.items():
                seconds[name].append(measure())
    print(f"{'seconds, median of ' + str(pairs):<45} {'':>7} {'least':>7} {'most':>7}  ratio")
    for name, (_, peer) in measurements.items():
        ratios = [own / other for own, other in zip(seconds[name], seconds[peer], strict=True)] if peer else []
        ratio = f"{statistics.median(ratios):.2f} of {peer}" if ratios else ""
        own = seconds[name]
        print(f"{name:<45} {statistics.median(own):>7.2f} {min(own):>7.2f} {max(own):>7.2f}  {ratio}")


if __name__ == "__main__":
    main()
