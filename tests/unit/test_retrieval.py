"""Scoring with retrieval, below Prefect: what is put before a question, what its result says, and what is reused."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.evaluation.errors import DamagedFile, UnfinishedBatch, UserMistake
from tasks.evaluation.resuming.differences import UNKNOWN_CORPUS
from tasks.evaluation.retrieval.retrieved import Retrieved
from tasks.evaluation.retrieval.retriever import NO_DIRECTION
from tests.support.corpora import DIMENSION, embed, embeddings, make_chunks, make_vectors, save_to_disk, search_directly
from tests.support.evaluation import Evaluation, assert_own_answers, count_asked, retrieve
from tests.support.fake_endpoint import (
    FakeEndpoint,
    Reply,
    answer_by_rule,
    error,
    is_grader,
    make_questions,
    prompt_of,
    wait_until,
    write_questions,
)

COUNT, TOP_K = 12, 3
TOO_LONG = "This model's maximum context length is 4096 tokens. Please reduce the length of the messages."
VECTORS = make_vectors(400)
# Question n is about chunk 10 n, as `embed` knows; every second record names another.
QUESTIONS = [
    {**question, "source_chunk_id": n * 10 if n % 2 else n * 10 + 1}
    for n, question in enumerate(make_questions(COUNT), start=1)
]


class Encoder(FakeEndpoint):
    """Encodes texts; `texts` are those that it was sent, `refuses` is a word in texts that it declines."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.refuses = "no such word"
        self.rule = self.encode

    def encode(self, body: dict[str, Any]) -> Reply:
        if any(self.refuses in text for text in body["input"]):
            return error(400, "this is not encoded")
        self.texts += body["input"]
        return embeddings([embed(text, VECTORS) for text in body["input"]])


@pytest.fixture
def encoder() -> Iterator[Encoder]:
    """Start an encoder's endpoint."""
    with Encoder() as encoder:
        yield encoder


@pytest.fixture
def rag(folder: Path, encoder: Encoder) -> dict[str, object]:
    """Write the questions and a corpus; return the settings that retrieve from it."""
    write_questions(folder, QUESTIONS)
    save_to_disk(folder / "corpus", make_chunks(VECTORS))
    return {
        "rag.retrieval_top_k": TOP_K,
        "rag.retriever_config": {
            "faiss_config": {"dataset_dir": "corpus"},
            "encoder_config": {"name": "openai", "model": "e", "base_url": encoder.url, "api_key": "any-string"},
        },
    }


def find_directly(number: int, count: int = TOP_K) -> list[int]:
    return search_directly(VECTORS, embed(str(QUESTIONS[number - 1]["question"]), VECTORS), count)


def context_of(number: int, count: int = TOP_K) -> str:
    return "\n\n".join(f"Chunk {place} says." for place in find_directly(number, count))


def prompts(endpoint: FakeEndpoint) -> list[str]:
    return sorted((prompt for prompt in endpoint.asked()), key=lambda text: int(text.split("Question ")[-1].split(":")[0]))


def test_each_question_is_asked_with_its_nearest_chunks(
    evaluation: Evaluation, endpoint: FakeEndpoint, encoder: Encoder, rag: dict[str, object]
) -> None:
    """In the original's words; its result says which they were, in the original's form."""
    results = evaluation.run(rag)
    assert_own_answers(results)
    assert len(encoder.texts) == COUNT
    for number, (prompt, result) in enumerate(zip(prompts(endpoint), results, strict=True), start=1):
        assert f"Context:\n{context_of(number)}\n\nQuestion:\n{QUESTIONS[number - 1]['question']}" in prompt
        info = result["retrieval_info"]
        assert info["retrieval_indices"] == [find_directly(number)]
        assert [chunk["text"] for chunk in info["retrieved_chunks"][0]] == context_of(number).split("\n\n")
        assert (info["context_source"], info["rag_enabled"], info["chunks_dropped"]) == ("retrieved", True, 0)
        assert result["context_used"] == context_of(number)
        assert result["source_chunk_retrieved"] is bool(number % 2)


def test_without_their_texts_results_name_the_chunks_alone(evaluation: Evaluation, rag: dict[str, object]) -> None:
    """`chunk_logging_enabled: false` saves what is in the corpus anyway."""
    [result, *_] = evaluation.run(rag | {"rag.chunk_logging_enabled": False})
    assert result["retrieval_info"]["retrieval_indices"] == [find_directly(1)]
    assert "text" not in result["retrieval_info"]["retrieved_chunks"][0][0]
    assert result["context_used"] is None


def test_no_chunk_above_the_threshold_leaves_the_bare_question(
    evaluation: Evaluation, endpoint: FakeEndpoint, rag: dict[str, object]
) -> None:
    """It is marked, and it is scored."""
    results = evaluation.run(rag | {"rag.retrieval_score_threshold": 0.9999})
    assert {result["retrieval_info"]["context_source"] for result in results} == {"none"}
    assert not any("Context:" in prompt for prompt in prompts(endpoint))
    assert_own_answers(results)


