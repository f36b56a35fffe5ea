"""What a run takes from earlier ones: decided by content. Each case here fails where a question's place or a name decides."""

import itertools
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.evaluation import Evaluation, assert_own_answers, count_asked, fix_reference, rename_grader
from tests.support.fake_endpoint import (
    FakeEndpoint,
    answer_by_rule,
    completion,
    is_grader,
    make_questions,
    prompt_of,
    write_questions,
)

COUNT = 40
ORIGINAL = Path(__file__).parent.parent / "flow/original"
MODEL, TEMPERATURE = "model.generator_settings.model", "model.generator_settings.temperature"


def test_another_seed_asks_only_what_the_first_sample_lacks(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """The common questions stand at other places in it."""
    sample = {"processing.random_selection": 15, "processing.random_seed": 1}
    first = evaluation.run(sample)
    second = evaluation.run(sample | {"processing.random_seed": 2}, run_id="second")
    common = {result["question"] for result in first} & {result["question"] for result in second}
    assert 0 < len(common) < 15
    assert [r["question"] for r in first] != [r["question"] for r in second]
    assert count_asked(endpoint) == (15 - len(common), 0)
    assert_own_answers(first)
    assert_own_answers(second)


@pytest.mark.parametrize(
    ("changed", "asked_count"),
    [
        (make_questions(COUNT, first=COUNT + 1), COUNT),
        (make_questions(COUNT)[::-1], 0),
        (random.Random(5).sample(make_questions(COUNT), COUNT), 0),
        (make_questions(COUNT + 5), 5),
        (make_questions(3, first=COUNT + 1) + make_questions(COUNT), 3),
        (make_questions(COUNT)[7:30], 0),
    ],
    ids=["others", "reversed", "shuffled", "appended", "put in front", "fewer"],
)
def test_a_changed_file_of_the_same_name_asks_what_is_new_in_it(
    evaluation: Evaluation, endpoint: FakeEndpoint, folder: Path, changed: list[dict[str, str]], asked_count: int
) -> None:
    """Wherever in the file it stands."""
    write_questions(folder, make_questions(COUNT))
    evaluation.run()
    write_questions(folder, changed)
    results = evaluation.run(run_id="second")
    assert count_asked(endpoint) == (asked_count, 0)
    assert [result["question"] for result in results] == [question["question"] for question in changed]
    assert_own_answers(results)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        (MODEL, "other"),
        (TEMPERATURE, 0.7),
        (TEMPERATURE, None),
        ("model.generator_settings.max_tokens", 64),
        ("model.generator_settings.extra", {"top_p": 0.9}),
        ("model.generator_settings.revision", "2026-11"),
        ("rag.use_context_field", True),
    ],
)
def test_another_request_reuses_no_answer(
    evaluation: Evaluation, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str], setting: str, value: object
) -> None:
    """Though question and place are the same; the log says what differs, with both values."""
    evaluation.run()
    capsys.readouterr()
    endpoint.rule = lambda _: completion("D")
    results = evaluation.run({setting: value}, run_id="second")
    assert count_asked(endpoint) == (COUNT, 0)
    assert {result["model_answer"] for result in results} == {"D"}
    name = "context" if setting.startswith("rag.") else setting.split(".")[2]
    [passed_over] = [line for line in capsys.readouterr().out.splitlines() if "Passed over" in line]
    assert f"({name}" in passed_over
    assert " there and " in passed_over


