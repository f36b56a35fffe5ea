"""`mcqa questions check`: what a file holds, what is wrong with it and where; and the same in a run's lines and records."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.commands.cli import main
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.run.fit import NoKeys
from tasks.evaluation.run.preparation import find_endpoints
from tasks.evaluation.run.start import read_and_prepare
from tests.support.fake_endpoint import make_questions, write_config, write_questions

SOUND: list[dict[str, object]] = [{**record, "subject": "ours"} for record in make_questions(3)]
FAULTY: list[dict[str, object]] = [
    *SOUND,
    {"question": "Which?\nA) x\nB) y"},
    {"question": "Which?\nA) x\nB) y", "answer": "Z"},
    {"question": "Which?\nA) x", "answer": "A"},
    {"question": "Which?\nA) x\nB) \nC) y", "answer": "A"},
    {"question": "Which?\nA) x\nB) x", "answer": "A"},
    SOUND[0],
    {**SOUND[1], "answer": "D"},
    {**SOUND[1], "answer": "D"},
]


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Return the command's exit code and all that it prints."""
    with pytest.raises(SystemExit) as end:
        main(["questions", "check", *arguments])
    printed = capsys.readouterr()
    return int(str(end.value.code)), printed.out + printed.err


def check_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(check(capsys, *arguments, "--json")[1])


