"""The event loop on which questions are asked, for callers in ordinary threads."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from typing import Self, TypeVar

from tasks.evaluation.errors import Stopped

Result = TypeVar("Result")


class EventLoopThread:
    """Runs an event loop on a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="asking", daemon=True)
        self._ending = threading.Lock()
        self._has_ended = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # A thread that waits for a coroutine would never return once the loop has stopped.
        with self._ending:
            self._has_ended = True
        asyncio.run_coroutine_threadsafe(_cancel_others(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, coroutine: Coroutine[object, object, Result]) -> Result:
        """Return the coroutine's result, awaited from another thread.

        Raises:
            Stopped: the loop ends, or has ended.
        """
        with self._ending:
            if self._has_ended:
                coroutine.close()
                raise Stopped("the run has ended")
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except CancelledError:
            raise Stopped("the run has ended") from None

    def call(self, function: Callable[[], None]) -> None:
        """Have the loop call the function soon; may be used from any thread and from signal handlers."""
        self._loop.call_soon_threadsafe(function)


async def _cancel_others() -> None:
    """Cancel every other task of the loop, and wait until each has ended."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
