"""The loop on which questions are asked: it ends with nobody left waiting."""

import asyncio
import threading

import pytest

from tasks.evaluation.endpoints.event_loop import EventLoopThread
from tasks.evaluation.errors import Stopped


def test_a_coroutine_runs_for_a_thread() -> None:
    """Its result comes back."""
    with EventLoopThread() as loop:
        assert loop.run(asyncio.sleep(0, "result")) == "result"


def test_who_still_waits_at_the_end_is_told() -> None:
    """A batch in flight must not keep the process alive when the run ends with an error."""
    outcome: list[BaseException] = []
    began = threading.Event()

    async def wait_for_ever() -> None:
        began.set()
        await asyncio.Event().wait()

    def wait_on_a_thread() -> None:
        with pytest.raises(Stopped) as caught:
            loop.run(wait_for_ever())
        outcome.append(caught.value)

    with EventLoopThread() as loop:
        thread = threading.Thread(target=wait_on_a_thread)
        thread.start()
        began.wait()
    thread.join(timeout=10)
    assert len(outcome) == 1


def test_nothing_begins_after_the_end() -> None:
    """A batch that learns this late neither waits nor leaves a coroutine that nobody awaits."""
    with EventLoopThread() as loop:
        pass
    with pytest.raises(Stopped, match="has ended"):
        loop.run(asyncio.sleep(0))
