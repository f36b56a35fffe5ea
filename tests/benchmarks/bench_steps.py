"""What each step of one question costs: `python -m tests.benchmarks.bench_steps [--questions N]`.

Each step is run for all questions in a row, and its processor time (user and system, of the thread that asks) divided by their
number. Then the same questions are scored as a run scores them, below Prefect: what that takes beyond the sum of its steps is
what the event loop and 64 questions at a time cost. At the end openai's typed client asks the same questions, for comparison.
The server is in a process of its own, which is not counted.
"""

import argparse
import asyncio
import itertools
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from prefect.serializers import JSONSerializer

from tasks.evaluation.config.config import Config
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.http import Transport
from tasks.evaluation.endpoints.http_reply import HttpReply
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.responses import read_reply
from tasks.evaluation.endpoints.slots import Slots
from tasks.evaluation.json_lines import to_line
from tasks.evaluation.run.batches import Batch, Batches, choose_batch_size
from tasks.evaluation.run.folders import make_own_folder
from tasks.evaluation.run.opening import open_ledger
from tasks.evaluation.run.preparation import Preparation
from tasks.evaluation.run.start import read_and_prepare
from tasks.evaluation.scoring.journal import Journal
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.scoring.prompts import generator_messages
from tasks.evaluation.scoring.records import answer_record, build_result, grade_record
from tasks.evaluation.scoring.scorer import Scorer
from tasks.evaluation.storage.answer_log import AnswerLog
from tasks.evaluation.storage.layout import ANSWERS_FOLDER
from tests.benchmarks.bare_loop import ask_all
from tests.support.fake_endpoint import write_questions
from tests.support.quick_endpoint import make_long_questions, quick_endpoint

AT_ONCE = 64
KEY = "sk-a-key-of-the-usual-length-0123456789"
PATIENCE = Patience(600, 600)


class Steps:
    """Measures steps over the same questions, and prints a row for each.

    Args:
        count: the number of questions.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.sum_microseconds = 0.0

    def measure(self, name: str, step: Callable[[int], object]) -> None:
        """Run the step for each position, and add it to the sum."""
        began = time.thread_time()
        for position in range(self.count):
            step(position)
        self._add(name, began)

    def measure_awaited(self, name: str, step: Callable[[int], Awaitable[object]]) -> None:
        """Await the step for each position, and add it to the sum."""
        self._add(name, asyncio.run(self.await_all(step, 1)))

    def measure_wire(self, transport: Transport, step: Callable[[int], Awaitable[object]]) -> None:
        """Await the step for many positions at once, and add it to the sum."""

        async def await_all() -> float:
            began = await self.await_all(step, AT_ONCE)
            await transport.close()
            return began

        self._add(f"wire: request sent, reply received, {AT_ONCE} at once", asyncio.run(await_all()))

    def show(self, name: str, microseconds: float) -> None:
        """Print a row."""
        print(f"{name:<52} {microseconds:>8.1f}", flush=True)

    async def await_all(self, step: Callable[[int], Awaitable[object]], at_once: int) -> float:
        """Await the step for each position, this many at once; return the thread's processor time at the beginning."""
        await step(0)  # opens what is opened once
        positions, began = iter(range(self.count)), time.thread_time()

        async def take_turns() -> None:
            for position in positions:
                await step(position)

        await asyncio.gather(*(take_turns() for _ in range(at_once)))
        return began

    def _add(self, name: str, began: float) -> None:
        microseconds = (time.thread_time() - began) / self.count * 1e6
        self.sum_microseconds += microseconds
        self.show(name, microseconds)


class Answering:
    """Stands in for a transport, and has the answer at once."""

    def __init__(self, answer: Answer) -> None:
        self._reply = answer, {"content-type": "application/json"}

    async def ask(self, _: object) -> tuple[Answer, dict[str, str]]:
        """Return the answer and its headers."""
        return self._reply


