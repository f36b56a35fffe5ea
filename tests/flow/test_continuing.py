"""A run continues what others have left, from each copy of it, and takes nothing that is not its own."""

import ctypes
import itertools
import json
import re
import shutil
import threading
from asyncio import CancelledError
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tasks.evaluation.errors import UserMistake
from tests.support.displacing import ending_flow
from tests.support.exam import COUNT, read_final, read_latest, run, scored
from tests.support.fake_endpoint import (
    FakeEndpoint,
    Reply,
    answer_by_rule,
    error,
    make_questions,
    prompt_of,
    right_count,
    write_config,
    write_questions,
)

# So few that the first batches in flight hold none but answered questions in front: until one was answered, all wait behind
# whichever begins first.
WORKERS = 50
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("exam")]


def test_the_second_run_asks_nothing(folder: Path, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so, and writes the results again."""
    config = write_config(folder, endpoint.url, grader=True)
    run(config)
    before = read_final(folder)["results"]
    endpoint.forget()
    assert run(config).is_completed()
    assert endpoint.bodies == []
    assert read_final(folder)["results"] == before
    assert f"📋 Resuming: Skipping {COUNT} already completed questions" in capsys.readouterr().out


@pytest.mark.parametrize("kept", ["checkpoint", "answers", "results"])
def test_each_copy_alone_is_enough(folder: Path, endpoint: FakeEndpoint, kept: str) -> None:
    """The checkpoint, the answer log, or Prefect's results: any one of them continues without asking again."""
    config = write_config(
        folder, endpoint.url, grader=True, checkpoint_interval=10_000, parallel_workers=WORKERS, max_outage_seconds=0
    )
    fail_from(endpoint, 61, replies_before=2 * 60)
    assert run(config).is_failed()
    done = {"checkpoint": 60, "answers": 60, "results": 50}[kept]
    keep_only(folder / "checkpoints", kept)
    endpoint.rule = answer_by_rule
    endpoint.forget()
    assert run(config).is_completed()
    assert sum(endpoint.asked().values()) == sum(endpoint.asked(grader=True).values()) == COUNT - done
    assert sum(score for _, score in scored(folder)) == right_count(COUNT)


def fail_from(endpoint: FakeEndpoint, number: int, replies_before: int) -> None:
    """Let the endpoint be broken for all questions from this number on, once it has given this many replies to the others."""
    replied = itertools.count(1)
    all_replied = threading.Event()

    def rule(body: dict[str, Any]) -> Reply:
        match = re.search(r"Question (\d+)", prompt_of(body))
        assert match
        if int(match[1]) >= number:
            all_replied.wait(60)
            return error(500, "broken")
        if next(replied) == replies_before:
            all_replied.set()
        return answer_by_rule(body)

    endpoint.rule = rule


def keep_only(checkpoints: Path, kept: str) -> None:
    if kept != "checkpoint":
        for path in checkpoints.glob("*.json"):
            path.unlink()
    for name in ({"answers", "results"}) - {kept}:
        shutil.rmtree(checkpoints / ".mcqa" / name)


def end_as_prefect_does() -> None:
    """End the flow as Prefect does where its server has lost the run's place: by an exception in the flow's thread."""
    ident, error = threading.main_thread().ident or 0, CancelledError
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_long(ident), ctypes.py_object(error))


def test_a_run_that_prefect_ends_is_saved_and_says_how_it_goes_on(folder: Path, endpoint: FakeEndpoint) -> None:
    """Prefect ends it wherever it is."""
    config, replies = write_config(folder, endpoint.url, parallel_workers=4), itertools.count(1)

    def rule(body: dict[str, Any]) -> Reply:
        if next(replies) == 30:
            end_as_prefect_does()
        return answer_by_rule(body)

    endpoint.rule = rule
    state = run(config)
    assert state.is_crashed()
    assert re.fullmatch(rf"\d+ of {COUNT} scored. .*the same command.*", state.message)
    assert 0 < read_latest(folder)["completed_count"] < COUNT
    assert run(config).is_completed()
    assert sum(endpoint.asked().values()) <= COUNT + 4


def test_a_run_that_prefect_ends_before_its_first_question_says_how_it_goes_on(folder: Path, endpoint: FakeEndpoint) -> None:
    """While the endpoint is checked."""
    endpoint.when_listing = end_as_prefect_does
    state = run(write_config(folder, endpoint.url))
    assert state.is_crashed()
    assert re.fullmatch(rf"0 of {COUNT} scored. .*the same command.*", state.message)
    assert not endpoint.asked()


