"""`mcqa export --to inspect`: the log as inspect-ai itself reads it."""

import os
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from tasks.evaluation.exporting.exports import export_run
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.reporting.saved_runs import open_saved_run
from tests.support.inspect_logs import InspectLog, read_inspect_log
from tests.support.saved_runs import describe_run, refused, save_results, scored, unusable

HOSTILE = 'a"b\0\r\n\u2028🙂\x1b[0m<script>' + "long " * 20_000
USAGE: JsonObject = {
    "generator": {
        "prompt_tokens": 30,
        "completion_tokens": 20,
        "total_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 10},
        "completion_tokens_details": {"reasoning_tokens": 5},
    },
    "grader": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}
REPEATS: list[JsonValue] = [{"model_answer": "A", "score": 1, "usage": {}}, {"model_answer": HOSTILE, "score": 0}]
SEVERAL: JsonObject = {"reference_choice": "A, C", "model_choice": "A, B", "score": 0, "reasoning": "no C", "format": "mc"}
RECORDS = (
    scored(
        1, 1, usage=USAGE, reasoning="hmm", finish_reason="length", fields={"subject": "physics", "deep": {"a": ["\ud800"]}}
    ),
    scored(2, 0.5, repeats=REPEATS, usage=USAGE, reasoning="of the first"),
    scored(3, 0, "Which?\n1) x\n2) y\n3) z", reference="2", evaluation={"reference_choice": "2", "model_choice": "3"}),
    scored(4, 0, evaluation=SEVERAL),
    refused(5),
    unusable(6),
)

# After the time at which the run began.
ENDED_AT = 1_795_700_000


def export(folder: Path, records: Sequence[JsonObject], *, selected: int) -> Path:
    """Export the records of a run that selected this many questions, and return the log's path."""
    settings: JsonObject = {
        "model": {
            "generator_settings": {"model": "some-model", "temperature": 0.5, "extra": {"seed": 7}},
            "grader_shortname": "judge",
        }
    }
    evaluation: JsonObject = {"timestamp": "2026-11-26T09:00:00+00:00", "prompt": {"mc": "{question}"}}
    metadata = describe_run(selected, settings=settings, evaluation=evaluation)
    path, results = folder / "out.eval", save_results(folder / "results.json", records, metadata)
    os.utime(results, (ENDED_AT, ENDED_AT))  # the log says when the run has ended
    export_run(open_saved_run(results), "inspect", path, overwrite=True)
    return path


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> InspectLog:
    """Return the log of all the records above."""
    return read_inspect_log(export(tmp_path_factory.mktemp("log"), RECORDS, selected=6))


def test_the_log_says_what_was_run(read: InspectLog) -> None:
    """The task, the model and how it was asked."""
    spec = read.log["eval"]
    assert (spec["task"], spec["model"], spec["created"]) == ("exam", "some-model", "2026-11-26T09:00:00+00:00")
    assert (spec["model_generate_config"]["temperature"], spec["model_generate_config"]["seed"]) == (0.5, 7)
    assert spec["dataset"] == {**spec["dataset"], "name": "exam", "location": "exam.json", "samples": 6}
    assert read.log["plan"]["steps"][0]["params"] == {"prompt": {"mc": "{question}"}}


def test_accuracy_and_its_error_are_over_questions(read: InspectLog) -> None:
    """Scores 1, 0.5, 0 and 0: repeats count as one question, and what has no score does not count."""
    assert (read.log["status"], read.log["eval"]["config"]["epochs"]) == ("success", 2)
    [score] = read.log["results"]["scores"]
    assert score["metrics"]["accuracy"]["value"] == pytest.approx(0.375)
    assert score["metrics"]["stderr"]["value"] == pytest.approx(0.2393567769)
    assert (score["scored_samples"], score["reducer"]) == (4, "mean")
    assert (read.log["results"]["total_samples"], read.log["results"]["completed_samples"]) == (12, 5)


def test_the_log_says_when_the_run_began_and_ended(tmp_path: Path) -> None:
    """The end is the time in the results' name."""
    metadata = describe_run(1, evaluation={"timestamp": "2026-11-26T09:00:00"})
    results = save_results(tmp_path / "rag_results_some-model_20261126_101500.json", RECORDS[:1], metadata)
    export_run(open_saved_run(results), "inspect", tmp_path / "out.eval", overwrite=False)
    stats = read_inspect_log(tmp_path / "out.eval").log["stats"]
    took = datetime.fromisoformat(stats["completed_at"]) - datetime.fromisoformat(stats["started_at"])
    assert took.total_seconds() == 4_500


