"""Slots that limit how many questions are in flight, in a number that can change while they are."""

import asyncio
from collections import deque
from typing import Self


class Slots:
    """A semaphore whose size can change. To be used on one event loop only; whoever waits is served in turn.

    Where there are to be fewer, nothing in flight is given up: slots that are freed are not given out again until enough are.

    Args:
        count: the number of slots, at least 1.
    """

    def __init__(self, count: int = 1) -> None:
        self._count = count
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> Self:
        await self.acquire()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release()

    async def acquire(self) -> None:
        """Take a slot, as soon as one is free."""
        if self._taken < self._count and not self._waiting:
            self._taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()  # it was given out in the same moment
            raise

    def release(self) -> None:
        """Free a slot."""
        self._taken -= 1
        self._give_out()

    def resize(self, count: int) -> None:
        """Have this many slots from now on."""
        self._count = count
        self._give_out()

    def _give_out(self) -> None:
        while self._waiting and self._taken < self._count:
            turn = self._waiting.popleft()
            if not turn.done():
                self._taken += 1
                turn.set_result(None)
