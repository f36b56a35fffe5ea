"""Why questions are left unscored: one cause a question, counted so that the most frequent comes first."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.scoring.scorer import STOPPED

# What a state's message shows of a cause if there are several.
MOST_CHARACTERS = 160
MOST_IDS = 20
UNKNOWN = "not asked"
# Any but a status.
NUMBER = re.compile(r"(?<!answered )(?<!\d)\d+")


@dataclass(frozen=True)
class Cause:
    """What has left some questions unscored."""

    message: str
    """The message of the first of them."""
    positions: Sequence[int]
    """Their positions in the selection, from 0."""


def find_causes(ledger: Ledger, failures: Mapping[int, str], stop_cause: object) -> list[Cause]:
    """Return the causes, the most frequent first; each open question has one.

    Args:
        ledger: the run's ledger.
        failures: the errors by position; those of questions that were scored after all are ignored.
        stop_cause: why the run asked nothing more, which is the cause of all that was not asked any more; None if it went on.
    """
    stopped = str(stop_cause or UNKNOWN)
    errors: dict[int, str] = {}
    for position in ledger.open_positions(range(len(ledger.questions))):
        failure = failures.get(position, stopped)
        errors[position] = stopped if stop_cause and failure.startswith(STOPPED) else failure
    return group_errors(errors)


def group_errors(errors: Mapping[int, str]) -> list[Cause]:
    """Return the errors as causes, the most frequent first; errors that differ only in numbers are one."""
    groups: dict[str, list[int]] = {}
    for position, error in errors.items():
        groups.setdefault(NUMBER.sub("0", error), []).append(position)
    return [Cause(errors[group[0]], group) for group in sorted(groups.values(), key=len, reverse=True)]


def describe_causes(causes: Sequence[Cause]) -> str:
    """Return the causes on one line: a single one in full, several each with its count."""
    if len(causes) == 1:
        return causes[0].message
    return ", ".join(f"{shorten(cause.message)} ({len(cause.positions):,})" for cause in causes)


def name_questions(positions: Sequence[int]) -> str:
    """Return the questions' numbers in the results, the first of them."""
    shown = ", ".join(str(position + 1) for position in positions[:MOST_IDS])
    return f"{shown} and {len(positions) - MOST_IDS:,} more" if len(positions) > MOST_IDS else shown


def shorten(message: str) -> str:
    """Return the message on one line, and not too long to stand beside others."""
    line = " ".join(message.split())
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1].rstrip()}…"