def test_a_run_that_prefect_ends_before_it_is_open_says_how_it_goes_on(folder: Path, endpoint: FakeEndpoint) -> None:
    """While its questions are read, say: how far earlier runs came is not known then."""
    config = write_config(folder, endpoint.url)
    with ending_flow("Settings from"):
        state = run(config)
    assert state.is_crashed()
    assert "given away the run's place" in state.message
    assert state.message.endswith("Retry asks what is missing")


def test_unscored_is_never_wrong(folder: Path, endpoint: FakeEndpoint) -> None:
    """The run ends Failed with the number first, holds what was scored, and the next one asks the rest."""
    config = write_config(folder, endpoint.url, parallel_workers=WORKERS, max_outage_seconds=0)
    fail_from(endpoint, 101, replies_before=100)
    state = run(config)
    assert state.is_failed()
    assert state.message.startswith("20 of 120 questions not scored: ")
    assert len(scored(folder)) == 100
    assert sum(score for _, score in scored(folder)) == right_count(100)
    endpoint.rule = answer_by_rule
    endpoint.forget()
    assert run(config).is_completed()
    assert sum(endpoint.asked().values()) == 20


def test_old_checkpoints_are_pruned_as_the_settings_say(folder: Path, endpoint: FakeEndpoint) -> None:
    """Those of this evaluation; another's are not touched."""
    config = write_config(folder, endpoint.url, keep_checkpoints=2)
    run(config, limit=3)
    for _ in range(3):
        run(config)
    counts = [json.loads(path.read_text())["completed_count"] for path in (folder / "checkpoints").glob("checkpoint*")]
    assert sorted(counts) == [3, COUNT, COUNT]


def test_answers_are_reused_wherever_their_question_stands(folder: Path, endpoint: FakeEndpoint) -> None:
    """Reordered, appended, under another name, with other workers and batches: only the new ones are asked."""
    config = write_config(folder, endpoint.url)
    run(config)
    endpoint.forget()
    questions = make_questions(COUNT + 5)
    write_questions(folder, questions[::-1], "other.json")
    run(config, questions_file="other.json", parallel_workers=3)
    assert sum(endpoint.asked().values()) == 5
    assert sum(score for _, score in scored(folder)) == right_count(COUNT + 5)


def test_another_grader_and_a_fixed_reference_cost_grades_alone(folder: Path, endpoint: FakeEndpoint) -> None:
    """The answers are reused."""
    config = write_config(folder, endpoint.url)
    run(config)
    endpoint.forget()
    questions = make_questions(COUNT)
    questions[0]["answer"] = "D)"
    write_questions(folder, questions)
    run(config)
    assert endpoint.bodies == []
    assert scored(folder)[0] == (1, 0)
    run(config, grader="judge")
    assert sum(endpoint.asked().values()) == 0
    assert sum(endpoint.asked(grader=True).values()) == COUNT


def test_another_setting_reuses_nothing(folder: Path, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]) -> None:
    """And the log says what was passed over, with both values."""
    config = write_config(folder, endpoint.url)
    run(config)
    endpoint.forget()
    text = (folder / config).read_text()
    (folder / config).write_text(text.replace("model: fake", "temperature: 0.7, model: fake"))
    run(config)
    assert sum(endpoint.asked().values()) == COUNT
    assert "temperature is 0.0 there and 0.7 here" in capsys.readouterr().out


def test_a_named_checkpoint_that_does_not_fit_is_a_mistake(folder: Path, endpoint: FakeEndpoint) -> None:
    """It lists what differs, and asks nothing."""
    config = write_config(folder, endpoint.url)
    run(config)
    endpoint.forget()
    state = run(config, model="another", resume_from_checkpoint="checkpoints/latest.json")
    with pytest.raises(UserMistake, match="model is 'fake' there and 'another' here"):
        state.result()
    assert endpoint.bodies == []


def test_no_auto_resume_reuses_nothing(folder: Path, endpoint: FakeEndpoint) -> None:
    """Neither checkpoint nor log nor Prefect's cache; and no later run reuses what it answered."""
    config = write_config(folder, endpoint.url)
    run(config, auto_resume=False)
    run(config, auto_resume=False)
    run(config)
    assert set(endpoint.asked().values()) == {3}


def retry(flow_run_id: UUID, config_file: str = "config.yaml") -> Any:
    """Start the same flow run again, as Retry does, and return the state in which it ends."""
    from prefect.client.orchestration import get_client
    from prefect.flow_engine import run_flow_sync
    from prefect.states import AwaitingRetry

    from flows.score_questions import score_questions

    with get_client(sync_client=True) as client:
        client.set_flow_run_state(flow_run_id, AwaitingRetry(), force=True)
        flow_run = client.read_flow_run(flow_run_id)
    return run_flow_sync(score_questions, flow_run, {"config_file": config_file, "overrides": {}}, return_type="state")


