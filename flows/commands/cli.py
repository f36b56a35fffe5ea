"""The command `mcqa`: its subcommands and their exit codes. Of these, only the one that runs is imported."""

import argparse
import io
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import NoReturn

from flows.process.terminal import print_error, print_line
from tasks.evaluation.endpoints.proxies import bypass_proxies
from tasks.evaluation.errors import EvaluationError

# Each is a module of this package, which adds its flags to a parser (`add_flags`) with the function that runs it as the
# default `run`.
COMMANDS = {
    "score": "score a file of questions, continuing where an earlier run stopped",
    "suite": "score several models on several files of questions, under several conditions",
    "checkpoints": "list, show, validate and prune checkpoints",
    "questions": "check a file of questions",
    "retrieve": "retrieve for questions without asking a model: what would be put before which, and the hit rate",
    "compare": "compare runs, and let a CI job fail",
    "history": "show how accuracies developed from run to run",
    "export": "write a run's results in the format of another tool",
    "report": "write one to six runs as a web page that needs no server: verdict, tables, and every question",
    "serve": "run evaluations from Prefect's UI, here and on schedules, until Ctrl-C",
}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit.

    0: done; 1: something is left unscored; 2: a user's mistake; 3: a gate says no; 128 + n: ended by signal n.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without emoji shows question marks
    for warning in bypass_proxies(os.environ):
        print_line(warning, sys.stderr)
    given = sys.argv[1:] if arguments is None else arguments
    options = build_parser(given[:1]).parse_args(given)
    run = vars(options).pop("run")
    try:
        code = run(options)
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except EvaluationError as error:
        code = print_error(error)
    sys.exit(code)


def build_parser(commands: Iterable[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """Return the parser of the command line; of the subcommands, only these have their flags."""
    parser = argparse.ArgumentParser(prog="mcqa", description="Score a language model on files of exam questions.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, description in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=description, description=description)
        if name in commands:
            import_module(f"flows.commands.{name}").add_flags(subparser)
    return parser
