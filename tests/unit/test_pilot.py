"""Pilot jobs of batch systems: a node's model server and worker begin and end in order, with stand-ins for both."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.support.served import find_free_port, wait_until

DEPLOYMENTS = Path(__file__).parents[2] / "deployments"
# Notes in events.txt that it begins and ends, and answers on its port in between.
VLLM = """#!{python}
import os, signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Models(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/v1/models" else 404)
        self.end_headers()
    def log_message(self, *_):
        pass

def note(event):
    with open("events.txt", "a") as events:
        events.write(event + "\\n")

def end(*_):
    note("vllm ends")
    os._exit(0)

server = HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Models)
signal.signal(signal.SIGTERM, end)
note(f"vllm {{sys.argv[2]}} {{' '.join(sys.argv[7:])}}, process {{os.getpid()}}")
server.serve_forever()
"""
# Runs until its standard input is closed, as the worker does.
PYTHON = """#!/bin/bash
if [ "$1" = -c ]; then exec {python} "$@"; fi
trap 'echo "worker was signalled" >> events.txt' TERM
echo "worker $MCQA_BASE_URL ${{*:2}}" >> events.txt
cat > /dev/null
echo "worker ends" >> events.txt
exit "${{WORKER_CODE:-0}}"
"""


def write_stand_in(path: Path, text: str) -> None:
    path.write_text(text.format(python=sys.executable))
    path.chmod(0o755)


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which the stand-ins are found, in an empty working directory."""
    write_stand_in(folder / "vllm", VLLM)
    write_stand_in(folder / "python", PYTHON)
    return {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PREFECT_API_URL": "http://127.0.0.1:4200/api",
        "MCQA_MODEL": "llama",
        "MCQA_PYTHON": str(folder / "python"),
    }


def start(environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["bash", str(DEPLOYMENTS / "pilot.sh")], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finish(pilot: "subprocess.Popen[str]") -> tuple[int, str]:
    """Wait for the pilot job to end; return its exit code and its last words."""
    _, errors = pilot.communicate(timeout=150)
    return pilot.returncode, errors


def read_events(folder: Path) -> list[str]:
    """Return what the stand-ins have noted, each event's first two words."""
    path = folder / "events.txt"
    return [" ".join(line.split()[:2]) for line in path.read_text().splitlines()] if path.exists() else []


def find_process(folder: Path) -> int:
    """Return the process id of the stand-in for vLLM."""
    return int((folder / "events.txt").read_text().split("process ")[1].split()[0])


def begins(folder: Path) -> bool:
    return any(event.startswith("worker") for event in read_events(folder))


def test_a_warning_ends_the_worker_before_its_server(environment: dict[str, str], folder: Path) -> None:
    """Each is asked once, nothing is left, and the job ends well."""
    pilot = start({**environment, "MCQA_VLLM_ARGS": "--max-model-len 4096"})
    wait_until(lambda: begins(folder))
    pilot.send_signal(signal.SIGTERM)
    assert finish(pilot)[0] == 0
    began, worker, *ended = (folder / "events.txt").read_text().splitlines()
    assert began.startswith("vllm llama --max-model-len 4096, process ")
    assert worker.startswith("worker http://127.0.0.1:")
    assert worker.endswith("/v1 -m flows.serving.worker_process --pool mcqa --type process --work-queue shards --limit 1")
    assert ended == ["worker ends", "vllm ends"]
    assert not Path(f"/proc/{find_process(folder)}").exists()


def test_the_time_ends_both_in_order(environment: dict[str, str], folder: Path) -> None:
    """Where the batch system gives no warning."""
    assert finish(start({**environment, "MCQA_SECONDS": "1"}))[0] == 0
    assert read_events(folder)[-2:] == ["worker ends", "vllm ends"]


def test_a_lost_model_server_ends_the_job(environment: dict[str, str], folder: Path) -> None:
    """The worker would only run shards that fail."""
    pilot = start(environment)
    wait_until(lambda: begins(folder))
    os.kill(find_process(folder), signal.SIGKILL)
    code, errors = finish(pilot)
    assert (code, errors.splitlines()[-1]) == (1, "pilot: vLLM has ended")
    assert read_events(folder)[-1] == "worker ends"


@contextmanager
def model_server(status: int = 200) -> Iterator[str]:
    """Yield the address of a model server that runs already, and answers with this status where its models are listed."""

    class Models(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/v1/models" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Models)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_model_server_that_runs_already_is_used_and_left(environment: dict[str, str], folder: Path) -> None:
    """The worker's end is the job's, with its exit code."""
    with model_server() as url:
        pilot = start({**environment, "MCQA_BASE_URL": url, "MCQA_SECONDS": "1", "MCQA_QUEUE": "night"})
        assert finish(pilot)[0] == 0
    assert (folder / "events.txt").read_text() == (
        f"worker {url} -m flows.serving.worker_process --pool mcqa --type process --work-queue night --limit 1\nworker ends\n"
    )


def test_a_model_server_that_wants_a_key_is_there(environment: dict[str, str], folder: Path) -> None:
    """Its address may end with a slash, and the node may have a proxy for the world outside."""
    with model_server(401) as url:
        proxies = {"http_proxy": "http://127.0.0.1:9", "no_proxy": "example.org"}
        assert finish(start({**environment, **proxies, "MCQA_BASE_URL": f"{url}/", "MCQA_SECONDS": "1"}))[0] == 0
    assert read_events(folder) == [f"worker {url}/", "worker ends"]


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        ({"PREFECT_API_URL": ""}, 2, "set PREFECT_API_URL"),
        ({"MCQA_MODEL": ""}, 2, "set MCQA_BASE_URL, or MCQA_MODEL for a vLLM on this node"),
        ({"MCQA_SECONDS": "4h"}, 2, "MCQA_SECONDS and MCQA_START_SECONDS are whole numbers of seconds"),
        ({"MCQA_START_SECONDS": "30m"}, 2, "MCQA_SECONDS and MCQA_START_SECONDS are whole numbers of seconds"),
        ({"MCQA_VLLM_ARGS": "--port"}, 1, "vLLM has ended before it answered"),
        (
            {"MCQA_BASE_URL": "http://127.0.0.1:9/v1", "MCQA_START_SECONDS": "1"},
            1,
            "nothing answers at http://127.0.0.1:9/v1/models",
        ),
    ],
)
def test_what_cannot_begin_says_why(environment: dict[str, str], changed: dict[str, str], code: int, message: str) -> None:
    """And leaves nothing behind."""
    if "MCQA_VLLM_ARGS" in changed:
        write_stand_in(Path("vllm"), "#!/bin/bash\nexit 1\n")
    assert finish(start({**environment, **changed})) == (code, f"pilot: {message}\n")
    assert read_events(Path()) == []


