"""Random budgets, killed twice each: `python -m tests.benchmarks.bench_budgets [--caps N] [--seed S]`.

Each evaluation of 300 questions has 64 in flight at an endpoint with lognormal latency. A forked process runs it below Prefect
within a random cap, on tokens or on dollars, and is killed with SIGKILL after a random number of requests, twice; a third run
goes on within the same cap, and a last one without. What the endpoint has received counts in full, whether anybody was left
to read the reply or not. It is asserted that this never passes the cap, and that every question is in the results once.
"""

import argparse
import multiprocessing
import os
import random
import re
import signal
import tempfile
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.errors import UnfinishedBatch
from tasks.evaluation.run.opening import open_run
from tasks.evaluation.run.report import report
from tests.benchmarks.bench_kills import ENVIRONMENT, fork, is_running, read_results
from tests.support.fake_endpoint import FakeEndpoint, Reply, answer_by_rule, make_questions, prompt_of, write_questions

QUESTIONS, WORKERS, MOST, KILLS = 300, 64, 200, 2
MEDIAN_SECONDS, SIGMA = 0.02, 0.8
DOLLARS_A_TOKEN = 1e-6
QUIET_SECONDS = 0.3
CONFIG = """\
questions_file: exam.json
model:
  generator_settings:
    model: fake
    base_url: {url}
    max_tokens: {most}
    prices: {{prompt: 1, completion: 1}}
processing: {{parallel_workers: {workers}, batch_size: 50, progress_bar: false}}
output: {{output_directory: out, output_prefix: exam}}
"""


def take(prompt: str) -> int:
    """Return the tokens that a question takes: 60 to 259."""
    return 60 + int(re.findall(r"Question (\d+)", prompt)[0]) * 37 % MOST


def serve(connection: Connection, seed: int) -> None:
    """Serve until the process is ended; say on demand how many requests have come, and the tokens that they took."""
    chance, received = random.Random(seed), list[int]()

    def answer(body: dict[str, Any]) -> Reply:
        tokens = take(prompt_of(body))
        received.append(tokens)
        time.sleep(MEDIAN_SECONDS * chance.lognormvariate(0, SIGMA))
        reply = answer_by_rule(body)
        assert isinstance(reply.body, dict)
        return Reply({**reply.body, "usage": {"prompt_tokens": 60, "completion_tokens": tokens - 60, "total_tokens": tokens}})

    with FakeEndpoint() as endpoint:
        endpoint.rule = answer
        endpoint._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        connection.send(endpoint.url)
        while True:
            if connection.recv() == "forget":
                received.clear()
            connection.send((len(received), sum(received)))


def read(endpoint: Connection, command: str = "read") -> tuple[int, int]:
    """Return the number of requests and their tokens."""
    endpoint.send(command)
    count, tokens = endpoint.recv()
    return count, tokens


def run_within(caps: dict[str, float]) -> None:
    """Drive a run as the flow does, without Prefect and its results."""
    config = load_config("config.yaml", Overrides.model_validate(caps))
    keys = KeyReader(ENVIRONMENT, str)
    with open_run(config, config_file="config.yaml", run_id=str(os.getpid()), keys=keys, log=lambda _, __: None) as run:
        with suppress(UnfinishedBatch):
            for batch in run.batches.list_open():
                run.score(batch)
        run.saver.save()
        report(run, {})


def wait_until_quiet(endpoint: Connection) -> tuple[int, int]:
    """Return what has come once nothing more comes from a process that has ended."""
    before = None
    while (now := read(endpoint)) != before:
        before = now
        time.sleep(QUIET_SECONDS)
    return now


def try_cap(endpoint: Connection, caps: dict[str, float], cap: int, chance: random.Random) -> tuple[int, int]:
    """Spend within the cap, killed twice; return the tokens that were taken, and the questions that were answered."""
    read(endpoint, "forget")
    for _ in range(KILLS):
        target = read(endpoint)[0] + chance.randint(1, QUESTIONS // 3)
        child = fork(lambda: run_within(caps))
        while read(endpoint)[0] < target and is_running(child):
            time.sleep(0.001)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        wait_until_quiet(endpoint)
    os.waitpid(fork(lambda: run_within(caps)), 0)
    _, tokens = wait_until_quiet(endpoint)
    assert tokens <= cap, f"{tokens} of {cap} tokens"
    answered = len(read_results())
    os.waitpid(fork(lambda: run_within({})), 0)
    results = read_results()
    assert sorted(result["question_id"] for result in results) == list(range(1, QUESTIONS + 1))
    return tokens, answered


def main() -> None:
    """Try the caps, and print how much of them was spent."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--caps", type=int, default=200, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    ours, theirs = multiprocessing.Pipe()
    serving = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, options.seed), daemon=True)
    serving.start()
    url, shares = ours.recv(), list[float]()
    whole = sum(take(f"Question {number}") for number in range(1, QUESTIONS + 1))
    for number in range(1, options.caps + 1):
        cap = chance.randint(whole // 20, whole)
        caps: dict[str, float] = {"max_tokens_total": cap} if number % 2 else {"max_cost": cap * DOLLARS_A_TOKEN}
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            write_questions(Path(), make_questions(QUESTIONS))
            Path("config.yaml").write_text(CONFIG.format(url=url, most=MOST, workers=WORKERS))
            tokens, answered = try_cap(ours, caps, cap, chance)
            os.chdir("/")
        shares.append(tokens / cap)
        print(f"{number}: {tokens:,} of {cap:,} tokens taken, {answered} questions answered", flush=True)
    serving.terminate()
    mean = sum(shares) / len(shares)
    print(f"{len(shares)} caps, none passed; {min(shares):.1%} to {max(shares):.1%} of them spent, {mean:.1%} on average")


if __name__ == "__main__":
    main()
