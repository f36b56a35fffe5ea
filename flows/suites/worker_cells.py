"""The cells of a suite on workers: each is a run of a deployment that any worker takes, and the suite watches them.

How a cell has ended is read from its results, which the suite must therefore see: the folders are shared.
"""

import time
from asyncio import CancelledError
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.settings import temporary_settings

from flows.stopping.stop_requests import StopRequest
from flows.stopping.suspension import Suspension
from flows.suites.cell_ends import CellEnd
from flows.suites.cell_runs import EARLIER, CellRuns
from flows.suites.suite_run import SuiteRun
from flows.worker_runs.attempts import Attempt, Decision
from flows.worker_runs.watch import CLIENT_SETTINGS, POLL_SECONDS, Watch
from tasks.evaluation.spending.budget import REACHED
from tasks.evaluation.suites.finished import find_results, is_gated
from tasks.evaluation.suites.plan import CellPlan
from tasks.evaluation.suites.suite_purse import SuitePurse
from tasks.flow_runs import is_of_deployment

# A shared folder may show for this long what was in it before: NFS reads a folder again after half a minute or a minute.
STALE_SECONDS = 60.0
PASSED_ON = {"cancelled": "cancelled with the suite", "paused": "paused with the suite"}
GOES_ON = "it goes on without the suite"
OUT_OF_SIGHT = (
    "its run has ended well, but its results are not in {folder} here: the suite and its workers must share that folder and "
    "the checkpoint directory, and read the same suite file"
)


def run_on_workers(suite: SuiteRun, stop: StopRequest, pause: Suspension) -> State[None]:
    """Let workers run the cells that the suite has left; return the state that it ends in.

    Raises:
        UserMistake: the server cannot run cells.
        StorageFailure: what was spent before cannot be written for them.
        Pause: the suite was paused, and so are its cells now.
    """
    if not suite.open_plans:
        return suite.conclude(stop, pause, [])
    purse = open_purse(suite)
    with temporary_settings(CLIENT_SETTINGS), get_client(sync_client=True) as client:
        parent = client.read_flow_run(UUID(flow_run.id))
        runs = CellRuns(client, parent, suite.open_plans, purse, suite.times_resumed)
        cells = WorkerCells(suite, runs, purse)
        try:
            cells.go_on(stop, pause)
        except CancelledError:  # Prefect's server has given away the suite's place; the cells go on
            cells.leave(GOES_ON)
            return suite.end_displaced(cells.left)
    return suite.conclude(stop, pause, cells.left)


def open_purse(suite: SuiteRun) -> SuitePurse | None:
    """Return what all cells spend from, with what they have spent before; None if it is not limited."""
    if suite.budget is None or not suite.budget.settings.limits_spending:
        return None
    purse = SuitePurse(suite.budget.settings, suite.plans)
    purse.fill()
    return purse


