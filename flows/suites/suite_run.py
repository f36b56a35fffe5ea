"""The run of a suite: what is known of its cells, what its user is told, and the state that it ends in."""

from collections.abc import Sequence

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.exceptions import Pause
from prefect.states import Completed, Crashed

from flows.ending.failing import fail
from flows.opening.run_names import name_suite
from flows.process.shared_process import Halt
from flows.stopping.budget_form import BudgetForm
from flows.stopping.lost_place import REASON
from flows.stopping.stop_requests import StopRequest, is_cancelling
from flows.stopping.suspension import Suspension, how_to_go_on
from flows.suites.cell_ends import CellEnd, end_early
from flows.suites.standings import Standings
from tasks.evaluation.config.budget_settings import BudgetSettings
from tasks.evaluation.config.suite_file import NO_BUDGET, Suite
from tasks.evaluation.errors import GateFailed
from tasks.evaluation.leaderboard.gate import check_cells
from tasks.evaluation.leaderboard.leaderboard import Leaderboard
from tasks.evaluation.leaderboard.reasons import group_by_reason
from tasks.evaluation.reporting.progress import Progress
from tasks.evaluation.spending.amounts import add_up
from tasks.evaluation.spending.common_budget import CommonBudget
from tasks.evaluation.suites.outlook import describe_budget
from tasks.evaluation.suites.plan import CellPlan
from tasks.flow_runs import RETRY_ASKS, is_of_deployment
from tasks.ui_words import choose_words

CONTINUE = "Run the same command again to continue"
SIGNS = {"finished": "✅", "under the gate": "⚠️", "unfinished": "⚠️"}


