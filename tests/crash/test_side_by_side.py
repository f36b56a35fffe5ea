"""Evaluations that run at once, as real commands: they share a directory, a home and a file of questions, and nothing else."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.fake_endpoint import (
    LETTERS,
    FakeEndpoint,
    Reply,
    completion,
    make_questions,
    prompt_of,
    write_config,
    write_questions,
)

COUNT = 30
MODELS = [f"model-{number}" for number in range(8)]
MCQA = Path(sys.executable).with_name("mcqa")


def letter_of(model: str, question: str) -> str:
    """Return what this model, and no other, answers to the question."""
    number = re.search(r"Question (\d+)", question)
    assert number
    return LETTERS[(int(number[1]) + int(model[-1]) + int(number[1]) // 8 * int(model[-1])) % 4]


def answer_by_model(body: dict[str, Any]) -> Reply:
    return completion(f"{body['model']} says:\nANSWER: {letter_of(body['model'], prompt_of(body))}")


def test_eight_evaluations_at_once_are_all_right(folder: Path, endpoint: FakeEndpoint, prefect_server: str) -> None:
    """Started in the same moment, some with Prefect servers of their own: each asks once, and holds its own answers."""
    write_questions(folder, make_questions(COUNT))
    write_config(folder, endpoint.url, parallel_workers=4, checkpoint_interval=5)
    endpoint.rule = answer_by_model
    runs = [start(model, {}) for model in MODELS[:2]] + [
        start(model, {"PREFECT_API_URL": prefect_server}) for model in MODELS[2:]
    ]
    printed = [run.communicate(timeout=250)[0] for run in runs]
    assert [run.returncode for run in runs] == [0] * len(MODELS), printed
    assert len(endpoint.bodies) == COUNT * len(MODELS)
    assert {model: read_answers(folder, model) for model in MODELS} == {model: expect_answers(model) for model in MODELS}
    assert len(list((folder / "checkpoints").glob("checkpoint_*.json"))) == len(MODELS)


def start(model: str, variables: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [str(MCQA), "score", "--config", "config.yaml", "--model", model],
        env={**os.environ, "FAKE_KEY": "sk-none", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_answers(folder: Path, model: str) -> list[str]:
    [path] = (folder / "out").glob(f"exam_{model}_*.json")
    return [result["model_answer"] for result in json.loads(path.read_text())["results"]]


def expect_answers(model: str) -> list[str]:
    return [f"{model} says:\nANSWER: {letter_of(model, question['question'])}" for question in make_questions(COUNT)]
