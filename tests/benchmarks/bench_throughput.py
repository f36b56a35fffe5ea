"""Whole runs beside a bare loop of openai's typed client: `python -m tests.benchmarks.bench_throughput rate|cpu|latency`.

`rate`: both ask the same server, one after the other, in pairs; what counts is the median of the pairs' ratios, since the speed
of a machine changes from minute to minute. Questions a second are measured from the first request to the last reply, as the
server sees them. `cpu`: processor time (user and system, with all child processes) of a large and a small run; what a question
costs is their difference, in which the start cancels out. `latency`: replies take a while, and the ratio is to the time that
they take alone.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.support.fake_endpoint import write_config, write_questions
from tests.support.quick_endpoint import GENERATOR, GRADER, make_long_questions, quick_endpoint, simulate_seconds, take_traffic

ROOT = Path(__file__).parents[2]
MCQA = Path(sys.executable).with_name("mcqa")


@dataclass
class Measured:
    """One run: as the server saw it, and what its processes have taken."""

    rate: float
    """Questions a second."""
    seconds: float
    """From the first request to the last reply."""
    cpu_seconds: float
    """Processor time."""
    requests: int
    """Requests."""


def run(command: list[str], url: str, count: int, environment: dict[str, str]) -> Measured:
    """Run the command to its end."""
    take_traffic(url)
    with Path("output.log").open("ab") as log:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} ended with {status}:\n{Path('output.log').read_text()[-2000:]}")
    traffic = take_traffic(url)
    return Measured(count / traffic.seconds, traffic.seconds, usage.ru_utime + usage.ru_stime, traffic.requests)


def run_ours(url: str, count: int, workers: int, *, with_grader: bool) -> Measured:
    """Score that many questions with the real command, in an empty folder."""
    for name in ("checkpoints", "out"):
        shutil.rmtree(name, ignore_errors=True)
    write_questions(Path(), make_long_questions(count))
    write_config(Path(), url, grader=with_grader, parallel_workers=workers)
    environment = {"FAKE_KEY": "sk-a-key-of-the-usual-length-0123456789", "PREFECT_HOME": str(Path("prefect").resolve())}
    return run([str(MCQA), "score", "--config", "config.yaml"], url, count, environment)


def run_bare(url: str, count: int, workers: int, *, with_grader: bool) -> Measured:
    """Ask that many questions in a bare loop."""
    command = [sys.executable, "-m", "tests.benchmarks.bare_loop", url, str(count), str(workers)]
    return run([*command, *(["--grader"] if with_grader else [])], url, count, {"PYTHONPATH": str(ROOT)})


def compare_rates(options: argparse.Namespace) -> None:
    """Print a line a pair, and the medians."""
    print(f"{'pair':>4} {'ours/s':>8} {'bare/s':>8} {'ratio':>6} {'ours CPU s':>10} {'bare CPU s':>10}", flush=True)
    ratios = []
    with quick_endpoint() as url:
        for pair in range(options.pairs):
            ours, bare = (
                each(url, options.questions, options.workers, with_grader=options.grader) for each in (run_ours, run_bare)
            )
            ratios.append(ours.rate / bare.rate)
            print(
                f"{pair + 1:>4} {ours.rate:>8.0f} {bare.rate:>8.0f} {ratios[-1]:>6.2f} {ours.cpu_seconds:>10.1f} "
                f"{bare.cpu_seconds:>10.1f}",
                flush=True,
            )
    print(f"median ratio {statistics.median(ratios):.2f}")


def compare_cpu(options: argparse.Namespace) -> None:
    """Print what a question costs, for both."""
    print(f"{'pair':>4} {'ours ms':>8} {'bare ms':>8} {'ratio':>6}", flush=True)
    found = []
    with quick_endpoint() as url:
        for pair in range(options.pairs):
            costs = []
            for each in (run_ours, run_bare):
                large, small = (
                    each(url, count, options.workers, with_grader=options.grader)
                    for count in (options.questions, options.small)
                )
                costs.append((large.cpu_seconds - small.cpu_seconds) / (options.questions - options.small) * 1000)
            found.append(costs)
            print(f"{pair + 1:>4} {costs[0]:>8.2f} {costs[1]:>8.2f} {costs[0] / costs[1]:>6.2f}", flush=True)
    ours, bare = (statistics.median(each) for each in zip(*found, strict=True))
    print(f"median {ours:.2f} ms a question, bare {bare:.2f} ms")


def compare_to_latency(options: argparse.Namespace) -> None:
    """Print how near a run comes to the time that the replies take by themselves."""
    mean_seconds = options.latency_ms / 1000
    roles = (GENERATOR, GRADER) if options.grader else (GENERATOR,)
    least = simulate_seconds(options.questions, roles, options.workers, mean_seconds)
    with quick_endpoint(mean_seconds) as url:
        for _ in range(options.pairs):
            ours = run_ours(url, options.questions, options.workers, with_grader=options.grader)
            print(
                f"{ours.rate:.1f} questions/s of {options.questions / least:.1f} possible: {least / ours.seconds:.1%}, "
                f"{ours.requests:,} requests",
                flush=True,
            )


def main() -> None:
    """Measure in an empty folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["rate", "cpu", "latency"])
    parser.add_argument("--questions", type=int, default=6_000, metavar="N")
    parser.add_argument("--small", type=int, default=1_000, metavar="N", help="questions of the small run, for cpu")
    parser.add_argument("--workers", type=int, default=64, metavar="N")
    parser.add_argument("--pairs", type=int, default=5, metavar="N")
    parser.add_argument("--grader", action="store_true", help="two calls a question")
    parser.add_argument("--latency-ms", type=float, default=200, metavar="MS", help="mean time of a reply, for latency")
    options = parser.parse_args()
    before = Path.cwd()
    with tempfile.TemporaryDirectory(dir=before) as folder:
        os.chdir(folder)
        try:
            {"rate": compare_rates, "cpu": compare_cpu, "latency": compare_to_latency}[options.what](options)
        finally:
            os.chdir(before)


if __name__ == "__main__":
    main()
