"""Which shards get a run, and which a second one: decided from what Prefect's server knows of the runs so far."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, State, StateType

from flows.sharding.shard_progress import describe_missing, read_done, sum_done
from flows.worker_runs.attempts import PAUSED_WITH_PARENT, Attempt, Kind, decide, make_key, read_attempt
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.shards import Shard
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.run.preparation import find_endpoints
from tasks.evaluation.run.shard_plan import ShardPlan, plan_shards, require_whole
from tests.support.evaluation import KEYS, Evaluation

PARENT = UUID(int=7)
FIRST, SECOND, THIRD = SHARDS = ["0/3", "1/3", "2/3"]


def attempt(shard: str, kind: Kind, round_number: int = 1, number: int = 0) -> Attempt:
    return Attempt(shard, round_number, number, uuid4(), kind)


def test_every_needed_shard_gets_a_run() -> None:
    """And those that need none get none."""
    assert decide([FIRST, THIRD], [], 1).start == [(FIRST, 0), (THIRD, 0)]


def test_a_parent_that_is_started_again_finds_its_shards() -> None:
    """What waits, runs or is paused goes on, and what has finished stays so, whichever attempt of the parent began it."""
    attempts = [attempt(FIRST, "running"), attempt(SECOND, "done"), attempt(THIRD, "paused")]
    for round_number in (1, 2):
        decision = decide(SHARDS, attempts, round_number)
        assert (decision.start, decision.open, decision.done) == ([], [attempts[0], attempts[2]], [SECOND])


def test_a_shard_that_failed_gets_a_second_run_and_no_third() -> None:
    """The run of the whole asks what is left then."""
    once = [attempt(FIRST, "failed")]
    assert decide([FIRST], once, 1).start == [(FIRST, 1)]
    twice = [*once, attempt(FIRST, "failed", number=1)]
    assert (decide([FIRST], twice, 1).start, decide([FIRST], twice, 1).given_up) == ([], [FIRST])


def test_a_deleted_run_counts() -> None:
    """Else the key of the one after it would be used again and again, and start nothing."""
    left = [attempt(FIRST, "failed", number=1)]
    assert (decide([FIRST], left, 1).start, decide([FIRST], left, 1).given_up) == ([], [FIRST])


def test_a_retry_of_the_parent_begins_again() -> None:
    """With two runs for each shard that did not finish, also for one that was cancelled with the parent."""
    attempts = [attempt(FIRST, "failed"), attempt(FIRST, "failed", number=1), attempt(SECOND, "cancelled")]
    assert decide([FIRST, SECOND], attempts, 2).start == [(FIRST, 0), (SECOND, 0)]
    assert decide([FIRST], [*attempts, attempt(FIRST, "failed", 2)], 2).start == [(FIRST, 1)]


def test_a_shard_that_somebody_cancels_is_not_started_again() -> None:
    """They did not want it."""
    decision = decide([FIRST], [attempt(FIRST, "cancelled")], 1)
    assert (decision.start, decision.given_up) == ([], [FIRST])


def test_a_run_that_was_taken_for_dead_may_still_finish_its_shard() -> None:
    """Its second run fails then, because the first holds the lock; no third one is started beside it."""
    attempts = [attempt(FIRST, "running"), attempt(FIRST, "failed", number=1)]
    assert decide([FIRST], attempts, 1).open == [attempts[0]]
    assert decide([FIRST], attempts, 1).start == []
    assert decide([FIRST], [attempt(FIRST, "done"), attempts[1]], 1).done == [FIRST]


def test_only_what_was_paused_with_the_parent_goes_on_with_it() -> None:
    """What a person paused waits for a person; both are waited for."""
    by_hand, with_parent = attempt(FIRST, "paused"), replace(attempt(SECOND, "paused"), message=PAUSED_WITH_PARENT)
    resumed = replace(attempt(THIRD, "running"), message=PAUSED_WITH_PARENT)
    decision = decide(SHARDS, [by_hand, with_parent, resumed], 1)
    assert (decision.resume, decision.open, decision.start) == ([with_parent], [by_hand, with_parent, resumed], [])


def test_a_run_that_is_being_cancelled_is_waited_for() -> None:
    """And its shard is not started again, neither before nor after its end."""
    assert decide([FIRST], [attempt(FIRST, "cancelling")], 1).start == []
    assert len(decide([FIRST], [attempt(FIRST, "cancelling")], 1).open) == 1


def test_shards_that_need_no_run_now_are_waited_for_where_one_goes_on() -> None:
    """The run of the whole would ask beside it."""
    going = attempt(SECOND, "running")
    decision = decide([], [going], 2)
    assert (decision.start, decision.open) == ([], [going])


@pytest.mark.parametrize(
    ("state", "kind"),
    [(StateType.CRASHED, "failed"), (StateType.CANCELLING, "cancelling"), (StateType.PENDING, "taken"), (None, "waiting")],
)
def test_a_flow_run_is_known_by_its_key(state: StateType | None, kind: Kind) -> None:
    """Its shard, the parent's attempt, and which of the shard's runs it is."""
    run = FlowRun(
        flow_id=uuid4(),
        idempotency_key=make_key(PARENT, SECOND, 12, 1),
        state=State(type=state, message="m") if state else None,
    )
    state_id = run.state.id if run.state else None
    assert read_attempt(run) == Attempt(SECOND, 12, 1, run.id, kind, "m" if state else "", state_id)


@pytest.mark.parametrize("key", [None, "", "mine", f"{PARENT}:1/3", f"{PARENT}:1/3:1", f"{PARENT}:1/3:1.0:2"])
def test_a_foreign_sub_flow_is_no_shard(key: str | None) -> None:
    """A program may start the flow within one of its own."""
    assert read_attempt(FlowRun(flow_id=uuid4(), idempotency_key=key)) is None


def test_few_missing_questions_need_no_shards() -> None:
    """Few are what all shards would have in flight at once."""
    assert ShardPlan((40, 40, 40), (4, 4, 4), workers=4).list_needed() == []
    assert ShardPlan((40, 40, 40), (13, 0, 0), workers=4).list_needed() == [Shard(0, 3)]
    assert ShardPlan((40, 40, 40), (0, 20, 40), workers=4).list_needed() == [Shard(1, 3), Shard(2, 3)]
    assert ShardPlan((40, 40, 40), (0, 0, 0), workers=4).list_needed() == []


def test_a_plan_knows_what_earlier_runs_have_asked(evaluation: Evaluation, folder: Path) -> None:
    """Of shards and of the whole; shards without a batch have nothing to do."""
    changed = {"processing.batch_size": 10}
    evaluation.run({**changed, "processing.shard": "1/3"}, run_id="shard", batches=1)
    config = evaluation.configure(changed)
    endpoints = find_endpoints(config, folder, KeyReader(KEYS, str))
    plan = plan_shards(config, endpoints, 3, config_folder=folder, own_folder=folder / "checkpoints/.mcqa", run_id="whole")
    assert plan == ShardPlan((20, 10, 10), (20, 0, 10), workers=4)
    assert plan_shards(config, endpoints, 6, config_folder=folder, own_folder=None, run_id="whole").counts == (
        10,
        10,
        10,
        10,
        0,
        0,
    )


def test_a_shard_of_its_own_is_refused(evaluation: Evaluation) -> None:
    """The parent cuts the whole."""
    with pytest.raises(UserMistake, match="shard is 1/3, but this run starts all shards itself"):
        require_whole(evaluation.configure({"processing.shard": "1/3"}))


def test_a_plan_that_reuses_nothing_knows_its_own_shards(evaluation: Evaluation, folder: Path) -> None:
    """Those of the run itself, also when it is retried; none of an older one."""
    changed = {"processing.batch_size": 10, "processing.auto_resume": False}
    evaluation.run({**changed, "processing.shard": "1/3", "processing.whole_run_id": "whole"}, run_id="shard")
    config = evaluation.configure(changed)
    endpoints = find_endpoints(config, folder, KeyReader(KEYS, str))
    own_folder = folder / "checkpoints/.mcqa"
    for run_id, missing in {"whole": (20, 0, 10), "another": (20, 10, 10)}.items():
        plan = plan_shards(config, endpoints, 3, config_folder=folder, own_folder=own_folder, run_id=run_id)
        assert plan == ShardPlan((20, 10, 10), missing, workers=4)


def test_a_retried_parent_counts_what_its_shards_have_put_into_a_bucket() -> None:
    """Its machine's own folders hold none of that; with a folder that all share, they tell everything."""
    plan, runs = ShardPlan((40, 40, 30), (40, 40, 30), workers=4), [attempt(FIRST, "done"), attempt(SECOND, "failed")]
    assert describe_missing(replace(plan, storage="s3-bucket/results"), runs) == (
        "70 of 110 questions are missing (fewer if s3-bucket/results holds some of them): 2 of 3 shards need a run"
    )
    assert describe_missing(plan, []) == "110 of 110 questions are missing: 3 of 3 shards need a run"
    assert describe_missing(plan, runs).startswith("110 of 110 questions are missing: 2 of 3 shards")


def test_the_progress_is_the_sum() -> None:
    """A shard's run says how far it is, one that has finished needs not, and what was known before counts too."""
    plan = ShardPlan((40, 40, 30), (40, 30, 30), workers=4)
    runs = [attempt(FIRST, "failed"), attempt(FIRST, "running", number=1), attempt(THIRD, "done")]
    assert sum_done(plan, [], {}) == 10
    assert sum_done(plan, runs, {runs[0].run_id: 12, runs[1].run_id: 25}) == 25 + 10 + 30
    assert [read_done(text) for text in ("1,230/4,000, 2 min left, 0.71", "0/3", "", None)] == [1230, 0, 0, 0]