def test_a_context_of_its_own_comes_before_retrieval(
    evaluation: Evaluation, endpoint: FakeEndpoint, encoder: Encoder, folder: Path, rag: dict[str, object]
) -> None:
    """With `use_context_field`, chunks are retrieved for the other questions alone."""
    write_questions(folder, [question | ({"text": f"Given {n}."} if n < 5 else {}) for n, question in enumerate(QUESTIONS)])
    results = evaluation.run(rag | {"rag.use_context_field": True})
    assert [result["retrieval_info"]["context_source"] for result in results] == ["text_field"] * 5 + ["retrieved"] * 7
    assert len(encoder.texts) == 7
    assert sum("Given " in prompt for prompt in prompts(endpoint)) == 5


def test_no_chunks_are_wanted_where_each_question_may_have_its_own(
    evaluation: Evaluation, encoder: Encoder, rag: dict[str, object]
) -> None:
    """`retrieval_top_k: 0` beside `use_context_field` retrieves nothing."""
    results = evaluation.run(rag | {"rag.use_context_field": True, "rag.retrieval_top_k": 0})
    assert {result["retrieval_info"]["context_source"] for result in results} == {"disabled"}
    assert not encoder.texts


def test_texts_that_differ_in_half_a_character_have_vectors_of_their_own(
    evaluation: Evaluation, encoder: Encoder, folder: Path, rag: dict[str, object]
) -> None:
    """Though both may be shown as a question mark."""
    write_questions(folder, [QUESTIONS[0], QUESTIONS[0] | {"question": f"{QUESTIONS[0]['question']}\ud800"}])
    evaluation.run(rag)
    assert len(encoder.texts) == 2


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


@pytest.mark.parametrize("number", [0.0, 1e39])
def test_a_vector_without_a_direction_finds_nothing(
    evaluation: Evaluation, encoder: Encoder, rag: dict[str, object], number: float
) -> None:
    """Every chunk is equally near to zeros, and to what overflows: the next run encodes the question again."""

    def rule(body: dict[str, Any]) -> Reply:
        texts = body["input"]
        return embeddings([[number] * DIMENSION if "Question 7:" in text else embed(text, VECTORS) for text in texts])

    encoder.rule = rule
    with evaluation.open(rag, run_id="first") as run:
        retrieve(run)
        assert run.ledger.contexts
        assert list(run.ledger.contexts.failures) == [6]
        assert NO_DIRECTION in run.ledger.contexts.failures[6]
    with evaluation.open(rag, run_id="second") as run:
        encoder.rule = encoder.encode
        retrieve(run)
        assert run.ledger.contexts
        assert not run.ledger.contexts.failures
    assert len(encoder.texts) == 1


def test_a_context_that_does_not_fit_loses_its_last_chunks(
    evaluation: Evaluation, endpoint: FakeEndpoint, rag: dict[str, object]
) -> None:
    """One after another, as the endpoint says; how many were left out stands in the result."""

    def rule(body: dict[str, Any]) -> Reply:
        number = int(prompt_of(body).split("Question ")[-1].split(":")[0])
        if prompt_of(body).count("says.") > number % 4:
            return error(400, TOO_LONG, "context_length_exceeded")
        return answer_by_rule(body)

    endpoint.rule = rule
    results = evaluation.run(rag)
    assert_own_answers(results)
    for number, result in enumerate(results, start=1):
        info, kept = result["retrieval_info"], min(number % 4, TOP_K)
        assert info["retrieval_indices"] == [find_directly(number)]
        assert (info["chunks_dropped"], info["context_source"]) == (TOP_K - kept, "retrieved" if kept else "none")
        assert result["context_used"] == (context_of(number, kept) if kept else None)


def test_the_settings_can_limit_the_context(evaluation: Evaluation, endpoint: FakeEndpoint, rag: dict[str, object]) -> None:
    """At four characters a token: of three chunks of fifteen characters, two fit into nine tokens."""
    results = evaluation.run(rag | {"rag.max_context_tokens": 9})
    assert {result["retrieval_info"]["chunks_dropped"] for result in results} == {1}
    assert {prompt.count("says.") for prompt in prompts(endpoint)} == {2}


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


def test_a_corpus_that_changes_meanwhile_stops_the_run(evaluation: Evaluation, rag: dict[str, object]) -> None:
    """Before its new chunks are taken for the old ones."""
    with evaluation.open(rag, run_id="first") as run:
        run.check_storage()
        assert run.stop_cause is None
        save_to_disk(Path("corpus"), make_chunks(make_vectors(400, seed=2)))
        run.check_storage()
        wait_until(lambda: run.stop_cause is not None)
        assert "has changed while it was used: run the same command again" in str(run.stop_cause)


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


def test_a_clarification_is_asked_with_the_same_context(
    evaluation: Evaluation, endpoint: FakeEndpoint, rag: dict[str, object]
) -> None:
    """Of a model whose reply names no choice."""

    def rule(body: dict[str, Any]) -> Reply:
        if len(body["messages"]) == 1:
            return answer_by_rule({"messages": [{"role": "user", "content": "hard"}]})
        return answer_by_rule(body)

    endpoint.rule = rule
    evaluation.run(rag)
    follow_ups = [body for body in endpoint.bodies if len(body["messages"]) > 1]
    assert len(follow_ups) == COUNT
    assert all(prompt_of(body).count("says.") == TOP_K for body in follow_ups)


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
