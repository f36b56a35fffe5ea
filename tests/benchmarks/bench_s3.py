"""Shards whose machines share nothing but a bucket, and lose that in mid-run: `python -m tests.benchmarks.bench_s3`.

It installs the extra `s3` and moto, a server that speaks S3 and keeps all in its memory, into an environment of its own. The
second shard's server is killed while it asks, with all that the first has stored. Takes about five minutes.
"""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from tests.support.fake_endpoint import FakeEndpoint, make_questions, write_config, write_questions
from tests.support.s3 import ROOT, SLUG, create_bucket, make_environment, serve_s3
from tests.support.served import find_free_port, wait_until

QUESTIONS, WORKERS, DELAY_SECONDS, KILLED_AFTER = 600, 8, 0.05, 420
RUN = "import sys; from flows.commands.cli import main; sys.exit(main())"


def run(python: Path, config: Path, environment: Mapping[str, str]) -> tuple[int, float, str]:
    """Run the command in the configuration's folder; return its exit code, its seconds, and the last line of its errors."""
    began = time.monotonic()
    command = [str(python), "-c", RUN, "score", "--config", str(config), "--no-progress-bar"]
    done = subprocess.run(command, check=False, cwd=config.parent, env=environment, capture_output=True, text=True)
    return done.returncode, time.monotonic() - began, (done.stderr.strip().splitlines() or [""])[-1]


def kill_later(server: "subprocess.Popen[bytes]", endpoint: FakeEndpoint) -> None:
    """Kill the server as soon as that many questions were asked."""
    wait_until(lambda: len(endpoint.bodies) > KILLED_AFTER)
    server.kill()


def write_machine(folder: Path, endpoint: FakeEndpoint, shard: str | None = None) -> Path:
    """Write what one machine has; return its configuration."""
    folder.mkdir()
    write_questions(folder, make_questions(QUESTIONS))
    write_config(folder, endpoint.url, parallel_workers=WORKERS, result_storage=SLUG, shard=shard)
    return folder / "config.yaml"


def main() -> None:
    """Run two shards and the whole, and print what each has asked and how it ended."""
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    with tempfile.TemporaryDirectory() as scratch, FakeEndpoint() as endpoint, prefect_test_harness(server_startup_timeout=180):
        folder, port = Path(scratch), find_free_port()
        python = make_environment(folder / "environment")
        environment = {
            **os.environ,
            "FAKE_KEY": "sk-none",
            "PYTHONPATH": str(ROOT),
            "PREFECT_API_URL": str(PREFECT_API_URL.value()),
            "S3_URL": f"http://127.0.0.1:{port}",
        }
        endpoint.delay_seconds = DELAY_SECONDS
        first, second = (write_machine(folder / f"machine {n}", endpoint, f"{n}/2") for n in range(2))
        whole = write_machine(folder / "merging", endpoint)

        def say(what: str, config: Path) -> None:
            before = len(endpoint.bodies)
            code, seconds, error = run(python, config, environment)
            print(
                f"{what}: exit code {code}, {len(endpoint.bodies) - before} questions asked, {seconds:.1f} s {error}",
                flush=True,
            )

        with serve_s3(python, port) as server:
            create_bucket(python, environment)
            say("shard 0/2", first)
            threading.Thread(target=kill_later, args=(server, endpoint)).start()
            say("shard 1/2, the bucket lost", second)
        with serve_s3(python, port):
            create_bucket(python, environment)
            say("shard 1/2 again", second)
            say("shard 0/2 again", first)
            say("the whole", whole)
        print(f"{len(endpoint.asked())} questions, each asked at most {max(endpoint.asked().values())} times")


if __name__ == "__main__":
    main()
