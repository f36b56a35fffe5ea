"""What the commands print to their terminal, and the exit codes that they give the shell."""

import json
import os
import sys
from collections.abc import Sequence
from typing import TextIO

from tasks.evaluation.errors import EvaluationError, GateFailed, UserMistake
from tasks.evaluation.json_lines import JsonObject, JsonValue

# A run stopped by a signal exits with 128 + the signal's number.
EXIT_DONE, EXIT_UNFINISHED, EXIT_MISTAKE, EXIT_GATE = 0, 1, 2, 3


def print_line(line: str, stream: TextIO | None = None) -> None:
    """Print the line; if the terminal or pipe has gone away, the line is lost and nothing else."""
    try:
        print(line, file=stream or sys.stdout, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), (stream or sys.stdout).fileno())


def print_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Print each name with its value on a line, with the values aligned."""
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        print_line(f"{name + ':':{width + 2}}{printable(value)}")


def print_json(value: JsonValue | list[JsonObject]) -> None:
    """Print the value as JSON, for programs to read."""
    print_line(json.dumps(value, indent=2))


def printable(text: str) -> str:
    """Return the text on one line and without control characters, which files from elsewhere may hold."""
    return "".join(character if character.isprintable() else "?" for character in text)


def print_error(error: EvaluationError) -> int:
    """Print the error's message; return the exit code."""
    is_mistake = isinstance(error, UserMistake)
    print_line(f"mcqa: error: {error}" if is_mistake else f"mcqa: {error}", sys.stderr)
    return exit_code_of(error)


def exit_code_of(error: EvaluationError) -> int:
    """Return the exit code that the error stands for."""
    if isinstance(error, UserMistake):
        return EXIT_MISTAKE
    return EXIT_GATE if isinstance(error, GateFailed) else EXIT_UNFINISHED
