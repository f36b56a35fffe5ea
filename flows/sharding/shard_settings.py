"""What the runs of shards are started with."""

from dataclasses import dataclass
from uuid import UUID

from prefect.client.schemas.objects import FlowRun
from pydantic import JsonValue

from flows.worker_runs.worker_runs import RunSpec
from tasks.evaluation.config.overrides import Advanced, Overrides
from tasks.evaluation.config.shards import Shard

DEPLOYMENT = "score-questions/evaluate-shard"


@dataclass(frozen=True)
class ShardSettings:
    """What all runs of shards have in common."""

    config_file: str | None
    """The configuration file; None without one."""
    overrides: Overrides
    """The settings that differ from it."""
    queue: str
    """The work queue in which they wait for workers."""

    def assign(self, shard: Shard, parent_id: UUID) -> Advanced:
        """Return the settings that make a run one of the parent's shards."""
        return Advanced(shard=str(shard), whole_run_id=str(parent_id))

    def make_parameters(self, shard: Shard, parent_id: UUID) -> dict[str, JsonValue]:
        """Return the parameters of the shard's run."""
        advanced = self.assign(shard, parent_id).model_dump(mode="json", exclude_none=True)
        overrides = self.overrides.model_dump(mode="json", exclude_none=True)
        named: dict[str, JsonValue] = {"config_file": self.config_file} if self.config_file else {}
        return {**named, "overrides": overrides, "advanced": advanced}

    def specify(self, part: str, parent: FlowRun) -> RunSpec:
        """Return what the runs of a shard are started with.

        Args:
            part: the shard, as it is written.
            parent: the parent's flow run.
        """
        return RunSpec(
            deployment=DEPLOYMENT,
            parameters=self.make_parameters(Shard.read(part), parent.id),
            name=f"{parent.name}, shard {part}",
            tags=["shard", f"shard-of:{parent.name}"],
            queue=self.queue or None,
        )