def test_a_sound_file_is_described(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Format, kinds of questions, choices, right choices, lengths and fields; exit code 0."""
    write_questions(folder, [*SOUND, {"question": "Capital of France?", "answer": ["Paris", "Paname"], "text": "It is old."}])
    assert check(capsys, "exam.json") == (0, DESCRIBED)


DESCRIBED = """\
File:            exam.json
Format:          JSON
Entries:         4
Can be asked:    4
Multiple choice: 3: 4 choices (3)
Right choices:   A (1), B (1), C (1)
Short answers:   1: with further accepted answers (1)
Question length: 18 to 72 characters, median 72
With context:    1
Carried fields:  subject (3)

Nothing is wrong with it
"""


def test_what_is_wrong_is_counted_with_its_places(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """First what keeps entries from being asked, for which the exit code is 1."""
    write_questions(folder, FAULTY)
    code, printed = check(capsys, "exam.json")
    assert code == 1
    assert printed.split("\n\n", 1)[1] == FOUND


FOUND = """\
Cannot be asked:
  no answer: 1 (entry 4)
  one choice only: 1 (entry 6)
  an answer that names none of the choices (asked with a grader only): 1 (entry 5)

Asked, and worth a look:
  an empty choice: 1 (entry 7)
  the same choice twice: 1 (entry 8)
  the same question again, with the same answer: 1 (entry 9)
  the same question again, with another answer: 2 (entries 10, 11)
"""


def test_programs_read_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, with the places of the first five."""
    (folder / "exam.jsonl").write_text("".join(json.dumps({"question": n, "answer": ""}) + "\n\n" for n in range(7)))
    content = check_json(capsys, "exam.jsonl")
    assert content["format"] == "JSON Lines"
    assert (content["entries"], content["can_be_asked"], content["is_sound"]) == (7, 0, False)
    [finding] = content["findings"]
    assert finding == {"kind": "no_answer", "count": 7, "places": [1, 3, 5, 7, 9], "stops": True, "example": ""}


def test_findings_without_harm_leave_a_file_sound(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Duplicates are asked: exit code 0."""
    write_questions(folder, [*SOUND, SOUND[0]])
    code, printed = check(capsys, "exam.json")
    assert code == 0
    assert "the same question again, with the same answer: 1 (entry 4)" in printed


def test_a_configuration_says_how_to_read_the_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its block `fields`, and whether there is a grader, which can do without a choice in the answer."""
    write_questions(
        folder, [{"question": "Even?", "choices": [2, 3, 4], "answer": 2}, {"question": "x\nA) y\nB) z", "answer": "w"}]
    )
    code, printed = check(capsys, "exam.json")
    assert code == 2
    assert "the first: the answer '2' is the choice B as number, C as index, A as text" in printed
    config = write_config(folder, "http://127.0.0.1:9/v1", grader=True)
    with (folder / config).open("a") as file:
        file.write("\nfields: {answer_is: text}\n")
    content = check_json(capsys, "exam.json", "--config", config)
    assert content["is_sound"]
    assert [finding["kind"] for finding in content["findings"]] == ["unclear_answer"]


@pytest.mark.parametrize(("name", "content"), [("exam.json", "[{"), ("exam.jsonl", '{"a": 1}\n{"b"'), ("none.json", None)])
def test_an_unreadable_file_is_a_mistake(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, content: str | None
) -> None:
    """Exit code 2, and one message."""
    if content:
        (folder / name).write_text(content)
    code, printed = check(capsys, name)
    assert code == 2
    assert printed.startswith("mcqa: error: cannot ")
    assert printed.count("\n") == 1


def test_a_run_says_and_records_the_same(folder: Path) -> None:
    """A line for what it cannot ask, one for what is worth a look, and the counts in every file's metadata."""
    write_questions(folder, FAULTY)
    config = load_config(write_config(folder, "http://127.0.0.1:9/v1"), Overrides())
    said: list[str] = []
    endpoints = find_endpoints(config, Path(), NoKeys())
    with read_and_prepare(config, endpoints, run_id="run", notify=said.append) as preparation:
        assert "\n".join(said) == SAID
        assert preparation.describe_selection().findings == {
            "no_answer": 1,
            "one_choice": 1,
            "unclear_answer": 1,
            "empty_choice": 1,
            "duplicate_choices": 1,
            "duplicate": 1,
            "contradiction": 2,
        }


SAID = """\
⚠️ exam.json: cannot be asked: no answer: 1, one choice only: 1, an answer that names none of the choices (asked with a grader \
only): 1
⚠️ exam.json: asked, and worth a look: an empty choice: 1, the same choice twice: 1, the same question again, with the same \
answer: 1, the same question again, with another answer: 2
   Where: mcqa questions check exam.json"""


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (
            [*SOUND, {"question": "Which?", "options": "one of them", "answer": "B"}],
            "looks like choices that cannot be read: 1",
        ),
        ([{"question": "Which?"}], "no entry of the questions file .* can be asked: no answer: 1"),
    ],
)
def test_a_run_asks_nothing_of_a_file_that_it_cannot_read_or_use(
    folder: Path, records: list[dict[str, object]], message: str
) -> None:
    """Choices are never left out of a question, and a file without an answer is no evaluation."""
    write_questions(folder, records)
    config = load_config(write_config(folder, "http://127.0.0.1:9/v1"), Overrides())
    endpoints = find_endpoints(config, Path(), NoKeys())
    with pytest.raises(UserMistake, match=message):
        read_and_prepare(config, endpoints, run_id="run", notify=print).__enter__()


def test_what_is_worth_knowing_of_a_file_is_said_by_the_check_and_by_a_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A picture does not keep a file from being asked: exit code 0."""
    write_questions(folder, [{**SOUND[0], "image": "cat.png"}])
    code, printed = check(capsys, "exam.json")
    assert code == 0
    assert "Worth knowing:\n  pictures are not sent: 'image' (1 entry)" in printed
    assert check_json(capsys, "exam.json")["notes"] == ["pictures are not sent: 'image' (1 entry)"]
    config = load_config(write_config(folder, "http://127.0.0.1:9/v1"), Overrides())
    said: list[str] = []
    endpoints = find_endpoints(config, Path(), NoKeys())
    with read_and_prepare(config, endpoints, run_id="run", notify=said.append):
        assert "⚠️ exam.json: pictures are not sent: 'image' (1 entry)" in said
