"""Questions on their way when the run stops: what arrives is used, and nothing more is asked."""

import threading
from contextlib import suppress

import pytest

from tasks.evaluation.errors import Stopped, UnfinishedBatch
from tests.support.evaluation import Evaluation
from tests.support.fake_endpoint import FakeEndpoint, hold_back, wait_until


@pytest.mark.parametrize(("settings", "scored"), [({}, 1), ({"model.grader_shortname": "judge"}, 0)])
def test_an_answer_in_flight_is_scored_where_that_asks_nothing(
    evaluation: Evaluation, endpoint: FakeEndpoint, settings: dict[str, object], scored: int
) -> None:
    """With a grader it waits for its grade, in the answer log."""
    release = hold_back(endpoint, after=0)
    with evaluation.open(settings, run_id="run") as run:
        batch = next(run.batches.list_open())

        def score() -> None:
            with suppress(UnfinishedBatch):
                run.score(batch)

        thread = threading.Thread(target=score)
        thread.start()
        wait_until(lambda: bool(endpoint.bodies))
        run.stop(Stopped("told to"))
        wait_until(lambda: run.stop_cause is not None)
        release.set()
        thread.join()
        assert len(run.ledger.results) == scored
    assert len(endpoint.bodies) == 1
    endpoint.forget()
    assert len(evaluation.run(settings)) == 40
    assert endpoint.asked().total() == 39