@pytest.mark.parametrize(
    ("script", "variable", "seconds"), [("slurm.sh", "SLURM_SUBMIT_DIR", ""), ("pbs.sh", "PBS_O_WORKDIR", "86100")]
)
def test_a_job_begins_in_the_folder_in_which_it_was_submitted(folder: Path, script: str, variable: str, seconds: str) -> None:
    """Batch systems run a copy of the script, somewhere else; PBS gives no warning that would be worth the name."""
    (folder / "deployments").mkdir()
    (folder / "deployments" / "pilot.sh").write_text('echo "$PWD, $MCQA_SECONDS"\n')
    ended = subprocess.run(
        ["bash", str(DEPLOYMENTS / script)],
        env={"PATH": os.environ["PATH"], variable: str(folder)},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == f"{folder}, {seconds}\n"


def start_listed(folder: Path, environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    """Start the job script of deployments/README.md that lists its server, with short pauses and a free port."""
    text = (DEPLOYMENTS / "README.md").read_text().partition("### Servers that come and go")[2]
    script = text.partition("```bash\n")[2].partition("```")[0]
    short = script.replace("sleep 60", "sleep 0.5").replace("sleep 5", "sleep 0.1").replace("8000", str(find_free_port()))
    (folder / "server.sh").write_text(short)
    write_stand_in(folder / "hostname", "#!/bin/sh\necho 127.0.0.1\n")
    (folder / "servers.txt").write_text("http://other:8000/v1\n")
    return subprocess.Popen(["bash", "server.sh"], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def read_listed(folder: Path) -> list[str]:
    return (folder / "servers.txt").read_text().splitlines()


def test_a_job_lists_its_server_while_it_answers(environment: dict[str, str], folder: Path) -> None:
    """After the warning it is listed no more, and ends well; the others stay."""
    job = start_listed(folder, environment)
    wait_until(lambda: len(read_listed(folder)) == 2)
    job.send_signal(signal.SIGTERM)
    assert finish(job)[0] == 0
    assert read_listed(folder) == ["http://other:8000/v1"]
    wait_until(lambda: read_events(folder)[-1] == "vllm ends")


def test_a_job_whose_server_does_not_start_ends(environment: dict[str, str], folder: Path) -> None:
    """It does not keep its node until the wall time, and lists nothing."""
    write_stand_in(folder / "vllm", "#!/bin/sh\nexit 3\n")
    assert finish(start_listed(folder, environment))[0] == 1
    assert read_listed(folder) == ["http://other:8000/v1"]


def test_a_job_whose_server_dies_fails(environment: dict[str, str], folder: Path) -> None:
    job = start_listed(folder, environment)
    wait_until(lambda: len(read_listed(folder)) == 2)
    os.kill(find_process(folder), signal.SIGKILL)
    assert finish(job)[0] == 128 + signal.SIGKILL
    assert read_listed(folder) == ["http://other:8000/v1"]
