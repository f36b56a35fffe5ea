"""`mcqa retrieve`: what would be put before which question, and how often the right chunk is found, without asking a model."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.commands.cli import main
from tests.support.corpora import (
    embed,
    embeddings,
    make_chunks,
    make_vectors,
    save_to_disk,
    search_directly,
    write_lines,
)
from tests.support.fake_endpoint import FakeEndpoint, Reply, error, make_questions, write_questions

ROOT = Path(__file__).parents[2]
COUNT = 2_000
VECTORS = make_vectors(COUNT)
ENDPOINT = "encoder_config: {{name: openai, model: e, base_url: '{url}', api_key: 'any-string'}}"
QUESTIONS = [{**question, "source_chunk_id": (n + 1) * 10} for n, question in enumerate(make_questions(12))]


@pytest.fixture(autouse=True)
def files(folder: Path, endpoint: FakeEndpoint) -> None:
    """Write twelve questions, each made from a chunk, and 2,000 chunks; the endpoint encodes texts."""
    write_questions(folder, QUESTIONS)
    save_to_disk(folder / "corpus", make_chunks(VECTORS))
    endpoint.rule = lambda body: embeddings([embed(text, VECTORS) for text in body["input"]])
    write_retrieval(folder, endpoint)


def write_retrieval(folder: Path, endpoint: FakeEndpoint, retriever: str = "", encoder: str = "", rag: str = "") -> None:
    """Write a configuration that retrieves from the folder `corpus`, with further settings of each section."""
    encoder = encoder or ENDPOINT.format(url=endpoint.url)
    (folder / "config.yaml").write_text(
        "questions_file: exam.json\n"
        "model: {generator: {generator_type: openai}, generator_settings: {model: m, base_url: 'http://127.0.0.1:1/v1'}}\n"
        "rag:\n"
        f"  retriever_config:\n    faiss_config: {{dataset_dir: corpus{retriever}}}\n    {encoder}\n{rag}"
        "processing: {parallel_workers: 4, max_outage_seconds: 0.2}\n"
    )


def retrieve(capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, str]:
    """Return the command's exit code and all that it prints."""
    with pytest.raises(SystemExit) as end:
        main(["retrieve", "--config", "config.yaml", *flags])
    printed = capsys.readouterr()
    return int(str(end.value.code or 0)), printed.out + printed.err


def retrieve_json(capsys: pytest.CaptureFixture[str], *flags: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in retrieve(capsys, "--json", *flags)[1].splitlines()]


def list_indices(records: list[dict[str, Any]]) -> list[list[int]]:
    return [record["retrieval_info"]["retrieval_indices"][0] for record in records[:-1]]


def compute_directly(count: int = 5) -> list[list[int]]:
    return [search_directly(VECTORS, embed(question["question"], VECTORS), count) for question in make_questions(12)]


def test_the_chunks_are_those_of_a_direct_computation(capsys: pytest.CaptureFixture[str], endpoint: FakeEndpoint) -> None:
    """In the same order; no chat is asked for, and a second call sends nothing."""
    records = retrieve_json(capsys)
    assert list_indices(records) == compute_directly()
    assert endpoint.paths == {"/v1/embeddings"}
    assert sum(len(body["input"]) for body in endpoint.bodies) == 12
    endpoint.forget()
    assert list_indices(retrieve_json(capsys)) == list_indices(records)
    assert endpoint.bodies == []


def test_a_killed_call_encodes_nothing_twice_but_what_was_in_flight(
    capsys: pytest.CaptureFixture[str], folder: Path, endpoint: FakeEndpoint
) -> None:
    """Killed at its third request of four texts each: the next call sends these four alone."""
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("parallel_workers: 4", "parallel_workers: 1"))
    answer, program = endpoint.rule, "from flows.commands.cli import main; main(['retrieve', '--config', 'config.yaml'])"
    killed = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
    )

    def kill_at_the_third(body: dict[str, Any]) -> Reply:
        if len(endpoint.bodies) == 3:
            killed.kill()
        return answer(body)

    endpoint.rule = kill_at_the_third
    assert killed.wait(60) == -signal.SIGKILL
    in_flight = endpoint.bodies[2]["input"]
    endpoint.rule = answer
    endpoint.forget()
    code, printed = retrieve(capsys)
    assert (code, "Hit rate:    1.000 (12 of 12)" in printed) == (0, True)
    assert [body["input"] for body in endpoint.bodies] == [in_flight]


