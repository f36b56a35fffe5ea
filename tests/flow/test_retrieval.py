"""The flow with retrieval: a task and a bar of its own before the first question, and what of it survives an end."""

import itertools
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.corpora import embed, embeddings, make_chunks, make_vectors, save_to_disk
from tests.support.exam import COUNT, read_final, run, scored
from tests.support.fake_endpoint import FakeEndpoint, Reply, answer_by_rule, right_count, wait_until, write_config

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("exam")]

VECTORS = make_vectors(COUNT * 10 + 10)
MCQA = Path(sys.executable).with_name("mcqa")


@pytest.fixture(autouse=True)
def corpus(folder: Path, endpoint: FakeEndpoint) -> str:
    """Write a corpus and a configuration that retrieves from it; the endpoint encodes as well as it answers."""
    save_to_disk(folder / "corpus", make_chunks(VECTORS))
    endpoint.rule = encode_or_answer
    config = write_config(folder, endpoint.url, max_outage_seconds=0.3)
    encoder = f"{{name: openai, model: e, base_url: '{endpoint.url}', api_key: '${{FAKE_KEY}}'}}"
    retriever = f"{{faiss_config: {{dataset_dir: corpus}}, encoder_config: {encoder}, batch_size: 1}}"
    with (folder / config).open("a") as file:
        file.write(f"\nrag: {{retrieval_top_k: 2, retriever_config: {retriever}}}\n")
    return config


def encode_or_answer(body: dict[str, Any]) -> Reply:
    return embeddings([embed(text, VECTORS) for text in body["input"]]) if "input" in body else answer_by_rule(body)


def count_encoded(endpoint: FakeEndpoint) -> Counter[str]:
    return Counter(text for body in endpoint.bodies for text in body.get("input", []))


def count_questions(endpoint: FakeEndpoint) -> Counter[str]:
    prompts = (str(body["messages"][-1]["content"]) for body in endpoint.bodies if "messages" in body)
    return Counter(re.findall(r"Question \d+", prompt)[-1] for prompt in prompts)


def test_a_run_retrieves_and_then_asks(
    folder: Path, endpoint: FakeEndpoint, corpus: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once for each question; a second run, whose settings ask everything again, takes what was found from the task's cache."""
    assert run(corpus).is_completed()
    assert "Retrieving for questions: 100.0% 120/120" in capsys.readouterr().out
    assert sum(score for _, score in scored(folder)) == right_count(COUNT)
    assert {result["retrieval_info"]["context_source"] for result in read_final(folder)["results"]} == {"retrieved"}
    assert all("Context:\nChunk " in str(body["messages"][-1]["content"]) for body in endpoint.bodies if "messages" in body)
    for vectors in (folder / "checkpoints/.mcqa/vectors").iterdir():
        vectors.unlink()
    assert run(corpus, max_tokens=99).is_completed()
    assert set(count_encoded(endpoint).values()) == {1}
    assert set(count_questions(endpoint).values()) == {2}


def test_an_encoder_that_is_down_leaves_all_questions_for_the_next_run(
    folder: Path, endpoint: FakeEndpoint, corpus: str
) -> None:
    """None is asked without its context; what was encoded before is kept."""
    numbers = itertools.count()

    def rule(body: dict[str, Any]) -> Reply:
        return encode_or_answer(body) if next(numbers) < COUNT // 2 else Reply(is_dropped=True)

    endpoint.rule = rule
    state = run(corpus)
    assert state.is_failed()
    assert "120 of 120 questions not scored" in str(state.message)
    assert not count_questions(endpoint)
    endpoint.forget()
    endpoint.rule = encode_or_answer
    assert run(corpus).is_completed()
    assert count_encoded(endpoint).total() == COUNT - COUNT // 2
    assert set(count_questions(endpoint).values()) == {1}
    assert [number for number, _ in scored(folder)] == list(range(1, COUNT + 1))


def test_a_missing_corpus_is_one_line(folder: Path, corpus: str) -> None:
    """With the flag that goes without it."""
    (folder / corpus).write_text((folder / corpus).read_text().replace("dataset_dir: corpus", "dataset_dir: corpora"))
    called = subprocess.run([MCQA, "score", "--config", corpus], cwd=folder, capture_output=True, text=True, check=False)
    assert called.returncode == 2
    assert re.fullmatch(r"mcqa: error: there is no corpus at corpora .*--no-rag\n", called.stderr)


@pytest.mark.crash
def test_a_killed_run_repeats_only_what_was_in_flight(folder: Path, endpoint: FakeEndpoint, corpus: str) -> None:
    """Each text is encoded once, and each question asked once; those of the eight workers twice at most."""
    endpoint.delay_seconds = 0.03
    process = subprocess.Popen(
        [MCQA, "score", "--config", corpus],
        cwd=folder,
        env={**os.environ, "FAKE_KEY": "sk-very-secret"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        wait_until(lambda: count_questions(endpoint).total() > COUNT // 2 or process.poll() is not None)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert run(corpus).is_completed()
    assert [number for number, _ in scored(folder)] == list(range(1, COUNT + 1))
    assert count_encoded(endpoint).total() == len(count_encoded(endpoint)) == COUNT
    assert len(count_questions(endpoint)) == COUNT
    assert count_questions(endpoint).total() <= COUNT + 8
