"""The whole way of a question under a real Prefect server: scored once, kept, reused, and never mis-scored."""

import itertools
import json
import re
import shutil
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.settings.overrides import Overrides
from tests.fake_endpoint import (
    FakeEndpoint,
    Reply,
    answer_by_rule,
    error,
    is_grader,
    make_questions,
    prompt_of,
    right_count,
    write_config,
    write_questions,
)

COUNT = 120
# So few that the first batches in flight hold none but answered questions in front: until one was answered, all wait behind
# whichever begins first.
WORKERS = 50


@pytest.fixture(autouse=True)
def surroundings(prefect_server: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server, a working directory with questions, and the key in the environment."""
    monkeypatch.setenv("FAKE_KEY", "sk-very-secret")
    write_questions(folder, make_questions(COUNT))


def run(config_file: str = "config.yaml", **overrides: object) -> Any:
    """The state in which the flow ends."""
    from flows.score_questions import score_questions

    return score_questions(config_file, Overrides.model_validate(overrides), return_state=True)


def read_final(folder: Path) -> dict[str, Any]:
    """The newest results file."""
    newest = max(path for path in (folder / "out").glob("exam_fake_*.json"))
    content: dict[str, Any] = json.loads(newest.read_text())
    return content


def read_latest(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "checkpoints/latest.json").read_text())
    return content


def scored(folder: Path) -> list[tuple[int, float]]:
    return [(result["question_id"], result["score"]) for result in read_final(folder)["results"]]


def test_every_question_is_scored_once(folder: Path, endpoint: FakeEndpoint) -> None:
    """Each is asked once, and the result holds each once, in order, with the known score."""
    state = run(write_config(folder, endpoint.url))
    assert state.is_completed()
    assert sum(endpoint.asked().values()) == len(endpoint.asked()) == COUNT
    assert [number for number, _ in scored(folder)] == list(range(1, COUNT + 1))
    assert sum(score for _, score in scored(folder)) == right_count(COUNT)
    assert read_final(folder)["metadata"]["statistics"]["accuracy"] == right_count(COUNT) / COUNT
    assert read_latest(folder)["completed_count"] == COUNT
    assert read_latest(folder)["metadata"]["statistics"]["scored"] == COUNT


def test_the_workers_are_busy_over_all_batches(folder: Path, endpoint: FakeEndpoint) -> None:
    """As many questions are in flight as there are workers, however small the batches are, and never more."""
    endpoint.delay_seconds = 0.1
    run(write_config(folder, endpoint.url, batch_size=2))
    assert endpoint.most_in_flight == 8


def test_a_grader_gives_the_scores(folder: Path, endpoint: FakeEndpoint) -> None:
    """One call a question more, to the listed model, and its verdict is the score."""
    run(write_config(folder, endpoint.url, grader=True))
    assert sum(endpoint.asked(grader=True).values()) == COUNT
    assert {body["model"] for body in endpoint.bodies if is_grader(body)} == {"judge-1"}
    assert sum(score for _, score in scored(folder)) == right_count(COUNT)


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
    """Let the endpoint be broken for all questions from this number on, once it has given so many replies to the others."""
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


def test_a_refused_question_is_listed_and_not_counted(folder: Path, endpoint: FakeEndpoint) -> None:
    """It is final until --retry-refused."""
    config = write_config(folder, endpoint.url)
    endpoint.rule = lambda body: error(400, "content policy") if "Question 7:" in prompt_of(body) else answer_by_rule(body)
    assert run(config).is_completed()
    refused = read_final(folder)["results"][6]
    assert {name: refused[name] for name in ("question_id", "skipped")} == {"question_id": 7, "skipped": True}
    assert "content policy" in refused["error"]
    assert read_final(folder)["metadata"]["statistics"]["scored"] == COUNT - 1
    endpoint.forget()
    run(config)
    assert endpoint.bodies == []
    endpoint.rule = answer_by_rule
    run(config, retry_refused=True)
    assert sum(endpoint.asked().values()) == 1
    assert read_final(folder)["results"][6]["score"] == 1


def test_a_key_that_expires_stops_the_run(folder: Path, endpoint: FakeEndpoint) -> None:
    """What was scored is kept, and only what was in flight is asked in vain."""
    endpoint.rule = lambda body: error(401, "key expired") if len(endpoint.bodies) > 20 else answer_by_rule(body)
    state = run(write_config(folder, endpoint.url))
    assert state.is_failed()
    assert "renew the API key" in state.message
    assert len(endpoint.bodies) <= 20 + 8


@pytest.mark.parametrize(
    ("failure", "asked"), [(error(401, "bad key"), 1), (error(404, "no such model"), 1), (error(400, "no temperature"), 3)]
)
def test_a_refusal_before_any_answer_is_a_mistake_in_the_settings(
    folder: Path, endpoint: FakeEndpoint, failure: Reply, asked: int
) -> None:
    """It costs one request, or three where it could be the question's fault; nothing is recorded of it."""
    endpoint.rule = lambda _: failure
    config = write_config(folder, endpoint.url)
    with pytest.raises(UserMistake, match=str(failure.status)):
        run(config).result()
    assert len(endpoint.bodies) == asked
    assert not (folder / "out").exists() or not list((folder / "out").iterdir())
    endpoint.rule = answer_by_rule
    endpoint.forget()
    assert run(config).is_completed()
    assert len(endpoint.bodies) == COUNT


def test_a_first_question_that_is_refused_is_no_mistake(folder: Path, endpoint: FakeEndpoint) -> None:
    """When the next one is answered, it is a refusal like any other."""
    endpoint.rule = lambda body: error(400, "content policy") if "Question 1:" in prompt_of(body) else answer_by_rule(body)
    assert run(write_config(folder, endpoint.url)).is_completed()
    assert "content policy" in read_final(folder)["results"][0]["error"]
    assert read_final(folder)["metadata"]["statistics"]["scored"] == COUNT - 1


def test_ten_refusals_in_a_row_stop_the_run(folder: Path, endpoint: FakeEndpoint) -> None:
    """Something has changed that is no property of single questions."""
    endpoint.rule = lambda body: error(400, "model retired") if len(endpoint.bodies) > 20 else answer_by_rule(body)
    state = run(write_config(folder, endpoint.url, parallel_workers=1))
    assert state.is_failed()
    assert "10 questions in a row were refused" in state.message
    assert "--retry-refused" in state.message
    assert len(endpoint.bodies) == 30


def test_an_unusable_entry_keeps_its_number(folder: Path, endpoint: FakeEndpoint) -> None:
    """It is skipped and listed, and the others are scored."""
    write_questions(folder, [*make_questions(3), {"question": "no answer"}, *make_questions(1, first=5)])
    assert run(write_config(folder, endpoint.url)).is_completed()
    results = read_final(folder)["results"]
    assert results[3] == {"question_id": 4, "error": "Missing question or answer", "skipped": True}
    assert [result["question_id"] for result in results] == [1, 2, 3, 4, 5]


def test_identical_questions_are_questions_of_their_own(folder: Path, endpoint: FakeEndpoint) -> None:
    """Each is asked, and each has its own reference."""
    question = make_questions(1)[0]["question"]
    write_questions(folder, [{"question": question, "answer": answer} for answer in ("B", "A", "B")])
    run(write_config(folder, endpoint.url))
    [(prompt, count)] = endpoint.asked().items()
    assert question in prompt
    assert count == 3
    assert scored(folder) == [(1, 1), (2, 0), (3, 1)]


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
    """And what was passed over is said, with both values."""
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
    """The state in which the same flow run ends when it is started again, as Retry does it."""
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


def test_without_checkpointing_nothing_is_written_there(folder: Path, endpoint: FakeEndpoint) -> None:
    """Not even the directory."""
    assert run(write_config(folder, endpoint.url), enable_checkpointing=False).is_completed()
    assert not (folder / "checkpoints").exists()
    assert len(scored(folder)) == COUNT


def test_the_context_is_asked_with(folder: Path, endpoint: FakeEndpoint) -> None:
    """The `text` of a question stands before it, with the context setting alone."""
    question = make_questions(1)[0] | {"text": "It is two."}
    write_questions(folder, [question])
    config = write_config(folder, endpoint.url)
    (folder / config).write_text((folder / config).read_text() + "\nrag: {enabled: true, use_context_field: true}\n")
    run(config)
    [prompt] = endpoint.asked()
    assert "\n\nContext:\nIt is two.\n\nQuestion:\nQuestion 1: which" in prompt
    assert read_final(folder)["results"][0]["retrieval_info"]["context_source"] == "text_field"


def test_save_incremental_keeps_every_answer(folder: Path, endpoint: FakeEndpoint) -> None:
    """The run is the same, only safer."""
    assert run(write_config(folder, endpoint.url, save_incremental=True)).is_completed()
    assert len(scored(folder)) == COUNT


def test_incorrect_answers_go_to_their_own_file(folder: Path, endpoint: FakeEndpoint) -> None:
    """Those with a score below 1."""
    run(write_config(folder, endpoint.url), save_incorrect=True)
    [path] = (folder / "out").glob("exam_incorrect_fake_*.json")
    incorrect = json.loads(path.read_text())["results"]
    assert [result["question_id"] for result in incorrect] == list(range(3, COUNT + 1, 3))


def test_prefect_names_the_run_and_its_batches(folder: Path, endpoint: FakeEndpoint, prefect_server: str) -> None:
    """A person finds them in the UI."""
    from prefect.client.orchestration import get_client

    state = run(write_config(folder, endpoint.url))
    with get_client(sync_client=True) as client:
        flow_run = client.read_flow_run(state.state_details.flow_run_id)
    assert flow_run.name == "exam fake"
    assert "sk-very-secret" not in flow_run.model_dump_json()
