"""Work beside a run: it ends with the run, and never holds it up."""

import threading
import time

from flows.process.beside import beside


def test_work_ends_when_the_block_is_left() -> None:
    """It learns of the end, and is waited for."""
    steps: list[str] = []

    def work(has_ended: threading.Event) -> None:
        steps.append("began")
        has_ended.wait(60)
        steps.append("ended")

    with beside(work, name="work", patience_seconds=60):
        pass
    assert steps == ["began", "ended"]


def test_work_that_hangs_is_left_behind() -> None:
    """Such as a question to a server that does not answer: the run ends all the same."""
    is_released, began = threading.Event(), time.monotonic()

    def work(_: threading.Event) -> None:
        is_released.wait(60)

    with beside(work, name="work", patience_seconds=0.01):
        pass
    took_seconds = time.monotonic() - began
    is_released.set()
    assert took_seconds < 30
