"""The settings that say how the questions are chosen, asked and kept."""

from typing import Literal, Self

from pydantic import Field, model_validator

from tasks.evaluation.config.overrides import MOST_WORKERS, WorkerCount
from tasks.evaluation.config.paths import PathText
from tasks.evaluation.config.settings import Count, Settings
from tasks.evaluation.config.shards import ShardText


class Processing(Settings):
    """How the questions are chosen, asked and kept."""

    parallel_workers: WorkerCount = 1
    """The number of questions in flight, at all addresses together."""
    parallel_per_server: Count | None = None
    """The number of requests in flight at each address of a model that has several; None: no limit but `parallel_workers`."""
    question_format: Literal["auto", "mc", "qa"] = "auto"
    """Treat every question as multiple choice or as a short answer; auto: whichever each question is."""
    verbose: bool = False
    """Show Prefect's own lines too."""
    random_selection: Count | None = None
    """The size of a random sample; None: all questions."""
    random_seed: int | None = None
    """The sample's seed; None: that of the run that is continued, or a random one."""
    limit: Count | None = None
    """Keep only the first questions, of the sample if one is drawn."""
    shard: ShardText | None = None
    """Ask one part of these questions only, `3/64`: the other parts are for other runs."""
    whole_run_id: str | None = None
    """Of a shard with `auto_resume: false`, the permanent id of the run of the whole, which alone may use its answers."""
    suite_purse: str | None = None
    """Of a cell on a worker, the folder in which all cells of its suite count what they spend of the suite's budget."""
    batch_size: int | None = Field(default=None, ge=1, le=100_000)
    """The number of questions in a task run; None: chosen from the number of questions."""
    enable_checkpointing: bool = True
    """Write checkpoints and an answer log."""
    checkpoint_interval: Count = 50
    """Save after this many new results."""
    checkpoint_directory: PathText = "checkpoints"
    """The folder for checkpoints and everything else that a later run needs."""
    resume_from_checkpoint: PathText | None = None
    """Continue this checkpoint."""
    auto_resume: bool = True
    """Reuse what earlier runs have answered."""
    progress_bar: bool = True
    """Show the bar."""
    save_incremental: bool = False
    """Make every answer durable before it counts."""
    retry_refused: bool = False
    """Ask again what the endpoint refused in an earlier run."""
    repeats: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="Ask each question this many times, with requests of their own; its score is the mean of theirs.",
    )
    clarify_answers: bool = Field(
        default=True,
        description="Ask a model once which choice it meant if its reply does not settle that. Multiple choice without a "
        "grader and without logprobs; false: such a reply chooses nothing.",
    )
    request_timeout_seconds: float = Field(default=600, gt=0)
    """The longest time that one request may take."""
    max_outage_seconds: float = Field(default=600, ge=0)
    """The longest time that the endpoint may be down before the run stops."""
    keep_checkpoints: Count | None = None
    """The number of checkpoints to keep for each evaluation; None: all."""
    fail_under: float | None = Field(default=None, ge=0, le=1)
    """End the run as failed if the accuracy is below this; None: whatever it is."""
    fail_under_interval: float | None = Field(default=None, ge=0, le=1)
    """The same for the lower end of the accuracy's 95 % interval."""
    result_storage: PathText | None = None
    """Where Prefect keeps the batches' results: a path or a block; None: in the checkpoint directory."""

    def count_workers(self, addresses: int) -> int:
        """Return the number of questions in flight: where it is left out, as many as all servers together may have."""
        if self.parallel_per_server is None or "parallel_workers" in self.model_fields_set:
            return self.parallel_workers
        return min(self.parallel_per_server * addresses, MOST_WORKERS)

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        if not self.enable_checkpointing and self.resume_from_checkpoint:
            raise ValueError("checkpointing is disabled, so nothing can be resumed: drop one of the two settings")
        if not self.enable_checkpointing and self.save_incremental:
            raise ValueError("checkpointing is disabled, and save_incremental needs it: drop one of the two settings")
        if self.shard:
            self._refuse_lost_shard()
        return self

    def _refuse_lost_shard(self) -> None:
        """Refuse what would keep the shard's answers from the run of the whole, or let it draw other questions."""
        if self.random_selection is not None and self.random_seed is None:
            raise ValueError("a shard of a random sample needs random_seed, the same for all: else each run draws its own")
        if not self.enable_checkpointing:
            raise ValueError("enable_checkpointing is false, so no other run could use this shard's answers: drop it, or shard")
        if not self.auto_resume and not self.whole_run_id:
            raise ValueError(
                "auto_resume is false, so no other run could use this shard's answers: drop it, or shard, or let the "
                "deployment evaluate-sharded start the shards"
            )
