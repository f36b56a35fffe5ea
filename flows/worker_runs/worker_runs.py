"""The flow runs on workers as Prefect's server knows them: they are started, read, cancelled, paused and resumed here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from httpx import HTTPStatusError
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.deployments import run_deployment
from prefect.events.filters import EventFilter, EventNameFilter, EventOccurredFilter, EventResourceFilter
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Cancelled, Cancelling, Crashed, Suspended
from pydantic import JsonValue

from flows.opening.signs_of_life import ALIVE
from flows.worker_runs.attempts import PAUSED_WITH_PARENT, Attempt, make_key, name_run, read_attempt
from tasks.evaluation.errors import UserMistake

MISSING = (
    "the server has no deployment {deployment}, of which each {part} is a run: start mcqa serve there once, or call prefect "
    "--no-prompt deploy --prefect-file deployments/prefect.yaml --all"
)
# The most that the server gives at once.
PAGE = 200
# A server on SQLite often refuses a second run within two seconds of the first: its database is locked. Three retries take some
# 14 seconds, in which the parent sees neither Cancel nor Pause.
BUSY_RETRIES = 3
LOST = "Nothing was heard from the run for {minutes:.0f} minutes after a worker had taken it: its machine or worker has ended."
# Signs of life have the times of the workers' clocks, which may differ from this machine's.
CLOCKS_DIFFER = timedelta(days=1)


@dataclass(frozen=True)
class RunSpec:
    """What a part's runs are started with."""

    deployment: str
    """The deployment, as `flow/deployment`."""
    parameters: dict[str, JsonValue]
    """The flow's parameters."""
    name: str
    """The name of the part's first run."""
    tags: list[str]
    """The runs' tags."""
    queue: str | None
    """The work queue in which they wait for workers; None: the deployment's own."""


class WorkerRuns:
    """The runs of one parent's parts.

    Args:
        client: asks Prefect's server.
        parent: the parent's flow run, as the server has it now.
        noun: what a part is called: a shard, a cell.
        specify: returns what a part's runs are started with.
    """

    def __init__(self, client: SyncPrefectClient, parent: FlowRun, noun: str, specify: Callable[[str], RunSpec]) -> None:
        self.noun = noun
        self.parent = parent
        self._client = client
        self._specify = specify

    @property
    def round(self) -> int:
        """Return the parent's attempt, from 1."""
        return max(self.parent.run_count, 1)

    def read(self) -> list[Attempt]:
        """Return all runs of parts that the parent has ever started."""
        wanted = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[self.parent.id]))
        return [attempt for attempt in map(read_attempt, self.find(wanted)) if attempt]

    def find(self, wanted: FlowRunFilter) -> list[FlowRun]:
        """Return all flow runs that are wanted."""
        runs: list[FlowRun] = []
        for offset in range(0, 1_000_000, PAGE):
            page = self._client.read_flow_runs(flow_run_filter=wanted, limit=PAGE, offset=offset)
            runs += page
            if len(page) < PAGE:
                break
        return runs

    def start(self, part: str, number: int) -> None:
        """Start a run of the part, or find the one that was started with the same number.

        Raises:
            UserMistake: the server has no such deployment, or refuses the parameters.
        """
        spec = self._specify(part)
        try:
            with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: BUSY_RETRIES}):
                self._run_deployment(spec, part, number)
        except ObjectNotFound:
            raise UserMistake(MISSING.format(deployment=spec.deployment, part=self.noun)) from None
        except HTTPStatusError as error:
            if error.response.is_client_error:
                raise UserMistake(f"the server refuses the {self.noun} {part}: {error.response.text[:500]}") from None
            raise

    def is_parent_cancelling(self) -> bool:
        """Return True if the parent itself is being cancelled."""
        state = self._client.read_flow_run(self.parent.id).state
        return state is not None and state.is_cancelling()

    def cancel(self, attempt: Attempt) -> bool:
        """Cancel the run, which saves what has arrived; return False if it is not cancelled yet."""
        cancelling: State = Cancelling(message="The run that has started it was cancelled.")
        state = self._client.set_flow_run_state(attempt.run_id, cancelling).state
        return state is not None and state.type in (StateType.CANCELLING, StateType.CANCELLED)

    def pause(self, attempt: Attempt, state: State) -> bool:
        """Pause the run for as long as the parent, in that state, is paused; return False if it is not paused yet.

        The state is forced, since Prefect pauses no sub-flow otherwise. So the run is looked at once more before: one that has
        ended, or is being cancelled, would be paused as well.
        """
        now = read_attempt(self._client.read_flow_run(attempt.run_id))
        if now is None or not now.can_be_paused:
            return True
        paused: State = Suspended(
            pause_expiration_time=state.state_details.pause_timeout,
            message=PAUSED_WITH_PARENT,
        )
        return self._client.set_flow_run_state(attempt.run_id, paused, force=True).status == SetStateStatus.ACCEPT

    def resume(self, attempt: Attempt) -> None:
        """Resume the run."""
        self._client.resume_flow_run(attempt.run_id)

    def end_lost(self, attempt: Attempt, silent_seconds: float) -> None:
        """Mark a run as crashed that nobody works on any more, or as cancelled if that was asked for."""
        end = Cancelled if attempt.kind == "cancelling" else Crashed
        self._client.set_flow_run_state(attempt.run_id, end(message=LOST.format(minutes=silent_seconds / 60)))

    def read_sign(self, run_id: UUID) -> UUID | None:
        """Return the id of the run's newest sign of life; None if it has given none."""
        now = datetime.now(UTC)
        signs = EventFilter(
            occurred=EventOccurredFilter(since=now - CLOCKS_DIFFER, until=now + CLOCKS_DIFFER),
            event=EventNameFilter(name=[ALIVE]),
            resource=EventResourceFilter(id=[f"prefect.flow-run.{run_id}"]),
        )
        return next((event.id for event in self._client.read_events(signs, limit=1).events), None)

    def _run_deployment(self, spec: RunSpec, part: str, number: int) -> None:
        run_deployment(
            spec.deployment,
            parameters=spec.parameters,
            flow_run_name=name_run(spec.name, number),
            timeout=0,
            tags=spec.tags,
            idempotency_key=make_key(self.parent.id, part, self.round, number),
            work_queue_name=spec.queue,
        )
