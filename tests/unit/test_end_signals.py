"""The signals that end a process are heard, but for those that it was started to ignore."""

import signal
from collections.abc import Iterator

import pytest

from flows.process.end_signals import END_SIGNALS, install_handlers
from flows.stopping.stop_requests import stop_on_signals


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Restore the handlers afterwards."""
    before = {number: signal.getsignal(number) for number in END_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_an_ignored_signal_stays_ignored() -> None:
    """As SIGHUP under nohup; the others are heard."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    heard: list[int] = []
    before = install_handlers(lambda number, _: heard.append(number))
    signal.raise_signal(signal.SIGHUP)
    signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGTERM]
    assert set(before) == {signal.SIGINT, signal.SIGTERM}


def test_a_run_leaves_the_signals_as_it_found_them() -> None:
    """What is ignored meanwhile and afterwards too."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    before = [signal.getsignal(number) for number in END_SIGNALS]
    with stop_on_signals():
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(number) for number in END_SIGNALS] == before
