"""A paused run saves, leaves and stays paused; Resume or, after its time limit, Retry continues it; nothing is asked twice."""

import os
import re
import signal
from datetime import UTC, datetime, timedelta

import pytest

from tests.browser.test_retry import retry, start_held
from tests.support.served import COUNT, Served, is_alive, wait_until

ACCURACY = f"Accuracy 0.6667, 95 % interval 0.5783 to 0.7447 (80 of {COUNT} questions)"
# A run of which nothing is heard is marked as crashed after 90 seconds.
SILENCE = timedelta(seconds=100)


def read_log(served: Served, run_id: str) -> str:
    return "\n".join(log["message"] for log in served.logs(run_id))


def test_a_run_resumed_before_its_process_has_gone_asks_nothing_twice(served: Served) -> None:
    """The new process waits for the earlier one, which still learns of the pause, and says so."""
    run_id, release = start_held(served, "resumed")
    process = int(served.run(run_id)["infrastructure_pid"])
    os.kill(process, signal.SIGSTOP)
    served.pause(run_id, seconds=300)
    served.call("POST", f"flow_runs/{run_id}/resume")
    wait_until(lambda: f"(process {process} on " in read_log(served, run_id))
    release.set()
    os.kill(process, signal.SIGCONT)
    assert served.wait_for(run_id, "Completed", "Failed", "Crashed") == ACCURACY
    assert re.search(r"Paused with \d+ of 120 questions scored", read_log(served, run_id))
    assert served.asked("resumed") == COUNT


@pytest.mark.timeout(300)
def test_a_pause_outlasts_the_silence_and_ends_with_advice(served: Served, paused: str) -> None:
    """It is not taken for a crash, and leaves no process and no task run; when Prefect fails it in the end, Retry continues."""
    process = int(served.run(paused)["infrastructure_pid"])
    begun = datetime.fromisoformat(served.run(paused)["state"]["timestamp"])
    wait_until(lambda: datetime.now(UTC) - begun > SILENCE)
    assert served.state(paused) == ("Suspended", "")
    assert not is_alive(process)
    assert served.count_active_tasks(paused) == 0
    assert re.search(
        r"Paused with \d+ of 120 questions scored. Resume continues it until \d\d:\d\d:\d\d; then", read_log(served, paused)
    )
    served.pause(paused, seconds=0)
    wait_until(lambda: "Retry continues it" in served.state(paused)[1])
    assert served.state(paused)[0] == "Failed"
    retry(served, paused)
    assert served.wait_for(paused, "Completed", "Failed", "Crashed") == ACCURACY
    assert served.asked("paused") == COUNT
