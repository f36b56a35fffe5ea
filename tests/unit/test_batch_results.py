"""A batch's result holds what its questions' records hold, without the texts that the questions file has."""

import base64
import json
import zlib

import pytest

from tasks.evaluation.json_lines import JsonObject, JsonValue, from_line, to_line
from tasks.evaluation.run.batch_results import PIECE_BYTES, digest_lines, leave_out_question, pack_lines, unpack_records
from tests.support.evaluation import Evaluation, assert_own_answers, count_asked
from tests.support.fake_endpoint import FakeEndpoint

NEVER_SAVED = {"processing.enable_checkpointing": False}


@pytest.mark.parametrize(
    "text",
    ["", ",", '"', '","', '",', '\\",', "\\", 'a\\","b', '\\",\\"', "two\nlines", "ä\u2028", "\ud800", '{"question":"'],
    ids=ascii,
)
@pytest.mark.parametrize("rest", [{"reference_answer": "B", "question": "x"}, {"error": 'of ","', "skipped": True}], ids=list)
def test_only_the_questions_text_is_left_out(text: str, rest: JsonObject) -> None:
    """Whatever stands in it, and behind it."""
    rest.pop("question", None)
    line = to_line({"question_id": 7, "question": text, **rest})
    assert from_line(leave_out_question(line)) == {"question_id": 7, **rest}


@pytest.mark.parametrize(
    "record", [{"question_id": 7, "error": "a", "note": ',"question":"x","y"'}, {"question_id": 7}], ids=len
)
def test_a_record_without_its_question_stays(record: JsonObject) -> None:
    """An entry that could not be asked has none."""
    line = to_line(record)
    assert leave_out_question(line) == line


def score_first_batch(evaluation: Evaluation) -> JsonObject:
    """Return the result of the first batch as it comes back from Prefect's storage."""
    with evaluation.open(NEVER_SAVED, run_id="first") as run:
        outcome: JsonObject = json.loads(json.dumps(run.score(next(run.batches.list_open()))))
        return outcome


def test_a_batchs_result_brings_its_records_back(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """Each as it was, with its question."""
    outcome = score_first_batch(evaluation)
    with evaluation.open(NEVER_SAVED, run_id="first") as run:
        batch = next(run.batches.list_open())
        expected = [run.ledger.questions[position] for position in batch.positions]
        assert run.batches.accept(batch, outcome)
        results = [run.ledger.read_result(position) for position in batch.positions]
        assert run.batches.collect(batch) == outcome
    assert [list(result)[:3] for result in results] == [["question_id", "question", "reference_answer"]] * len(results)
    assert [result["question"] for result in results] == [question.text for question in expected if question]
    assert_own_answers(results)
    assert count_asked(endpoint) == (len(results), 0)


def test_a_result_of_an_earlier_version_is_accepted(evaluation: Evaluation) -> None:
    """It holds whole records."""
    with evaluation.open(NEVER_SAVED, run_id="first") as run:
        batch = next(run.batches.list_open())
        run.score(batch)
        results = [run.ledger.read_result(position) for position in batch.positions]
    outcome: JsonObject = {"digest": digest_lines([to_line(result) for result in results]), "results": list(results)}
    with evaluation.open(NEVER_SAVED, run_id="first") as run:
        assert run.batches.accept(next(run.batches.list_open()), outcome)
        assert [run.ledger.read_result(position) for position in batch.positions] == results


@pytest.mark.parametrize("count", [0, 1, 3 * PIECE_BYTES // 1_000])
def test_a_result_is_packed_piece_by_piece(count: int) -> None:
    """However many pieces it has, every record comes back without its question."""
    records: list[JsonObject] = [{"question_id": n, "question": "?", "model_answer": f"{n} " * 250} for n in range(count)]
    unpacked = unpack_records(pack_lines(map(to_line, records)))
    assert unpacked == [{name: value for name, value in record.items() if name != "question"} for record in records]


@pytest.mark.parametrize("lines", [None, 1, [], "", "%", "AAAA", base64.b64encode(zlib.compress(b"{}\n")).decode()], ids=repr)
def test_a_damaged_result_is_not_trusted(evaluation: Evaluation, lines: JsonValue) -> None:
    """Its batch is asked again."""
    outcome = score_first_batch(evaluation)
    with evaluation.open(NEVER_SAVED, run_id="first") as run:
        batch = next(run.batches.list_open())
        assert not run.batches.accept(batch, outcome | {"lines": lines})
        assert run.batches.count_open(batch) == len(batch.positions)
