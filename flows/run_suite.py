"""The flow that runs a suite: every cell is an ordinary evaluation, a sub-flow of it with a checkpoint of its own.

Cells run here, in threads of the suite's own process, or on workers (`flows/suites/worker_cells.py`).
"""

from asyncio import CancelledError
from collections.abc import Callable
from functools import partial
from typing import Annotated

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from flows.ending.end_watch import report_outcome
from flows.ending.failing import fail
from flows.ending.state_error import find_error
from flows.opening.run_names import name_suite, name_suite_run
from flows.process.quiet_logs import leave_out_tracebacks
from flows.process.shared_process import Halt, SharedProcess, sharing
from flows.score_questions import MOST_THREADS, score_questions
from flows.stopping.budget_form import read_budget_form
from flows.stopping.lost_place import REASON, end_before_opening
from flows.stopping.stop_requests import stop_on_signals
from flows.stopping.suspension import hold_back_pause
from flows.suites.cell_window import CellFuture, CellWindow
from flows.suites.opening import open_suite
from flows.suites.suite_run import SuiteRun
from flows.suites.worker_cells import run_on_workers
from tasks.evaluation.config.overrides import Caps
from tasks.evaluation.errors import EvaluationError
from tasks.evaluation.suites.plan import CellPlan

SuiteFile = Annotated[str, Field(min_length=1, json_schema_extra={"title": "Suite file"})]
Budget = Annotated[Caps, Field(json_schema_extra={"title": "Budget", "default": {}})]
AS_IN_FILE = Caps()


# The same name: in Prefect's UI, in its filters and automations, this is a run like any other.
@flow(
    name="score-questions",
    flow_run_name=name_suite_run,
    task_runner=ThreadPoolTaskRunner(max_workers=MOST_THREADS),  # type: ignore[arg-type]  # Prefect's own types disagree
    persist_result=False,
)
def run_suite(suite_file: SuiteFile, budget: Budget = AS_IN_FILE) -> State[None]:
    """Run the cells of a suite that are not finished.

    Args:
        suite_file: the path of the YAML file that names models, questions and conditions, as the worker sees it.
        budget: what all cells together may spend in this run, where that differs from the file.
    """
    leave_out_tracebacks()
    try:
        return run_cells(suite_file, budget)
    except EvaluationError as error:
        return fail(str(error), error=error)
    except CancelledError:
        return end_before_opening()


@report_outcome
def run_cells(suite_file: str, budget: Caps) -> State[None]:
    """Run the cells that the suite has left; return the state that it ends in.

    Raises:
        EvaluationError: it cannot begin.
    """
    form = read_budget_form()
    with open_suite(suite_file, budget, form) as suite, stop_on_signals() as stop, hold_back_pause() as pause:
        suite.begin()
        if suite.suite.on == "workers":
            return run_on_workers(suite, stop, pause)
        window = CellWindow(suite.open_plans, partial(start_cell, suite), suite.suite.parallel_cells)
        try:
            watch(suite, window, lambda: suite.pass_on(stop, pause, window.halt))
        except CancelledError:  # Prefect's server has given away the suite's place
            window.halt.reason = REASON
            watch(suite, window, lambda: None)
            return suite.end_displaced(window.not_begun)
        finally:
            window.halt.reason = window.halt.reason or "the suite has ended"
        return suite.conclude(stop, pause, window.not_begun)


def watch(suite: SuiteRun, window: CellWindow, pass_on: Callable[[], None]) -> None:
    """Start cells and take their ends, until none runs and none is to be started."""
    while window.fill(is_open=suite.may_begin):
        end = window.wait()
        if end:
            suite.note(end)
        pass_on()


def start_cell(suite: SuiteRun, plan: CellPlan, halt: Halt) -> CellFuture:
    """Start a cell in a thread of its own."""
    name = plan.cell.name
    suite.announce(plan)
    with sharing(SharedProcess(name, name_suite(plan.cell.suite.path), halt, suite.budget)):
        return run_cell.submit(name, plan.cell.config_file)


# Within a task, since Prefect tells sub-flows that are called at once apart only there: called from threads, a retry could take
# the run of one cell for that of another.
@task(name="cell", task_run_name="{name}", cache_policy=NO_CACHE, persist_result=False)
def run_cell(name: str, config_file: str) -> State:  # noqa: ARG001 - the task run's name
    """Run a cell as a sub-flow; the task run ends as it does."""
    end = score_questions(config_file, return_state=True)
    # A state of its own: one that has belonged to another run would be counted instead ("1/1 states failed").
    return State(type=end.type, name=end.name, message=end.message, data=find_error(end))
