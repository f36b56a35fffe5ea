"""A run that is started again under its own id, as Prefect's Retry does it: continued, and never another evaluation."""

from pathlib import Path

import pytest

from tasks.evaluation.errors import UserMistake
from tests.support.evaluation import Evaluation, assert_own_answers, count_asked, fix_reference, rename_grader
from tests.support.fake_endpoint import FakeEndpoint, make_questions, write_questions

COUNT = 40
MODEL, TEMPERATURE = "model.generator_settings.model", "model.generator_settings.temperature"


def test_a_run_that_shares_nothing_shares_with_its_retry_alone(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """Interrupted, retried under its id, run again the next day, and then an ordinary one."""
    alone = {"processing.auto_resume": False}
    evaluation.run(alone, run_id="monday", batches=3)
    assert count_asked(endpoint) == (30, 0)
    assert_own_answers(evaluation.run(alone, run_id="monday"))
    assert count_asked(endpoint) == (10, 0)
    evaluation.run(alone, run_id="tuesday")
    assert count_asked(endpoint) == (COUNT, 0)
    evaluation.run(run_id="wednesday")
    assert count_asked(endpoint) == (COUNT, 0)
    evaluation.run(alone, run_id="thursday", batches=1)
    assert count_asked(endpoint) == (10, 0)


@pytest.mark.parametrize("auto_resume", [True, False])
def test_a_retry_continues_whatever_auto_resume_says_by_then(
    evaluation: Evaluation, endpoint: FakeEndpoint, auto_resume: bool
) -> None:
    """And whatever else has changed of what does not matter."""
    evaluation.run({"processing.auto_resume": auto_resume}, batches=3)
    evaluation.run({"processing.auto_resume": not auto_resume, "processing.parallel_workers": 2, "processing.batch_size": 3})
    assert count_asked(endpoint) == (10, 0)


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({MODEL: "other", TEMPERATURE: 0.7}, "model is 'fake' there and 'other' here; temperature is 0.0 there and 0.7 here"),
        ({"model.generator_settings.extra": {"top_p": 1}}, "extra.top_p is None there and 1 here"),
        ({"rag.use_context_field": True}, "context is 'none' there and \"the question's text field\" here"),
        ({"model.grader_shortname": "judge"}, "grader_shortname is None there and 'judge' here"),
        ({"processing.limit": 20}, "limit is None there and 20 here"),
        ({"processing.random_selection": 20}, "random_selection is None there and 20 here"),
        (
            {"fields.question": "text", "processing.question_format": "qa"},
            "fields.question is None there and 'text' here",
        ),
        ({"questions_file": "few.json"}, "questions_file is 'exam.json' there and 'few.json' here"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_retry_with_other_settings_is_refused(
    evaluation: Evaluation, endpoint: FakeEndpoint, folder: Path, changed: dict[str, object], difference: str
) -> None:
    """It lists what was changed, with both values, and asks nothing; as it was, it continues."""
    write_questions(folder, make_questions(3), "few.json")
    evaluation.run(batches=3)
    with pytest.raises(UserMistake, match="this run cannot be continued") as refusal:
        evaluation.run(changed)
    assert difference in str(refusal.value)
    assert count_asked(endpoint) == (0, 0)
    evaluation.run()
    assert count_asked(endpoint) == (10, 0)


def test_a_retry_of_a_run_that_shares_nothing_is_refused_too(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """Though its answers are its own."""
    alone = {"processing.auto_resume": False}
    evaluation.run(alone, batches=3)
    with pytest.raises(UserMistake, match="model is 'fake' there and 'other' here"):
        evaluation.run({**alone, MODEL: "other"})
    assert count_asked(endpoint) == (0, 0)


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        (make_questions(COUNT + 1), r"exam.json held 40 questions there and holds 41 here"),
        (make_questions(COUNT)[::-1], r"the questions or reference answers in exam.json, or their order, differ"),
    ],
    ids=["appended", "reversed"],
)
def test_a_retry_with_other_questions_is_refused(
    evaluation: Evaluation, endpoint: FakeEndpoint, folder: Path, changed: list[dict[str, str]], difference: str
) -> None:
    """A fixed reference is one too, and so is another model behind the grader's name."""
    write_questions(folder, make_questions(COUNT))
    evaluation.run(batches=3)
    write_questions(folder, changed)
    with pytest.raises(UserMistake, match=difference):
        evaluation.run()
    assert endpoint.bodies == []


def test_a_retry_with_a_fixed_reference_is_refused(evaluation: Evaluation, folder: Path) -> None:
    """A new run grades it again."""
    evaluation.run(batches=3)
    fix_reference(folder, 3)
    with pytest.raises(UserMistake, match=r"the questions or reference answers in exam\.json"):
        evaluation.run()
    evaluation.run(run_id="second")


def test_a_retry_with_another_model_behind_the_graders_name_is_refused(evaluation: Evaluation, folder: Path) -> None:
    """The list names the setting that the short name stands for."""
    grader = {"model.grader_shortname": "judge"}
    evaluation.run(grader, batches=3)
    rename_grader(folder)
    with pytest.raises(UserMistake, match=r"grader\.model is 'judge-1' there and 'judge-2' here"):
        evaluation.run(grader)


def test_a_retry_draws_no_other_sample(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """Though a newer run, unfinished too, has drawn its own; nor when the first start had ended."""
    sample = {"processing.random_selection": 20}
    evaluation.run(sample, run_id="first", batches=1)
    evaluation.run(sample | {"processing.random_seed": 7}, run_id="second", batches=1)
    evaluation.run(sample, run_id="first")
    assert count_asked(endpoint)[0] <= 10
    evaluation.run(sample, run_id="first")
    assert count_asked(endpoint) == (0, 0)
