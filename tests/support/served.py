"""A running `mcqa serve` for tests: starts runs, waits for them, and counts what was asked."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tasks.evaluation.processes.process_table import find_parents
from tests.support.fake_endpoint import FakeEndpoint, Reply, make_questions, prompt_of, write_config, write_questions

COUNT = 120
MCQA = Path(sys.executable).with_name("mcqa")


def find_free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], bool], timeout_seconds: float = 240) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + timeout_seconds
    while not holds():
        assert time.monotonic() < deadline, "what the test waits for did not come"
        time.sleep(0.1)


def start_serve(
    folder: Path, environment: Mapping[str, str], *flags: str, mcqa: Path = MCQA
) -> "tuple[subprocess.Popen[bytes], Path]":
    """Start the command in that folder and wait until it serves; return it and the file with what it prints."""
    log = folder / f"serve-{find_free_port()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [mcqa, "serve", *flags],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    wait_until(lambda: "Press Ctrl-C" in log.read_text() or process.poll() is not None)
    assert process.poll() is None, log.read_text()
    return process, log


def find_descendants(parent: int) -> set[int]:
    """Return the ids of the process's children, and of their children in turn."""
    parent_of = find_parents()
    found, generation = set[int](), {parent}
    while generation := {pid for pid, ppid in parent_of.items() if ppid in generation}:
        found |= generation
    return found


def is_alive(pid: int) -> bool:
    return pid in find_parents()


