"""Whatever a file holds, its reader gives what is sound in it or one of the documented errors: never another, never a hang.

A hundred thousand inputs and more: `pytest tests/unit/test_damaged_input.py --hypothesis-profile=long --timeout=3600`.
"""

import argparse
import io
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stdout, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flows.commands.checkpoints import list_checkpoints, show_checkpoint, validate_checkpoint
from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.model_servers import find_model_server, list_model_servers
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject, to_line
from tasks.evaluation.questions.questions import read_questions
from tasks.evaluation.questions.selection import Selection
from tasks.evaluation.reporting.summary import compute_statistics
from tasks.evaluation.resuming.differences import describe_settings
from tasks.evaluation.run.folders import make_own_folder
from tasks.evaluation.run.opening import open_ledger
from tasks.evaluation.run.preparation import find_endpoints
from tasks.evaluation.run.resumption import reuse_earlier
from tasks.evaluation.run.start import read_and_prepare
from tasks.evaluation.scoring.records import (
    Grade,
    Refusal,
    answer_record,
    build_refused,
    build_result,
    grade_record,
    refusal_record,
)
from tasks.evaluation.storage.checkpoint_writer import CheckpointWriter
from tests.support.fake_endpoint import make_questions
from tests.support.mutations import altered, pack, spoiled, to_json, to_parquet, to_yaml

CONFIG: dict[str, Any] = {
    "questions_file": "exam.json",
    "model": {
        "generator": {"generator_type": "openai"},
        "generator_settings": {
            "model": "fake", "base_url": "http://h/v1", "api_key": "${KEY}", "temperature": 0.0, "max_tokens": 64,
            "extra": {"top_p": 0.9}, "revision": "r", "server": "h", "port": 8000, "boot_local": False,
            "vllm_args": {"dtype": "auto"},
        },
        "grader_shortname": "judge",
        "model_config_file": "servers.yaml",
    },
    "rag": {"enabled": True, "use_context_field": True, "rag_config_file": None, "retriever_config": None},
    "processing": {"parallel_workers": 4, "random_selection": 2, "random_seed": 1, "checkpoint_directory": "c"},
    "output": {"output_directory": "out", "output_prefix": "x"},
}  # fmt: skip
SERVERS: dict[str, Any] = {
    "servers": [
        {
            "shortname": "judge",
            "openai_api_base": "http://h/v1",
            "openai_model": "j",
            "openai_api_key": "k",
            "extra": {"seed": 1},
        },
        {"shortname": "other", "openai_api_base": "http://h/v1", "openai_model": "o"},
    ]
}
QUESTIONS: list[dict[str, Any]] = [
    *make_questions(3),
    {"question": "Capital of France?", "answer": "Paris", "text": "About France"},
    {"question": 7, "answer": 8},
]
QUESTION_FILES = {
    "json": to_json(QUESTIONS),
    "jsonl": b"\n".join(map(to_json, QUESTIONS)),
    "json.gz": pack(to_json(QUESTIONS)),
    "parquet": to_parquet(QUESTIONS[:3]),
    "csv": b'question,answer,text\n"Which?\nA) x\nB) y",B,\nCapital of France?,Paris,About France\n',
}
ENDPOINTS = (Endpoint("generator", None, "none", {"model": "fake"}), None)
ANSWER, GRADE = Answer("B", None, {"total_tokens": 3}, "stop", "fake", 0.1), Grade({"score": 1, "format": "mc"}, {}, 0.0)
REFUSAL = Refusal("no", {})
ORIGINAL = (Path(__file__).parent.parent / "flow/original/checkpoint_exam_argo:fake_20261123_035022.json").read_bytes()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a working directory for all examples of a module, with questions and a checkpoint directory."""
    place = tmp_path_factory.mktemp("place")
    (place / "exam.json").write_bytes(QUESTION_FILES["json"])
    make_own_folder(configure(place))
    return place


@pytest.fixture(scope="module")
def checkpoint(place: Path) -> bytes:
    """Return a checkpoint of ours: scored questions, a refused one, and one that cannot be asked."""
    with (
        read_and_prepare(configure(place), ENDPOINTS, run_id="", notify=lambda _: None) as preparation,
        open_ledger(preparation) as ledger,
    ):
        ledger.record_unusable()
        for position in range(len(ledger.questions)):
            question, ids = ledger.questions[position], ledger.roster.ids(position)
            if question and position not in ledger.results:
                refused = build_refused(ids, question, REFUSAL, ANSWER)
                ledger.finish(position, refused if position == 1 else build_result(ids, question, ANSWER, GRADE))
        folder = place / "sound"
        folder.mkdir()
        metadata: JsonObject = {"statistics": compute_statistics(ledger).to_json(), **preparation.describe().to_metadata()}
        writer = CheckpointWriter(folder, "checkpoint_a", ledger.results, lambda _: metadata, preparation.config.for_files())
        writer.save(datetime(2026, 11, 23))  # noqa: DTZ001 - the documented times are local
        assert writer.path
        return writer.path.read_bytes()


@pytest.fixture(scope="module")
def log(place: Path) -> bytes:
    """Return a segment with each kind of record, for questions of the file."""
    with read_and_prepare(configure(place), ENDPOINTS, run_id="", notify=lambda _: None) as preparation:
        first, second = preparation.roster.ids(0), preparation.roster.ids(1)
    records = [
        answer_record(first.answer, ANSWER),
        grade_record(first.score, ANSWER, GRADE),
        answer_record(second.answer, ANSWER),
        refusal_record(second, REFUSAL, ANSWER),
    ]
    return b"".join(to_line(record) + b"\n" for record in records)


def configure(place: Path, **processing: object) -> Config:
    """Return the settings of the evaluation of the folder's questions."""
    model = {"generator_settings": {"model": "fake", "base_url": "http://h/v1"}}
    settings = {"checkpoint_directory": str(place / "checkpoints"), "question_format": "mc", **processing}
    return Config.model_validate({"questions_file": str(place / "exam.json"), "model": model, "processing": settings})


