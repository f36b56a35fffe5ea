"""What the run form can offer from a folder: only what could be meant, and never at the cost of a start."""

import gzip
import json
import os
from pathlib import Path

import pytest

from flows.serving.served_files import ServedFiles, find_served_files
from tests.support.fake_endpoint import make_questions, write_config, write_questions

URL = "http://127.0.0.1:9/v1"
QUESTIONS = json.dumps(make_questions(2))


def write(folder: Path, name: str, content: str | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def test_configurations_questions_and_models_are_found(folder: Path) -> None:
    """The nearest first, by paths that a run in this folder understands."""
    write_config(folder, URL)
    (folder / "a").mkdir()
    write_config(folder / "a", URL, name="b.yml")
    write_questions(folder, make_questions(2))
    write(folder, "a/rows.csv", "question,A,B,answer\nWhich?,x,y,A\n")
    assert find_served_files(folder) == ServedFiles(
        configs=("config.yaml", "a/b.yml"), questions=("exam.json", "a/rows.csv"), models=("judge",)
    )


def test_settings_that_a_run_has_written_beside_its_results_are_not_offered(folder: Path) -> None:
    """They would soon be the most; a configuration of a similar name is."""
    (folder / "results").mkdir()
    for name in ("results/exam_config_llama-8b_20261127_104845.yaml", "results/exam_config_llama-8b.yaml"):
        write_config(folder, URL, name=name)
    assert find_served_files(folder).configs == ("results/exam_config_llama-8b.yaml",)


def test_suite_files_are_told_from_configurations(folder: Path) -> None:
    """By what stands in them; the terminal counts them where there are some."""
    write(folder, "night.yaml", "models: [a]\nquestions: [exam.json]\n")
    write(folder, "model_servers.yaml", "servers: []\nmodels: [a]\n")
    served = find_served_files(folder)
    assert (served.suites, served.configs) == (("night.yaml",), ())
    assert str(served) == "0 configurations, 0 questions files, 0 models, 1 suite"


def test_an_empty_folder_offers_nothing(folder: Path) -> None:
    """And neither does one that is not there."""
    assert find_served_files(folder) == find_served_files(folder / "none") == ServedFiles()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("exam.json", QUESTIONS),
        ("exam.json.gz", gzip.compress(QUESTIONS.encode(), mtime=0)),
        ("exam.json", json.dumps({"source": "me", "questions": make_questions(1)})),
        ("exam.json", '[{"Frage": "Was?", "Antwort": "x"}]'),
        ("exam.jsonl", '{"question": "Which?", "answer": "x"}\n'),
        ("exam.csv", "Which of these?,x,y,z,w,A\n"),
        ("exam.tsv", "question\tanswer\nWhich?\tx\n"),
        ("exam.parquet", b"PAR1..."),
        ("two words ä.json", QUESTIONS),
    ],
)
def test_files_that_may_hold_questions_are_offered(folder: Path, name: str, content: str | bytes) -> None:
    """In every format, also with fields of other names."""
    write(folder, name, content)
    assert find_served_files(folder).questions == (name,)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("results.json", '{"metadata": {"evaluation_metadata": {}}, "results": []}'),
        ("checkpoint.json", '{"timestamp": "2026", "completed_count": 0, "results": [{}]}'),
        ("results.jsonl", '{"question": "Which?", "model_answer": "A", "score": 1}\n'),
        ("results.csv", "question_id,score,evaluation.score\n1,1,1\n"),
        ("package.json", '{"name": "x", "dependencies": {}}'),
        ("numbers.json", "[1, 2]"),
        ("empty.json", ""),
        ("cut.json.gz", gzip.compress(QUESTIONS.encode(), mtime=0)[:20]),
        ("zip.csv", b"PK\x03\x04\x00\x00,"),
        ("notes.csv", "no table at all"),
        ("text.parquet", "question"),
        (".hidden.json", QUESTIONS),
        (".cache/exam.json", QUESTIONS),
        ("a/b/c/d/exam.json", QUESTIONS),
        ("node_modules/exam.json", QUESTIONS),
        ("${HOME}.json", QUESTIONS),
        ("~me.json", QUESTIONS),
        ("two\nlines.json", QUESTIONS),
        ("exam.txt", QUESTIONS),
    ],
)
def test_what_cannot_be_meant_is_not_offered(folder: Path, name: str, content: str | bytes) -> None:
    """Results, checkpoints, other files, and names that a run would not take as they stand."""
    write(folder, name, content)
    assert find_served_files(folder).questions == ()


def test_folders_of_checkpoints_and_environments_are_left_out(folder: Path) -> None:
    """They are known by what lies in them."""
    write(folder, "saved/exam.json", QUESTIONS)
    (folder / "saved/.mcqa").mkdir()
    write(folder, "env/exam.json", QUESTIONS)
    write(folder, "env/pyvenv.cfg", "")
    assert find_served_files(folder).questions == ()


@pytest.mark.parametrize(
    "text", ["", "- a", "a: b", "model: x", "model: {generator: {}}", "model: [", "\x00", "model: &a [*a]", "[" * 3000]
)
def test_other_yaml_is_no_configuration(folder: Path, text: str) -> None:
    """And damaged files keep nobody from serving."""
    write(folder, "other.yaml", text)
    assert find_served_files(folder) == ServedFiles()


def test_damaged_model_servers_offer_no_names(folder: Path) -> None:
    """The run will say what is wrong with them."""
    write_config(folder, URL)
    write(folder, "model_servers.yaml", "servers: [")
    assert find_served_files(folder).models == ()


def test_what_blocks_or_cannot_be_named_is_passed_over(folder: Path) -> None:
    """A pipe has no end, and a name that is no text cannot be sent."""
    os.mkfifo(folder / "pipe.json")
    os.mkfifo(folder / "pipe.yaml")
    Path(os.fsdecode(bytes(folder) + b"/\xff.json")).write_text(QUESTIONS)
    (folder / "loop").symlink_to(folder)
    assert find_served_files(folder) == ServedFiles()


def test_the_menus_are_bounded(folder: Path) -> None:
    """However much lies there."""
    for number in range(130):
        write(folder, f"{number:03}.json", QUESTIONS)
    assert len(find_served_files(folder).questions) == 100


def test_the_terminal_says_what_is_offered() -> None:
    """In numbers."""
    assert str(ServedFiles(configs=("a",), models=("x", "y"))) == "1 configuration, 0 questions files, 2 models"