@dataclass
class Served:
    """The running command: the folder in which its runs look for files, its UI's address, and the endpoint that they ask."""

    folder: Path
    url: str
    endpoint: FakeEndpoint
    process: "subprocess.Popen[bytes]"
    log: Path
    environment: Mapping[str, str]

    @property
    def printed(self) -> str:
        """Return all that the command has printed."""
        return self.log.read_text()

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call Prefect's API; return its answer.

        Raises:
            HTTPError: the API refuses.
        """
        content = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/api/{path}", content, {"Content-Type": "application/json"}, method=method)
        for _ in range(20):
            try:
                with urlopen(request, timeout=150) as response:
                    text = response.read()
                    return json.loads(text) if text else None
            except HTTPError as error:
                if error.code != 503:  # its database is busy, which Prefect's own clients wait out too
                    raise
                error.close()
                time.sleep(0.5)
        raise AssertionError(f"Prefect's server does not answer {method} {path}")

    def refusal(self, deployment: str, **parameters: object) -> str:
        """Return what the API says when it refuses a run with these parameters."""
        try:
            self.start(deployment, **parameters)
        except HTTPError as error:
            with error:
                return f"{error.code} {error.read().decode()}"
        raise AssertionError("the run was accepted")

    def deployment(self, name: str) -> dict[str, Any]:
        deployment: dict[str, Any] = self.call("GET", f"deployments/name/score-questions/{name}")
        return deployment

    def start(self, deployment: str = "evaluate", **parameters: object) -> str:
        """Start a run; return its id."""
        deployment_id = self.deployment(deployment)["id"]
        run = self.call("POST", f"deployments/{deployment_id}/create_flow_run", {"parameters": parameters})
        return str(run["id"])

    def run(self, run_id: str) -> dict[str, Any]:
        run: dict[str, Any] = self.call("GET", f"flow_runs/{run_id}")
        return run

    def state(self, run_id: str) -> tuple[str, str]:
        """Return the name of the run's state, and its message."""
        state = self.run(run_id)["state"]
        return state["name"], state["message"] or ""

    def wait_for(self, run_id: str, *states: str) -> str:
        """Wait for one of the states; return its message."""
        try:
            wait_until(lambda: self.state(run_id)[0] in states, timeout_seconds=240)
        except AssertionError as error:
            error.add_note("\n".join(self.history(run_id)))
            raise
        return self.state(run_id)[1]

    def history(self, run_id: str) -> list[str]:
        """Return the states that the run has been in, a line each, the oldest first."""
        states = sorted(self.call("GET", f"flow_run_states/?flow_run_id={run_id}"), key=lambda state: str(state["timestamp"]))
        return [f"{state['timestamp']} {state['name']}: {state['message'] or ''}" for state in states]

    def wait_for_late_report(self, run_id: str, message: str, seconds: float = 60) -> None:
        """Wait until the worker too has reported a cancellation, and the run's own message stands there again.

        It does not always report it: then nothing comes for that time.
        """
        deadline = time.monotonic() + seconds
        wait_until(lambda: time.monotonic() > deadline or self.state(run_id)[1] != message)
        wait_until(lambda: self.state(run_id)[1] == message)

    def pause(self, run_id: str, seconds: float) -> None:
        """Do what the UI's button Pause does, for that time at most."""
        limit = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
        details = {"pause_timeout": limit, "pause_reschedule": True, "deferred": False, "untrackable_result": False}
        state = {"type": "PAUSED", "name": "Suspended", "state_details": details}
        self.call("POST", f"flow_runs/{run_id}/set_state", {"state": state, "force": True})

    def count_active_tasks(self, run_id: str) -> int:
        """Return how many of the run's task runs have not ended, as Prefect's server sees it."""
        wanted = {"state": {"type": {"any_": ["PENDING", "RUNNING"]}}}
        return int(self.call("POST", "task_runs/count", {"flow_runs": {"id": {"any_": [run_id]}}, "task_runs": wanted}))

    def logs(self, run_id: str, level: int = 0) -> list[dict[str, Any]]:
        """Return the lines of the run's log from this level on, the oldest first."""
        wanted = {"flow_run_id": {"any_": [run_id]}, "level": {"ge_": level}}
        logs: list[dict[str, Any]] = self.call("POST", "logs/filter", {"logs": wanted, "sort": "TIMESTAMP_ASC"})
        return logs

    def artifacts(self, run_id: str) -> list[dict[str, Any]]:
        """Return the artifacts of the run, of all its attempts."""
        wanted = {"flow_run_id": {"any_": [run_id]}}
        artifacts: list[dict[str, Any]] = self.call("POST", "artifacts/filter", {"artifacts": wanted})
        return artifacts

    def progress(self, name: str) -> str:
        """Return the text of the progress artifact for the questions of this name."""
        wanted = {"artifacts": {"key": {"any_": [f"{name}-fake-progress"]}}}
        return "".join(artifact["description"] for artifact in self.call("POST", "artifacts/latest/filter", wanted))

    def scheduled_runs(self, deployment_id: str) -> list[dict[str, Any]]:
        """Return the runs that a schedule has created."""
        wanted = {"deployment_id": {"any_": [deployment_id]}}
        runs: list[dict[str, Any]] = self.call("POST", "flow_runs/filter", {"flow_runs": wanted, "limit": 200})
        return [run for run in runs if run["auto_scheduled"]]

    def scheduled_states(self, deployment_id: str) -> list[str]:
        return [run["state"]["name"] for run in self.scheduled_runs(deployment_id)]

    def write_questions(self, name: str, count: int = COUNT) -> str:
        """Write questions that contain this name, so that no other test's answers are reused; return their path."""
        questions = [{**question, "question": f"{question['question']} ({name})"} for question in make_questions(count)]
        write_questions(self.folder, questions, f"{name}.json")
        return f"{name}.json"

    def write(self, name: str, **processing: Any) -> str:
        """Write questions that contain this name and a configuration with folders of its own; return the latter's path."""
        (self.folder / name).mkdir()
        write_config(self.folder / name, self.endpoint.url, checkpoint_directory=f"{name}/checkpoints", **processing)
        path = self.folder / name / "config.yaml"
        text = path.read_text().replace("exam.json", self.write_questions(name)).replace("y: out", f"y: {name}/out")
        path.write_text(text)
        return f"{name}/config.yaml"

    def asked(self, name: str) -> int:
        """Return how many requests the endpoint got for questions that contain this name."""
        return sum(times for prompt, times in self.endpoint.asked().items() if f"({name})" in prompt)

    def hold_back(self, name: str, after: int) -> tuple[threading.Event, list[str]]:
        """Make the endpoint withhold its answers to questions of this name after the first `after`, until the event is set.

        The list holds the prompts that it leaves unanswered.
        """
        release, held = threading.Event(), list[str]()
        before = self.endpoint.rule

        def rule(body: dict[str, Any]) -> Reply:
            if f"({name})" in prompt_of(body) and self.asked(name) > after:
                held.append(prompt_of(body))
                release.wait(300)
            return before(body)

        self.endpoint.rule = rule
        return release, held
