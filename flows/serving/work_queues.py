"""The work queues of our work pool: which runs a worker takes first when more are due than it may start."""

from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import ObjectAlreadyExists

# Each queue in deployments/prefect.yaml, with its priority: a worker takes runs from the lowest number first. A pool's own
# queue `default`, which is created with 1, is moved between the two.
PRIORITIES = {"urgent": 1, "nightly": 3, "shards": 4}


def ensure_work_queues(client: SyncPrefectClient, work_pool: str) -> None:
    """Create the queues that the pool lacks; those that exist keep the priority and the limit that the user gave them."""
    existing = {queue.name for queue in client.read_work_queues(work_pool_name=work_pool)}
    for name, priority in PRIORITIES.items():
        if name not in existing:
            _create(client, work_pool, name, priority)


def _create(client: SyncPrefectClient, work_pool: str, name: str, priority: int) -> None:
    try:
        client.create_work_queue(name, priority=priority, work_pool_name=work_pool)
    except ObjectAlreadyExists:  # another `mcqa serve` has created it meanwhile
        return