class SuiteRun:
    """What becomes of a suite's cells.

    `budget` is what all cells together may spend; None: anything. `ends` holds the cells that have ended.

    Args:
        suite: the suite.
        plans: its cells.
        form: what was answered when the budget was reached.
    """

    def __init__(self, suite: Suite, plans: Sequence[CellPlan], form: BudgetForm) -> None:
        logger, words = get_run_logger(), choose_words()
        self.suite = suite
        self.plans = plans
        self.budget = _open_budget(form.raise_caps(suite.budget), plans)
        self._form = form
        self.ends: list[CellEnd] = [end_early(plan) for plan in plans if plan.results]
        self.notify = Progress(lambda level, line: logger.log(level, words(line)), is_shown=False).notify
        self._standings = Standings(plans, name_suite(suite.path), self.notify)

    @property
    def open_plans(self) -> list[CellPlan]:
        """Return the cells that were not finished before, in the suite's order."""
        return [plan for plan in self.plans if plan.results is None]

    @property
    def times_resumed(self) -> int:
        """Return how often the suite went on after its budget was reached."""
        return self._form.times_answered

    @property
    def may_begin(self) -> bool:
        """Return True if another cell may begin: the budget is not reached."""
        return not self._form.finishes and (self.budget is None or self.budget.cause is None)

    def begin(self) -> None:
        """Say what is to be done."""
        open_count, parallel = len(self.open_plans), self.suite.parallel_cells
        at_once = f", {min(parallel, open_count)} at once" if parallel > 1 and open_count > 1 else ""
        at_once += " on workers" if self.suite.on == "workers" and open_count else ""
        self.notify(f"🧮 {len(self.plans):,} cells, {len(self.ends):,} finished before: {open_count:,} to run{at_once}")
        for line in describe_budget(self.budget.settings, self.plans) if self.budget else ():
            self.notify(line)

    def announce(self, plan: CellPlan) -> None:
        """Say that a cell begins."""
        to_grade = f", {plan.to_grade:,} to grade" if plan.to_grade else ""
        self.notify(f"▶️ {plan.cell.name}: {plan.to_ask:,} answers to ask for{to_grade}")

    def note(self, end: CellEnd) -> None:
        """Take how a cell has ended, and say it."""
        self.ends.append(end)
        # By itself it would spend more than the suite may.
        is_continued_alone = end.kind == "unfinished" and self.may_begin and not is_of_deployment()
        alone = f". This cell alone: {end.plan.command}" if is_continued_alone else ""
        self.notify(f"{SIGNS[end.kind]} {end.plan.cell.name}: {end.message}{alone} ({len(self.ends):,} of {len(self.plans):,})")
        if len(self.ends) < len(self.plans):
            self._standings.write_when_due(self.ends)

    def pass_on(self, stop: StopRequest, pause: Suspension, halt: Halt) -> None:
        """Stop the cells if a signal or a pause has come."""
        if halt.reason:
            return
        if stop.is_received:
            self.notify(stop.announcement)
            halt.reason = "a signal was received"
        elif pause.state:
            self.notify("Paused in Prefect's UI: saving what has arrived")
            halt.reason = "the suite was paused"

    def conclude(self, stop: StopRequest, pause: Suspension, not_begun: Sequence[CellPlan]) -> State[None]:
        """Return the state that the suite ends in.

        Raises:
            Pause: it was paused.
            KeyboardInterrupt: it was stopped by SIGINT.
            TerminationSignal: it was stopped by another signal.
        """
        self.ends += [end_early(plan) for plan in not_begun]
        leaderboard = self._standings.conclude(self.ends)
        if pause.state and not is_cancelling():
            self.notify(f"⚠️ Paused with {self._describe_progress()}. {how_to_go_on(pause.state)}")
            raise Pause(state=pause.state)
        if stop.is_received:
            self.notify(f"⚠️ Stopped with {self._describe_progress()}. {_how_to_continue()}")
            return stop.end(f"{self._describe_progress()}. {_how_to_continue()}")
        return self._judge(leaderboard)

    def end_displaced(self, not_begun: Sequence[CellPlan]) -> State[None]:
        """Return the state of a suite that has lost its place among the runs that its deployment allows at once."""
        self.ends += [end_early(plan) for plan in not_begun]
        self.notify(f"⚠️ {REASON}: stopped with {self._describe_progress()}. {_how_to_continue()}")
        return Crashed(message=f"{self._describe_progress()}. {_how_to_continue()}")

    def _judge(self, leaderboard: Leaderboard | None) -> State[None]:
        """Return Completed if all cells are finished and pass all gates, or if the user wants it to finish without them.

        Raises:
            Pause: the budget is reached, and the user is asked how to go on.
        """
        unfinished = [end for end in self.ends if end.kind == "unfinished"]
        if unfinished and self._form.finishes:
            return Completed(message=f"{self._describe_progress()}: the budget was reached before the others were")
        if unfinished:
            return self._end_unfinished(unfinished)
        failed = [f"{end.plan.cell.name}: {end.message}" for end in self.ends if end.kind == "under the gate"]
        baseline = self.suite.fail_if_worse
        if baseline and leaderboard is None:
            return fail("fail_if_worse cannot be decided, because there is no leaderboard")
        if baseline and leaderboard:
            failed += [gate.message for gate in check_cells(leaderboard, baseline) if not gate.is_passed]
        if failed:
            return fail("; ".join(failed), error=GateFailed("; ".join(failed)))
        message = f"All {len(self.plans):,} cells are finished"
        self.notify(message)
        return Completed(message=message)

    def _end_unfinished(self, unfinished: Sequence[CellEnd]) -> State[None]:
        """Return Failed, with the reasons and what continues the cells.

        Raises:
            Pause: the budget is reached, and the user is asked how to go on.
        """
        if self.budget and self.budget.cause and is_of_deployment():
            self._form.suspend(self.budget.settings, f"{self._describe_progress()}: {self.budget.cause}", self.notify)
        named = group_by_reason((end.plan.cell.name, end.message) for end in unfinished)
        self.notify(f"What has arrived is kept. {_how_to_continue()}")
        return fail(f"{len(unfinished):,} of {len(self.plans):,} cells not finished: {named}", advice=_how_to_continue())

    def _describe_progress(self) -> str:
        done = sum(end.kind != "unfinished" for end in self.ends)
        return f"{done:,} of {len(self.plans):,} cells finished"


def _open_budget(settings: BudgetSettings, plans: Sequence[CellPlan]) -> CommonBudget | None:
    """Return what the cells may spend together; None if nothing is limited."""
    if settings == NO_BUDGET:
        return None
    return CommonBudget(settings, add_up(plan.spent for plan in plans))


def _how_to_continue() -> str:
    return RETRY_ASKS if is_of_deployment() else CONTINUE
