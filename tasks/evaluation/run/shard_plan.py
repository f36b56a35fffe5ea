"""How a selection is divided among shards, and how much of each is missing, as far as this machine's folders tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.shards import Shard
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.run.batches import choose_batch_size
from tasks.evaluation.run.opening import open_ledger
from tasks.evaluation.run.preparation import Preparation
from tasks.evaluation.run.resumption import reuse_earlier
from tasks.evaluation.run.start import read_and_prepare
from tasks.evaluation.scoring.ledger import Ledger


@dataclass(frozen=True)
class ShardPlan:
    """The shards of a selection."""

    counts: tuple[int, ...]
    """The number of questions in each shard."""
    missing: tuple[int, ...]
    """How many of these no earlier run has finished."""
    workers: int
    """The number of questions that a run keeps in flight."""
    storage: str | None = None
    """The `result_storage`, in which more may be finished than this machine's folders tell."""

    @property
    def shards(self) -> list[Shard]:
        """Return all shards."""
        return [Shard(number, len(self.counts)) for number in range(len(self.counts))]

    @property
    def missing_count(self) -> int:
        """Return how many questions are missing in all."""
        return sum(self.missing)

    def list_needed(self) -> list[Shard]:
        """Return the shards that are worth a run: those in which something is missing, or none if only few questions are.

        Few are those that all shards would have in flight at once: starting runs for them takes longer than asking them.
        """
        if self.missing_count <= self.workers * len(self.counts):
            return []
        return [shard for shard, missing in zip(self.shards, self.missing, strict=True) if missing]


def require_whole(config: Config) -> None:
    """Check that the settings leave it to the parent run to cut the selection into shards.

    Raises:
        UserMistake: they name a shard themselves.
    """
    if config.processing.shard:
        raise UserMistake(f"shard is {config.processing.shard}, but this run starts all shards itself: leave it out")


def plan_shards(
    config: Config,
    endpoints: tuple[Endpoint, Endpoint | None],
    shard_count: int,
    *,
    config_folder: Path,
    own_folder: Path | None,
    run_id: str,
) -> ShardPlan:
    """Return how the selection is divided, and what is missing; nothing is asked.

    Args:
        config: the settings of the whole.
        endpoints: the generator and the grader.
        shard_count: the number of shards.
        config_folder: the configuration's folder, for paths in it.
        own_folder: as `make_own_folder` returns it.
        run_id: the permanent id of the run of the whole.

    Raises:
        UserMistake: the questions cannot be read, or no run is possible with these settings.
    """
    with _open_known(config, endpoints, config_folder, own_folder, run_id) as (preparation, ledger):
        as_shard = config.processing.model_copy(update={"shard": str(Shard(0, 1))})
        size, count = choose_batch_size(len(ledger.questions), as_shard), len(ledger.questions)
        missing = np.fromiter(ledger.open_positions(range(count)), dtype=np.int64)
        return ShardPlan(
            counts=_count(np.arange(count), size, shard_count),
            missing=_count(missing, size, shard_count),
            workers=preparation.config.processing.parallel_workers,
            storage=config.processing.result_storage,
        )


@contextmanager
def _open_known(
    config: Config,
    endpoints: tuple[Endpoint, Endpoint | None],
    config_folder: Path,
    own_folder: Path | None,
    run_id: str,
) -> Iterator[tuple[Preparation, Ledger]]:
    """Open a ledger that knows what earlier runs have left; the runs themselves tell the user what matters."""
    with (
        read_and_prepare(config, endpoints, config_folder=config_folder, own_folder=own_folder, run_id=run_id) as preparation,
        open_ledger(preparation) as ledger,
    ):
        reuse_earlier(replace(preparation, own_folder=own_folder), ledger, lambda _: None)
        yield preparation, ledger


def _count(positions: "np.ndarray[tuple[int], np.dtype[np.int64]]", batch_size: int, shard_count: int) -> tuple[int, ...]:
    """Return how many of the positions lie in each shard."""
    return tuple(np.bincount(positions // batch_size % shard_count, minlength=shard_count).tolist())
