"""A bucket for benchmarks: moto's server, which speaks S3 and keeps all in memory, in an environment with the extra `s3`."""

import subprocess
import sysconfig
import tomllib
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.served import wait_until

ROOT = Path(__file__).parents[2]
SLUG = "s3-bucket/results"
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
