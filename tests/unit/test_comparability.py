"""What makes two runs doubtful to compare is shown beside the comparison."""

from pathlib import Path

import pytest

from tasks.evaluation.comparing.comparison import compare_runs
from tasks.evaluation.comparing.names import open_named_runs
from tasks.evaluation.json_lines import JsonObject
from tests.support.comparing import compare
from tests.support.saved_runs import (
    describe_run,
    refused,
    save_original,
    save_results,
    score_all,
    scored,
)

RETRIEVING: JsonObject = {
    "enabled": True,
    "retriever_config": {"faiss_config": {"dataset_dir": "birds"}},
    "retrieval_top_k": 3,
}


def compare_metadata(folder: Path, a: JsonObject, b: JsonObject) -> tuple[str, ...]:
    """Return the doubts about two runs with the same scores and these metadata."""
    paths = [save_results(folder / f"{name}.json", score_all([1, 0]), each) for name, each in (("a", a), ("b", b))]
    return compare_runs(open_named_runs([f"{path.stem}={path}" for path in paths])).doubts


def test_runs_that_differ_in_their_models_alone_raise_no_doubt(tmp_path: Path) -> None:
    """Then the comparison is one of models."""
    assert compare_metadata(tmp_path, describe_run(2, model="x"), describe_run(2, model="y")) == ()


@pytest.mark.parametrize(
    ("a", "b", "doubt"),
    [
        (
            describe_run(2, evaluation={"prompt": {"mc": "{question} Why?", "qa": "{question}", "system": None}}),
            describe_run(2),
            "another prompt: a and b were not asked in the same words (mc)",
        ),
        (
            describe_run(2, settings={"model": {"grader_shortname": "judge"}, "grader": {"model": "gpt-4o"}}),
            describe_run(2),
            "other grading: a is graded by the model gpt-4o, b by what is read from the answer",
        ),
        (
            describe_run(2, settings={"model": {"grader_shortname": "judge"}, "grader": {"model": "gpt-4o"}}),
            describe_run(2, settings={"model": {"grader_shortname": "judge"}, "grader": {"model": "o3"}}),
            "other grading: a is graded by the model gpt-4o, b by the model o3",
        ),
        (
            describe_run(2, settings={"grading": "logprobs"}),
            describe_run(2),
            "other grading: a is graded by the first token's probabilities, b by what is read from the answer",
        ),
        (
            describe_run(2, random_selection=2, random_seed=7),
            describe_run(2, random_selection=2, random_seed=8),
            "another sample: a was asked a random sample of 2 questions (seed 7), b a random sample of 2 questions (seed 8)",
        ),
        (
            describe_run(2, settings={"rag": RETRIEVING}),
            describe_run(2, settings={"rag": RETRIEVING | {"enabled": False}}),
            "another context: each question of a was asked with 3 chunks from birds, of b without a context",
        ),
        (
            describe_run(2, settings={"rag": RETRIEVING | {"use_context_field": True}}),
            describe_run(2, settings={"rag": {"use_context_field": True}}),
            (
                "another context: each question of a was asked with its own context or with 3 chunks from birds, "
                "of b with its own context"
            ),
        ),
        (
            describe_run(2, settings={"rag": RETRIEVING, "retrieval": {"corpus": "5f", "top_k": 3}}),
            describe_run(2, settings={"rag": RETRIEVING, "retrieval": {"corpus": "09", "top_k": 3}}),
            "another context: a and b differ in what is retrieved (corpus)",
        ),
        (describe_run(2), describe_run(5), "unfinished: 3 of the 5 questions of b are not scored yet"),
    ],
)
def test_what_differs_beside_the_model_is_a_doubt(tmp_path: Path, a: JsonObject, b: JsonObject, doubt: str) -> None:
    """In a sentence that names both."""
    assert compare_metadata(tmp_path, a, b) == (doubt,)


def test_other_questions_are_counted(tmp_path: Path) -> None:
    """Those that the other cannot have missed; the rest is missing there."""
    comparison = compare(tmp_path, score_all([1] * 6), [*score_all([1] * 3, first=4), refused(7), scored(8, 1, "Other?")])
    assert comparison.common == 3
    assert comparison.doubts == (
        "other questions: 2 that a has scored are not among those of b, and 1 of b not among those of a",
    )


def test_a_part_of_a_run_is_a_doubt(tmp_path: Path) -> None:
    """The file of wrong answers has the run's metadata, and is no run."""
    whole = save_results(tmp_path / "a.json", score_all([1, 1, 0]), describe_run(3, statistics={"scored": 3}))
    wrong = save_results(tmp_path / "x.json", score_all([0], first=3), describe_run(3, statistics={"scored": 3}))
    original = save_original(tmp_path / "exam_incorrect_model.json", score_all([0], first=3))
    comparison = compare_runs(open_named_runs([f"a={whole}", f"b={wrong}", f"c={original}"]))
    assert comparison.doubts[:2] == (
        "not a whole run: b holds 1 of 3 scored questions, as a file of wrong answers does",
        "not a whole run: c holds 1 scored questions, as a file of wrong answers does",
    )


def test_the_same_file_twice_is_a_doubt(tmp_path: Path) -> None:
    """It equals itself. So are records with the same number, which no run writes."""
    path = save_results(tmp_path / "a.json", [scored(1, 1, "One?"), scored(1, 1, "Two?")])
    assert compare_runs(open_named_runs([f"a={path}", f"b={path}"])).doubts == (
        "damaged: 1 records of a have the number of another one; no run writes such a file",
        "damaged: 1 records of b have the number of another one; no run writes such a file",
        "the same file: a and b",
    )
