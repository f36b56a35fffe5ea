"""The command `mcqa`: flags become settings, the flow runs, its end becomes an exit code."""

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

from tasks.evaluation.config import Config, Overrides, load_config
from tasks.evaluation.endpoints import NO_KEY, KeyReader
from tasks.evaluation.errors import EvaluationError, ServerFailure, UserMistake
from tasks.evaluation.local_server import find_command, start_ahead
from tasks.evaluation.preparation import (
    check_output_folder,
    check_questions,
    find_endpoints,
    find_log_folder,
    make_own_folder,
    prepare,
    reuse_earlier,
)
from tasks.evaluation.report import compute_statistics

CONTINUE = "what has arrived is kept: run the same command again to continue"
EXIT_DONE, EXIT_UNFINISHED, EXIT_MISTAKE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit: 0 done, 1 something is left unscored, 2 a mistake of the user's, 128 + n on signal n."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _exit_on_signal)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without emoji shows question marks
    options = build_parser().parse_args(arguments)
    try:
        sys.exit(score(options))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except UserMistake as mistake:
        tell(f"mcqa: error: {mistake}", sys.stderr)
        sys.exit(EXIT_MISTAKE)
    except EvaluationError as error:
        tell(f"mcqa: {error}", sys.stderr)
        sys.exit(EXIT_UNFINISHED)


def tell(line: str, stream: TextIO | None = None) -> None:
    """Print the line; a terminal or pipe that has gone away costs the line and nothing else."""
    try:
        print(line, file=stream or sys.stdout, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), (stream or sys.stdout).fileno())


def build_parser() -> argparse.ArgumentParser:
    """The command's flags; one that is not given leaves the configuration file's setting as it is."""
    parser = argparse.ArgumentParser(prog="mcqa", description="Score a language model on files of exam questions.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    score_parser = commands.add_parser(
        "score",
        help="score a file of questions, continuing where an earlier run stopped",
        argument_default=argparse.SUPPRESS,
    )
    _add_flags(score_parser)
    return parser


