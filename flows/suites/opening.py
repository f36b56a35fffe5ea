"""Opening a suite within its flow run: its plan, and what any run of a deployment needs."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from prefect import get_run_logger
from prefect.runtime import flow_run

from flows.opening.abandoned_tasks import end_abandoned_tasks
from flows.opening.signs_of_life import signs_of_life
from flows.opening.sole_process import sole_process
from flows.process.handing import hand_down
from flows.process.quiet_logs import quiet_task_runs
from flows.stopping.budget_form import BudgetForm
from flows.suites.abandoned_cells import end_abandoned_cells
from flows.suites.suite_run import SuiteRun
from tasks.evaluation.config.keys import NO_KEY, KeyReader
from tasks.evaluation.config.loading import find_config_file
from tasks.evaluation.config.overrides import Caps
from tasks.evaluation.config.suite_file import read_suite
from tasks.evaluation.endpoints.proxies import bypass_proxies
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.suites.plan import CellPlan, plan_suite
from tasks.flow_runs import calling_flows

_plans: ContextVar[Sequence[CellPlan]] = ContextVar("plans", default=())


@contextmanager
def hand_over_plans(plans: Sequence[CellPlan]) -> Iterator[None]:
    """Let the flow that is called meanwhile take up what the command has checked already."""
    with hand_down(_plans, plans):
        yield


@contextmanager
def open_suite(suite_file: str, caps: Caps, form: BudgetForm) -> Iterator[SuiteRun]:
    """Open the suite that the file describes, as the present flow run.

    Args:
        suite_file: its path.
        caps: of the budget, in place of those in the file.
        form: raises them.

    Raises:
        UserMistake: the file, the settings or the questions of a cell cannot be used; nothing was asked.
    """
    bypass_proxies(os.environ)
    plans = _plans.get() or _make_plans(suite_file, caps)
    first = plans[0]
    with (
        quiet_task_runs(is_quiet=True),
        sole_process(first.config, str(flow_run.id), get_run_logger().info),
        signs_of_life(),
        end_abandoned_tasks(),
        calling_flows(),
    ):
        end_abandoned_cells()
        yield SuiteRun(first.cell.suite, plans, form)


def _make_plans(suite_file: str, caps: Caps) -> list[CellPlan]:
    path = find_config_file(suite_file)
    if not path:
        raise UserMistake("no suite file is named")
    return plan_suite(read_suite(path, caps), KeyReader(os.environ, lambda _: NO_KEY))
