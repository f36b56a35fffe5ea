"""The flow that scores a file of questions: the order of its steps, and the state that it ends in."""

import os
import socket
from pathlib import Path
from typing import Annotated

from prefect import flow, get_run_logger
from prefect.blocks.system import Secret
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.settings import get_current_settings
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from flows.abandoned_tasks import end_abandoned_tasks
from flows.alarms import announced, raise_alarm
from flows.batch_window import BatchTask, BatchWindow
from flows.ending import report_outcome
from flows.failing import fail, log_unscored
from flows.interval_saver import IntervalSaver
from flows.parallel_workers import follow_variable
from flows.quiet_logs import leave_out_tracebacks, quiet_task_runs
from flows.recurrence import Recurrence, add_warning, warn_if_idle
from flows.run_names import name_flow_run
from flows.run_tags import tag_run
from flows.signs_of_life import signs_of_life
from flows.sole_process import sole_process
from flows.starting import find_start
from flows.stopping import StopRequest, how_to_continue, stop_on_signals
from flows.suspension import Suspension, hold_back_pause
from tasks.artifacts import Artifacts
from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import find_config_file, load_config
from tasks.evaluation.config.overrides import Advanced, Overrides
from tasks.evaluation.endpoints.endpoint import list_key_warnings
from tasks.evaluation.endpoints.proxies import bypass_proxies
from tasks.evaluation.errors import EvaluationError, GateFailed, StorageFailure, UserMistake, before_asking
from tasks.evaluation.reporting.summary import compute_statistics
from tasks.evaluation.run.gates import check_gates
from tasks.evaluation.run.opening import open_run
from tasks.evaluation.run.outcome import explain_no_score, explain_unscored, raise_mistake
from tasks.evaluation.run.run import Run
from tasks.evaluation.storage.layout import OWN_FOLDER, RESULTS_FOLDER
from tasks.evaluation.storage.locks import Holder
from tasks.run_pages import find_run_page
from tasks.save_checkpoint import save_checkpoint
from tasks.score_batch import score_batch
from tasks.ui_words import choose_words
from tasks.write_report import write_report

# Threads are created on demand: the number of batches in flight is bounded by the window, not by this.
MOST_THREADS = 1_000


ConfigFile = Annotated[str | SkipJsonSchema[None], Field(json_schema_extra={"title": "Configuration file", "default": ""})]
Changes = Annotated[Overrides, Field(json_schema_extra={"title": "Different in this run", "default": {}})]
Further = Annotated[Advanced, Field(json_schema_extra={"title": "Advanced", "default": {}})]
AS_IN_FILE = Overrides()
ALSO_AS_IN_FILE = Advanced()


@flow(
    name="score-questions",
    flow_run_name=name_flow_run,
    task_runner=ThreadPoolTaskRunner(max_workers=MOST_THREADS),  # type: ignore[arg-type]  # Prefect's own types disagree
    persist_result=False,
)
def score_questions(
    config_file: ConfigFile = None,
    overrides: Changes = AS_IN_FILE,
    auto_resume: Recurrence = None,
    advanced: Further = ALSO_AS_IN_FILE,
) -> State[None]:
    """Score the questions, continuing where earlier runs stopped.

    Args:
        config_file: the path of the YAML file of settings, as the worker sees it. Empty: the one that the deployment names.
        overrides: settings for this run alone. What is left empty is taken from the configuration file.
        auto_resume: true reuses what earlier runs have answered; false asks everything again, as recurring evaluations must. It
            holds whatever the other fields say. A retry continues its own run anyway.
        advanced: further settings for this run alone, seldom changed.
    """
    leave_out_tracebacks()
    try:
        return evaluate(config_file or None, overrides.combine(advanced).resume(auto_resume))
    except EvaluationError as error:
        return fail(str(error), error=error)


