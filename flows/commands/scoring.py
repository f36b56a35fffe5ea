"""What `mcqa score` does: it applies the flags to the settings, and runs the flow or shows what it would do."""

import argparse
import os
from dataclasses import replace
from pathlib import Path

from flows.process.terminal import EXIT_DONE, print_line
from flows.serving.temporary_server import TemporaryServer
from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import NO_KEY, KeyReader
from tasks.evaluation.config.loading import find_folder, load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.endpoints.address_file import check_files
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.local_servers.server_commands import find_commands
from tasks.evaluation.reporting.estimate import describe_costs, estimate_costs, estimate_tokens
from tasks.evaluation.reporting.summary import compute_statistics
from tasks.evaluation.run.budgets import describe_budget, open_budget
from tasks.evaluation.run.folders import check_folders
from tasks.evaluation.run.opening import open_ledger
from tasks.evaluation.run.preparation import Preparation, find_endpoints
from tasks.evaluation.run.resumption import reuse_earlier
from tasks.evaluation.run.start import begin, read_and_prepare
from tasks.evaluation.scoring.ledger import Ledger


def score(options: argparse.Namespace, server: TemporaryServer | None) -> int:
    """Score as the flags say; return the exit code.

    Args:
        options: the flags.
        server: a Prefect server that has been started in case that no other is set up; None: none was started.

    Raises:
        UserMistake: something the user gave is wrong; nothing was asked.
    """
    given = vars(options)
    config_file, is_dry = given.pop("config", None), given.pop("dry_run", False)
    overrides = Overrides.read(given)
    config = load_config(config_file, overrides)
    folder = find_folder(config_file)
    endpoints = find_endpoints(config, folder, KeyReader(os.environ, lambda _: NO_KEY))
    check_files(endpoints)
    find_commands(config)
    own_folder = check_folders(config, is_dry=is_dry)
    if is_dry:
        return show_plan(config, endpoints, folder, own_folder)
    prepare_prefect(is_verbose=config.processing.verbose)
    with begin(config, folder, own_folder, print_line) as start:
        # Imports Prefect, which takes a second: mistakes in the settings and in the questions show before that.
        from flows.commands.flow_call import score_file  # noqa: PLC0415

        return score_file(start, config_file, overrides, server)


def prepare_prefect(*, is_verbose: bool) -> None:
    """Set what Prefect reads when it is imported, where the user has not set it."""
    # Our own lines report failed batches and runs; Prefect's go to its server, and to the terminal only with --verbose.
    level = "INFO" if is_verbose else "CRITICAL"
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", level)
    os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", level)
    # Prefect sends usage data to a public host, which an evaluation must not contact unless its user allows it.
    os.environ.setdefault("DO_NOT_TRACK", "1")


def show_plan(config: Config, endpoints: tuple[Endpoint, Endpoint | None], config_folder: Path, own_folder: Path | None) -> int:
    """Print what a run would reuse and ask; ask nothing, and leave every folder as it is."""
    # Temporary files go to the system's temporary folder: our own may not exist.
    with (
        read_and_prepare(config, endpoints, config_folder=config_folder, run_id="a new run", notify=print_line) as preparation,
        open_ledger(preparation) as ledger,
    ):
        reuse_earlier(replace(preparation, own_folder=own_folder), ledger, print_line)
        for line in describe_plan(preparation, ledger, endpoints):
            print_line(line)
    return EXIT_DONE


def describe_plan(preparation: Preparation, ledger: Ledger, endpoints: tuple[Endpoint, Endpoint | None]) -> list[str]:
    """Return what a run would reuse and ask, a line each."""
    statistics, awaiting = compute_statistics(ledger), len(ledger.awaiting_grade())
    scored, repeats = statistics.overall.count if statistics.overall else 0, ledger.roster.repeats
    has_grader = endpoints[1] is not None
    costs = estimate_costs(ledger, endpoints[0].request, preparation.config.prompt, preparation.pricing)
    each = f", each question {repeats} times" if repeats > 1 else ""
    return [
        f"Selected: {len(ledger.questions):,} of {ledger.questions.file_count:,} questions",
        f"Scores reused: {scored:,}",
        f"Answers reused, to be graded: {awaiting:,}",
        f"Refused, not asked again: {statistics.refused:,}",
        f"Entries that cannot be asked: {statistics.unusable:,}",
        f"To be asked: {ledger.open_asking_count - awaiting:,} of {endpoints[0].model}{each}",
        *estimate_tokens(ledger, has_grader=has_grader),
        *describe_costs(costs),
        *describe_budget(open_budget(preparation, ledger), ledger, costs, has_grader=has_grader),
    ]
