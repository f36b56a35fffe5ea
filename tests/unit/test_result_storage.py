"""The block in which Prefect keeps the results of batches: what cannot be used is a mistake, and S3 is not waited for long."""

from types import SimpleNamespace

import pytest

from flows.asking.result_storage import BOUNDED, bound_client, load_storage
from tasks.evaluation.errors import ServerFailure, UserMistake
from tests.support.fake_prefect import FakePrefect


@pytest.mark.parametrize(
    ("slug", "reason"),
    [
        ("results", "result_storage results is no path and no block. Write a path that begins with / or ., or s3-bucket/NAME"),
        ("s3-bucket/mine", "result_storage s3-bucket/mine cannot be used: Unable to find block document named mine"),
        ("local-file-system/a", "named a for block type local-file-system. Write a path"),
    ],
)
def test_what_names_no_storage_is_a_mistake(slug: str, reason: str) -> None:
    """Before anything is asked, with what to write instead."""
    with FakePrefect() as server, server.client(), pytest.raises(UserMistake) as mistake:
        load_storage(slug)
    assert reason in str(mistake.value)


def test_a_server_that_fails_is_no_mistake() -> None:
    """The block may be there."""
    with FakePrefect() as server, server.client():
        server.fails = lambda *_: True
        with pytest.raises(ServerFailure, match="cannot be read from Prefect's server"):
            load_storage("s3-bucket/mine")


@pytest.mark.parametrize(
    ("config", "bounded"),
    [
        (None, BOUNDED),
        ({"connect_timeout": 60, "region_name": "eu-1"}, {**BOUNDED, "connect_timeout": 60, "region_name": "eu-1"}),
    ],
)
def test_a_client_of_s3_gives_up_soon(config: dict[str, object] | None, bounded: dict[str, object]) -> None:
    """Unless the block says how long; other blocks have nothing to bound."""
    block = SimpleNamespace(credentials=SimpleNamespace(aws_client_parameters=SimpleNamespace(config=config)))
    bound_client(block)
    assert block.credentials.aws_client_parameters.config == bounded
    bound_client(SimpleNamespace(credentials=None))
