"""`evaluate-sharded`: runs of shards ask the parts, are started again when they are lost, and the whole writes the results."""

import os
import re
import signal
from typing import Any

from tests.browser.test_retry import retry
from tests.support.served import COUNT, Served, wait_until

WORKERS, SHARDS = 4, 3


def read_shards(served: Served, parent: str) -> dict[str, dict[str, Any]]:
    """Return the runs of the shards by their names, without the parent's."""
    wanted = {"parent_flow_run_id": {"any_": [parent]}}
    runs: list[dict[str, Any]] = served.call("POST", "flow_runs/filter", {"flow_runs": wanted})
    return {run["name"].rpartition(", shard ")[2]: run for run in runs}


def list_asking(held: list[str]) -> set[int]:
    """Return the numbers of the shards that wait for answers: batches are of ten questions."""
    numbers = [int(found[1]) for prompt in held if (found := re.search(r"Question (\d+)", prompt))]
    return {(number - 1) // 10 % SHARDS for number in numbers}


def kill(served: Served, run_id: str) -> None:
    """Kill the run's process, and wait until Prefect knows it."""
    os.kill(int(served.run(run_id)["infrastructure_pid"]), signal.SIGKILL)
    served.wait_for(run_id, "Crashed")


def test_a_lost_shard_is_started_again_and_a_lost_parent_finds_its_shards(served: Served) -> None:
    """SIGKILL of a shard, then of the parent: exactly the known accuracy, and nothing asked twice but what was in flight.

    Though nothing of other runs is reused.
    """
    config = served.write("sharded", parallel_workers=WORKERS)
    release, held = served.hold_back("sharded", after=20)
    parent = served.start("evaluate-sharded", shards=SHARDS, config_file=config, auto_resume=False)
    wait_until(lambda: list_asking(held) == {0, 1, 2})
    shards = read_shards(served, parent)
    assert {(name, run["work_queue_name"]) for name, run in shards.items()} == {(f"{n}/3", "shards") for n in range(SHARDS)}
    kill(served, shards["0/3"]["id"])
    wait_until(lambda: "0/3, run 2" in read_shards(served, parent))
    kill(served, parent)
    release.set()
    retry(served, parent)
    message = served.wait_for(parent, "Completed", "Failed")
    assert message == f"Accuracy 0.6667, 95 % interval 0.5783 to 0.7447 (80 of {COUNT} questions)"
    assert COUNT <= served.asked("sharded") <= COUNT + WORKERS
    states = {name: run["state"]["name"] for name, run in read_shards(served, parent).items()}
    assert states == {"0/3": "Crashed", "0/3, run 2": "Completed", "1/3": "Completed", "2/3": "Completed"}
    assert served.progress("sharded").startswith(f"{COUNT}/{COUNT}")