@pytest.mark.parametrize(
    "retriever",
    [
        ", precision: ubinary, rescore_multiplier: 400",
        ", search_algorithm: hnsw",
        ", precision: ubinary, search_algorithm: hnsw, rescore_multiplier: 400",
    ],
)
def test_other_searches_find_them_too(
    capsys: pytest.CaptureFixture[str], folder: Path, endpoint: FakeEndpoint, retriever: str
) -> None:
    """By signs and rescored, and in a graph: 95 of 100."""
    pytest.importorskip("faiss").omp_set_num_threads(1)
    write_retrieval(folder, endpoint, retriever)
    found = list_indices(retrieve_json(capsys))
    common = [len({*row} & {*right}) for row, right in zip(found, compute_directly(), strict=True)]
    assert sum(common) >= 0.95 * 5 * 12


@pytest.mark.parametrize("retriever", [", search_algorithm: hnsw", ", precision: ubinary, rescore_multiplier: 400"])
def test_an_index_that_is_missing_is_built_and_written(
    capsys: pytest.CaptureFixture[str], folder: Path, endpoint: FakeEndpoint, retriever: str
) -> None:
    """Once, at the path that the settings name, and nothing else beside it; one that cannot be written is a warning."""
    pytest.importorskip("faiss").omp_set_num_threads(1)
    write_retrieval(folder, endpoint, retriever + ", faiss_index_path: indexes/index")
    first = retrieve(capsys)[1]
    assert "was built and written to indexes/index" in first
    assert [path.name for path in (folder / "indexes").iterdir()] == ["index"]
    second = retrieve(capsys)[1]
    assert "built" not in second
    assert second in first
    write_retrieval(folder, endpoint, retriever + ", faiss_index_path: corpus")
    assert "built and cannot be written to corpus" in retrieve(capsys)[1]


def test_a_record_has_the_originals_form(capsys: pytest.CaptureFixture[str]) -> None:
    """And whether the question's own chunk is among them, with its rank."""
    first, sums = retrieve_json(capsys, "--limit", "1")
    info = first["retrieval_info"]
    [chunks] = info["retrieved_chunks"]
    assert chunks[0].keys() == {"dataset_index", "text", "score", "path", "chunk_id"}
    assert chunks[0]["dataset_index"] == 10
    assert chunks[0]["text"] == "Chunk 10 says."
    assert chunks[0]["chunk_id"].endswith("_0010")
    assert info["retrieval_scores"] == [[chunk["score"] for chunk in chunks]]
    assert (info["context_source"], info["rag_enabled"], info["error"], info["source_rank"]) == ("retrieved", True, None, 1)
    assert first["source_chunk_retrieved"] is True
    assert first["context_used"] == "\n\n".join(chunk["text"] for chunk in chunks)
    assert (sums["hit_rate"], sums["recall_at"]) == (1.0, [1.0] * 5)


def test_it_is_shown_to_people(capsys: pytest.CaptureFixture[str]) -> None:
    """The first questions with their chunks, the source marked, and the hit rate."""
    code, printed = retrieve(capsys, "--limit", "4", "--show", "1")
    assert code == 0
    assert "Question 1: Question 1: which of these is it?" in printed
    assert " * 0." in printed
    assert "Question 2:" not in printed
    assert "Hit rate:    1.000 (4 of 4)" in printed


