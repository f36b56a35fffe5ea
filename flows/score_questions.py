"""The flow that scores a file of questions: the order of its steps, and the state that it ends in."""

from asyncio import CancelledError
from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from flows.asking.batch_window import BatchTask, BatchWindow
from flows.asking.interval_saver import IntervalSaver
from flows.asking.result_storage import choose_storage, store_missing
from flows.asking.retrieving import retrieve_all
from flows.asking.variables import follow_variables
from flows.ending.alarms import announced, find_alarm
from flows.ending.end_watch import report_outcome
from flows.ending.failing import fail
from flows.ending.final_state import final_state
from flows.ending.recurrence import Recurrence, add_warning, warn_if_idle
from flows.opening.deployed_settings import Settings, find_changes
from flows.opening.open_in_flow import open_in_flow
from flows.opening.run_names import name_flow_run
from flows.process.quiet_logs import leave_out_tracebacks
from flows.stopping.budget_form import BudgetForm, read_budget_form
from flows.stopping.lost_place import end_before_opening, end_displaced
from flows.stopping.stop_requests import StopRequest, stop_on_signals
from flows.stopping.suspension import Suspension, hold_back_pause
from tasks.artifacts import Artifacts
from tasks.evaluation.config.overrides import Advanced, Overrides
from tasks.evaluation.errors import EvaluationError, StorageFailure, before_asking
from tasks.evaluation.run.outcome import raise_mistake
from tasks.evaluation.run.run import Run
from tasks.save_checkpoint import save_checkpoint
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
    except CancelledError:
        return end_before_opening()


@report_outcome
def evaluate(config_file: str | None, overrides: Overrides) -> State[None]:
    """Run the evaluation that the settings describe; return the state that it ends in.

    Raises:
        EvaluationError: it cannot begin, or paid answers could no longer be kept.
    """
    form = read_budget_form()
    overrides = form.apply(overrides)
    with (
        open_in_flow(config_file, overrides) as run,
        announced(run),
        stop_on_signals() as stop_request,
        hold_back_pause() as suspension,
    ):
        try:
            return carry_out(run, form, (stop_request, suspension), find_changes(config_file, overrides))
        except CancelledError:
            return end_displaced(run)


def carry_out(
    run: Run, form: BudgetForm, requests: tuple[StopRequest, Suspension], changes: dict[str, Settings]
) -> State[None]:
    """Ask what is missing and write the results; return the state that the run ends in.

    Raises:
        EvaluationError: no question can be asked, or paid answers could no longer be kept.
    """
    form.begin(run)
    warning = warn_if_idle(run)
    artifacts = Artifacts(run, remarks=[warning] if warning else [], changes=changes)
    with before_asking():
        task, retrieval = choose_storage(run.config)
        save_checkpoint(run, artifacts)
    try:
        with follow_variables(run):
            retrieve_all(run, retrieval, lambda: pass_on(requests, run))
            score_batches(run, task, requests, artifacts)
        artifacts.end()
        save_checkpoint(run, artifacts)
    finally:
        run.saver.save()
    raise_mistake(run)
    stop_request, suspension = requests
    suspension.conclude(run)
    cancelled = stop_request.conclude(run)
    if cancelled:
        return cancelled
    finished = form.conclude(run)
    report(run, artifacts)
    lost = store_missing(run, task)
    return fail(lost) if lost else add_warning(add_warning(finished or final_state(run), find_alarm(run)), warning)


def report(run: Run, artifacts: Artifacts) -> None:
    """Write the results. If the run was stopped, a failure to write them must not hide why it stopped."""
    try:
        write_report(run, artifacts)
    except StorageFailure as failure:
        if run.stop_cause is None:
            raise
        run.progress.notify(f"⚠️ {failure}")


def score_batches(run: Run, task: BatchTask, requests: tuple[StopRequest, Suspension], artifacts: Artifacts) -> None:
    """Score all open batches unless asked to stop, and save at the same time whenever a save is due."""
    window, saver = BatchWindow(run, task), IntervalSaver(run, artifacts)
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
