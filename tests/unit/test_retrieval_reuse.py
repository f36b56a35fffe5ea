"""What a run with retrieval takes from earlier ones, and what it leaves for later ones, below Prefect."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tasks.evaluation.errors import DamagedFile, UnfinishedBatch, UserMistake
from tasks.evaluation.resuming.differences import UNKNOWN_CORPUS
from tasks.evaluation.retrieval.retrieved import Retrieved
from tests.support.corpora import make_chunks, save_to_disk
from tests.support.evaluation import Evaluation, assert_own_answers, count_asked, retrieve
from tests.support.fake_endpoint import (
    FakeEndpoint,
    Reply,
    answer_by_rule,
    error,
    is_grader,
    prompt_of,
)
from tests.support.retrieval import COUNT, TOO_LONG, TOP_K, VECTORS, Encoder, context_of, find_directly, prompts


def test_a_failed_retrieval_is_no_score(
    evaluation: Evaluation, endpoint: FakeEndpoint, encoder: Encoder, rag: dict[str, object]
) -> None:
    """Such a question is not asked, without a context least of all; the next run asks it, and nothing else."""
    encoder.refuses = "Question 7:"
    with evaluation.open(rag, run_id="first") as run:
        retrieve(run)
        failures: dict[int, str] = {}
        for batch in run.batches.list_open():
            try:
                run.score(batch)
            except UnfinishedBatch as unfinished:
                failures |= unfinished.failures
        run.saver.save()
    assert list(failures) == [6]
    assert "nothing could be retrieved: the encoder answered 400: this is not encoded" in failures[6]
    assert len(prompts(endpoint)) == COUNT - 1
    encoder.refuses, encoder.texts = "no such word", []
    assert_own_answers(evaluation.run(rag, run_id="second"))
    assert [prompt.split("Question ")[-1][:2] for prompt in prompts(endpoint)] == ["7:"]
    assert len(encoder.texts) == 1


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({}, ""),
        ({"rag.retrieval_top_k": 2}, "retrieval.top_k is 3 there and 2 here"),
        ({"rag.retrieval_score_threshold": 0.2}, "retrieval.score_threshold is 0.0 there and 0.2 here"),
        ({"rag.enabled": False}, "context is 'retrieved' there and 'none' here"),
        ({"rag.retriever_config": None}, "context is 'retrieved' there and 'none' here"),
    ],
)
def test_another_retrieval_is_another_request(
    evaluation: Evaluation,
    rag: dict[str, object],
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, object],
    difference: str,
) -> None:
    """The log says what differs."""
    evaluation.run(rag)
    capsys.readouterr()
    assert_own_answers(evaluation.run(rag | changed, run_id="second"))
    assert count_asked(evaluation.endpoint) == (COUNT if changed else 0, 0)
    assert difference in capsys.readouterr().out


def test_no_text_is_encoded_twice(evaluation: Evaluation, encoder: Encoder, rag: dict[str, object]) -> None:
    """Whatever the model, and however many chunks are wanted."""
    evaluation.run(rag)
    evaluation.run(rag | {"rag.retrieval_top_k": 2, "model.generator_settings.model": "other"}, run_id="second")
    assert len(encoder.texts) == COUNT


def test_another_corpus_is_another_request(evaluation: Evaluation, endpoint: FakeEndpoint, rag: dict[str, object]) -> None:
    """Even where only a chunk's text has changed that no question is asked with."""
    evaluation.run(rag)
    chunks = make_chunks(VECTORS)
    chunks[399]["text"] = "Chunk 399 says more."
    save_to_disk(Path("corpus"), chunks)
    evaluation.run(rag, run_id="second")
    assert count_asked(endpoint) == (COUNT, 0)


def test_another_grader_grades_the_same_answers(
    evaluation: Evaluation, endpoint: FakeEndpoint, encoder: Encoder, rag: dict[str, object]
) -> None:
    """From a checkpoint or from the log: nothing is asked or encoded again, and results still say what was retrieved."""
    evaluation.run(rag)
    encoder.texts = []
    first = evaluation.run(rag | {"model.grader_shortname": "judge"}, run_id="second")
    assert count_asked(endpoint) == (0, COUNT)
    assert [result["retrieval_info"]["retrieval_indices"] for result in first] == [[find_directly(n + 1)] for n in range(COUNT)]
    assert not encoder.texts