def measure_steps(steps: Steps, preparation: Preparation, ledger: Ledger, endpoint: Endpoint) -> None:
    """Measure each step of a question, from its temporary copy to its record in the results."""
    prompt, grader, roster = preparation.config.prompt, preparation.grader, ledger.roster
    question = ledger.questions[0]
    assert question
    assert ledger.log
    steps.measure("question, from its temporary copy", roster.question_of)
    messages = [generator_messages(question, prompt) for _ in range(steps.count)]
    steps.measure("messages", lambda _: generator_messages(question, prompt))
    transport = Transport(endpoint, PATIENCE)
    steps.measure_wire(transport, partial(post, transport, messages))
    content = asyncio.run(fetch(endpoint, messages[0]))
    steps.measure("reply read", lambda _: read_reply(content, role="generator", seconds=0.5))
    answer = read_reply(content, role="generator", seconds=0.5)
    steps.measure("keys masked", lambda _: transport._without_keys(answer))
    client = Client(endpoint, PATIENCE, is_proven=True, slots=Slots(), notify=print)
    client.addresses[0]._transport = Answering(answer)  # type: ignore[assignment]
    steps.measure_awaited("turn, rate, outage, token counts", lambda position: client.ask(messages[position]))
    steps.measure("answer as a line", lambda i: to_line(answer_record(roster.ids(i).answer, answer)))
    line, log = to_line(answer_record(roster.ids(0).answer, answer)), ledger.log
    steps.measure("answer into the log", lambda position: log.append(line, position))
    steps.measure_awaited("choice read", lambda _: grader.grade(question, answer, client.ask))
    grade = asyncio.run(grader.grade(question, answer, client.ask))
    steps.measure("grade as a line", lambda i: to_line(grade_record(roster.ids(i).score, answer, grade)))
    line = to_line(grade_record(roster.ids(0).score, answer, grade))
    steps.measure("grade into the log", lambda position: log.append(line, position))
    steps.measure(
        "result: record, line, sheet, spool", lambda i: ledger.finish(i, build_result(roster.ids(i), question, answer, grade))
    )


async def post(transport: Transport, messages: list[list[Message]], position: int) -> HttpReply:
    """Send the request and receive the reply, without reading it."""
    return await transport._post(messages[position])


async def fetch(endpoint: Endpoint, messages: list[Message]) -> bytes:
    """Return the body of a reply."""
    transport = Transport(endpoint, PATIENCE)
    try:
        return (await transport._post(messages)).content
    finally:
        await transport.close()


def measure_together(steps: Steps, preparation: Preparation, ledger: Ledger, endpoint: Endpoint) -> None:
    """Measure a scorer of all questions."""

    async def score() -> float:
        slots = Slots(AT_ONCE)
        client = Client(endpoint, PATIENCE, is_proven=True, slots=slots, notify=print)
        journal = Journal(ledger, waits_for_sync=False)
        scorer = Scorer(ledger, journal, preparation.grader, client, None, slots=slots, prompt=preparation.config.prompt)
        began = time.thread_time()
        unscored = await scorer.score_positions(range(steps.count))
        seconds = time.thread_time() - began
        await client.close()
        assert not unscored
        return seconds

    together = asyncio.run(score()) / steps.count * 1e6
    steps.show("the sum of these", steps.sum_microseconds)
    steps.show("the same questions scored, on the asking thread", together)


def measure_batches(steps: Steps, preparation: Preparation, ledger: Ledger) -> None:
    """Measure what Prefect keeps of the batches, on other threads."""
    processing = preparation.config.processing
    size, serializer = choose_batch_size(steps.count, processing), JSONSerializer()
    batches = Batches(ledger, processing, size)
    began = time.thread_time()
    for start in range(0, steps.count, size):
        serializer.dumps(batches.collect(Batch(range(start, min(start + size, steps.count)), "")))
    steps.show("batch results for Prefect, on other threads", (time.thread_time() - began) / steps.count * 1e6)


def measure(count: int, url: str) -> None:
    """Print the table, from a working directory that is empty."""
    write_questions(Path(), make_long_questions(count))
    endpoint = Endpoint("generator", url, KEY, {"model": "quick", "temperature": 0.0, "max_tokens": 1024})
    settings = {"generator_settings": {"model": "quick"}}
    config = Config.model_validate({"questions_file": "exam.json", "model": settings, "prompt": "default"})
    own_folder = make_own_folder(config)
    assert own_folder
    steps, logs = Steps(count), itertools.count()

    def open_log() -> AnswerLog:
        return AnswerLog(own_folder / ANSWERS_FOLDER, str(next(logs)), sync_at_once=False)

    began = time.thread_time()
    with read_and_prepare(config, (endpoint, None), own_folder=own_folder) as preparation:
        steps.show("before: file read, questions named", (time.thread_time() - began) / count * 1e6)
        with open_ledger(preparation, open_log) as ledger:
            measure_steps(steps, preparation, ledger, endpoint)
        with open_ledger(preparation, open_log) as ledger:
            measure_together(steps, preparation, ledger, endpoint)
            measure_batches(steps, preparation, ledger)
    began = time.thread_time()
    asyncio.run(ask_all(url, count, AT_ONCE, with_grader=False))
    steps.show("openai's typed client, a bare loop", (time.thread_time() - began) / count * 1e6)


def main() -> None:
    """Print a row a step."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--questions", type=int, default=3_000, metavar="N")
    options = parser.parse_args()
    before = Path.cwd()
    print(f"{'step':<52} {'µs':>8}")
    with tempfile.TemporaryDirectory(dir=before) as folder, quick_endpoint() as url:
        os.chdir(folder)
        try:
            measure(options.questions, url)
        finally:
            os.chdir(before)


if __name__ == "__main__":
    main()
