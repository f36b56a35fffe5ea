"""Question files on the whole way: what is asked, and what comes back with each result."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.support.exam import read_final, run
from tests.support.fake_endpoint import FakeEndpoint, make_questions, right_count, write_config, write_questions

COUNT = 12
LETTERS = "ABCD"
# The endpoint answers every third question wrong.
SUBJECTS = ("easy", "hard")


@pytest.fixture(autouse=True)
def surroundings(prefect_server: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up a server, a working directory, and the key in the environment."""
    monkeypatch.setenv("FAKE_KEY", "sk-very-secret")


def read_results(folder: Path) -> list[dict[str, Any]]:
    """Return the results in the newest file."""
    results: list[dict[str, Any]] = read_final(folder)["results"]
    return results


def read_statistics(folder: Path) -> dict[str, Any]:
    """Return the results in the newest file."""
    statistics: dict[str, Any] = read_final(folder)["metadata"]["statistics"]
    return statistics


def make_rows(count: int) -> list[dict[str, Any]]:
    """Return the questions of `make_questions` with their choices in a column, the answer's index, and an id."""
    rows = []
    for number, record in enumerate(make_questions(count), start=1):
        question, *choices = record["question"].split("\n")
        index = LETTERS.index(record["answer"][0])
        texts, subject = [text[3:] for text in choices], SUBJECTS[number % 3 == 0]
        rows.append({"id": f"q-{number}", "question": question, "choices": texts, "answer": index, "subject": subject})
    return rows


def test_choices_in_a_column_are_scored_like_choices_in_the_text(folder: Path, endpoint: FakeEndpoint) -> None:
    """From Parquet, with an index as the answer: every question once, the known score, in all and by subject."""
    parquet.write_table(pa.Table.from_pylist(make_rows(COUNT)), folder / "exam.parquet")
    config = write_config(folder, endpoint.url)
    with (folder / config).open("a") as file:
        file.write("\nfields: {answer_is: index, group_by: subject}\n")
    assert run(config, questions_file="exam.parquet").is_completed()
    assert sum(endpoint.asked().values()) == len(endpoint.asked()) == COUNT
    results = read_results(folder)
    assert sum(result["score"] for result in results) == right_count(COUNT)
    by_group = read_statistics(folder)["by_group"]
    assert {name: (group["count"], group["accuracy"]) for name, group in by_group.items()} == {
        "easy": (8, 1.0),
        "hard": (4, 0.0),
    }
    assert by_group["hard"]["interval"] == [0.0, pytest.approx(0.4899, abs=1e-4)]
    assert [result["fields"]["id"] for result in results] == [f"q-{n}" for n in range(1, COUNT + 1)]
    assert results[0]["question"].endswith("\n\nA) one 1\nB) two 1\nC) three 1\nD) four 1")


def test_a_reused_answer_carries_the_fields_that_the_file_has_now(folder: Path, endpoint: FakeEndpoint) -> None:
    """Another file with the same questions asks nothing, and its results say what it says, refused entries included."""
    records: list[dict[str, object]] = [{**record, "subject": "old"} for record in make_questions(COUNT)]
    write_questions(folder, records)
    config = write_config(folder, endpoint.url)
    run(config)
    endpoint.forget()
    plain, *others = [{"question": record["question"], "answer": record["answer"]} for record in records]
    lines = [plain, *({**record, "id": number} for number, record in enumerate(others)), {"id": "empty"}]
    (folder / "exam.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run(config, questions_file="exam.jsonl").is_completed()
    assert endpoint.bodies == []
    results = read_results(folder)
    assert [result.get("fields") for result in results] == [None, *({"id": n} for n in [*range(COUNT - 1), "empty"])]
    assert results[-1]["error"] == "Missing question or answer"
