"""Runs over several servers of one model: `python -m tests.benchmarks.bench_servers [--latency-ms MS] [--questions N]`.

`numbers`: by the number of servers, each with as many questions and workers as the others: questions a second, from the first
request to the last reply as the servers see them, and the processor time of a question, start taken off. `faults`: one of four
is killed, slow, or limited; what became of the answers, and how many of the requests it got.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.support.addresses import after
from tests.support.fake_endpoint import FakeEndpoint, error, write_questions
from tests.support.outcomes import judge, read_our_answers
from tests.support.quick_endpoint import Traffic, look_at_traffic, make_long_questions, quick_endpoint

MCQA = Path(sys.executable).with_name("mcqa")
WORKERS, SLOWER, SMALL = 64, 10, 200
REPORTED = re.compile(r"(http\S+) \(generator\): ([\d,]+) requests, ([\d,]+) failed")


@dataclass
class Measured:
    """A run."""

    rate: float
    """Questions a second."""
    cpu_seconds: float
    """Processor time, with all child processes."""
    requests: dict[str, int]
    """The requests to each of several servers."""
    outcome: str
    """What became of the answers."""


def measure(urls: list[str], count: int, act: Callable[[], None] = lambda: None) -> Measured:
    """Score that many questions at these servers with the real command, in an empty folder, and act now and then meanwhile."""
    shutil.rmtree("checkpoints", ignore_errors=True)
    for path in Path().glob("rag_results_*"):
        path.unlink()
    write_questions(Path(), make_long_questions(count))
    generator = {"model": "quick", "base_url": urls, "api_key": "${FAKE_KEY}"}
    settings = {"questions_file": "exam.json", "model": {"generator_settings": generator}}
    Path("config.yaml").write_text(json.dumps({**settings, "processing": {"parallel_per_server": WORKERS}}))
    environment = {
        **os.environ,
        "FAKE_KEY": "sk-a-key-of-the-usual-length-0123456789",
        "PREFECT_HOME": str(Path("prefect").resolve()),
    }
    with Path("output.log").open("wb") as log:
        process = subprocess.Popen([MCQA, "score", "--config", "config.yaml"], env=environment, stdout=log, stderr=log)
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            act()
            time.sleep(0.05)
    _, status, usage = ended
    output = Path("output.log").read_text()
    if status:
        sys.exit(f"the run ended with {status}:\n{output[-2000:]}")
    requests = {url: int(sent.replace(",", "")) for url, sent, _ in REPORTED.findall(output)}
    seen = [look_at_traffic(url) for url in urls if is_alive(url)]
    seconds = max(each.last for each in seen) - min(each.first for each in seen)
    return Measured(count / seconds, usage.ru_utime + usage.ru_stime, requests, describe_outcome(sum(requests.values()), count))


def describe_outcome(requests: int, count: int) -> str:
    """Return what became of the answers, and how many scores are not the right ones."""
    newest = max(Path().glob("rag_results_*.json"), key=lambda path: path.stat().st_mtime_ns)
    results = json.loads(newest.read_bytes())["results"]
    wrong = sum(result["score"] != (result["question_id"] % 3 != 0) for result in results)
    return f"{judge(read_our_answers(Path()), Traffic(max(requests, count), count), count)}, {wrong:,} mis-scored"


def is_alive(url: str) -> bool:
    """Return True if a quick server answers there."""
    try:
        return bool(look_at_traffic(url).requests)
    except (OSError, ValueError):
        return False


def compare_numbers(options: argparse.Namespace) -> None:
    """Print a line for each number of servers."""
    print(f"{'servers':>7} {'a second':>9} {'ratio':>6} {'CPU ms':>7}", flush=True)
    first, mean_seconds = 0.0, options.latency_ms / 1000
    with quick_endpoint(mean_seconds, 0) as url:
        start = measure([url], SMALL).cpu_seconds
    for number in (1, 2, 4, 8):
        count = options.questions * number
        with ExitStack() as stack:
            ours = measure([stack.enter_context(quick_endpoint(mean_seconds, 0)) for _ in range(number)], count)
        first = first or ours.rate
        cost = (ours.cpu_seconds - start) / (count - SMALL) * 1000
        print(f"{number:>7} {ours.rate:>9.0f} {ours.rate / first:>6.2f} {cost:>7.2f}   {ours.outcome}", flush=True)


def compare_faults(options: argparse.Namespace) -> None:
    """Print a line for each fault of one of four servers."""
    seconds, count = options.latency_ms / 1000, options.questions * 4
    for fault in ("none", "killed at an eighth of all", "ten times slower", "429 after its first 500"):
        with ExitStack() as stack, ExitStack() as own, FakeEndpoint() as limited:
            urls = [stack.enter_context(quick_endpoint(seconds, 0)) for _ in range(3)]
            slowness = SLOWER if fault.startswith("ten") else 1
            urls.append(own.enter_context(quick_endpoint(seconds * slowness, 0)))
            limited.delay_seconds, limited.rule = seconds, after(500, error(429, "slow down", **{"Retry-After": "1"}))
            if fault.startswith("429"):
                urls[-1] = limited.url

            def kill(url: str = urls[-1], own: ExitStack = own) -> None:
                if is_alive(url) and look_at_traffic(url).requests > count / 8:
                    own.close()

            ours = measure(urls, count, kill if fault.startswith("killed") else lambda: None)
            share = ours.requests[urls[-1]] / sum(ours.requests.values())
        print(f"{fault}: {ours.rate:.0f} a second, share {share:.1%}, {ours.outcome}", flush=True)


def main() -> None:
    """Measure in an empty folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["numbers", "faults"])
    parser.add_argument("--latency-ms", type=float, default=50, metavar="MS", help="time of a reply")
    parser.add_argument("--questions", type=int, default=4_000, metavar="N", help="for each server")
    options = parser.parse_args()
    before = Path.cwd()
    with tempfile.TemporaryDirectory(dir=before) as folder:
        os.chdir(folder)
        try:
            {"numbers": compare_numbers, "faults": compare_faults}[options.what](options)
        finally:
            os.chdir(before)


if __name__ == "__main__":
    main()
