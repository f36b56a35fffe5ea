"""`mcqa score`: its flags, and its start, which must cost as little as possible until Prefect's server is on its way."""

import argparse
import os
import signal

from flows.commands.arguments import add_caps, read_input_path, read_path, read_text
from flows.process.end_signals import exit_on_signal, install_handlers
from flows.process.terminal import print_line
from flows.serving.temporary_server import is_probably_needed, start_server


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `score`; one that is not given leaves the configuration file's setting as it is."""
    parser.argument_default = argparse.SUPPRESS
    parser.set_defaults(run=run)
    _add_questions(parser)
    _add_progress(parser)
    _add_results(parser)


def _add_questions(parser: argparse.ArgumentParser) -> None:
    """Add what decides which questions are asked, and how."""
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
        type=read_text,
        metavar="NAME",
        help="a short name in the model servers file, else a model of the configured endpoint",
    )
    add("--grader", type=read_text, metavar="NAME", help="the grader's short name in the model servers file")
    add("--model-config", dest="model_config_file", type=read_path, metavar="FILE", help="the model servers file")
    add("--temperature", type=float, metavar="T", help="the generator's sampling temperature")
    add("--max-tokens", type=int, metavar="N", help="the most tokens of an answer")
    add(
        "--prompt",
        type=read_text,
        metavar="NAME",
        help="a built-in prompt (default, original, label), or a text with {question} in it",
    )
    add("--no-rag", action="store_true", help="ask without retrieval and without the context field")
    add("--parallel", dest="parallel_workers", type=int, metavar="N", help="questions in flight at once")
    add("--random", dest="random_selection", type=int, metavar="N", help="score a random sample of N questions")
    add("--seed", dest="random_seed", type=int, metavar="S", help="the sample's seed")
    add("--limit", type=int, metavar="N", help="score the first N questions")
    add(
        "--shard",
        type=read_text,
        metavar="I/N",
        help="score one of N parts, counted from 0, such as 3/64: the others are for other runs",
    )


def _add_progress(parser: argparse.ArgumentParser) -> None:
    """Add what decides about checkpoints, and what is reused."""
    add = parser.add_argument
    add("--disable-checkpointing", dest="enable_checkpointing", action="store_false", help="write no checkpoints")
    add("--checkpoint-interval", type=int, metavar="N", help="save after every N completed questions")
    add("--checkpoint-dir", dest="checkpoint_directory", type=read_path, metavar="DIR", help="the folder for checkpoints")
    add("--resume-from", dest="resume_from_checkpoint", type=read_path, metavar="FILE", help="continue this very checkpoint")
    add("--no-auto-resume", dest="auto_resume", action="store_false", help="reuse nothing of earlier runs")
    add_caps(parser)
    add("--save-incremental", action="store_true", help="make every answer durable before it counts")
    add("--no-progress-bar", dest="progress_bar", action="store_false", help="show no progress bar")
    add("--retry-refused", action="store_true", help="ask again what the endpoint refused before")


def _add_results(parser: argparse.ArgumentParser) -> None:
    """Add what decides about scores, and about the files and lines that tell of them."""
    add = parser.add_argument
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


def run(options: argparse.Namespace) -> int:
    """Score as the flags say; return the exit code.

    Raises:
        UserMistake: something the user gave is wrong; nothing was asked.
    """
    install_handlers(exit_on_signal, (signal.SIGTERM, signal.SIGHUP))
    # The server's process imports as much as ours, and does so beside it from here on. Whether it is needed is known for sure
    # only when Prefect's settings have been read.
    is_dry = getattr(options, "dry_run", False)
    server = start_server(print_line) if not is_dry and is_probably_needed(os.environ) else None
    from flows.commands.scoring import score  # noqa: PLC0415 - imports what takes long

    return score(options, server)
