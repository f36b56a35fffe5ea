"""The runs of a suite's cells on workers.

A suite that was killed leaves its cells running, and the next one goes on with them: a retry finds them among the runs that it
has started itself. Another call is another flow run, and finds them by the suite's tag and the cells' addresses.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun
from pydantic import JsonValue

from flows.opening.run_names import name_suite
from flows.worker_runs.attempts import KINDS, Attempt, read_attempt
from flows.worker_runs.worker_runs import RunSpec, WorkerRuns
from tasks.evaluation.config.overrides import Advanced
from tasks.evaluation.suites.plan import CellPlan
from tasks.evaluation.suites.suite_purse import SuitePurse

DEPLOYMENT = "score-questions/evaluate-cell"
OPEN = [state for state, kind in KINDS.items() if kind not in ("done", "failed", "cancelled")]
# The round of runs that this attempt of the suite has not started: how they end does not count as an end of one that it has.
EARLIER = 0


class CellRuns(WorkerRuns):
    """The runs of a suite's cells, by the cells' names.

    Args:
        client: asks Prefect's server.
        parent: the suite's flow run, as the server has it now.
        plans: the cells that are to run.
        purse: what they spend from; None if what they spend is not limited.
        resumed: how often the suite was resumed because its budget was reached, which Prefect does not count as an attempt.
    """

    def __init__(
        self,
        client: SyncPrefectClient,
        parent: FlowRun,
        plans: Sequence[CellPlan],
        purse: SuitePurse | None = None,
        resumed: int = 0,
    ) -> None:
        super().__init__(client, parent, "cell", self.specify)
        self._purse, self._resumed = purse, resumed
        self._plans = {plan.cell.name: plan for plan in plans}
        self._tag = f"suite:{name_suite(plans[0].cell.suite.path)}"
        self._seen_open: set[UUID] = set()

    @property
    def round(self) -> int:
        """Return the suite's attempt, from 1; each time that its budget was reached, a cell gets runs with other caps."""
        return super().round + self._resumed

    def read(self) -> list[Attempt]:
        """Return the runs that this attempt of the suite has started, and the earlier ones that it has found going on."""
        states = FlowRunFilterState(type=FlowRunFilterStateType(any_=OPEN))
        going = self.find(FlowRunFilter(tags=FlowRunFilterTags(all_=[self._tag]), state=states))
        self._seen_open.update(run.id for run in going if self._find_cell(run))
        own = self.find(FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[self.parent.id])))
        ids = self._seen_open - {run.id for run in own}
        others = self.find(FlowRunFilter(id=FlowRunFilterId(any_=[*ids]))) if ids else []
        return [attempt for run in (*own, *others) if (attempt := self._read_run(run))]

    def specify(self, part: str) -> RunSpec:
        """Return what the runs of a cell are started with."""
        cell = self._plans[part].cell
        parameters: dict[str, JsonValue] = {"config_file": cell.config_file, **self._limit()}
        return RunSpec(DEPLOYMENT, parameters, cell.name, [self._tag], cell.suite.work_queue)

    def _read_run(self, run: FlowRun) -> Attempt | None:
        """Return the attempt that the run is; None if it is none of these cells, or had ended before this suite began."""
        attempt = self._find_cell(run)
        is_of_round = attempt and attempt.round == self.round and (run.idempotency_key or "").startswith(f"{self.parent.id}:")
        if attempt is None or is_of_round:
            return attempt
        return replace(attempt, round=EARLIER) if run.id in self._seen_open else None

    def _find_cell(self, run: FlowRun) -> Attempt | None:
        """Return the attempt that the run is, if it is one of a cell of this very file."""
        attempt = read_attempt(run)
        plan = self._plans.get(attempt.part) if attempt else None
        return attempt if plan and run.parameters.get("config_file") == plan.cell.config_file else None

    def _limit(self) -> dict[str, JsonValue]:
        """Return the parameters that let a cell spend from the suite's purse. The suite itself looks after the time."""
        if self._purse is None:
            return {}
        caps = self._purse.settings
        limits = Advanced(max_cost=caps.cost, max_tokens_total=caps.tokens, suite_purse=self._purse.name)
        return {"advanced": limits.model_dump(mode="json", exclude_none=True)}
