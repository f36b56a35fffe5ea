"""What SIGKILL at random moments costs: `python -m tests.benchmarks.bench_kills [--command N] [--layer N] [--seed S]`.

`--command` kills the process group of the real command, on one Prefect server and over one evaluation with a grader; N = 200
takes about twenty minutes. `--layer` kills a forked process that runs the same evaluation below Prefect, a few times a second,
over as many evaluations as it takes. Each evaluation is finished after its kills, and its requests and results are counted.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.resuming.housekeeping import prune
from tasks.evaluation.run.opening import open_run
from tasks.evaluation.run.report import report
from tasks.evaluation.storage.checkpoint_folder import find_checkpoints
from tests.support.fake_endpoint import make_questions, write_config, write_questions
from tests.support.recording import Cost, Kill, RecordingEndpoint, Request, count_cost

WORKERS = 16
MCQA = Path(sys.executable).with_name("mcqa")
ENVIRONMENT = {"FAKE_KEY": "sk-none"}
# Most kills come while a run scores, after a bounded number of replies, some while it starts.
MOST_REPLIES, START_SHARE = 60, 0.2
COMMAND_QUESTIONS, COMMAND_DELAY_SECONDS, COMMAND_START_SECONDS = 6_000, 0.15, 4.0
LAYER_QUESTIONS, LAYER_DELAY_SECONDS, LAYER_START_SECONDS = 4_000, 0.01, 0.1
KEPT_CHECKPOINTS = 3


def kill_commands(kills: int, rng: random.Random) -> Cost:
    """Kill the real command this many times over one evaluation, then let it finish."""
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    with (
        prefect_test_harness(server_startup_timeout=180),
        open_evaluation(COMMAND_QUESTIONS, COMMAND_DELAY_SECONDS) as endpoint,
    ):
        environment = {**os.environ, **ENVIRONMENT, "PREFECT_API_URL": str(PREFECT_API_URL.value())}
        times: list[Kill] = []
        went_back, best = 0, 0
        for number in range(kills):
            process = start_command(environment)
            wait_for_random_moment(process.pid, endpoint, rng, (COMMAND_START_SECONDS, COMMAND_DELAY_SECONDS))
            killed = time.monotonic()
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            times.append(Kill(killed, settle(endpoint)))
            count = read_completed_count()
            went_back += count < best
            best = max(best, count)
            print(f"kill {number + 1}: {count:,} saved", flush=True)
        process = start_command(environment)
        if process.wait() != 0:
            sys.exit(f"the last run exited with {process.returncode}")
        cost = count_cost(take_requests(endpoint), times, read_results(), COMMAND_QUESTIONS)
    cost.went_back = went_back
    return cost


def start_command(environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """Start the command in a process group of its own."""
    with Path("output.log").open("ab") as log:
        command = [str(MCQA), "score", "--config", "config.yaml"]
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)


def wait_for_random_moment(process_id: int, endpoint: Connection, rng: random.Random, seconds: tuple[float, float]) -> None:
    """Wait while the child starts, or until the endpoint has replied to it, for no longer than either takes."""
    start_seconds, delay_seconds = seconds
    if rng.random() < START_SHARE:
        time.sleep(rng.uniform(0, start_seconds))
        return
    target = count_requests(endpoint) + rng.randint(1, MOST_REPLIES)
    while count_requests(endpoint) < target and is_running(process_id):
        time.sleep(delay_seconds / 10)
    time.sleep(rng.uniform(0, delay_seconds))


def is_running(process_id: int) -> bool:
    """Return True if the child has not ended; it is left to be waited for."""
    return os.waitid(os.P_PID, process_id, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def kill_layers(kills: int, rng: random.Random) -> Cost:
    """Kill the layer below Prefect this many times, over as many evaluations as that takes."""
    total = Cost()
    while total.kills < kills:
        total += kill_layer(kills - total.kills, rng)
        print(total, flush=True)
    return total


def kill_layer(most_kills: int, rng: random.Random) -> Cost:
    """Kill runs of one evaluation until it is complete, or this many times, then let it finish."""
    times: list[Kill] = []
    went_back, best = 0, 0
    with open_evaluation(LAYER_QUESTIONS, LAYER_DELAY_SECONDS) as endpoint:
        while len(times) < most_kills and best < LAYER_QUESTIONS:
            child = fork(run_layer)
            wait_for_random_moment(child, endpoint, rng, (LAYER_START_SECONDS, LAYER_DELAY_SECONDS))
            killed = time.monotonic()
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            times.append(Kill(killed, settle(endpoint)))
            count = read_completed_count()
            went_back += count < best
            best = max(best, count)
            # Each life begins a checkpoint of its own.
            prune(Path("checkpoints"), find_checkpoints(Path("checkpoints"), print), KEPT_CHECKPOINTS)
        _, status = os.waitpid(fork(run_layer), 0)
        if status:
            sys.exit(f"the last run ended with {status}")
        cost = count_cost(take_requests(endpoint), times, read_results(), LAYER_QUESTIONS)
    cost.went_back = went_back
    return cost


def run_layer() -> None:
    """Drive a run as the flow does, without Prefect and its results."""
    config = load_config("config.yaml", Overrides(progress_bar=False))
    keys = KeyReader(ENVIRONMENT, str)
    with open_run(config, config_file="config.yaml", run_id=str(os.getpid()), keys=keys, log=lambda _, __: None) as run:
        run.saver.save()
        for batch in run.batches.list_open():
            run.score(batch)
            if run.saver.is_due():
                run.saver.save()
        run.saver.save()
        report(run, {})


def fork(run: Callable[[], None]) -> int:
    """Fork a process that calls this and nothing else, without output; what it needs is imported already."""
    process_id = os.fork()
    if process_id == 0:
        try:
            os.dup2(os.open("output.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
            run()
        except BaseException as error:  # noqa: BLE001 - told by the exit code, whatever it is
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return process_id


@contextmanager
def open_evaluation(count: int, delay_seconds: float) -> Iterator[Connection]:
    """Open an empty working directory with questions, and an endpoint in a process of its own: this one forks."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory(dir=before) as folder:
        os.chdir(folder)
        ours, theirs = multiprocessing.Pipe()
        serving = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, delay_seconds), daemon=True)
        serving.start()
        write_questions(Path(), make_questions(count))
        write_config(Path(), ours.recv(), grader=True, parallel_workers=WORKERS, checkpoint_interval=10)
        try:
            yield ours
        finally:
            serving.terminate()
            serving.join()
            os.chdir(before)


