"""A sliding window of cells: several run at once, but of those that start a model server only one."""

import queue
from collections.abc import Callable, Sequence

from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture

from flows.process.shared_process import Halt
from flows.suites.cell_ends import CellEnd, describe_end
from tasks.evaluation.suites.plan import CellPlan

CellFuture = PrefectFuture[State]
# How long the suite's own thread waits before it looks at signals and pauses again.
TICK_SECONDS = 0.25


class CellWindow:
    """Starts cells, each in a thread of its own.

    Args:
        plans: the cells that are to run, in order.
        start: starts one.
        parallel: how many run at once.

    `halt` asks all of them to stop; then no other is started.
    """

    def __init__(self, plans: Sequence[CellPlan], start: Callable[[CellPlan, Halt], CellFuture], parallel: int) -> None:
        self.halt = Halt()
        self._waiting = list(plans)
        self._start = start
        self._parallel = parallel
        self._in_flight: dict[CellFuture, CellPlan] = {}
        self._ended: queue.SimpleQueue[CellFuture] = queue.SimpleQueue()

    @property
    def not_begun(self) -> list[CellPlan]:
        """Return the cells that were not started."""
        return [*self._waiting]

    def fill(self, *, is_open: bool = True) -> bool:
        """Start a cell if another may run, and any may be started; return True if one runs.

        One alone, since Prefect's server on SQLite makes flow runs that begin at once wait for each other for seconds.
        """
        if is_open and not self.halt.reason and len(self._in_flight) < self._parallel:
            plan = next((each for each in self._waiting if self._may_start(each)), None)
            if plan:
                self._waiting.remove(plan)
                future = self._start(plan, self.halt)
                self._in_flight[future] = plan
                future.add_done_callback(self._ended.put)
        return bool(self._in_flight)

    def wait(self) -> CellEnd | None:
        """Wait up to one tick for a cell to end; return how it did."""
        try:
            future = self._ended.get(timeout=TICK_SECONDS)
        except queue.Empty:
            return None
        plan = self._in_flight.pop(future)
        future.wait()  # it has ended, but without this call its state would be read from the server
        return describe_end(plan, future.state)

    def _may_start(self, plan: CellPlan) -> bool:
        return not (plan.starts_server and any(each.starts_server for each in self._in_flight.values()))
