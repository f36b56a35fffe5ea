"""Results of earlier files are copied as they stand there, and come out as if each had been written again."""

import json
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from tasks.evaluation.errors import DamagedFile
from tasks.evaluation.json_lines import JsonObject, to_line
from tasks.evaluation.scoring.result_lines import place_result
from tasks.evaluation.storage.checkpoint_reader import read_result_lines, read_results
from tasks.evaluation.storage.checkpoint_writer import CheckpointWriter
from tasks.evaluation.storage.placed_spool import PlacedSpool

RESULT: JsonObject = {"question_id": 3, "question": "ä?\n", "score": 0.5, "seconds": 5.1e-05, "reasoning": None}
WITH_FIELDS: JsonObject = {**RESULT, "fields": {"topic": "ü", "level": 2}}


@pytest.mark.parametrize("stored", [RESULT, WITH_FIELDS], ids=["without fields", "with fields"])
@pytest.mark.parametrize("fields", [{}, {"topic": "ü", "level": 2}, {"level": 2, "topic": "ü"}, {"topic": "x"}], ids=str)
@pytest.mark.parametrize("number", [3, 12])
def test_a_copied_line_is_the_one_that_would_be_written(stored: JsonObject, fields: JsonObject, number: int) -> None:
    """With the question's number and its fields as the file has them now."""
    expected = to_line({**RESULT, "question_id": number} | ({"fields": fields} if fields else {}))
    assert place_result(stored, to_line(stored), number, fields) == expected


def test_a_line_of_another_writer_is_written_again() -> None:
    """Its members may stand in any order, with spaces between them."""
    line = b'{"score": 1, "question_id": 3}'
    assert place_result({"score": 1, "question_id": 3}, line, 4, {}) == b'{"score":1,"question_id":4}'


@pytest.mark.parametrize("fields", [{}, {"topic": "ü"}], ids=str)
def test_a_line_with_a_space_behind_it_is_written_again(fields: JsonObject) -> None:
    """As an editor may leave it."""
    line = place_result(RESULT, to_line(RESULT) + b" ", 4, fields)
    assert json.loads(line) == {**RESULT, "question_id": 4} | ({"fields": fields} if fields else {})


def write_checkpoint(folder: Path, count: int) -> Path:
    with closing(PlacedSpool(None, count)) as results:
        for position in range(count):
            results.put(position, to_line({"question_id": position + 1, "question": 'ä "q"\n], "results"', "score": 1}))
        writer = CheckpointWriter(folder, "checkpoint_exam_m", results, lambda _: {}, {})
        writer.save(datetime(2026, 11, 23, 14, 30, 22))  # noqa: DTZ001
    assert writer.path
    return writer.path


def test_a_checkpoints_results_come_with_their_lines(tmp_path: Path) -> None:
    """From the first to the last."""
    path = write_checkpoint(tmp_path, 3)
    assert [line for _, line in read_result_lines(path)] == [to_line(result) for result in read_results(path)]


def test_an_edited_checkpoint_gives_its_results_without_lines(tmp_path: Path) -> None:
    """It is still a checkpoint, however it is laid out."""
    path = write_checkpoint(tmp_path, 3)
    path.write_text(json.dumps(json.loads(path.read_text()), indent=1))
    assert list(read_result_lines(path)) == [(result, None) for result in read_results(path)]
    assert len(list(read_result_lines(path))) == 3


def test_after_a_result_of_several_lines_the_others_follow(tmp_path: Path) -> None:
    """Each once."""
    path = write_checkpoint(tmp_path, 3)
    path.write_bytes(path.read_bytes().replace(b'"question_id":2,', b'"question_id":2,\n'))
    assert [result["question_id"] for result, _ in read_result_lines(path)] == [1, 2, 3]


@pytest.mark.parametrize("cut_bytes", [2, 40, 120, 200, 330])
def test_a_cut_checkpoint_is_damaged_wherever_it_ends(tmp_path: Path, cut_bytes: int) -> None:
    """Also between two results, and behind the last."""
    path = write_checkpoint(tmp_path, 3)
    path.write_bytes(path.read_bytes()[:-cut_bytes])
    with pytest.raises(DamagedFile):
        list(read_result_lines(path))


def test_a_checkpoint_that_is_not_utf_8_is_damaged(tmp_path: Path) -> None:
    """Half of a surrogate pair has no form in it: no line with one is copied into other files."""
    path = write_checkpoint(tmp_path, 3)
    path.write_bytes(path.read_bytes().replace("ä".encode(), b"\xed\xa0\x80"))
    with pytest.raises(DamagedFile):
        list(read_result_lines(path))