def test_another_grader_grades_the_same_answers_anew(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """None is asked for again."""
    evaluation.run()
    results = evaluation.run({"model.grader_shortname": "judge"}, run_id="second")
    assert count_asked(endpoint) == (0, COUNT)
    assert_own_answers(results)


def test_a_grade_goes_with_the_answer_that_was_graded(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """Two evaluations asked the same of a model that samples: neither's grades are given to the other's answers."""
    requests = itertools.count()
    endpoint.rule = lambda body: (
        answer_by_rule(body) if is_grader(body) else completion(f"The answer is {'AB'[next(requests) // COUNT]}.")
    )
    graded, read = {"prompt": "original", "model.grader_shortname": "judge"}, {"prompt": "original"}
    with evaluation.open(graded, run_id="graded") as first, evaluation.open(read, run_id="read") as second:
        for run in (first, second):  # only the second one saves: the first is killed
            for batch in run.batches.list_open():
                run.score(batch)
        second.saver.save()
    results = evaluation.run(graded, run_id="again")
    assert count_asked(endpoint) == (0, 0)
    assert {result["model_answer"] for result in results} == {"The answer is A."}
    assert {result["evaluation"]["model_choice"] for result in results} == {"A"}


def test_another_model_behind_the_graders_name_grades_anew(
    evaluation: Evaluation, endpoint: FakeEndpoint, folder: Path
) -> None:
    """Its short name in the settings is the same."""
    evaluation.run({"model.grader_shortname": "judge"})
    rename_grader(folder)
    evaluation.run({"model.grader_shortname": "judge"}, run_id="second")
    assert count_asked(endpoint) == (0, COUNT)


def test_a_fixed_reference_is_graded_anew(evaluation: Evaluation, endpoint: FakeEndpoint, folder: Path) -> None:
    """With a grader by one call, and the other questions keep their grades."""
    grader = {"model.grader_shortname": "judge"}
    evaluation.run(grader)
    fix_reference(folder, 3)
    results = evaluation.run(grader, run_id="second")
    assert count_asked(endpoint) == (0, 1)
    assert [result["score"] for result in results[:4]] == [1, 1, 1, 1]


NO_MATTER = [
    {"processing.batch_size": 7},
    {"processing.checkpoint_interval": 1},
    {"processing.parallel_workers": 1},
    {"processing.request_timeout_seconds": 5, "processing.max_outage_seconds": 1},
    {"processing.save_incremental": True},
    {"model.generator_settings.api_key": "${OTHER_KEY}"},
    {"model.generator.generator_type": "vllm"},
    {"output.output_prefix": "other", "output.save_incorrect": True},
]


@pytest.mark.parametrize("changed", NO_MATTER, ids=lambda changed: next(iter(changed)))
def test_what_is_not_in_the_request_changes_nothing(
    evaluation: Evaluation, endpoint: FakeEndpoint, changed: dict[str, object]
) -> None:
    """Everything is reused."""
    first = evaluation.run()
    assert evaluation.run(changed, run_id="second") == first
    assert count_asked(endpoint) == (0, 0)


def test_another_host_is_the_same_model(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """Its name tells models apart, not where it runs."""
    first = evaluation.run()
    host = endpoint.url.replace("127.0.0.1", "localhost")
    assert evaluation.run({"model.generator_settings.base_url": host}, run_id="second") == first
    assert count_asked(endpoint) == (0, 0)


def test_identical_questions_keep_an_answer_each(evaluation: Evaluation, endpoint: FakeEndpoint, folder: Path) -> None:
    """They differ by how many stand before them in the file; one more is asked once more."""
    [twin, other] = make_questions(2)
    answers = iter(["A", "B", "C", "D"])
    endpoint.rule = lambda body: completion(next(answers) if prompt_of(body).endswith(twin["question"]) else "C")
    one_by_one = {"processing.parallel_workers": 1}
    write_questions(folder, [twin, other, twin, twin])
    evaluation.run(one_by_one)
    assert count_asked(endpoint) == (4, 0)
    write_questions(folder, [other, twin, twin, twin, twin])
    results = evaluation.run(one_by_one, run_id="second")
    assert count_asked(endpoint) == (1, 0)
    assert [result["model_answer"] for result in results] == ["C", "A", "B", "C", "D"]


def test_the_same_command_continues_what_it_made_of_a_named_checkpoint(
    evaluation: Evaluation, endpoint: FakeEndpoint, folder: Path
) -> None:
    """Also where its later answers stand in its own checkpoint alone, the log's full segments being gone."""
    evaluation.run({"processing.limit": 10})
    named = (folder / "checkpoints" / (folder / "checkpoints/latest.json").readlink()).rename("checkpoints/named.json")
    again = {"processing.resume_from_checkpoint": str(named)}
    evaluation.run(again, run_id="second")
    assert count_asked(endpoint) == (30, 0)
    shutil.rmtree("checkpoints/.mcqa")
    evaluation.run(again, run_id="third")
    assert count_asked(endpoint) == (0, 0)


def test_the_originals_answers_need_their_questions_text(evaluation: Evaluation, endpoint: FakeEndpoint, folder: Path) -> None:
    """It names no ids: where the text at a number is another one, its answer is not used."""
    questions = make_questions(6)
    write_questions(folder, questions[1:] + questions[:1])
    shutil.copytree(ORIGINAL, "checkpoints")
    assert_own_answers(evaluation.run())
    assert count_asked(endpoint) == (6, 0)


def test_the_originals_answers_without_a_text_are_not_used(
    evaluation: Evaluation, endpoint: FakeEndpoint, folder: Path
) -> None:
    """Nobody knows what they answer."""
    write_questions(folder, make_questions(6))
    shutil.copytree(ORIGINAL, "checkpoints")
    [path] = Path("checkpoints").iterdir()
    document = json.loads(path.read_text())
    document["results"] = [_without("question", result) for result in document["results"]]
    path.write_text(json.dumps(document))
    assert_own_answers(evaluation.run())
    assert count_asked(endpoint) == (6, 0)


def _without(key: str, result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != key}
