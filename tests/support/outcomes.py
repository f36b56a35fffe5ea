"""How an evaluation of `quick_endpoint` has ended: what was asked again, and which answers are missing or there twice."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.quick_endpoint import LETTERS, Traffic

# A record of the results file is a line of its own.
RECORD_BEGIN = b'{"question_id"'


@dataclass(frozen=True)
class Outcome:
    """What the endpoint and the results say together."""

    asked_again: int
    """Requests that repeat an earlier one."""
    lost: int
    """Questions without the answer that the endpoint has given them."""
    doubled: int
    """Answers beyond the first to a question."""

    def __str__(self) -> str:
        return f"{self.asked_again:,} asked again, {self.lost:,} lost, {self.doubled:,} doubled"


def judge(answers: Iterable[tuple[int, str]], traffic: Traffic, count: int) -> Outcome:
    """Return the outcome of asking questions 1 to `count`, by each answer's question and letter."""
    answered, right = bytearray(count + 1), bytearray(count + 1)
    doubled = 0
    for number, letter in answers:
        doubled += answered[number]
        answered[number] = 1
        right[number] |= letter == LETTERS[number % len(LETTERS)]
    return Outcome(traffic.asked_again, count - sum(right), doubled)


def read_our_answers(folder: Path) -> Iterator[tuple[int, str]]:
    """Yield question and letter from the newest results file in the folder, a line at a time."""
    newest = max(folder.glob("rag_results_*.json"), key=lambda path: path.stat().st_mtime_ns)
    with newest.open("rb") as file:
        for line in file:
            if line.startswith(RECORD_BEGIN):
                record = json.loads(line.rstrip(b",\n"))
                yield record["question_id"], record["evaluation"]["model_choice"]
