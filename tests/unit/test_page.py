"""The report's page, read back: which questions it holds, in which order, with which verdicts and texts."""

import base64
import errno
import json
import os
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.errors import StorageFailure, UserMistake
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.pages.clean_texts import clean_text
from tasks.evaluation.pages.page import write_page, write_runs
from tasks.evaluation.pages.run_sheets import ABSENT, FULL_SCORE, REFUSED, UNUSABLE
from tasks.evaluation.reporting.saved_runs import SavedRun, open_saved_run
from tests.support.failing_disk import FailingDisk, Fault
from tests.support.report_pages import make_page, read_page
from tests.support.saved_runs import refused, save_original, save_results, score_all, scored, unusable


def test_every_record_is_a_row_with_its_outcome(tmp_path: Path) -> None:
    """Scores of all kinds, refused questions, and entries that cannot be asked."""
    records = [*score_all([1, 0, 0.5, 0.001, 0.999]), refused(6), unusable(7)]
    page = make_page(tmp_path, records)
    assert page.read_column("number") == [1, 2, 3, 4, 5, 6, 7]
    assert page.read_column("outcome0") == [FULL_SCORE, 0, FULL_SCORE // 2, 1, FULL_SCORE - 1, REFUSED, UNUSABLE]


def test_questions_of_two_runs_are_matched_by_content(tmp_path: Path) -> None:
    """Not by number: each question is one row, numbered by the first run that has it."""
    first = [scored(1, 1, "What is 1?"), scored(2, 0, "What is 2?")]
    second = [scored(1, 1, "What is 2?"), scored(2, 1, "What is 3?")]
    page = make_page(tmp_path, first, second)
    assert (page.read_column("home"), page.read_column("number")) == ([0, 0, 1], [1, 2, 2])
    assert page.read_column("outcome0") == [FULL_SCORE, 0, ABSENT]
    assert page.read_column("outcome1") == [ABSENT, FULL_SCORE, FULL_SCORE]


def test_a_refused_question_stands_beside_the_score_of_another_run(tmp_path: Path) -> None:
    """Although its record holds no reference answer."""
    question = str(scored(2, 1)["question"])
    page = make_page(tmp_path, [scored(1, 1), {**refused(2), "question": question}], score_all([1, 1]))
    assert page.read_column("outcome0") == [FULL_SCORE, REFUSED]
    assert page.read_column("outcome1") == [FULL_SCORE, FULL_SCORE]
    assert page.read_question(1)[:3] == ["Question 2?", "A", "A"]


def test_a_question_is_kept_in_its_parts(tmp_path: Path) -> None:
    """Stem, right choice, reference, choices, other fields."""
    page = make_page(tmp_path, [scored(1, 1, "Why?\nA) since\nB) but", fields={"source": "page 7", "year": 1999})])
    assert page.read_question(0) == ["Why?", "A", "A", "2", "A", "since", "B", "but", "source", "page 7", "year", "1999"]


def test_an_answer_is_kept_with_all_about_it(tmp_path: Path) -> None:
    """The grade, the grader's reasoning, the model's own, tokens, time, and the model that answered."""
    record = scored(1, 0, reasoning="hm", finish_reason="length", response_model="m2", model_time_seconds=1.23456)
    evaluation: JsonObject = {"model_choice": "B", "reasoning": "it says B", "clarification": "B", "probabilities": {"B": 0.7}}
    usage: JsonObject = {"generator": {"prompt_tokens": 5, "completion_tokens": 7}}
    page = make_page(tmp_path, [{**record, "evaluation": {**evaluation, "truncated": True}, "usage": usage}])
    assert page.read_answer(0, 0) == {
        "choice": "B",
        "score": "0",
        "answer": "The answer is B.",
        "grading": "it says B",
        "reasoning": "hm",
        "finish": "length",
        "model": "m2",
        "clarification": "B",
        "probabilities": "B 0.700",
        "tokens": "12",
        "seconds": "1.235",
    }
    assert page.read_column("marks0") == [2]


def test_the_chunks_that_a_question_was_asked_with_are_kept(tmp_path: Path) -> None:
    """With score, id and path; the question's own is marked, and so is one that did not fit."""
    records = [scored(1, 1) | retrieved(source_rank=1, dropped=1), scored(2, 0) | retrieved(source_rank=0, dropped=0)]
    page = make_page(tmp_path, records, score_all([1, 0]))
    assert json.loads(page.read_answer(0, 0)["chunks"]) == [
        ["0.75", "c0", "birds.txt", "The heron.", "the question’s own"],
        ["0.5", "c1", "birds.txt", "The stork.", "left out, too long"],
    ]
    assert [row[-1] for row in json.loads(page.read_answer(1, 0)["chunks"])] == ["", ""]
    assert "chunks" not in page.read_answer(0, 1)
    assert "a 2 50.0 % 50.0 % 100.0 % (20.7 to 100.0 %) 0.0 % (0.0 to 79.3 %) 0.750 1" in page.head


def test_chunks_of_the_original_scorer_are_kept(tmp_path: Path) -> None:
    """It says whether the right one was found, and not at which place."""
    record = scored(1, 1, source_chunk_retrieved=True) | retrieved(source_rank=None, dropped=None)
    page = make_page(tmp_path, [record])
    assert len(json.loads(page.read_answer(0, 0)["chunks"])) == 2
    assert "a 1 100.0 % 0.0 %" in page.head


def test_a_number_beyond_any_float_ends_no_report(tmp_path: Path) -> None:
    """Such as another program may write; it is not shown."""
    page = make_page(tmp_path, [scored(1, 1, model_time_seconds=10**400)])
    assert "seconds" not in page.read_answer(0, 0)


@pytest.mark.parametrize(
    "odd", [{"chunks_dropped": 10**30}, {"retrieval_scores": [[10**400]]}, {"retrieval_indices": 3}, {"retrieved_chunks": [{}]}]
)
def test_odd_records_of_chunks_end_no_report(tmp_path: Path, odd: JsonObject) -> None:
    """Such as another program may write."""
    record = scored(1, 1) | retrieved(source_rank=1, dropped=0)
    info = record["retrieval_info"]
    assert isinstance(info, dict)
    assert "100.0 % of 1 question right" in make_page(tmp_path, [record | {"retrieval_info": info | odd}]).head


def retrieved(*, source_rank: int | None, dropped: int | None) -> JsonObject:
    """Return what a record says of two chunks."""
    chunks: list[JsonValue] = [
        {"dataset_index": n, "text": text, "score": 0.75 - n / 4, "path": "birds.txt", "chunk_id": f"c{n}"}
        for n, text in enumerate(("The heron.", "The stork."))
    ]
    ours: JsonObject = {} if dropped is None else {"source_rank": source_rank, "chunks_dropped": dropped}
    found: JsonObject = {"retrieved_chunks": [chunks], "retrieval_scores": [[0.75, 0.5]], "retrieval_indices": [[0, 1]]}
    return {"retrieval_info": {**found, "context_source": "retrieved", **ours}}


def test_the_reason_of_a_refusal_is_kept(tmp_path: Path) -> None:
    """In the place of an answer, and among what is missing."""
    page = make_page(tmp_path, [scored(1, 1), {**refused(2), "error": "the prompt is too long"}])
    assert page.read_answer(1, 0) == {"error": "the prompt is too long"}
    assert "1 × the prompt is too long" in page.head
    assert "If all of these were wrong, or all right, the accuracy would be 50.0 to 100.0 %." in page.head


def test_blocks_are_cut_where_a_page_of_five_hundred_ends(tmp_path: Path) -> None:
    """The last row of one and the first of the next are where they belong."""
    page = make_page(tmp_path, score_all([1] * 1001))
    assert page.read_question(499)[0] == "Question 500?"
    assert page.read_question(500)[0] == "Question 501?"
    assert page.read_question(1000)[0] == "Question 1001?"
    assert page.read_answer(1000, 0)["answer"] == "The answer is A."
    assert "texts-3-0" not in page.source


def test_groups_are_named_and_counted(tmp_path: Path) -> None:
    """By a field of the questions."""
    page = make_page(
        tmp_path, [scored(n, 1, fields={"subject": "law" if n == 2 else "biology"}) for n in (1, 2, 3)], group_by="subject"
    )
    assert [page.data["groups"][place] for place in page.read_column("group")] == ["biology", "law", "biology"]
    assert "By subject" in page.head


def test_a_file_of_the_original_scorer_has_its_page(tmp_path: Path) -> None:
    """Its errors are refused questions there too."""
    path = save_original(tmp_path / "original.json", [*score_all([1, 0]), scored(3, 0, model_answer="Error: 500")])
    page = read_page(write_page(path))
    assert page.read_column("outcome0") == [FULL_SCORE, 0, REFUSED]
    assert "exam.json some-model answers 50.0 % of 2 questions right" in page.head


@pytest.mark.parametrize("name", ["results.json", "results.json.gz"])
def test_a_run_s_page_lies_beside_its_results(tmp_path: Path, name: str) -> None:
    """Under their name."""
    path = save_results(tmp_path / name, score_all([1]))
    assert write_page(path) == tmp_path / "results.html"


def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    """So that a page can be kept under version control."""
    first = make_page(tmp_path, score_all([1, 0, 1])).source
    assert make_page(tmp_path, score_all([1, 0, 1])).source == first


def test_the_policy_names_the_page_s_own_style_and_script(tmp_path: Path) -> None:
    """By the digest of their exact content, and allows nothing else."""
    source = make_page(tmp_path, score_all([1])).source
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', source)
    [style], [script] = (
        re.findall(r"<style>(.*?)</style>", source, re.DOTALL),
        re.findall(r'<script type="module">(.*?)</script>', source, re.DOTALL),
    )
    digests = [base64.b64encode(sha256(text.encode()).digest()).decode() for text in (style, script)]
    assert policy.replace("&#39;", "'") == (
        f"default-src 'none'; style-src 'sha256-{digests[0]}'; script-src 'sha256-{digests[1]}'; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def test_texts_are_left_out_of_a_page_that_would_be_too_large(tmp_path: Path) -> None:
    """And of no other; the index stays."""
    run = open_saved_run(save_results(tmp_path / "a.json", score_all([1, 0])))
    assert write_runs([run], tmp_path / "small.html", most_bytes=2_010_000).has_texts
    written = write_runs([run], tmp_path / "large.html", most_bytes=2_000_100)
    page = read_page(written.path)
    assert (written.has_texts, page.data["has_texts"], "texts-0-0" in page.source) == (False, False, False)
    assert "texts of questions and answers are left out" in page.head
    assert page.read_column("outcome0") == [FULL_SCORE, 0]


@pytest.mark.parametrize("number", range(2, 11))  # the first two are tried in several ways
def test_a_disk_that_fails_leaves_the_earlier_page(tmp_path: Path, number: int) -> None:
    """At whichever operation it fails; nothing else is left."""
    run = open_saved_run(save_results(tmp_path / "a.json", score_all([1])))
    path = write_runs([run], tmp_path / "report.html").path
    before = path.read_bytes()
    disk = FailingDisk(tmp_path, Fault(number, errno.ENOSPC, lasts=False))
    with disk.mounted(), pytest.raises(StorageFailure, match="No space left on device"):
        write_runs([run], path)
    assert path.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "report.html"]


class SavedAgain(SavedRun):
    """A run that goes on: once its records have been read, its checkpoint's name leads to a newer one."""

    def read_records(self) -> Iterator[JsonObject]:
        """Yield the records, then save another."""
        yield from super().read_records()
        self.path.unlink()
        save_results(self.path, score_all([1, 0, 1]))


def test_a_file_that_is_replaced_meanwhile_is_not_mixed_with_the_new_one(tmp_path: Path) -> None:
    """Its questions and scores would be those of different moments."""
    run = open_saved_run(save_results(tmp_path / "a.json", score_all([1, 0])))
    again = SavedAgain(run.name, run.path, run.metadata, run.config, run.provenance)
    with pytest.raises(UserMistake, match=r"cannot read .*a.json: it was replaced while it was read"):
        write_runs([again], tmp_path / "report.html")


def test_a_name_that_no_file_can_have_is_a_mistake(tmp_path: Path) -> None:
    """And nothing is written."""
    run = open_saved_run(save_results(tmp_path / "a.json", score_all([1])))
    with pytest.raises(UserMistake, match="File name too long"):
        write_runs([run], tmp_path / f"{'x' * 300}.html")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_pipe_is_no_page(tmp_path: Path) -> None:
    """It is not waited for."""
    run = open_saved_run(save_results(tmp_path / "a.json", score_all([1])))
    os.mkfifo(tmp_path / "pipe.html")
    with pytest.raises(UserMistake, match="it exists, and is not a report"):
        write_runs([run], tmp_path / "pipe.html")


def test_no_run_is_a_mistake(tmp_path: Path) -> None:
    """There is nothing to write."""
    with pytest.raises(UserMistake, match="one to 6 runs side by side, not 0"):
        write_runs([], tmp_path / "report.html")


@given(text=st.text())
def test_a_cleaned_text_is_unicode_without_separators(text: str) -> None:
    """It can be encoded, and cleaning it again changes nothing."""
    cleaned = clean_text(text)
    cleaned.encode()
    assert not set(cleaned) & set("\x00\x1e\x1f\r")
    assert clean_text(cleaned) == cleaned
