"""`mcqa score`: applies the flags to the settings, runs the flow, and turns its outcome into an exit code."""

import argparse
import os
from dataclasses import replace
from pathlib import Path

from flows.process.terminal import EXIT_DONE, print_line
from flows.serving.server_health import require_server
from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import NO_KEY, KeyReader
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.errors import EvaluationError, ServerFailure
from tasks.evaluation.local_servers.server_commands import find_command
from tasks.evaluation.reporting.estimate import estimate_tokens
from tasks.evaluation.reporting.summary import compute_statistics
from tasks.evaluation.run.folders import check_folders
from tasks.evaluation.run.opening import open_ledger
from tasks.evaluation.run.preparation import find_endpoints
from tasks.evaluation.run.resumption import reuse_earlier
from tasks.evaluation.run.start import Start, begin, read_and_prepare
from tasks.evaluation.scoring.ledger import Ledger

CONTINUE = "what has arrived is kept: run the same command again (after --no-auto-resume: with --resume-from) to continue"


def score(options: argparse.Namespace) -> int:
    """Score as the flags say; return the exit code.

    Raises:
        UserMistake: something the user gave is wrong; nothing was asked.
    """
    given = vars(options)
    config_file, is_dry = given.pop("config", None), given.pop("dry_run", False)
    overrides = Overrides.read(given)
    config = load_config(config_file, overrides)
    folder = Path(config_file).parent if config_file else Path()
    endpoints = find_endpoints(config, folder, KeyReader(os.environ, lambda _: NO_KEY))
    find_command(config)
    own_folder = check_folders(config, is_dry=is_dry)
    if is_dry:
        return show_plan(config, endpoints, own_folder)
    return run_flow(config, own_folder, config_file, overrides)


def show_plan(config: Config, endpoints: tuple[Endpoint, Endpoint | None], own_folder: Path | None) -> int:
    """Print what a run would reuse and ask; ask nothing, and leave every folder as it is."""
    # Temporary files go to the system's temporary folder: our own may not exist.
    with (
        read_and_prepare(config, endpoints, run_id="a new run", notify=print_line) as preparation,
        open_ledger(preparation) as ledger,
    ):
        reuse_earlier(replace(preparation, own_folder=own_folder), ledger, print_line)
        for line in describe_plan(ledger, config.model.generator_settings.model, has_grader=endpoints[1] is not None):
            print_line(line)
    return EXIT_DONE


def describe_plan(ledger: Ledger, model: str, *, has_grader: bool) -> list[str]:
    """Return what a run would reuse and ask, a line each."""
    statistics, awaiting = compute_statistics(ledger), len(ledger.awaiting_grade())
    scored, repeats = statistics.overall.count if statistics.overall else 0, ledger.roster.repeats
    each = f", each question {repeats} times" if repeats > 1 else ""
    return [
        f"Selected: {len(ledger.questions):,} of {ledger.questions.file_count:,} questions",
        f"Scores reused: {scored:,}",
        f"Answers reused, to be graded: {awaiting:,}",
        f"Refused, not asked again: {statistics.refused:,}",
        f"Entries that cannot be asked: {statistics.unusable:,}",
        f"To be asked: {ledger.open_asking_count - awaiting:,} of {model}{each}",
        *estimate_tokens(ledger, has_grader=has_grader),
    ]


def run_flow(config: Config, own_folder: Path | None, config_file: str | None, overrides: Overrides) -> int:
    """Run the flow, on a temporary Prefect server if no other is set up; return the exit code.

    The slow steps run side by side: Prefect's server and the model's start while the questions are read.
    """
    # Our own lines report failed batches and runs; Prefect's go to its server, and to the terminal only with --verbose.
    level = "INFO" if config.processing.verbose else "CRITICAL"
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", level)
    os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", level)
    # Prefect sends usage data to a public host, which an evaluation must not contact unless its user allows it.
    os.environ.setdefault("DO_NOT_TRACK", "1")
    import prefect  # noqa: PLC0415 - takes seconds; mistakes in the settings show before that
    from prefect.settings import get_current_settings  # noqa: PLC0415

    settings = get_current_settings()
    server = None
    if not settings.api.url:
        from flows.serving.temporary_server import TemporaryServer  # noqa: PLC0415

        print_line("Starting Prefect's temporary server …")
        server = TemporaryServer(settings.home / "mcqa-flow" / f"server-{prefect.__version__}.db", notify=print_line)
    with begin(config, own_folder, print_line) as start:
        if server is None:
            require_server(str(settings.api.url))
            return call_flow(start, config_file, overrides)
        server.wait_until_healthy()
        os.environ["PREFECT_API_URL"] = server.api_url
        own = {prefect.settings.PREFECT_API_URL: server.api_url, prefect.settings.PREFECT_SERVER_UI_ENABLED: False}
        with prefect.settings.temporary_settings(own):
            return call_flow(start, config_file, overrides)


def call_flow(start: Start, config_file: str | None, overrides: Overrides) -> int:
    """Call the flow and print how it ended; return the exit code.

    Raises:
        ServerFailure: Prefect's server failed before the flow ended.
    """
    from httpx import HTTPError  # noqa: PLC0415 - as late as Prefect, which calls its server with it
    from prefect.exceptions import PrefectException  # noqa: PLC0415
    from prefect.settings import get_current_settings  # noqa: PLC0415

    from flows.ending.end_watch import EndWatch, print_outcome  # noqa: PLC0415 - imports Prefect
    from flows.opening.hand_over import hand_over  # noqa: PLC0415
    from flows.score_questions import score_questions  # noqa: PLC0415 - the same

    url = get_current_settings().api.url
    with hand_over(start), EndWatch(str(url)) as watch:
        try:
            state = score_questions(config_file, overrides, return_state=True)
        except (HTTPError, PrefectException, RuntimeError) as failure:
            if watch.outcome is None:
                raise ServerFailure(f"Prefect's server at {url} fails: {failure}; {CONTINUE}") from failure
            watch.print_unreported(str(failure))
            return print_outcome(watch.outcome)
    error = state.result(raise_on_failure=False)
    return print_outcome(error if isinstance(error, EvaluationError) else state)
