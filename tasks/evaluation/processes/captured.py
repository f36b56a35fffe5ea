"""A short command whose output is read: it runs beside everything else, and ends when we do, in whatever way.

Like our other processes it runs under `supervised`, whose standard input is a pipe that only we hold. Its output goes through
memory alone, never through a file: it may be a secret.
"""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tasks.evaluation.processes.supervised import STOP_SECONDS

CHUNK_BYTES = 2**16
# Longer than `supervised` takes to end it; something that it has left behind may hold its output open.
END_SECONDS = STOP_SECONDS + 2


@dataclass(frozen=True)
class Captured:
    """What a command has left."""

    exit_code: int
    """Its exit code; 128 + the signal's number if a signal has ended it."""
    output: bytes = field(repr=False)
    """The end of what it printed, up to the limit and one byte more."""
    complaints: bytes = field(repr=False)
    """The same of its standard error."""


async def run_captured(words: Sequence[str], *, timeout_seconds: float, most_bytes: int) -> Captured:
    """Run a program with its arguments, without a shell and without input; return what it has printed.

    When this is cancelled, or takes too long, the command is ended, with all that it has started.

    Raises:
        TimeoutError: it took longer.
        OSError: no process can be started.
    """
    end, lifeline = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            # -P: a file in the working directory must not hide a module.
            *(sys.executable, "-P", "-m", "tasks.evaluation.processes.supervised", *words),
            stdin=end,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C in the terminal is meant for us; a password cannot be asked for there
        )
    except BaseException:
        os.close(lifeline)
        raise
    finally:
        os.close(end)
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _wait_for_end(process, most_bytes)
    finally:
        os.close(lifeline)
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                # Read on: one that waits for its output to be read would not be seen to end.
                await _wait_for_end(process, most_bytes)


async def _wait_for_end(process: Process, most_bytes: int) -> Captured:
    assert process.stdout
    assert process.stderr
    output, complaints, exit_code = await asyncio.gather(
        _read_end(process.stdout, most_bytes), _read_end(process.stderr, most_bytes), process.wait()
    )
    return Captured(exit_code, output, complaints)


async def _read_end(stream: asyncio.StreamReader, most_bytes: int) -> bytes:
    """Return the end of what comes there, up to the limit and one byte more."""
    kept = b""
    while chunk := await stream.read(CHUNK_BYTES):
        kept = (kept + chunk)[-most_bytes - 1 :]
    return kept
