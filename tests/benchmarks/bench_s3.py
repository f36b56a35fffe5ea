"""Shards whose machines share nothing but a bucket, and lose that in mid-run: `python -m tests.benchmarks.bench_s3`.

It installs the extra `s3` and moto, a server that speaks S3 and keeps all in its memory, into an environment of its own. The
second shard's server is killed while it asks, with all that the first has stored. Takes about five minutes.
"""

import os
import subprocess
import sysconfig
import tempfile
import threading
import time
import tomllib
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.fake_endpoint import FakeEndpoint, make_questions, write_config, write_questions
from tests.support.served import find_free_port, wait_until

ROOT = Path(__file__).parents[2]
QUESTIONS, WORKERS, DELAY_SECONDS, KILLED_AFTER = 600, 8, 0.05, 420
SLUG = "s3-bucket/results"
RUN = "import sys; from flows.commands.cli import main; sys.exit(main())"
CREATE = """
import os, boto3
from prefect_aws import AwsCredentials, S3Bucket
from prefect_aws.client_parameters import AwsClientParameters
keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
boto3.client("s3", endpoint_url=os.environ["S3_URL"], **keys).create_bucket(Bucket="bucket")
parameters = AwsClientParameters(endpoint_url=os.environ["S3_URL"])
credentials = AwsCredentials(**keys, aws_client_parameters=parameters)
S3Bucket(bucket_name="bucket", credentials=credentials).save("results", overwrite=True)
"""


def make_environment(folder: Path) -> Path:
    """Install what is not installed here; return the interpreter."""
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["s3"]
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    Path(own, "ours.pth").write_text(sysconfig.get_path("purelib"))
    subprocess.run([python, "-m", "pip", "install", "-q", *extra, "moto[server]>=5,<6", "sqlalchemy<2.1"], check=True)
    return python


@contextmanager
def serve_s3(python: Path, port: int) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a server of S3, without a bucket."""
    command = [str(python), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def create_bucket(python: Path, environment: Mapping[str, str]) -> None:
    """Create the bucket, as soon as its server answers, and the block that leads to it."""
    command = [str(python), "-c", CREATE]
    wait_until(lambda: subprocess.run(command, check=False, env=environment, capture_output=True).returncode == 0)


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