def resume(place: Path, **processing: object) -> None:
    """Take up what lies in the folder, as a run does when it starts."""
    own_folder = place / "checkpoints/.mcqa"
    config = configure(place, **processing)
    with (
        read_and_prepare(config, ENDPOINTS, own_folder=own_folder, run_id="", notify=lambda _: None) as preparation,
        open_ledger(preparation) as ledger,
    ):
        reuse_earlier(preparation, ledger, lambda _: None)
        for position in ledger.results.positions(0, len(ledger.results)):
            assert ledger.read_result(position)["question_id"] == position + 1
        for position in ledger.awaiting_grade():
            assert ledger.known_answer(position)


def check_endpoint(path: Path) -> None:
    """Do what `mcqa checkpoints` does with the file."""
    options = argparse.Namespace(file=str(path), checkpoint_dir=str(path.parent), json=False, config=None)
    with redirect_stdout(io.StringIO()):
        list_checkpoints(options)
        for command in (show_checkpoint, validate_checkpoint):
            with suppress(UserMistake):
                command(options)


def try_checkpoint(place: Path, content: bytes, suffix: str = ".json") -> None:
    """List, show and validate the checkpoint, resume beside it, and resume from it."""
    path = place / f"checkpoints/checkpoint_a{suffix}"
    path.write_bytes(content)
    try:
        check_endpoint(path)
        resume(place)
        with suppress(UserMistake):
            resume(place, resume_from_checkpoint=str(path))
    finally:
        path.unlink()


@given(st.data())
def test_a_spoiled_checkpoint(place: Path, checkpoint: bytes, data: st.DataObject) -> None:
    """Cut, overwritten, doubled: a run starts all the same, and says what it passes over."""
    try_checkpoint(place, data.draw(spoiled(checkpoint) | spoiled(ORIGINAL)))


@given(st.data())
def test_a_spoiled_compressed_checkpoint(place: Path, checkpoint: bytes, data: st.DataObject) -> None:
    """Spoiled before it was compressed, or after."""
    compressed = spoiled(pack(checkpoint)) | spoiled(checkpoint).map(pack)
    try_checkpoint(place, data.draw(compressed), ".json.gz")


@given(st.data())
def test_a_checkpoint_with_other_values(place: Path, checkpoint: bytes, data: st.DataObject) -> None:
    """It parses, and its parts are not what they should be."""
    document = altered(json.loads(checkpoint)) | altered(json.loads(ORIGINAL))
    try_checkpoint(place, data.draw(document.map(to_json) | document.map(lay_out)))


