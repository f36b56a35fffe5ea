"""Argument types that several commands share."""

import argparse
from collections.abc import Callable

from tasks.evaluation.config.paths import expand_input, expand_path


def read_path(text: str) -> str:
    """Return the path with `~` and `${NAME}` expanded: a shell does not expand them within quotes or after `=`.

    Raises:
        ArgumentTypeError: it is empty, or cannot be expanded.
    """
    return _read(text, expand_path)


def read_input_path(text: str) -> str:
    """Return the expanded path of a file to read.

    A path in `deployments/` that does not exist here stands for the file of that name in the installation.

    Raises:
        ArgumentTypeError: it is empty, or cannot be expanded.
    """
    return _read(text, expand_input)


def read_positive(text: str) -> int:
    """Return the whole number.

    Raises:
        ArgumentTypeError: it is no whole number, or less than 1.
    """
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def read_text(text: str) -> str:
    """Return the text as it is given.

    Raises:
        ArgumentTypeError: it is empty, as a job script's variable may be that is not set: the run would ask something else.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty: give it a value, or leave it out")
    return text


def _read(text: str, expand: Callable[[str], str]) -> str:
    try:
        return expand(read_text(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_caps(parser: argparse.ArgumentParser) -> None:
    """Add the flags that limit what may be spent."""
    add = parser.add_argument
    add("--max-cost", type=float, metavar="X", help="stop before all results have cost more than X US dollars")
    add("--max-tokens-total", type=int, metavar="N", help="stop before all results have taken more than N tokens")
    add("--max-seconds", type=float, metavar="S", help="ask nothing more after S seconds")
