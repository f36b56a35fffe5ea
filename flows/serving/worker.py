"""Prefect's worker for processes, with what it makes of a cancelled run put right: `python -m flows.serving.worker ARGUMENT …`.

The arguments are those of `prefect worker start`.

Each process is watched for events that cancel its run, those of the last minute included. A run that is retried within that
time would be cancelled again by the event that cancelled its attempt before, so it begins when that event is no longer heard.
Once the process has ended, Prefect's worker replaces the state in which the run has ended by one of its own, whose message does
not say what has been saved: the run's state is put back. A process that was killed is reported twice, some seconds apart, and
the second report would undo a retry: it is left out.
"""

import sys
import warnings
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import anyio
from anyio.abc import TaskStatus
from prefect.cli import app
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import State
from prefect.states import Cancelled
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from tasks.flow_runs import RETRY_ASKS
from tasks.server_failures import SERVER_FAILURES

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

# `PrefectEventSubscriber` asks for the events of the minute before it began; the rest is for the time until it begins.
HEARD = timedelta(seconds=65)
POLL_SECONDS = 1.0

# The class below takes the place of Prefect's own for this type of work pool, about which Prefect warns.
warnings.filterwarnings("ignore", message="Type 'Worker' at")


class Worker(ProcessWorker):
    """A worker whose runs can be retried as soon as they have ended."""

    async def run(
        self,
        flow_run: "FlowRun",
        configuration: ProcessJobConfiguration,
        task_status: TaskStatus[int] | None = None,
    ) -> ProcessWorkerResult:
        """Run the flow run's process once no event of an earlier attempt can cancel it.

        Returns:
            Its exit code; 0 if the server knows already how it has ended.
        """
        before = await self._read_states(flow_run.id)
        begins = find_begin(before or [], now=datetime.now(UTC))
        if begins > datetime.now(UTC):
            logger = self.get_flow_run_logger(flow_run)
            logger.info("The run was cancelled a moment ago, and begins again at %s", begins.astimezone().strftime("%H:%M:%S"))
            if not await hold_back(self.client, flow_run.id, begins):
                if task_status:
                    task_status.started(0)
                return ProcessWorkerResult(status_code=0, identifier="")
        result = await super().run(flow_run, configuration, task_status)
        after = await self._read_states(flow_run.id)
        await self._put_back(flow_run.id, after or [])
        # Where the states before or after are unknown, a second report does less harm than none.
        is_reported = before is not None and after is not None and has_ended(before, after)
        return ProcessWorkerResult(status_code=0, identifier=result.identifier) if is_reported else result

    async def _put_back(self, run_id: UUID, states: list[State]) -> None:
        """Put the state back in which the run ended, if that of Prefect's worker has replaced it."""
        replaced = find_replaced(states)
        if replaced:
            with suppress(*SERVER_FAILURES):
                await self.client.set_flow_run_state(run_id, Cancelled(message=replaced.message), force=True)

    async def _read_states(self, run_id: UUID) -> list[State] | None:
        """Return all states that the run has been in; None if the server does not answer."""
        try:
            return await self.client.read_flow_run_states(run_id)
        except SERVER_FAILURES:
            return None


async def hold_back(client: PrefectClient, run_id: UUID, until: datetime) -> bool:
    """Wait, also while the server is away; return False if the run is to be cancelled meanwhile, which is then done."""
    while datetime.now(UTC) < until:
        with suppress(*SERVER_FAILURES):
            state = (await client.read_flow_run(run_id)).state
            if state and state.is_cancelling():
                await client.set_flow_run_state(run_id, Cancelled(message="The retry had not begun"), force=True)
            if state and not state.is_pending():
                return False
        await anyio.sleep(POLL_SECONDS)
    return True


def find_begin(states: list[State], *, now: datetime) -> datetime:
    """Return when a run with these states can begin without being cancelled by an event of an earlier attempt.

    The times of the states are those of another machine's clock: where it is ahead, the run waits no longer than `HEARD`.
    """
    cancelled = max((state.timestamp for state in states if state.is_cancelling()), default=datetime.min.replace(tzinfo=UTC))
    return min(cancelled, now) + HEARD


def has_ended(before: list[State], after: list[State]) -> bool:
    """Return True if an end of the run is among the states that have come to those before."""
    known = {state.id for state in before}
    return any(state.is_final() for state in after if state.id not in known)


def find_replaced(states: list[State]) -> State | None:
    """Return the state in which the run said what it has saved, if another end has replaced it."""
    ends = sorted(states, key=lambda state: state.timestamp)[-2:]
    is_replaced = len(ends) == 2 and all(state.is_cancelled() for state in ends)
    return ends[0] if is_replaced and RETRY_ASKS in (ends[0].message or "") else None


if __name__ == "__main__":
    sys.argv[1:1] = ["worker", "start"]
    app()