def test_an_answer_in_the_log_keeps_its_chunks(evaluation: Evaluation, endpoint: FakeEndpoint, rag: dict[str, object]) -> None:
    """A run that was killed after its answers, before any grade: they are graded, with what they were asked with."""
    judged = rag | {"model.grader_shortname": "judge"}

    def rule(body: dict[str, Any]) -> Reply:
        if is_grader(body):
            return error(400, "not today")
        if prompt_of(body).count("says.") > 2:
            return error(400, TOO_LONG, "context_length_exceeded")
        return answer_by_rule(body)

    endpoint.rule = rule
    with evaluation.open(judged, run_id="first") as run:
        retrieve(run)
        with pytest.raises((UnfinishedBatch, UserMistake)):
            run.score(next(run.batches.list_open()))
    endpoint.rule = answer_by_rule
    shortened = [prompt for prompt in prompts(endpoint) if prompt.count("says.") == 2]
    answered = {number for number in range(1, COUNT + 1) if any(f"Question {number}:" in prompt for prompt in shortened)}
    results = evaluation.run(judged | {"processing.retry_refused": True}, run_id="second")
    assert answered
    assert count_asked(endpoint) == (COUNT - len(answered), COUNT)
    for number, result in enumerate(results, start=1):
        assert result["context_used"] == context_of(number, 2 if number in answered else TOP_K)


def test_repeats_share_what_was_retrieved(
    evaluation: Evaluation, endpoint: FakeEndpoint, encoder: Encoder, rag: dict[str, object]
) -> None:
    """Retrieved once for each question, and told once; a run without repeats finds the first of each."""
    rag |= {"model.generator_settings.temperature": 0.7}
    results = evaluation.run(rag | {"processing.repeats": 3})
    assert count_asked(endpoint) == (3 * COUNT, 0)
    assert len(encoder.texts) == COUNT
    assert [result["retrieval_info"]["retrieval_indices"] for result in results] == [
        [find_directly(n + 1)] for n in range(COUNT)
    ]
    assert all(repeat["retrieval"]["used"] == TOP_K for result in results for repeat in result["repeats"])
    assert_own_answers(evaluation.run(rag, run_id="second"))
    assert count_asked(endpoint) == (0, 0)


def test_a_checkpoint_of_the_original_does_not_say_what_its_corpus_held(
    evaluation: Evaluation, endpoint: FakeEndpoint, rag: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    """So that none of its answers is taken for one to this request."""
    results = evaluation.run(rag | {"prompt": {"mc": "original", "qa": "original"}})
    [path] = Path("checkpoints").glob("checkpoint_*.json")
    content = json.loads(path.read_text())
    theirs = {name: content[name] for name in ("timestamp", "completed_count", "completed_indices", "config", "version")}
    for name in ("prompt", "grading"):
        theirs["config"].pop(name)
    records = [
        {name: value for name, value in each.items() if not name.endswith("_id") or name == "question_id"} for each in results
    ]
    shutil.rmtree("checkpoints")
    path.parent.mkdir()
    path.write_text(json.dumps({**theirs, "results": records}))
    capsys.readouterr()
    evaluation.run(rag | {"prompt": {"mc": "original", "qa": "original"}}, run_id="second")
    assert count_asked(endpoint) == (COUNT, 0)
    assert f"retrieval.corpus is {UNKNOWN_CORPUS['corpus']!r} there" in capsys.readouterr().out


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"indices": [1], "scores": [], "used": 0},
        {"indices": [-1], "scores": [0.5], "used": 1},
        {"indices": ["1"], "scores": [0.5], "used": 1},
        {"indices": [1], "scores": ["high"], "used": 1},
        {"indices": [1], "scores": [0.5], "used": 2},
        {"indices": [1], "scores": [0.5], "used": True},
        {"indices": 1, "scores": [0.5], "used": 1},
    ],
)
def test_a_damaged_record_of_what_was_retrieved_is_found_out(stored: Any) -> None:
    """Before it is used."""
    with pytest.raises(DamagedFile):
        Retrieved.from_json(stored)
    assert Retrieved.from_json(Retrieved((4, 2), (0.5, 0.25), 1).to_json()) == Retrieved((4, 2), (0.5, 0.25), 1)