def test_a_sample_has_the_question_in_its_parts(read: InspectLog) -> None:
    """As Inspect's own multiple choice has it: the choices apart, the target a letter."""
    sample = read.samples[0]
    assert (sample["input"], sample["target"]) == ("Question 1?", "A")
    assert sample["choices"] == ["one", "two", "three", "four"]
    assert sample["messages"][0]["content"] == "Question 1?\nA) one\nB) two\nC) three\nD) four"
    assert (sample["metadata"]["subject"], sample["metadata"]["deep"]) == ("physics", {"a": ["\ufffd"]})


def test_a_sample_has_the_score_and_the_answer(read: InspectLog) -> None:
    """With the model's reasoning apart, and why the answer ended."""
    sample = read.samples[0]
    assert (sample["scores"]["mcqa"]["value"], sample["scores"]["mcqa"]["answer"]) == (1, "A")
    output = sample["output"]
    assert (output["completion"], output["choices"][0]["stop_reason"]) == ("The answer is A.", "max_tokens")
    assert [part["type"] for part in output["choices"][0]["message"]["content"]] == ["reasoning", "text"]


def test_tokens_are_counted_as_inspect_counts_them(read: InspectLog) -> None:
    """Those from a cache apart from the others; the grader under its own name."""
    usage = read.samples[0]["output"]["usage"]
    assert (usage["input_tokens"], usage["input_tokens_cache_read"], usage["output_tokens"]) == (20, 10, 20)
    assert (usage["reasoning_tokens"], usage["total_tokens"]) == (5, 50)
    assert {name: counts["total_tokens"] for name, counts in read.log["stats"]["model_usage"].items()} == {
        "some-model": 50,
        "judge": 5,
    }
    assert read.log["stats"]["role_usage"]["grader"]["total_tokens"] == 5


def test_repeats_are_epochs(read: InspectLog) -> None:
    """Each with its own answer and score; what the question's record says of its first answer is not theirs."""
    of_two = [sample for sample in read.samples if sample["id"] == 2]
    assert [(sample["epoch"], sample["scores"]["mcqa"]["value"]) for sample in of_two] == [(1, 1), (2, 0)]
    assert of_two[1]["output"]["completion"] == HOSTILE
    assert (of_two[1]["output"]["usage"], of_two[1]["model_usage"]) == (None, {})


def test_choices_are_lettered_by_their_place(read: InspectLog) -> None:
    """Inspect knows no other labels; several right choices are a list."""
    by_id = {sample["id"]: sample for sample in read.samples}
    assert (by_id[3]["target"], by_id[3]["scores"]["mcqa"]["answer"]) == ("B", "C")
    assert (by_id[4]["target"], by_id[4]["scores"]["mcqa"]["answer"]) == (["A", "C"], "A, B")
    assert by_id[4]["scores"]["mcqa"]["explanation"] == "no C"


def test_a_question_without_a_score_has_an_error(read: InspectLog) -> None:
    """Refused, or an entry that cannot be asked."""
    errors = {sample["id"]: sample["error"]["message"] for sample in read.samples if sample["error"]}
    assert errors == {5: "no", 6: "Missing question or answer"}
    assert [sample["scores"] for sample in read.samples if sample["error"]] == [None, None]


def test_the_viewers_list_has_every_sample_cut_short(read: InspectLog) -> None:
    """A list of a hundred thousand questions must load in a browser."""
    assert [(each["id"], each["epoch"]) for each in read.summaries] == [(1, 1), (2, 1), (2, 2), (3, 1), (4, 1), (5, 1), (6, 1)]
    assert read.summaries[5]["error"] == "no"
    assert max(len(str(each)) for each in read.summaries) < 5_000


def test_a_run_with_questions_left_was_cancelled(tmp_path: Path) -> None:
    """As Inspect calls one that did not come to its end."""
    assert read_inspect_log(export(tmp_path, RECORDS, selected=600)).log["status"] == "cancelled"


def test_the_archive_is_sound(tmp_path: Path) -> None:
    """The standard library finds every member whole, and equal results give equal bytes."""
    first = export(tmp_path, RECORDS, selected=6).read_bytes()
    with zipfile.ZipFile(export(tmp_path, RECORDS, selected=6)) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 10
    assert (tmp_path / "out.eval").read_bytes() == first