def test_chunks_below_the_threshold_are_left_out(
    capsys: pytest.CaptureFixture[str], folder: Path, endpoint: FakeEndpoint
) -> None:
    """Where none is left, the question is bare, and says so; that is no failure."""
    write_retrieval(folder, endpoint, rag="  retrieval_score_threshold: 0.99\n")
    *records, sums = retrieve_json(capsys)
    assert {record["retrieval_info"]["context_source"] for record in records} == {"none"}
    assert {record["source_chunk_retrieved"] for record in records} == {False}
    assert (sums["failed"], sums["hit_rate"]) == (0, 0.0)


def test_chunks_that_do_not_fit_are_dropped_from_the_last_on(
    capsys: pytest.CaptureFixture[str], folder: Path, endpoint: FakeEndpoint
) -> None:
    """Whole, and counted."""
    write_retrieval(folder, endpoint, rag="  max_context_tokens: 9\n")
    record = retrieve_json(capsys)[0]
    assert record["context_used"].count("says.") == 2
    assert record["retrieval_info"]["chunks_dropped"] == 3


def test_words_alone_find_a_chunk(capsys: pytest.CaptureFixture[str], folder: Path, endpoint: FakeEndpoint) -> None:
    """BM25: no encoder is asked."""
    pytest.importorskip("bm25s")
    texts = [{"text": f"The {word} stands here.", "metadata": {"question_hash": word}} for word in ("oak", "elm", "ash")]
    write_lines(folder / "trees.jsonl", texts)
    write_retrieval(folder, endpoint, encoder="encoder_config: {name: bm25}")
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("dataset_dir: corpus", "dataset_dir: trees.jsonl"))
    write_questions(folder, [{"question": "Where is the elm?", "answer": "here", "question_hash": "elm"}])
    [record, sums] = retrieve_json(capsys)
    assert record["retrieval_info"]["retrieval_indices"][0][0] == 1
    assert record["question_hash_retrieved"] is True
    assert sums["hit_rate"] == 1.0
    assert endpoint.bodies == []


def test_a_text_that_is_too_long_fails_alone(capsys: pytest.CaptureFixture[str], endpoint: FakeEndpoint) -> None:
    """Its batch is halved until it is alone; the rest is retrieved, and the exit code tells."""

    def rule(body: dict[str, Any]) -> Reply:
        if any("Question 7:" in text for text in body["input"]):
            return error(500, "input is too large to process. increase the physical batch size")
        return embeddings([embed(text, VECTORS) for text in body["input"]])

    endpoint.rule = rule
    code, printed = retrieve(capsys)
    assert code == 1
    assert "Failed:      1, the first: question 7: the encoder answered 500" in printed
    assert "max_characters" in printed
    write = retrieve_json(capsys)
    assert ["failure" in record for record in write[:-1]].count(True) == 1


def test_an_endpoint_that_is_down_is_one_message(capsys: pytest.CaptureFixture[str], endpoint: FakeEndpoint) -> None:
    """After the outage that the settings allow; nothing is retrieved."""
    endpoint.rule = lambda _: Reply(is_dropped=True)
    code, printed = retrieve(capsys)
    assert code == 1
    assert printed.startswith("mcqa: nothing got through for")
    assert printed.count("\n") == 1


def test_another_dimension_than_the_corpus_is_one_message(capsys: pytest.CaptureFixture[str], endpoint: FakeEndpoint) -> None:
    """With the setting that names the encoder."""
    endpoint.rule = lambda body: embeddings([[1.0, 0.0] for _ in body["input"]])
    code, printed = retrieve(capsys)
    assert code == 2
    assert "gives vectors of 2 dimensions and the corpus has 32: name the encoder" in printed


def test_vectors_that_are_not_of_unit_length_are_noticed(
    capsys: pytest.CaptureFixture[str], folder: Path, endpoint: FakeEndpoint
) -> None:
    """The scores are no cosines then; `normalize` makes them so, and says nothing."""
    lengths = np.linspace(0.5, 2, COUNT, dtype=np.float32)[:, np.newaxis]
    save_to_disk(folder / "corpus", make_chunks(VECTORS * lengths))
    assert "not of unit length" in retrieve(capsys)[1]
    write_retrieval(folder, endpoint, ", normalize: true")
    assert list_indices(retrieve_json(capsys)) == compute_directly()
    assert "not of unit length" not in retrieve(capsys)[1]


