"""Configurations in the original's shape run unchanged; written for these tests, with the habits of those in use."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.endpoints.described import find_generator, find_judge
from tasks.evaluation.errors import UserMistake
from tests.support.fake_endpoint import FakeEndpoint, make_questions, right_count, write_questions

LOCAL_URL = "http://127.0.0.1:12345/v1"


@pytest.fixture(autouse=True)
def files(folder: Path) -> None:
    """Put the configurations into the working directory, and questions."""
    shutil.copytree(Path(__file__).parent / "original_configs", folder, dirs_exist_ok=True)
    write_questions(folder, make_questions(12))


def load(name: str, *, no_rag: bool | None = None) -> Config:
    return load_config(f"{name}.yaml", Overrides(no_rag=no_rag))


@pytest.mark.parametrize(
    ("name", "url", "request_"),
    [
        ("argo", "http://endpoint.example:44497/v1", {"model": "argo:gpt-x", "temperature": 0.0, "max_tokens": 2048}),
        ("vllm_server", "http://gpu-node:9999/v1", {"model": "lab/large-instruct", "temperature": 0.0, "max_tokens": 1024}),
        ("vllm_local", LOCAL_URL, {"model": "lab/small-instruct", "temperature": 0.0, "max_tokens": 64}),
        ("context", "http://gpu-node:8000/v1", {"model": "lab/large-instruct", "temperature": 0.1, "max_tokens": 1024}),
    ],
)
def test_it_is_asked_as_the_original_asks(name: str, url: str, request_: dict[str, object]) -> None:
    """The same address, key, model and settings, for the generator and for the grader."""
    config, keys = load(name), KeyReader({}, str)
    generator = find_generator(config, keys, [LOCAL_URL])
    grader = find_judge(config, Path(), keys, generator)
    assert (generator.base_url, generator.api_key, generator.request) == (url, "any-string", request_)
    assert grader
    assert (grader.base_url, grader.api_key) == ("http://endpoint.example:55625/v1", "any-other-string")
    assert grader.request == {"model": "argo:gpt-y", "temperature": 0.0, "max_tokens": 1000}
    assert config.rag.uses_context == (name == "context")


def test_a_missing_retriever_is_refused_with_the_flag_that_goes_without(folder: Path) -> None:
    """Before anything is asked; with the flag, or with the file, the same configuration runs."""
    with pytest.raises(UserMistake, match=r"retrieval.yaml: rag.rag_config_file: there is no file rag.yaml.*--no-rag"):
        load("retrieval")
    assert not load("retrieval", no_rag=True).rag.enabled
    (folder / "rag.yaml").write_text("faiss_config: {dataset_dir: corpora}\nencoder_config: {name: bm25}\n")
    assert load("retrieval").rag.retrieves


def test_a_run_leaves_its_files_where_the_original_does(
    prefect_server: str, folder: Path, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty output_directory is the working directory; its keys in clear are accepted, and told."""
    from flows.score_questions import score_questions

    for name in ("argo.yaml", "model_servers.yaml"):
        text = (folder / name).read_text()
        (folder / name).write_text(re.sub(r"http://endpoint\.example:\d+/v1", endpoint.url, text))
    assert score_questions("argo.yaml", return_state=True).is_completed()
    [results] = folder.glob("gptx-norag_argo_gpt-x_*.json")
    [incorrect] = folder.glob("gptx-norag_incorrect_argo_gpt-x_*.json")
    [_] = folder.glob("gptx-norag_config_argo_gpt-x_*.yaml")
    [_] = (folder / "checkpoints").glob("checkpoint_exam_argo_gpt-x_*.json")
    assert sum(result["score"] for result in json.loads(results.read_text())["results"]) == right_count(12)
    assert len(json.loads(incorrect.read_text())["results"]) == 12 - right_count(12)
    assert endpoint.keys == {"Bearer any-string", "Bearer any-other-string"}
    assert "An API key stands in clear" in capsys.readouterr().out
