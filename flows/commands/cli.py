"""The command `mcqa`: its subcommands and their exit codes. What a subcommand needs is imported only when it runs."""

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from flows.commands.arguments import read_input_path, read_path
from flows.commands.checkpoints import add_checkpoints_command
from flows.commands.compare import add_compare_command
from flows.commands.export import add_export_command
from flows.commands.history import add_history_command
from flows.commands.questions import add_questions_command
from flows.commands.report import add_report_command
from flows.commands.serve import add_serve_command
from flows.process.end_signals import install_handlers
from flows.process.terminal import print_error, print_line
from tasks.evaluation.endpoints.proxies import bypass_proxies
from tasks.evaluation.errors import EvaluationError


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit.

    0: done; 1: something is left unscored; 2: a user's mistake; 3: a gate says no; 128 + n: ended by signal n.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without emoji shows question marks
    for warning in bypass_proxies(os.environ):
        print_line(warning, sys.stderr)
    options = build_parser().parse_args(arguments)
    run = vars(options).pop("run")
    try:
        code = run(options)
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except EvaluationError as error:
        code = print_error(error)
    sys.exit(code)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's flags; a flag that is not given leaves the configuration file's setting as it is."""
    parser = argparse.ArgumentParser(prog="mcqa", description="Score a language model on files of exam questions.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    score_parser = commands.add_parser(
        "score",
        help="score a file of questions, continuing where an earlier run stopped",
        argument_default=argparse.SUPPRESS,
    )
    _add_flags(score_parser)
    score_parser.set_defaults(run=_score)
    add_checkpoints_command(commands)
    add_questions_command(commands)
    add_compare_command(commands)
    add_history_command(commands)
    add_export_command(commands)
    add_report_command(commands)
    add_serve_command(commands)
    return parser


def _add_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "questions_file",
        nargs="?",
        type=read_input_path,
        metavar="QUESTIONS_FILE",
        help="the questions; replaces the file's questions_file",
    )
    add("--config", type=read_input_path, metavar="FILE", help="the YAML file of settings")
    add(
        "--model",
        metavar="NAME",
        help="a short name in the model servers file, else a model of the configured endpoint",
    )
    add("--grader", metavar="NAME", help="the grader's short name in the model servers file")
    add("--model-config", dest="model_config_file", type=read_path, metavar="FILE", help="the model servers file")
    add("--temperature", type=float, metavar="T", help="the generator's sampling temperature")
    add("--max-tokens", type=int, metavar="N", help="the most tokens of an answer")
    add("--prompt", metavar="NAME", help="a built-in prompt (default, original, label), or a text with {question} in it")
    add("--no-rag", action="store_true", help="ask without retrieval and without the context field")
    add("--parallel", dest="parallel_workers", type=int, metavar="N", help="questions in flight at once")
    add("--random", dest="random_selection", type=int, metavar="N", help="score a random sample of N questions")
    add("--seed", dest="random_seed", type=int, metavar="S", help="the sample's seed")
    add("--limit", type=int, metavar="N", help="score the first N questions")
    add("--disable-checkpointing", dest="enable_checkpointing", action="store_false", help="write no checkpoints")
    add("--checkpoint-interval", type=int, metavar="N", help="save after every N completed questions")
    add("--checkpoint-dir", dest="checkpoint_directory", type=read_path, metavar="DIR", help="the folder for checkpoints")
    add("--resume-from", dest="resume_from_checkpoint", type=read_path, metavar="FILE", help="continue this very checkpoint")
    add("--no-auto-resume", dest="auto_resume", action="store_false", help="reuse nothing of earlier runs")
    add("--save-incremental", action="store_true", help="make every answer durable before it counts")
    add("--no-progress-bar", dest="progress_bar", action="store_false", help="show no progress bar")
    add("--retry-refused", action="store_true", help="ask again what the endpoint refused before")
    add("--save-incorrect", action="store_true", help="write the questions answered wrong to a file of their own")
    add("--report", action="store_true", help="write the results also as a web page with every question")
    add("--repeats", type=int, metavar="K", help="ask each question K times; its score is the mean")
    add("--fail-under", type=float, metavar="X", help="exit with code 3 if the accuracy is below X")
    add(
        "--fail-under-interval",
        type=float,
        metavar="X",
        help="exit with code 3 if the lower end of the accuracy's 95 %% interval is below X",
    )
    add("--junit", type=read_path, metavar="FILE", help="write what the gates have decided to FILE, for CI systems")
    add("--verbose", action="store_true", help="show Prefect's own lines")
    add("--dry-run", action="store_true", help="say what would be asked and what is known, and ask nothing")


def _score(options: argparse.Namespace) -> int:
    install_handlers(_exit_on_signal, (signal.SIGTERM, signal.SIGHUP))
    from flows.commands.score import score  # noqa: PLC0415 - takes a second, which the other commands should not spend

    return score(options)


def _exit_on_signal(number: int, _: FrameType | None) -> NoReturn:
    sys.exit(128 + number)