class WorkerCells:
    """Starts the runs of a suite's cells, takes their ends, and lets them end with the suite.

    Args:
        suite: the suite.
        runs: the runs on Prefect's server.
        purse: what the cells spend from; None if what they spend is not limited.
    """

    def __init__(self, suite: SuiteRun, runs: CellRuns, purse: SuitePurse | None = None) -> None:
        self._suite, self._purse = suite, purse
        self._plans = {plan.cell.name: plan for plan in suite.open_plans}
        self._watch = Watch(runs, [*self._plans], most_open=suite.suite.parallel_cells, notify=suite.notify)
        self._announced: set[UUID] = set()
        self._done_since: dict[UUID, float] = {}

    @property
    def left(self) -> list[CellPlan]:
        """Return the cells whose end is not known."""
        return [self._plans[name] for name in self._watch.needed]

    def go_on(self, stop: StopRequest, pause: Suspension) -> None:
        """Start the cells and take their ends, until all have ended, the budget is reached, or the suite is to end before.

        Raises:
            UserMistake: the server cannot run cells.
        """

        def is_to_end() -> bool:
            return stop.is_received or pause.state is not None

        while self._watch.needed and not is_to_end():
            if self._watch.read():
                self._take_ends()
                self._end_in_time(pause)
                decision = self._watch.decide()
                self._give_up(decision)
                if self._is_over(decision):
                    return
                self._watch.act(decision if self._suite.may_begin else replace(decision, start=[]), is_to_end)
            if self._watch.needed:
                time.sleep(POLL_SECONDS)
        if self._watch.needed:
            self._end_with_suite(stop, pause)

    def leave(self, message: str) -> None:
        """Take the cells that have not ended as unfinished.

        Args:
            message: what becomes of them.
        """
        for attempt in self._watch.attempts:
            if attempt.is_open and attempt.part in self._watch.needed:
                self._watch.needed.remove(attempt.part)
                self._suite.ends.append(CellEnd(self._plans[attempt.part], "unfinished", message, None))

    def _take_ends(self) -> None:
        """Say which cells have begun, and take how cells have ended."""
        for attempt in self._watch.attempts:
            if attempt.part in self._watch.needed:
                self._announce(attempt)
                end = self._find_end(attempt)
                if end:
                    self._take(end)

    def _announce(self, attempt: Attempt) -> None:
        if attempt.run_id in self._announced or not attempt.is_open or attempt.number:
            return
        self._announced.add(attempt.run_id)
        if attempt.round == EARLIER:
            self._suite.notify(f"▶️ {attempt.part}: its run from before goes on")
        else:
            self._suite.announce(self._plans[attempt.part])

    def _find_end(self, attempt: Attempt) -> CellEnd | None:
        """Return how the cell has ended; None if its run goes on, or did not finish it."""
        plan = self._plans[attempt.part]
        if attempt.kind == "done":
            return self._describe_done(plan, attempt)
        # The caps of an earlier run may have been lower.
        if attempt.kind == "failed" and attempt.round != EARLIER and REACHED in attempt.message:
            return self._end_budget(plan, attempt)
        if attempt.kind == "failed" and is_gated(plan.config):
            run = find_results(plan.config, plan.evaluation_id)
            if run and run.run_id == str(attempt.run_id) and run.accuracy is not None:
                return CellEnd(plan, "under the gate", attempt.message, run.saved.path)
        return None

    def _describe_done(self, plan: CellPlan, attempt: Attempt) -> CellEnd | None:
        """Return how a cell has ended whose run ended well; None as long as its results may still come into sight."""
        run = find_results(plan.config, plan.evaluation_id)
        if run:
            return CellEnd(plan, "finished", attempt.message, run.saved.path)
        now = time.monotonic()
        if now - self._done_since.setdefault(attempt.run_id, now) < STALE_SECONDS:
            return None
        return CellEnd(
            plan, "unfinished", OUT_OF_SIGHT.format(folder=Path(plan.config.output.output_directory).absolute()), None
        )

    def _end_budget(self, plan: CellPlan, attempt: Attempt) -> CellEnd | None:
        """Return the end of a cell that has reached the suite's budget, so that no other begins; None if that has none."""
        if self._suite.budget is None or self._purse is None:
            return None
        left, _, said = attempt.message.partition(REACHED)
        cause = self._purse.describe_end(said)
        self._suite.budget.end(cause)
        return CellEnd(plan, "unfinished", f"{left}{cause}", None)

    def _is_over(self, decision: Decision) -> bool:
        """Return True if no other cell may begin, and none goes on."""
        return not self._suite.may_begin and {part for part, _ in decision.start}.issuperset(self._watch.needed)

    def _end_in_time(self, pause: Suspension) -> None:
        """Cancel the cells that run when the suite's time is over: each saves what has arrived."""
        overtime = self._suite.budget and self._suite.budget.find_overtime()
        if not overtime or not self._suite.budget:
            return
        self._suite.budget.end(overtime)
        if any(attempt.is_open and attempt.part in self._watch.needed for attempt in self._watch.attempts):
            self._watch.end_with_parent(pause, cancels=True)
            self.leave(f"cancelled, since {overtime}")

    def _give_up(self, decision: Decision) -> None:
        """Take cells as unfinished that get no more runs; say which are started once more."""
        last = {attempt.part: attempt for attempt in sorted(self._watch.attempts, key=lambda each: (each.round, each.number))}
        failed = [] if self._suite.may_begin else [part for part, number in decision.start if number]
        for part in (*decision.given_up, *failed):
            message = last[part].message or last[part].kind
            self._take(CellEnd(self._plans[part], "unfinished", " ".join(message.split()), None))
        for attempt in self._watch.list_failed():
            if attempt.part in self._watch.needed:
                self._suite.notify(f"⚠️ {attempt.part}: {attempt.message or 'it failed'}. It is started once more")

    def _take(self, end: CellEnd) -> None:
        self._watch.needed.remove(end.plan.cell.name)
        self._suite.note(end)

    def _end_with_suite(self, stop: StopRequest, pause: Suspension) -> None:
        """Cancel the cells of a command that is stopped or of a suite that is being cancelled; pause those of a paused one."""
        is_command = not is_of_deployment()
        if is_command and stop.is_received:
            self._suite.notify(stop.announcement)
        passed_on = self._watch.end_with_parent(pause, cancels=is_command)
        self.leave(PASSED_ON[passed_on] if passed_on else GOES_ON)
