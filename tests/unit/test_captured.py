"""A short command is read to its end, and ends when nobody waits for it any more."""

import asyncio
import sys
from pathlib import Path

import pytest

from tasks.evaluation.processes.captured import run_captured
from tests.support.fake_endpoint import wait_until

LONG = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
FLOOD = "for _ in range(20_000): print('x' * 1000)"


def has_ended(pid_file: Path) -> bool:
    """Return True if the process has started and is gone."""
    pid = pid_file.read_text() if pid_file.exists() else ""
    return bool(pid) and not Path("/proc", pid).exists()


def test_what_a_command_leaves_is_captured() -> None:
    """Its exit code, what it printed and what it complained of; it has no input."""
    code = "import sys; print(sys.argv[1:], repr(sys.stdin.read())); print('oh', file=sys.stderr); sys.exit(3)"
    captured = asyncio.run(run_captured([sys.executable, "-c", code, "a b", "$HOME"], timeout_seconds=60, most_bytes=100))
    assert (captured.exit_code, captured.output, captured.complaints) == (3, b"['a b', '$HOME'] ''\n", b"oh\n")
    assert "$HOME" not in repr(captured)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for the process in /proc")
def test_a_command_that_takes_too_long_is_ended(folder: Path) -> None:
    """And nothing of it is left."""
    with pytest.raises(TimeoutError):
        asyncio.run(run_captured([sys.executable, "-c", LONG, "pid"], timeout_seconds=2, most_bytes=100))
    assert has_ended(folder / "pid")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for the process in /proc")
def test_a_command_ends_with_its_loop(folder: Path) -> None:
    """When the run is stopped meanwhile, with everything that the loop still does."""

    async def leave() -> None:
        running = asyncio.create_task(run_captured([sys.executable, "-c", LONG, "pid"], timeout_seconds=60, most_bytes=100))
        await asyncio.to_thread(wait_until, lambda: (folder / "pid").exists() and bool((folder / "pid").read_text()))
        assert not running.done()

    asyncio.run(leave())
    assert has_ended(folder / "pid")


def test_a_flood_takes_no_memory_and_blocks_nobody() -> None:
    """The end of what is printed is kept; other coroutines go on meanwhile."""

    async def flood() -> bytes:
        turns = 0

        async def count_turns() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count_turns())
        captured = await run_captured([sys.executable, "-c", FLOOD], timeout_seconds=60, most_bytes=100)
        counting.cancel()
        assert turns > 100
        return captured.output

    assert asyncio.run(flood()) == b"x" * 100 + b"\n"
