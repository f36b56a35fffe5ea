"""Scoring with retrieval, below Prefect: what is put before a question, what its result says, and what is reused."""

from pathlib import Path
from typing import Any

import pytest

from tasks.evaluation.retrieval.retriever import NO_DIRECTION
from tests.support.corpora import DIMENSION, embed, embeddings, make_chunks, make_vectors, save_to_disk
from tests.support.evaluation import Evaluation, assert_own_answers, retrieve
from tests.support.fake_endpoint import (
    FakeEndpoint,
    Reply,
    answer_by_rule,
    error,
    prompt_of,
    wait_until,
    write_questions,
)
from tests.support.retrieval import COUNT, QUESTIONS, TOO_LONG, TOP_K, VECTORS, Encoder, context_of, find_directly, prompts


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


def test_a_corpus_that_changes_meanwhile_stops_the_run(evaluation: Evaluation, rag: dict[str, object]) -> None:
    """Before its new chunks are taken for the old ones."""
    with evaluation.open(rag, run_id="first") as run:
        run.check_storage()
        assert run.stop_cause is None
        save_to_disk(Path("corpus"), make_chunks(make_vectors(400, seed=2)))
        run.check_storage()
        wait_until(lambda: run.stop_cause is not None)
        assert "has changed while it was used: run the same command again" in str(run.stop_cause)


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