def serve(connection: Connection, delay_seconds: float) -> None:
    """Serve until the process is ended; say on demand how much was answered, and what."""
    with RecordingEndpoint() as endpoint:
        endpoint.delay_seconds = delay_seconds
        connection.send(endpoint.url)
        while True:
            match connection.recv():
                case "count":
                    connection.send(len(endpoint.requests))
                case "settle":
                    connection.send(endpoint.settle())
                case _:
                    connection.send(endpoint.requests)


def count_requests(endpoint: Connection) -> int:
    """Return how many requests were answered."""
    endpoint.send("count")
    return int(endpoint.recv())


def settle(endpoint: Connection) -> float:
    """Return the time at which nothing of a killed run is in flight any more."""
    endpoint.send("settle")
    return float(endpoint.recv())


def take_requests(endpoint: Connection) -> list[Request]:
    """Return all requests."""
    endpoint.send("all")
    requests: list[Request] = endpoint.recv()
    return requests


def read_completed_count() -> int:
    """Return how many results the newest checkpoint holds; the whole file must parse."""
    latest = Path("checkpoints/latest.json")
    if not latest.exists():
        return 0
    document = json.loads(latest.read_text())
    if len(document["results"]) != document["completed_count"]:
        sys.exit("a visible checkpoint contradicts itself")
    return int(document["completed_count"])


def read_results() -> list[dict[str, Any]]:
    """Return the results of the finished run."""
    newest = max(Path("out").glob("exam_fake_*.json"))
    results: list[dict[str, Any]] = json.loads(newest.read_text())["results"]
    return results


def main() -> None:
    """Print what the kills have cost."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--command", type=int, default=200, metavar="N", help="kills of the real command (200)")
    parser.add_argument("--layer", type=int, default=2_000, metavar="N", help="kills of the layer below Prefect (2,000)")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    if options.layer:
        print(f"the layer below Prefect: {kill_layers(options.layer, rng)}")
    if options.command:
        print(f"the real command: {kill_commands(options.command, rng)}")


if __name__ == "__main__":
    main()