@report_outcome
def evaluate(config_file: str | None, overrides: Overrides) -> State[None]:
    """Run the evaluation that the settings describe; return the state that it ends in.

    Raises:
        EvaluationError: it cannot begin, or paid answers could no longer be kept.
    """
    bypass_proxies(os.environ)
    config_file = find_config_file(config_file)
    start = find_start()
    config = start.config if start else load_config(config_file, overrides)
    keys = KeyReader(os.environ, load_secret)
    logger, words = get_run_logger(), choose_words()
    holder = Holder(flow_run.name or "", find_run_page(str(flow_run.id)))
    source = config_file or "the parameters alone"
    logger.info("Settings from %s, in %s on %s", source, Path.cwd(), socket.gethostname())
    with (
        quiet_task_runs(is_quiet=not config.processing.verbose),
        sole_process(config, str(flow_run.id), logger.info),
        signs_of_life(),
        end_abandoned_tasks(),
        open_run(
            config,
            config_file=config_file,
            run_id=str(flow_run.id),
            keys=keys,
            log=lambda level, line: logger.log(level, words(line)),
            start=start,
            holder=holder,
        ) as run,
        announced(run),
        stop_on_signals() as stop_request,
        hold_back_pause() as suspension,
    ):
        run.metadata.name = flow_run.name or ""
        tag_run(config)
        for warning in list_key_warnings(run.endpoints, found_plain=keys.found_plain):
            run.progress.notify(warning)
        run.check_endpoints()
        warning = warn_if_idle(run)
        artifacts = Artifacts(run, remarks=[warning] if warning else [], changes=overrides.model_dump(exclude_none=True))
        with before_asking():
            save_checkpoint(run, artifacts)
        try:
            with follow_variable(run):
                score_batches(run, (stop_request, suspension), artifacts)
            artifacts.end()
            save_checkpoint(run, artifacts)
        finally:
            run.saver.save()
        raise_mistake(run)
        suspension.conclude(run)
        cancelled = stop_request.conclude(run)
        if cancelled:
            return cancelled
        report(run, artifacts)
        return add_warning(raise_alarm(run, final_state(run)), warning)


def report(run: Run, artifacts: Artifacts) -> None:
    """Write the results. If the run was stopped, a failure to write them must not hide why it stopped."""
    try:
        write_report(run, artifacts)
    except StorageFailure as failure:
        if run.stop_cause is None:
            raise
        run.progress.notify(f"⚠️ {failure}")


def score_batches(run: Run, requests: tuple[StopRequest, Suspension], artifacts: Artifacts) -> None:
    """Score all open batches unless asked to stop, and save at the same time whenever a save is due."""
    window, saver = BatchWindow(run, choose_storage(run.config)), IntervalSaver(run, artifacts)
    run.progress.begin(len(run.ledger.results), len(run.ledger.questions))
    try:
        pass_on(requests, run)
        while window.fill():
            window.wait()
            pass_on(requests, run)
            run.progress.show(len(run.ledger.results))
            saver.save_when_due()
            artifacts.show_progress_beside()
            run.check_storage()
    finally:
        saver.wait()
        run.progress.show(len(run.ledger.results))
        run.progress.end()


def pass_on(requests: tuple[StopRequest, Suspension], run: Run) -> None:
    """Stop the run if a signal or a pause has come."""
    for request in requests:
        request.pass_on(run)


def choose_storage(config: Config) -> BatchTask:
    """Return the scoring task, set to store its results where they belong.

    That is where our settings say, else where Prefect's settings say, else in the checkpoint directory. Without checkpointing,
    it is Prefect's default.
    """
    results = get_current_settings().results
    processing = config.processing
    if processing.result_storage:
        is_path = processing.result_storage.startswith((".", "/"))
        storage = Path(processing.result_storage).resolve() if is_path else processing.result_storage
        return score_batch.with_options(result_storage=storage)
    has_own = results.default_storage_block or "local_storage_path" in results.model_fields_set
    if has_own or not processing.enable_checkpointing:
        return score_batch
    folder = Path(processing.checkpoint_directory, OWN_FOLDER, RESULTS_FOLDER).resolve()
    return score_batch.with_options(result_storage=folder)


def load_secret(name: str) -> str:
    """Return the content of a Prefect Secret block.

    Raises:
        UserMistake: there is no such block.
    """
    try:
        secret = Secret.load(name)
    except ValueError:
        raise UserMistake("Prefect has no Secret block of that name: make one in the UI under Blocks") from None
    assert isinstance(secret, Secret), "within a synchronous flow, load does not give a coroutine"
    return str(secret.get())


def final_state(run: Run) -> State[None]:
    """Return the state that the run ends in: Failed if anything can still be scored, if nothing was, or if a gate says no."""
    total = len(run.ledger.questions)
    if run.ledger.open_count:
        run.progress.notify(how_to_continue(run))
        log_unscored(run)
        message = f"{run.ledger.open_count:,} of {total:,} questions not scored: {explain_unscored(run)}"
        return fail(message, advice=how_to_continue(run))
    accuracy = compute_statistics(run.ledger).overall
    if accuracy is None:
        return fail(f"0 of {total:,} questions scored: {explain_no_score(run)}")
    failed = [gate.message for gate in check_gates(run) if not gate.is_passed]
    if failed:
        message = "; ".join(failed)
        return fail(message, error=GateFailed(message))
    return Completed(message=f"Accuracy {accuracy}")
