"""The progress of an evaluation in shards: the sum of theirs, in the artifact that the run of the whole then takes over.

Each shard's run shows how far it is in an artifact of its own (`tasks/artifacts.py`), whose text begins with `30/400`.
"""

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterType
from slugify import slugify

from flows.worker_runs.attempts import Attempt
from tasks.earlier_artifacts import read_artifacts
from tasks.evaluation.config.config import Config
from tasks.evaluation.reporting.pace import Pace
from tasks.evaluation.reporting.tables import describe_progress
from tasks.evaluation.run.shard_plan import ShardPlan
from tasks.server_failures import SERVER_FAILURES

EVERY_SECONDS = 10.0
# The most artifacts that the server gives at once.
PAGE = 200
DONE = re.compile(r"([\d,]+)/[\d,]+")


def read_done(text: str | None) -> int:
    """Return how many questions are done, as the text of a progress artifact says; 0 if it does not."""
    found = DONE.match(text or "")
    return int(found[1].replace(",", "")) if found else 0


def describe_missing(plan: ShardPlan, attempts: Sequence[Attempt]) -> str:
    """Return what is missing, and how many shards need a run for it, when the parent begins.

    A shard whose run has ended well has put all its batches into the `result_storage`, where there is one. What that holds of
    the other shards, their runs will find.

    Args:
        plan: the shards, with what is missing as far as this machine's folders tell.
        attempts: all runs of shards so far.
    """
    needed = [str(shard) for shard in plan.list_needed()]
    done = {attempt.part for attempt in attempts if attempt.kind == "done"}
    in_storage = zip(plan.shards, plan.missing, strict=True) if plan.storage else ()
    stored = sum(missing for shard, missing in in_storage if str(shard) in done)
    missing = f"{plan.missing_count - stored:,} of {sum(plan.counts):,} questions are missing"
    if plan.storage:
        missing += f" (fewer if {plan.storage} holds some of them)"
    if not needed and plan.missing_count:
        missing += ", so few that the run of the whole asks them alone"
    return f"{missing}: {len(set(needed) - done):,} of {len(plan.counts):,} shards need a run"


def sum_done(plan: ShardPlan, attempts: Sequence[Attempt], done: Mapping[UUID, int]) -> int:
    """Return how many questions are done in all.

    Args:
        plan: the shards, with what was missing at first.
        attempts: all runs of shards.
        done: the questions that are done, by the run, where it has said so.
    """
    total = 0
    for shard, count, missing in zip(plan.shards, plan.counts, plan.missing, strict=True):
        own = [attempt for attempt in attempts if attempt.part == str(shard)]
        if any(attempt.kind == "done" for attempt in own):
            total += count
        else:
            total += min(max([count - missing, *(done.get(attempt.run_id, 0) for attempt in own)]), count)
    return total


class ShardProgress:
    """Shows how far all shards together are.

    After a first failure it shows no more: nobody waits for an artifact.

    Args:
        client: asks Prefect's server.
        config: the settings of the whole.
        run_id: the parent's flow run.
        plan: the shards, with what was missing at first.
    """

    def __init__(self, client: SyncPrefectClient, config: Config, run_id: UUID, plan: ShardPlan) -> None:
        self.done = sum(plan.counts) - plan.missing_count
        self._client = client
        self._key = slugify(f"{Path(config.questions_file).stem} {config.model.generator_settings.model} progress")
        self._run_id = run_id
        self._plan = plan
        self._pace = Pace(self.done, time.monotonic())
        self._shown_at = -EVERY_SECONDS
        self._artifact_id: UUID | None = None
        self._is_taken = True

    def show_when_due(self, attempts: Sequence[Attempt]) -> None:
        """Show the sum, unless that was done a moment ago; `done` is then what was shown."""
        now = time.monotonic()
        if not self._is_taken or now - self._shown_at < EVERY_SECONDS:
            return
        self._shown_at = now
        try:
            self.done = sum_done(self._plan, attempts, self._read_done(attempts))
            total, rate = sum(self._plan.counts), self._pace.measure(self.done, now)
            self._show(round(100 * self.done / total, 1), describe_progress(self.done, total, rate=rate, accuracy=None))
        except SERVER_FAILURES as failure:
            self._is_taken = False
            get_run_logger().warning("Prefect's server cannot take the progress, and is sent no more of it: %s", failure)

    def _read_done(self, attempts: Sequence[Attempt]) -> dict[UUID, int]:
        """Return what the runs themselves show; that of runs that have ended well is known without."""
        ids, done = [attempt.run_id for attempt in attempts if attempt.kind != "done"], dict[UUID, int]()
        for start in range(0, len(ids), PAGE):
            wanted = ArtifactFilter(
                flow_run_id=ArtifactFilterFlowRunId(any_=ids[start : start + PAGE]), type=ArtifactFilterType(any_=["progress"])
            )
            for artifact in self._client.read_artifacts(artifact_filter=wanted, limit=PAGE):
                if artifact.flow_run_id:
                    done[artifact.flow_run_id] = read_done(artifact.description)
        return done

    def _show(self, percentage: float, text: str) -> None:
        if self._artifact_id is None:
            self._artifact_id = next((each.id for each in read_artifacts(self._run_id) if each.key == self._key), None)
        if self._artifact_id is None:
            created = create_progress_artifact(percentage, self._key, text)
            assert isinstance(created, UUID), "within a synchronous flow, it is no coroutine"
            self._artifact_id = created
        else:
            update_progress_artifact(self._artifact_id, percentage, text)
