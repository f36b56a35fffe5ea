"""What a parent asks Prefect's server to do with its runs on workers, such as shards, also where the server fails."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Suspended

from flows.sharding.shard_settings import ShardSettings
from flows.worker_runs.attempts import PAUSED_WITH_PARENT, Attempt, make_key
from flows.worker_runs.reach import Patience, Unreached, ask, reach_all
from flows.worker_runs.silence import LONGEST_GAP_SECONDS, SILENCE_SECONDS, Silence
from flows.worker_runs.worker_runs import WorkerRuns
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.config.shards import Shard
from tests.support.fake_prefect import FakePrefect

PARENT = UUID(int=7)
SETTINGS = ShardSettings(None, Overrides(), "shards")
SET_STATE = "/set_state"


@pytest.fixture
def client(server: FakePrefect) -> Iterator[SyncPrefectClient]:
    with server.client() as client:
        yield client


@pytest.fixture
def runs(client: SyncPrefectClient) -> WorkerRuns:
    parent = FlowRun(id=PARENT, flow_id=PARENT, name="exam fake")
    return WorkerRuns(client, parent, "shard", lambda part: SETTINGS.specify(part, parent))


def add(server: FakePrefect, number: int, kind: str, message: str = "") -> UUID:
    """Keep a run of that shard of eight on the server."""
    return server.add(make_key(PARENT, f"{number}/8", 1, 0), kind, message)


def be_patient(seconds: float) -> Patience:
    return Patience(seconds, rest_seconds=0.01)


def cancel_all(runs: WorkerRuns, known: list[Attempt], patience: Patience) -> Unreached | None:
    return reach_all(known, lambda: [run for run in runs.read() if run.can_be_cancelled], runs.cancel, patience)


def pause_all(runs: WorkerRuns) -> Unreached | None:
    state: State = Suspended(timeout_seconds=300)
    return reach_all(
        [],
        lambda: [run for run in runs.read() if run.can_be_paused],
        lambda run: runs.pause(run, state),
        be_patient(5),
    )


def test_a_failing_request_leaves_no_shard_unreached(server: FakePrefect, runs: WorkerRuns) -> None:
    """The first list and the first request to each run fail; each is asked again, and the others meanwhile."""
    ids = [add(server, number, kind) for number, kind in enumerate(["RUNNING", "SCHEDULED", "PENDING", "PAUSED"])]
    ended = [add(server, number, kind) for number, kind in enumerate(["COMPLETED", "FAILED", "CANCELLED"], start=4)]
    server.fails = lambda _, times: times == 1
    assert cancel_all(runs, [], be_patient(5)) is None
    assert [server.state(each)[0] for each in ids] == ["CANCELLING"] * 4
    assert [server.state(each)[0] for each in ended] == ["COMPLETED", "FAILED", "CANCELLED"]


def test_what_cannot_be_reached_is_named_and_the_others_are_reached(server: FakePrefect, runs: WorkerRuns) -> None:
    """Whichever of them fails."""
    first, second, third = [add(server, number, "RUNNING") for number in range(3)]
    server.fails = lambda path, _: path.endswith(f"{second}{SET_STATE}")
    unreached = cancel_all(runs, [], be_patient(0.3))
    assert unreached
    assert [attempt.name for attempt in unreached.attempts] == ["1/8"]
    assert "500" in unreached.reason
    assert [server.state(each)[0] for each in (first, second, third)] == ["CANCELLING", "RUNNING", "CANCELLING"]


def test_runs_that_were_seen_before_are_reached_without_a_new_list(server: FakePrefect, runs: WorkerRuns) -> None:
    """A server may fail at lists alone: they are its slowest answers."""
    run_id = add(server, 0, "RUNNING")
    known = runs.read()
    server.fails = lambda path, _: path.endswith("/filter")
    unreached = cancel_all(runs, known, be_patient(0.2))
    assert unreached is not None
    assert unreached.attempts == []
    assert server.state(run_id)[0] == "CANCELLING"


def test_an_answer_is_awaited_for_a_while(server: FakePrefect, runs: WorkerRuns) -> None:
    """Else one failure would make a crash of a cancellation."""
    server.runs[str(PARENT)] = {"id": str(PARENT), "flow_id": str(PARENT), "state": {"type": "CANCELLING"}}
    server.fails = lambda _, times: times <= 2
    assert ask(runs.is_parent_cancelling, be_patient(5)) is True
    server.fails = lambda *_: True
    assert ask(runs.is_parent_cancelling, be_patient(0)) is None


def test_a_pause_leaves_alone_what_has_ended_or_is_being_cancelled(server: FakePrefect, runs: WorkerRuns) -> None:
    """Also where that happens just before the request."""
    before = ["RUNNING", "SCHEDULED", "PENDING", "CANCELLING", "COMPLETED", "CRASHED", "PAUSED"]
    ids = [add(server, number, kind) for number, kind in enumerate(before)]
    known = runs.read()[0]
    assert pause_all(runs) is None
    after = [server.state(each) for each in ids]
    with_parent = ("PAUSED", PAUSED_WITH_PARENT)
    assert after == [*[with_parent] * 3, *[(kind, "") for kind in before[3:]]]
    server.runs[str(ids[0])]["state"]["type"] = "COMPLETED"
    assert runs.pause(known, Suspended(timeout_seconds=300))
    assert server.state(ids[0])[0] == "COMPLETED"


def test_a_shard_is_told_whose_it_is() -> None:
    """So that it can ask everything again, and the parent alone finds its answers."""
    parameters = ShardSettings("exam.yaml", Overrides(auto_resume=False), "shards").make_parameters(Shard(1, 8), PARENT)
    assert parameters == {
        "config_file": "exam.yaml",
        "overrides": {"auto_resume": False},
        "advanced": {"shard": "1/8", "whole_run_id": str(PARENT)},
    }


def test_a_lost_run_is_marked_as_ended(server: FakePrefect, runs: WorkerRuns) -> None:
    """As crashed, and so started again, or as cancelled where that was asked for; one that has ended meanwhile stays so."""
    ids = [add(server, number, kind) for number, kind in enumerate(["PENDING", "CANCELLING", "RUNNING"])]
    attempts = runs.read()
    server.runs[str(ids[2])]["state"]["type"] = "COMPLETED"
    for attempt in attempts:
        runs.end_lost(attempt, SILENCE_SECONDS)
    assert [server.state(each)[0] for each in ids] == ["CRASHED", "CANCELLED", "COMPLETED"]
    assert server.state(ids[0])[1].startswith("Nothing was heard from the run for 10 minutes")


def find_lost(server: FakePrefect, runs: WorkerRuns, silence: Silence, *times: float) -> list[str]:
    """Look every thirty seconds from the first to the last of these times; return the shards that are lost then."""
    begin, end = times
    attempts, lost = runs.read(), list[Attempt]()
    for now in range(int(begin), int(end) + 1, 30):
        lost = silence.find_lost(attempts, float(now))
    return [attempt.part for attempt in lost]


def test_a_run_that_gives_no_sign_of_life_is_lost_after_ten_minutes(server: FakePrefect, runs: WorkerRuns) -> None:
    """One that a worker has taken; those that wait for a worker or are paused are not missed."""
    for number, kind in enumerate(["PENDING", "RUNNING", "CANCELLING", "SCHEDULED", "PAUSED", "COMPLETED"]):
        add(server, number, kind)
    silence = Silence(runs.read_sign)
    assert find_lost(server, runs, silence, 0, SILENCE_SECONDS - 30) == []
    assert find_lost(server, runs, silence, SILENCE_SECONDS, SILENCE_SECONDS) == ["0/8", "1/8", "2/8"]


def test_signs_of_life_and_new_states_begin_the_wait_again(server: FakePrefect, runs: WorkerRuns) -> None:
    """A run that was killed after its last sign is found in the end."""
    run_id = add(server, 0, "RUNNING")
    silence = Silence(runs.read_sign)
    for number in range(1, 4):
        server.signs[str(run_id)] = UUID(int=number)
        assert find_lost(server, runs, silence, (number - 1) * SILENCE_SECONDS, number * SILENCE_SECONDS) == []
    assert find_lost(server, runs, silence, 3 * SILENCE_SECONDS, 4 * SILENCE_SECONDS) == ["0/8"]
    server.runs[str(run_id)]["state"]["id"] = str(UUID(int=5))
    assert find_lost(server, runs, silence, 4 * SILENCE_SECONDS, 5 * SILENCE_SECONDS - 30) == []


def test_nothing_is_missed_while_nobody_looks(server: FakePrefect, runs: WorkerRuns) -> None:
    """A server that was down for an hour has heard of no run."""
    add(server, 0, "PENDING")
    silence = Silence(runs.read_sign)
    assert find_lost(server, runs, silence, 0, SILENCE_SECONDS - 30) == []
    later = SILENCE_SECONDS + LONGEST_GAP_SECONDS
    assert find_lost(server, runs, silence, later, later) == []
