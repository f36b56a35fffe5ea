"""A run that did not finish is continued by Retry, and exactly what is missing is asked, whatever it was that ended it."""

import os
import signal
import threading
from typing import Any

import pytest

from tests.support.fake_endpoint import Reply, error, prompt_of
from tests.support.served import COUNT, Served, wait_until

WORKERS = 8
AWAITING_RETRY = {"type": "SCHEDULED", "name": "AwaitingRetry", "message": "Retry from the UI"}


def retry(served: Served, run_id: str) -> None:
    """Do what the button does until the run has begun: Prefect may report a crash twice, and the second one undoes a retry."""
    before = served.run(run_id)["run_count"]

    def has_begun() -> bool:
        run = served.run(run_id)
        if run["run_count"] == before and run["state"]["type"] in ("CRASHED", "FAILED", "CANCELLED", "COMPLETED"):
            served.call("POST", f"flow_runs/{run_id}/set_state", {"state": AWAITING_RETRY, "force": True})
        return bool(run["run_count"] > before)

    wait_until(has_begun)


def start_held(served: Served, name: str, **overrides: object) -> tuple[str, threading.Event]:
    """Return a run in the middle: about 40 questions answered, and one in flight for each worker."""
    config = served.write(name, parallel_workers=WORKERS)
    release, held = served.hold_back(name, after=40)
    run_id = served.start(config_file=config, overrides=overrides)
    wait_until(lambda: len(held) == WORKERS)
    return run_id, release


def assert_continued(served: Served, name: str, run_id: str) -> None:
    """Check that the same run has ended well, and that nothing but what was in flight was asked twice."""
    # Prefect may report the crash a second time after the retry has begun, which the living run contradicts.
    message = served.wait_for(run_id, "Completed", "Failed")
    assert message == f"Accuracy 0.6667, 95 % interval 0.5783 to 0.7447 (80 of {COUNT} questions)"
    assert COUNT <= served.asked(name) <= COUNT + WORKERS
    assert served.run(run_id)["run_count"] in (2, 3)


@pytest.mark.parametrize("auto_resume", [True, False])
def test_a_killed_run_is_retried(served: Served, auto_resume: bool) -> None:
    """SIGKILL of its process: Crashed within seconds; with auto_resume: false too, Retry reuses the run's own answers.

    No task run that was in flight stays Running.
    """
    name = f"killed-{auto_resume}".lower()
    run_id, release = start_held(served, name, auto_resume=auto_resume)
    os.kill(int(served.run(run_id)["infrastructure_pid"]), signal.SIGKILL)
    served.wait_for(run_id, "Crashed")
    assert served.count_active_tasks(run_id) > 0
    release.set()
    retry(served, run_id)
    assert_continued(served, name, run_id)
    assert sum(" Crashed: " in line for line in served.history(run_id)) == 1
    wait_until(lambda: served.count_active_tasks(run_id) == 0)


def test_a_run_that_shares_nothing_shares_with_its_retries_alone(served: Served) -> None:
    """Two runs of one configuration with auto_resume: false ask everything, each on its own; retried, neither asks anything."""
    config = served.write("own")
    first = served.start(config_file=config, overrides={"auto_resume": False})
    served.wait_for(first, "Completed")
    second = served.start(config_file=config, overrides={"auto_resume": False})
    served.wait_for(second, "Completed")
    assert set(served.endpoint.asked().values()) >= {2}
    assert served.asked("own") == 2 * COUNT
    retry(served, first)
    served.wait_for(first, "Completed")
    assert served.asked("own") == 2 * COUNT


def test_a_spent_key_is_renewed_and_the_run_retried(served: Served) -> None:
    """The message has the number first and says what to do; an edited file is refused; Retry asks what is missing alone."""
    config = served.write("spent", parallel_workers=1, checkpoint_interval=10)
    is_renewed = threading.Event()
    before = served.endpoint.rule

    def rule(body: dict[str, Any]) -> Reply:
        is_spent = "(spent)" in prompt_of(body) and served.asked("spent") > 100 and not is_renewed.is_set()
        return error(401, "key spent") if is_spent else before(body)

    served.endpoint.rule = rule
    run_id = served.start(config_file=config)
    message = served.wait_for(run_id, "Failed", "Completed", "Crashed")
    assert message == "20 of 120 questions not scored: the generator answered 401: key spent; renew the API key (api_key)"
    path = served.folder / config
    path.write_text(path.read_text().replace("model: fake", "temperature: 0.7, model: fake"))
    retry(served, run_id)
    assert "temperature" in served.wait_for(run_id, "Failed", "Completed", "Crashed")
    path.write_text(path.read_text().replace("temperature: 0.7, model: fake", "model: fake"))
    is_renewed.set()
    asked = served.asked("spent")
    retry(served, run_id)
    served.wait_for(run_id, "Completed")
    assert served.asked("spent") - asked == 20