def _add_flags(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("questions_file", nargs="?", metavar="QUESTIONS_FILE", help="the questions; replaces the file's questions_file")
    add("--config", metavar="FILE", help="the YAML file of settings")
    add(
        "--model",
        metavar="NAME",
        help="a short name in the model servers file, else a model of the configured endpoint",
    )
    add("--grader", metavar="NAME", help="the grader's short name in the model servers file")
    add("--model-config", dest="model_config_file", metavar="FILE", help="the model servers file")
    add("--no-rag", action="store_true", help="ask without retrieval and without the context field")
    add("--parallel", dest="parallel_workers", type=int, metavar="N", help="questions in flight at once")
    add("--random", dest="random_selection", type=int, metavar="N", help="score a random sample of N questions")
    add("--seed", dest="random_seed", type=int, metavar="S", help="the sample's seed")
    add("--limit", type=int, metavar="N", help="score the first N questions")
    add("--disable-checkpointing", dest="enable_checkpointing", action="store_false", help="write no checkpoints")
    add("--checkpoint-interval", type=int, metavar="N", help="save after every N completed questions")
    add("--checkpoint-dir", dest="checkpoint_directory", metavar="DIR", help="the folder for checkpoints")
    add("--resume-from", dest="resume_from_checkpoint", metavar="FILE", help="continue this very checkpoint")
    add("--no-auto-resume", dest="auto_resume", action="store_false", help="reuse nothing of earlier runs")
    add("--save-incremental", action="store_true", help="make every answer durable before it counts")
    add("--no-progress-bar", dest="progress_bar", action="store_false", help="show no progress bar")
    add("--retry-refused", action="store_true", help="ask again what the endpoint refused before")
    add("--save-incorrect", action="store_true", help="write the questions answered wrong to a file of their own")
    add("--verbose", action="store_true", help="show Prefect's own lines")
    add("--dry-run", action="store_true", help="say what would be asked and what is known, and ask nothing")


def score(options: argparse.Namespace) -> int:
    """Score as the flags say; give the exit code.

    Raises:
        UserMistake: something the user gave is wrong; nothing was asked.
    """
    given = vars(options)
    config_file, is_dry = given.pop("config", None), given.pop("dry_run", False)
    overrides = Overrides.model_validate(given)
    config = load_config(config_file, overrides)
    folder = Path(config_file).parent if config_file else Path()
    find_endpoints(config, folder, KeyReader(os.environ, lambda _: NO_KEY))
    find_command(config)
    make_own_folder(config)
    check_output_folder(config)
    if is_dry:
        return show_plan(config, folder)
    return run_flow(config, config_file, overrides)


def show_plan(config: Config, config_folder: Path) -> int:
    """Say what a run would reuse and ask; ask nothing."""
    endpoints = find_endpoints(config, config_folder, KeyReader(os.environ, lambda _: NO_KEY))
    own_folder = make_own_folder(config)
    salt = "" if config.processing.auto_resume else "a new run"
    preparation = prepare(config, endpoints, own_folder=own_folder, salt=salt, say=tell)
    reuse_earlier(preparation, tell)
    ledger, statistics = preparation.ledger, compute_statistics(preparation.ledger)
    scored = statistics.overall.count if statistics.overall else 0
    tell(f"Selected: {len(ledger.questions):,} of {ledger.questions.file_count:,} questions")
    tell(f"Scores reused: {scored:,}")
    tell(f"Answers reused, to be graded: {len(ledger.awaiting_grade()):,}")
    tell(f"Refused, not asked again: {statistics.refused:,}")
    tell(f"Entries that cannot be asked: {statistics.unusable:,}")
    tell(f"To be asked: {statistics.unscored - len(ledger.awaiting_grade()):,} of {config.model.generator_settings.model}")
    ledger.close()
    return EXIT_DONE


def run_flow(config: Config, config_file: str | None, overrides: Overrides) -> int:
    """Run the flow, on a temporary Prefect server where none is set up; give the exit code.

    What takes long goes on side by side: Prefect's server and the model's start while the questions are read.
    """
    # Failed batches and runs are told in our own lines; Prefect's go to its server, and with --verbose to the terminal.
    level = "INFO" if config.processing.verbose else "CRITICAL"
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", level)
    os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", level)
    # Prefect's usage data go to a public host, which an evaluation has no business to reach unless its user says so.
    os.environ.setdefault("DO_NOT_TRACK", "1")
    import prefect  # noqa: PLC0415 - takes seconds, which a mistake in the settings should not cost
    from prefect.settings import get_current_settings  # noqa: PLC0415

    settings = get_current_settings()
    server = None
    if not settings.api.url:
        from flows.temporary_server import TemporaryServer  # noqa: PLC0415

        tell("Starting Prefect's temporary server …")
        server = TemporaryServer(settings.home / "mcqa-flow" / f"server-{prefect.__version__}.db", say=tell)
    start_ahead(config, find_log_folder(make_own_folder(config)), tell)
    check_questions(config)
    if server is None:
        return call_flow(config_file, overrides)
    server.wait_until_healthy()
    os.environ["PREFECT_API_URL"] = server.api_url
    with prefect.settings.temporary_settings({prefect.settings.PREFECT_API_URL: server.api_url}):
        return call_flow(config_file, overrides)


def call_flow(config_file: str | None, overrides: Overrides) -> int:
    """Call the flow and say how it ended; give the exit code.

    Raises:
        EvaluationError: the flow ended with it.
    """
    from httpx import HTTPError  # noqa: PLC0415 - as Prefect, which asks its server with it
    from prefect.client.orchestration import get_client  # noqa: PLC0415
    from prefect.exceptions import PrefectException  # noqa: PLC0415
    from prefect.settings import get_current_settings  # noqa: PLC0415

    from flows.score_questions import score_questions  # noqa: PLC0415 - imports Prefect

    try:
        with get_client(sync_client=True) as client:
            client.raise_for_api_version_mismatch()
        state = score_questions(config_file, overrides, return_state=True)
    except (HTTPError, PrefectException, RuntimeError) as failure:
        raise ServerFailure(f"Prefect's server at {get_current_settings().api.url} fails: {failure}; {CONTINUE}") from failure
    if state.is_completed():
        return EXIT_DONE
    error = state.result(raise_on_failure=False)
    if isinstance(error, EvaluationError):
        raise error
    tell(f"mcqa: {state.message}", sys.stderr)
    return EXIT_UNFINISHED


def _exit_on_signal(number: int, _: FrameType | None) -> NoReturn:
    sys.exit(128 + number)