@pytest.mark.parametrize("auto_resume", [True, False])
def test_a_retry_continues_its_own_run_and_no_other(folder: Path, endpoint: FakeEndpoint, auto_resume: bool) -> None:
    """With edited settings it fails with the list of what differs, and asks nothing."""
    config = write_config(folder, endpoint.url, auto_resume=auto_resume)
    endpoint.rule = lambda body: error(401, "key expired") if len(endpoint.bodies) > 70 else answer_by_rule(body)
    flow_run_id = run(config).state_details.flow_run_id
    done = read_latest(folder)["completed_count"]
    endpoint.rule = answer_by_rule
    endpoint.forget()
    text = (folder / config).read_text()
    (folder / config).write_text(text.replace("model: fake", "temperature: 0.7, model: fake"))
    edited = retry(flow_run_id)
    assert edited.is_failed()
    assert "temperature is 0.0 there and 0.7 here" in edited.message
    assert endpoint.bodies == []
    (folder / config).write_text(text)
    assert retry(flow_run_id).is_completed()
    assert sum(endpoint.asked().values()) == COUNT - done


def test_a_sample_without_a_seed_continues_with_the_drawn_one(folder: Path, endpoint: FakeEndpoint) -> None:
    """An unfinished run lends its seed; a finished one does not."""
    config = write_config(folder, endpoint.url, random_selection=30)
    endpoint.rule = lambda body: error(401, "bad key") if len(endpoint.bodies) > 12 else answer_by_rule(body)
    assert run(config).is_failed()
    first = read_latest(folder)
    endpoint.rule = answer_by_rule
    assert run(config).is_completed()
    assert len(endpoint.asked()) == 30
    assert len(scored(folder)) == 30
    assert read_latest(folder)["metadata"]["mcqa_flow"]["selection"] == first["metadata"]["mcqa_flow"]["selection"]


def test_the_originals_checkpoint_continues(folder: Path, endpoint: FakeEndpoint) -> None:
    """Its refused and skipped questions are asked, the others not."""
    questions: list[dict[str, str]] = make_questions(6)
    write_questions(folder, questions)
    shutil.copytree(Path(__file__).parent / "original", folder / "checkpoints")
    assert run(write_config(folder, endpoint.url)).is_completed()
    assert sorted(prompt_of(body)[:10] for body in endpoint.bodies) == ["Question 4", "Question 5", "Question 6"]
    assert scored(folder) == [(1, 1), (2, 1), (3, 0), (4, 1), (5, 1), (6, 0)]


@pytest.mark.parametrize("damage", ["truncated", "zeroed", "middle"])
def test_a_damaged_newest_checkpoint_falls_back(
    folder: Path, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    """To the one before it, and says so; never a silent fresh start."""
    config = write_config(folder, endpoint.url)
    run(config)
    run(config)
    newest = folder / "checkpoints" / (folder / "checkpoints/latest.json").readlink()
    content = newest.read_bytes()
    half = len(content) // 2
    damaged = {
        "truncated": content[:half],
        "zeroed": bytes(len(content)),
        "middle": content[:half] + b"\x00\xff{" + content[half + 3 :],
    }
    newest.write_bytes(damaged[damage])
    shutil.rmtree(folder / "checkpoints/.mcqa")
    endpoint.forget()
    assert run(config).is_completed()
    assert endpoint.bodies == []
    assert f"damaged checkpoint: {newest.relative_to(folder)}" in capsys.readouterr().out


@pytest.mark.parametrize("damage", [b"", b"{", b'{"metadata": {}, "result": 1}'])
def test_a_damaged_batch_result_is_scored_again(folder: Path, endpoint: FakeEndpoint, damage: bytes) -> None:
    """What Prefect has stored is checked before it is believed."""
    config = write_config(folder, endpoint.url)
    run(config)
    checkpoints = folder / "checkpoints"
    keep_only(checkpoints, "results")
    next((checkpoints / ".mcqa/results").iterdir()).write_bytes(damage)
    endpoint.forget()
    assert run(config).is_completed()
    assert 20 <= sum(endpoint.asked().values()) <= 50
    assert sum(score for _, score in scored(folder)) == right_count(COUNT)


def test_a_batch_result_with_another_score_is_not_believed(folder: Path, endpoint: FakeEndpoint) -> None:
    """A well-formed wrong record fails its digest."""
    config = write_config(folder, endpoint.url)
    run(config)
    keep_only(folder / "checkpoints", "results")
    for path in (folder / "checkpoints/.mcqa/results").iterdir():
        path.write_text(path.read_text().replace('\\"score\\": 0', '\\"score\\": 1').replace('\\"score\\":0', '\\"score\\":1'))
    assert run(config).is_completed()
    assert sum(score for _, score in scored(folder)) == right_count(COUNT)
