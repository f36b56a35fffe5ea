"""One heap for the process, unless its user has decided otherwise."""

import os
import subprocess
import sys

import pytest

CODE = """
from tasks.evaluation.processes.heap import share_one_heap
share_one_heap()
import pyarrow
print(pyarrow.default_memory_pool().backend_name)
"""


@pytest.mark.parametrize(("chosen", "pool"), [({}, "system"), ({"ARROW_DEFAULT_MEMORY_POOL": "mimalloc"}, "mimalloc")])
def test_arrow_shares_the_heap(chosen: dict[str, str], pool: str) -> None:
    """In a process of its own, since Arrow chooses once."""
    called = subprocess.run(
        [sys.executable, "-c", CODE], env={**os.environ, **chosen}, capture_output=True, text=True, check=True
    )
    assert called.stdout.strip() == pool
