"""Slots limit what is in flight, and their number can change while it is."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

from tasks.evaluation.endpoints.slots import Slots
from tests.support.evaluation import Evaluation
from tests.support.fake_endpoint import FakeEndpoint


class Crowd:
    """Twenty that each want a slot, hold it until they are let go, and note how many held one at once."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.holding = self.done = 0
        self._doors = [asyncio.Event() for _ in range(20)]
        self.tasks = [asyncio.create_task(self._hold(door)) for door in self._doors]

    async def _hold(self, door: asyncio.Event) -> None:
        async with self.slots:
            self.holding += 1
            try:
                await door.wait()
            finally:
                self.holding -= 1
            self.done += 1

    async def let_go(self, count: int) -> None:
        """Let the next ones go, in their order."""
        for door in self._doors[self.done : self.done + count]:
            door.set()
        await settle()


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def run(play: Callable[[Crowd], Coroutine[None, None, None]], count: int = 4) -> None:
    async def begin() -> None:
        crowd = Crowd(Slots(count))
        await settle()
        await play(crowd)

    asyncio.run(begin())


def test_no_more_are_in_flight_than_there_are_slots() -> None:
    """And each is given out again."""

    async def play(crowd: Crowd) -> None:
        assert crowd.holding == 4
        await crowd.let_go(3)
        assert (crowd.holding, crowd.done) == (4, 3)

    run(play)


def test_more_slots_are_given_out_at_once() -> None:
    """To those who wait."""

    async def play(crowd: Crowd) -> None:
        crowd.slots.resize(9)
        await settle()
        assert crowd.holding == 9

    run(play)


def test_fewer_slots_hold_once_enough_are_freed() -> None:
    """Nothing in flight is given up."""

    async def play(crowd: Crowd) -> None:
        crowd.slots.resize(1)
        await settle()
        assert crowd.holding == 4
        await crowd.let_go(3)
        assert crowd.holding == 1
        await crowd.let_go(1)
        assert (crowd.holding, crowd.done) == (1, 4)

    run(play)


def test_fewer_and_then_more_again() -> None:
    """As if there had never been fewer."""

    async def play(crowd: Crowd) -> None:
        crowd.slots.resize(1)
        await crowd.let_go(4)
        crowd.slots.resize(4)
        await settle()
        assert crowd.holding == 4

    run(play)


def test_who_gives_up_waiting_leaves_no_gap() -> None:
    """Neither in the queue nor with the slot that it was just given."""

    async def play(crowd: Crowd) -> None:
        crowd.tasks[5].cancel()
        await settle()
        crowd.slots.resize(5)  # given to the first who waits, which is cancelled before it runs
        crowd.tasks[4].cancel()
        await settle()
        assert crowd.holding == 5
        await crowd.let_go(4)
        assert crowd.holding == 5

    run(play)


def test_a_run_asks_as_many_at_once_as_it_is_told(evaluation: Evaluation, endpoint: FakeEndpoint, folder: Path) -> None:
    """Fewer than configured, and more."""
    endpoint.delay_seconds = 0.05
    with evaluation.open({"processing.parallel_workers": 4, "processing.batch_size": 20}, run_id="first") as run:
        run.saver.save()
        first, second = run.batches.list_open()
        run.set_workers(2)
        run.score(first)
        assert endpoint.most_in_flight == 2
        run.set_workers(7)
        run.score(second)
        assert endpoint.most_in_flight == 7
