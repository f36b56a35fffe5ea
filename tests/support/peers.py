"""mcqa-flow and its peers, each as a command that asks the questions of one file and continues when it is called again.

The peers are set up as their documentation proposes for this: inspect-ai with `eval-set`, which keeps what a killed call has
logged, and lm-evaluation-harness with its cache of replies. They live in a virtual environment of their own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.support.outcomes import read_our_answers
from tests.support.quick_endpoint import LETTERS, STEM

MCQA = Path(sys.executable).with_name("mcqa")
EXAM = "exam.jsonl"
# lm-evaluation-harness names its interface to addresses as an extra; with it, nothing of torch is installed. inspect-ai asks an
# address through openai's client, which it leaves to its users to install.
PACKAGES = ("inspect-ai==0.3.285", "lm_eval[api]==0.4.13", "openai==3.57.0")
INSPECT_TASK = f"""
from inspect_ai import Task, task
from inspect_ai.dataset import Sample, json_dataset
from inspect_ai.scorer import choice
from inspect_ai.solver import multiple_choice


def read(record):
    return Sample(input=record["question"], choices=record["choices"], target=record["answer"], id=record["id"])


@task
def exam():
    return Task(dataset=json_dataset("{EXAM}", read), solver=multiple_choice(), scorer=choice())
"""
LM_EVAL_TEXT = (
    "{{question}}\n{% for choice in choices %}{{'ABCD'[loop.index0]}}) {{choice}}\n{% endfor %}"
    'End your reply with "ANSWER: " and a letter.'
)
LM_EVAL_TASK = {
    "task": "exam",
    "dataset_path": "json",
    "dataset_kwargs": {"data_files": {"test": EXAM}},
    "test_split": "test",
    "output_type": "generate_until",
    "doc_to_text": LM_EVAL_TEXT,
    "doc_to_target": "answer",
    "generation_kwargs": {"until": [], "do_sample": False, "max_gen_toks": 512},
    "filter_list": [
        {
            "name": "letter",
            "filter": [{"function": "regex", "regex_pattern": "ANSWER: ([A-D])"}, {"function": "take_first"}],
        }
    ],
    "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
}


@dataclass(frozen=True)
class Program:
    """What is measured: a command, what it needs in its folder, and how to read what it has written there."""

    name: str
    package: str
    """Its name as a distribution."""
    python: Path
    """The interpreter of its environment."""
    command: Callable[[str, int], list[str]]
    """The command for an address and a number of questions at a time."""
    read_answers: Callable[[Path], Iterator[tuple[int, str]]]
    """Reads question and letter of each answer from its folder."""

    def read_version(self) -> str:
        """Return the version that is installed."""
        code = f"from importlib.metadata import version; print(version({self.package!r}))"
        return subprocess.run([self.python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def install_peers(environment: Path) -> None:
    """Make the peers' virtual environment, unless it is there."""
    if not (environment / "bin" / "lm_eval").exists():
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES], check=True)


def list_programs(environment: Path) -> list[Program]:
    """Return mcqa-flow and the peers that are installed in the environment."""
    scripts = environment / "bin"
    python = scripts / "python"

    def read_inspect_answers(folder: Path) -> Iterator[tuple[int, str]]:
        newest = max((folder / "logs").glob("*.eval"), key=lambda path: path.stat().st_mtime_ns)
        dumped = subprocess.run([scripts / "inspect", "log", "dump", newest], capture_output=True, check=True)
        for sample in json.loads(dumped.stdout)["samples"]:
            yield sample["id"], sample["scores"]["choice"]["answer"] if sample.get("scores") else ""

    def ask_with_inspect(url: str, workers: int) -> list[str]:
        model = ["--model", "openai-api/mock/quick", "--model-base-url", url, "--max-connections", str(workers)]
        return [str(scripts / "inspect"), "eval-set", "exam.py", *model, "--log-dir", "logs", "--display", "none"]

    def ask_with_lm_eval(url: str, workers: int) -> list[str]:
        arguments = f"model=quick,base_url={url}/chat/completions,num_concurrent={workers}"
        model = ["--model", "local-chat-completions", "--model_args", arguments, "--apply_chat_template"]
        kept = ["--use_cache", "cache/exam", "--output_path", "out", "--log_samples"]
        return [str(scripts / "lm_eval"), "run", "--tasks", "exam", "--include_path", ".", *model, *kept]

    return [
        Program(
            "mcqa-flow", "mcqa-flow", Path(sys.executable), ask_with_ours, lambda folder: read_our_answers(folder / "output")
        ),
        Program("inspect-ai", "inspect-ai", python, ask_with_inspect, read_inspect_answers),
        Program("lm-eval", "lm_eval", python, ask_with_lm_eval, read_lm_eval_answers),
    ]


def ask_with_ours(_url: str, _workers: int) -> list[str]:
    """Return our command, whose settings are in a file."""
    return [str(MCQA), "score", "--config", "config.yaml"]


def read_lm_eval_answers(folder: Path) -> Iterator[tuple[int, str]]:
    """Yield question and letter from the newest file of samples."""
    newest = max((folder / "out").glob("*/samples_exam_*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    with newest.open() as file:
        for sample in map(json.loads, file):
            yield sample["doc"]["id"], sample["filtered_resps"][0]


def prepare(folder: Path, url: str, *, count: int, workers: int) -> None:
    """Write questions 1 to `count`, and what each of the programs needs beside them."""
    with (folder / EXAM).open("w") as file:
        for number in range(1, count + 1):
            choices = [f"the {which} {number}" for which in ("first", "second", "third", "fourth")]
            answer = LETTERS[(number + (number % 3 == 0)) % 4]
            record = {"id": number, "question": f"Question {number}: {STEM}", "choices": choices, "answer": answer}
            file.write(json.dumps(record) + "\n")
    settings = {
        "questions_file": EXAM,
        "model": {"generator_settings": {"model": "quick", "base_url": url, "api_key": "none"}},
        "processing": {"parallel_workers": workers, "progress_bar": False},
        "output": {"output_directory": "output"},
    }
    (folder / "home").mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    (folder / "exam.py").write_text(INSPECT_TASK)
    (folder / "exam.yaml").write_text(yaml.safe_dump(LM_EVAL_TASK))


def make_environment(folder: Path) -> dict[str, str]:
    """Return the variables of a call: nothing of it lands outside the folder, and no hub is asked."""
    home = folder / "home"
    ours = {"PREFECT_HOME": str(home / "prefect")}
    theirs = {"MOCK_API_KEY": "none", "OPENAI_API_KEY": "none", "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    places = {"HOME": str(home), "XDG_DATA_HOME": str(home / "data"), "XDG_CACHE_HOME": str(home / "cache")}
    return {**os.environ, **places, **ours, **theirs}