def lay_out(document: object) -> bytes:
    """Lay the document out as a checkpoint of ours, whose ends are read without its middle."""
    if not isinstance(document, dict) or not isinstance(document.get("results"), list):
        return to_json(document)
    names = ("timestamp", "completed_count", "completed_indices")
    head = ", ".join(f"{json.dumps(name)}: {json.dumps(document[name])}" for name in names if name in document)
    tail = {name: value for name, value in document.items() if name not in {*names, "results"}}
    lines = ",\n".join(json.dumps(result) for result in document["results"])
    return f'{{{head}, "results": [\n{lines}\n], {json.dumps(tail)[1:]}\n'.encode()


@given(st.data())
def test_a_spoiled_log(place: Path, log: bytes, data: st.DataObject) -> None:
    """What is sound in it is used."""
    try_log(place, data.draw(spoiled(log)))


@given(st.data())
def test_a_log_with_other_values(place: Path, log: bytes, data: st.DataObject) -> None:
    """A record that parses may lack what makes it one."""
    records = data.draw(altered([json.loads(line) for line in log.splitlines()]))
    lines = records if isinstance(records, list) else [records]
    try_log(place, b"".join(to_json(line) + b"\n" for line in lines))


def try_log(place: Path, content: bytes) -> None:
    segment = place / "checkpoints/.mcqa/answers/writer-000001.jsonl"
    segment.write_bytes(content)
    try:
        resume(place)
    finally:
        segment.unlink()


@pytest.mark.parametrize("extension", QUESTION_FILES)
@given(st.data())
def test_spoiled_questions(place: Path, extension: str, data: st.DataObject) -> None:
    """Questions, or one mistake that names the file."""
    try_questions(place, extension, data.draw(spoiled(QUESTION_FILES[extension])))


@given(st.data())
def test_questions_with_other_values(place: Path, data: st.DataObject) -> None:
    """Entries that are no records, fields of other kinds."""
    document = data.draw(altered(QUESTIONS) | altered({"metadata": {}, "questions": QUESTIONS}))
    try_questions(place, "json", to_json(document))


def try_questions(place: Path, extension: str, content: bytes) -> None:
    path = place / f"spoiled.{extension}"
    path.write_bytes(content)
    with only_mistakes_that_name(path):
        questions = read_questions(str(path), question_format="auto", uses_context=True, folder=place)
        with closing(questions):
            selected = questions.select(Selection(2, 1, None))
            assert len(list(selected)) == len(selected) >= 1


@contextmanager
def only_mistakes_that_name(path: Path) -> Iterator[None]:
    """Let a user's mistake pass whose message names the file."""
    try:
        yield
    except UserMistake as mistake:
        if path.name not in str(mistake):
            pytest.fail(f"{path.name} is not named: {mistake}")


@given(st.one_of(spoiled(yaml.safe_dump(CONFIG).encode()), altered(CONFIG).map(to_yaml)))
def test_a_spoiled_configuration(place: Path, content: bytes) -> None:
    """Settings, or one mistake that names the file."""
    path = place / "config.yaml"
    path.write_bytes(content)
    (place / "servers.yaml").write_text(yaml.safe_dump(SERVERS))
    with only_mistakes_that_name(path):
        config = load_config(str(path), Overrides())
        with suppress(UserMistake):
            describe_settings(config, None)
            find_endpoints(config, place, KeyReader({"KEY": "k"}, str))


@given(st.one_of(spoiled(yaml.safe_dump(SERVERS).encode()), altered(SERVERS).map(to_yaml)), st.sampled_from(["judge", "other"]))
def test_spoiled_model_servers(place: Path, content: bytes, shortname: str) -> None:
    """An entry, none, or one mistake that names the file."""
    path = place / "spoiled.yaml"
    path.write_bytes(content)
    with only_mistakes_that_name(path):
        find_model_server(shortname, path.name, place)
        list_model_servers(path.name, place)
    with suppress(UserMistake):
        load_config(None, Overrides(questions_file="exam.json", model=shortname, model_config_file=str(path)))
