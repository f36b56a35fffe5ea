"""The flow that scores a file of questions: when things happen, and what a run's end means."""

import os
from pathlib import Path

from prefect import flow, get_run_logger
from prefect.blocks.system import Secret
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.settings import get_current_settings
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.batch_window import BatchTask, BatchWindow
from flows.ending import tells_its_end
from flows.interval_saver import IntervalSaver
from flows.stopping import StopRequest, stop_on_signals
from tasks.evaluation.config import Config, Overrides, load_config
from tasks.evaluation.endpoints import KeyReader, list_key_warnings
from tasks.evaluation.errors import StorageFailure, UserMistake, before_asking
from tasks.evaluation.layout import OWN_FOLDER, RESULTS_FOLDER
from tasks.evaluation.report import compute_statistics
from tasks.evaluation.run import Run, open_run
from tasks.save_checkpoint import save_checkpoint
from tasks.score_batch import score_batch
from tasks.write_report import write_report

# Threads are made as they are needed: the window, not this, bounds how many batches are in flight.
MOST_THREADS = 1_000


def name_flow_run() -> str:
    """The question file and the model."""
    parameters = flow_run.parameters
    config_file, overrides = parameters.get("config_file"), parameters.get("overrides") or {}
    try:
        config = load_config(config_file, Overrides.model_validate(overrides))
    except (UserMistake, ValueError):
        return f"score {config_file or 'questions'}"
    return f"{Path(config.questions_file).stem} {config.model.generator_settings.model}"


@flow(
    name="score-questions",
    flow_run_name=name_flow_run,
    task_runner=ThreadPoolTaskRunner(max_workers=MOST_THREADS),  # type: ignore[arg-type]  # Prefect's own types disagree
    persist_result=False,
)
@tells_its_end
def score_questions(config_file: str | None = None, overrides: Overrides | None = None) -> State[None]:
    """Score the questions, continuing what earlier runs have left.

    Args:
        config_file: the YAML file of settings.
        overrides: the settings that are not as in the file.
    """
    config = load_config(config_file, overrides or Overrides())
    keys = KeyReader(os.environ, load_secret)
    log = get_run_logger().info
    with (
        open_run(config, config_file=config_file, run_id=str(flow_run.id), keys=keys, log=log) as run,
        stop_on_signals() as stop_request,
    ):
        for warning in list_key_warnings(run.endpoints, found_plain=keys.found_plain):
            run.progress.say(warning)
        run.look_at_endpoints()
        with before_asking():
            save_checkpoint(run)
        try:
            score_batches(run, stop_request)
            save_checkpoint(run)
        finally:
            run.save()
        run.raise_mistake()
        stop_request.raise_if_any(run)
        report(run)
        return judge(run)


def report(run: Run) -> None:
    """Write the results; when the run was stopped, that they cannot be written must not hide why."""
    try:
        write_report(run)
    except StorageFailure as failure:
        if run.stop_cause is None:
            raise
        run.progress.say(str(failure))


def score_batches(run: Run, stop_request: StopRequest) -> None:
    """Score all open batches, and save beside it whenever a save is due."""
    window, saver = BatchWindow(run, choose_storage(run.config)), IntervalSaver(run)
    run.progress.begin(len(run.ledger.results), len(run.ledger.questions))
    try:
        while window.fill():
            window.wait()
            stop_request.pass_on(run)
            run.progress.show(len(run.ledger.results))
            saver.save_when_due()
            run.check_storage()
    finally:
        saver.wait()
        run.progress.show(len(run.ledger.results))
        run.progress.end()


def choose_storage(config: Config) -> BatchTask:
    """The task with its results where the settings want them; in the checkpoint directory unless anything else is said."""
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
    """The content of a Prefect Secret block.

    Raises:
        UserMistake: there is no such block.
    """
    try:
        secret = Secret.load(name)
    except ValueError:
        raise UserMistake(
            f"a key is secret:{name}, and Prefect has no Secret block of that name: make one in the UI under Blocks"
        ) from None
    assert isinstance(secret, Secret), "within a synchronous flow, load does not give a coroutine"
    return str(secret.get())


def judge(run: Run) -> State[None]:
    """The state that the run ends in: Failed while anything can still be scored, or when nothing was."""
    total = len(run.ledger.questions)
    if run.unscored_count:
        run.progress.say(f"What has arrived is kept: {run.how_to_continue}")
        return Failed(message=f"{run.unscored_count:,} of {total:,} questions not scored: {run.unscored_reason}")
    accuracy = compute_statistics(run.ledger).overall
    if accuracy is None:
        return Failed(message=f"0 of {total:,} questions scored: {run.first_refusal}")
    return Completed(message=f"Accuracy {accuracy}")
