"""Machines for benchmarks: Linux namespaces in which a worker of Prefect runs, whose power can be cut at any moment.

Each has a host name, process ids, a home and a working folder of its own, which appears at the same path on all, and a model
server beside it. It shares the checkpoint directory with the others, or nothing.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flows.serving.server_health import is_healthy
from tests.support.fake_endpoint import make_questions, write_config, write_questions
from tests.support.recording import RecordingEndpoint, Request
from tests.support.s3 import ROOT, SLUG, create_bucket, make_environment, serve_s3
from tests.support.served import Served, find_free_port, start_serve, wait_until

WORKERS, DELAY_SECONDS = 8, 0.5
# A reply on its way at a kill, and a request that a busy server has read a moment after it, were in flight all the same.
SLACK_SECONDS = 1.0
UNSHARE = ("unshare", "--user", "--map-root-user", "--mount", "--uts", "--pid", "--fork", "--kill-child")
BOOT = """
hostname "$1" && mount -t proc proc /proc && mount --bind "$2" "$3" && cd "$3" || exit
if [ -n "$4" ]; then mount --bind "$4" checkpoints || exit; fi
shift 4; exec "$@"
"""


@dataclass
class Machine:
    """A machine: what it has of its own, and when its power was cut (monotonic seconds)."""

    name: str
    folder: Path
    endpoint: RecordingEndpoint
    command: Sequence[str]
    environment: Mapping[str, str]
    kills: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start its worker."""
        with (self.folder / "worker.log").open("ab") as log:
            self._process = subprocess.Popen(self.command, env=self.environment, stdout=log, stderr=log)

    def cut_power(self) -> None:
        """Kill all its processes at once."""
        self._process.kill()
        self._process.wait()

    @property
    def is_asking(self) -> bool:
        """Return True if its model server has replied to it a moment ago, since it was last started."""
        now, started = time.monotonic(), max(self.kills, default=0.0)
        return any(started < each.received and now - each.replied < SLACK_SECONDS for each in self.endpoint.requests[-1:])

    def had_in_flight(self, request: Request) -> bool:
        """Return True if the request was in flight at one of its kills."""
        return any(request.received - SLACK_SECONDS < kill < request.replied + SLACK_SECONDS for kill in self.kills)


@dataclass
class Site:
    """What all machines have in common: where their working folders appear, Prefect's server, and how they carry batches."""

    scratch: Path
    served: Served
    python: Path
    shared: Path | None

    def build(self, name: str, queue: str, questions: int) -> Machine:
        """Build a machine whose worker takes runs from that queue."""
        folder = self.scratch / name
        for part in ("home", "tmp", "work/checkpoints"):
            (folder / part).mkdir(parents=True)
        endpoint = RecordingEndpoint()
        endpoint.delay_seconds = DELAY_SECONDS
        storage = None if self.shared else SLUG
        write_questions(folder / "work", make_questions(questions))
        write_config(folder / "work", "${MCQA_BASE_URL}", parallel_workers=WORKERS, result_storage=storage)
        own = {"HOME": folder / "home", "PREFECT_HOME": folder / "home/.prefect", "TMPDIR": folder / "tmp"}
        environment = {
            **self.served.environment,
            **{variable: str(path) for variable, path in own.items()},
            "MCQA_BASE_URL": endpoint.url,
        }
        boot = [name, str(folder / "work"), str(self.served.folder), str(self.shared or "")]
        worker = ["prefect", "worker", "start", "--pool", "mcqa", "--work-queue", queue, "--limit", "1"]
        command = [*UNSHARE, "sh", "-c", BOOT, "sh", *boot, str(self.python), "-P", "-m", *worker]
        return Machine(name, folder, endpoint, command, environment)


@contextmanager
def open_site(scratch: Path, mode: str) -> Iterator[Site]:
    """Start Prefect's server, and that of S3 if it is needed, and install the deployments."""
    folder, port, s3_port = scratch / "site", find_free_port(), find_free_port()
    folder.mkdir()
    environment = {
        **os.environ,
        "DO_NOT_TRACK": "1",
        "FAKE_KEY": "sk-none",
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_HOME": str(scratch / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "0",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_WORKER_QUERY_SECONDS": "3",
        "PYTHONPATH": str(ROOT),
        "S3_URL": f"http://127.0.0.1:{s3_port}",
    }
    python, shared = Path(sys.executable), scratch / "checkpoints"
    with ExitStack() as stack, (scratch / "server.log").open("wb") as log:
        command = [sys.executable, "-P", "-m", "flows.serving.lasting_server", "--port", str(port)]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        stack.callback(end, server)
        wait_until(lambda: is_healthy(environment["PREFECT_API_URL"]))
        installing, printed = start_serve(folder, environment, "--server", environment["PREFECT_API_URL"])
        end(installing)
        if mode == "s3":
            python = make_environment(scratch / "environment")
            stack.enter_context(serve_s3(python, s3_port))
            create_bucket(python, environment)
        else:
            shared.mkdir()
        served = Served(folder, f"http://127.0.0.1:{port}", RecordingEndpoint(), server, printed, environment)
        yield Site(scratch, served, python, shared if mode == "folder" else None)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process as Ctrl-C does."""
    process.send_signal(signal.SIGINT)
    process.wait()