def test_a_file_of_its_own_wins(capsys: pytest.CaptureFixture[str], folder: Path, endpoint: FakeEndpoint) -> None:
    """`rag_config_file`, with the same content; also where the other one could not be used."""
    (folder / "rag.yaml").write_text(f"faiss_config: {{dataset_dir: corpus}}\n{ENDPOINT.format(url=endpoint.url)}\n")
    write_retrieval(folder, endpoint, encoder="encoder_config: {quantization: true}", rag="  rag_config_file: rag.yaml\n")
    assert list_indices(retrieve_json(capsys)) == compute_directly()
    (folder / "rag.yaml").write_text("faiss_config: {dataset_dir: corpus, precison: float32}\n")
    assert "rag.yaml: " in retrieve(capsys)[1]


@pytest.mark.parametrize(
    ("retriever", "encoder", "rag", "message"),
    [
        (
            "",
            "encoder_config: {name: auto, pretrained_model_name_or_path: m, quantization: true}",
            "",
            "quantization: true cannot",
        ),
        ("", "encoder_config: {name: auto}", "", "names no model: set pretrained_model_name_or_path"),
        ("", "encoder_config: {name: esm2}", "", "encoder_config.name"),
        ("", "encoder_config: {name: openai}", "", "names no model: set model"),
        ("", "encoder_config: {name: openai, model: e, base_url: nonsense}", "", "encoder_config.base_url: this is no address"),
        (", precision: int8", "", "", "faiss_config.precision"),
        (", rescore_multiplier: 0", "", "", "rescore_multiplier"),
        ("", "", "  retrieval_top_k: 0\n", "retrieval_top_k is 0"),
        (", dataset_chunk_paths: [elsewhere]", "", "", "no corpus at elsewhere"),
        ("", "", "  enabled: false\n", "does not retrieve"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line(
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    endpoint: FakeEndpoint,
    *,
    retriever: str,
    encoder: str,
    rag: str,
    message: str,
) -> None:
    """What, where and what to do; exit code 2, and nothing is asked."""
    write_retrieval(folder, endpoint, retriever, encoder, rag)
    code, printed = retrieve(capsys)
    assert code == 2
    assert message in printed
    assert printed.count("\n") == 1
    assert endpoint.bodies == []


def test_the_originals_settings_are_all_known(capsys: pytest.CaptureFixture[str], folder: Path, endpoint: FakeEndpoint) -> None:
    """A corpus that is missing is then the first thing that is wrong, in one line."""
    (folder / "config.yaml").write_text(ORIGINAL)
    code, printed = retrieve(capsys)
    assert code == 2
    assert printed.startswith(
        "mcqa: error: there is no corpus at elsewhere/all_merged (rag.retriever_config.faiss_config.dataset_dir)"
    )
    assert printed.endswith("Fix the path, or ask without retrieval with --no-rag\n")
    assert printed.count("\n") == 1
    assert endpoint.bodies == []


ORIGINAL = """\
questions_file: exam.json
model:
  generator: {generator_type: argo}
  generator_settings: {model: m, base_url: "http://endpoint.example", api_key: "any-string"}
rag:
  enabled: true
  rag_config_file: null
  retriever_config:
    faiss_config:
      name: "faiss_index_v2"
      dataset_dir: "elsewhere/all_merged"
      faiss_index_path: "elsewhere/index"
      dataset_chunk_paths: null
      precision: "float32"
      search_algorithm: "exact"
      rescore_multiplier: 2
      num_quantization_workers: 1
    encoder_config:
      name: "auto"
      pretrained_model_name_or_path: "lab/encoder"
      tokenizer_name: null
      half_precision: false
      eval_mode: true
      compile_model: false
      quantization: false
    pooler_config:
      name: "last_token"
    batch_size: 16
  use_context_field: false
  retrieval_top_k: 1
  retrieval_score_threshold: 0.0
  chunk_logging_enabled: true
"""
