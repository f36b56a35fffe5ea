"""A question may be asked several times: each time is a request of its own, and the question stays the unit of all else."""

import itertools
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.fields import Fields
from tasks.evaluation.questions.entries import EntryReader
from tasks.evaluation.questions.orders import choose_order, reorder
from tasks.evaluation.questions.questions import Question, make_question
from tests.support.evaluation import Evaluation, count_asked, rename_grader
from tests.support.fake_endpoint import (
    FakeEndpoint,
    Reply,
    Rule,
    answer_by_rule,
    completion,
    error,
    make_questions,
    prompt_of,
    write_questions,
)

COUNT = 6
REPEATS, GRADER = "processing.repeats", "model.grader_shortname"
SHUFFLED = {REPEATS: 4, "fields.shuffle_choices": "each_repeat", "model.generator_settings.temperature": 1.0}


@pytest.fixture(autouse=True)
def exam(evaluation: Evaluation, folder: Path) -> None:
    write_questions(folder, make_questions(COUNT))


def answer_in_turn(*letters: str) -> Rule:
    """Return a rule that gives each question these answers, one after the other."""
    turns: dict[str, itertools.cycle[str]] = {}
    return lambda body: completion(f"ANSWER: {next(turns.setdefault(prompt_of(body), itertools.cycle(letters)))}")


def test_each_question_is_asked_as_often_as_the_settings_say(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """The requests are alike, and each has ids of its own."""
    results = evaluation.run({REPEATS: 3})
    assert Counter(endpoint.asked().values()) == {3: COUNT}
    repeats = [repeat for result in results for repeat in result["repeats"]]
    assert len({repeat["answer_id"] for repeat in repeats}) == len({repeat["score_id"] for repeat in repeats}) == 3 * COUNT


def test_a_record_holds_all_repeats_and_their_mean(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """Question 1 has the right answer B; its first answer stands where the answer of a single request would."""
    endpoint.rule = answer_in_turn("B", "C", "B", "A")
    first = evaluation.run({REPEATS: 4, "processing.parallel_workers": 1})[0]
    assert [repeat["score"] for repeat in first["repeats"]] == [1, 0, 1, 0]
    assert [repeat["evaluation"]["model_choice"] for repeat in first["repeats"]] == ["B", "C", "B", "A"]
    assert (first["score"], first["evaluation"]["score"], first["model_answer"]) == (0.5, 0.5, "ANSWER: B")
    assert first["usage"]["generator"] == {"prompt_tokens": 40, "completion_tokens": 8, "total_tokens": 48}
    assert (first["question_id"], first["reference_answer"], first["skipped"]) == (1, "B)", False)


def test_asked_once_a_record_has_no_repeats(evaluation: Evaluation) -> None:
    """Nothing changes for those who do not repeat."""
    assert all("repeats" not in result and "order" not in result for result in evaluation.run())


@pytest.mark.parametrize(("before", "after", "asked_count"), [(1, 3, 2 * COUNT), (3, 1, 0), (4, 2, 0), (2, 5, 3 * COUNT)])
def test_another_number_of_repeats_asks_only_what_is_missing(
    evaluation: Evaluation, endpoint: FakeEndpoint, before: int, after: int, asked_count: int
) -> None:
    """What was paid for once serves again."""
    evaluation.run({REPEATS: before})
    results = evaluation.run({REPEATS: after}, run_id="second")
    assert count_asked(endpoint) == (asked_count, 0)
    assert [len(result.get("repeats", [0])) for result in results] == [after] * COUNT
    assert all({"reference_answer", "format", "retrieval_info"} <= result.keys() for result in results)


def test_another_grader_asks_for_grades_alone(evaluation: Evaluation, endpoint: FakeEndpoint, folder: Path) -> None:
    """Of each repeat."""
    evaluation.run({REPEATS: 3, GRADER: "judge"})
    assert count_asked(endpoint) == (3 * COUNT, 3 * COUNT)
    rename_grader(folder)
    evaluation.run({REPEATS: 3, GRADER: "judge"}, run_id="second")
    assert count_asked(endpoint) == (0, 3 * COUNT)


def test_a_question_is_finished_with_its_last_repeat(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """Two of three answers arrive and the run ends: the next one asks for the third alone, also after a kill."""
    turns: Counter[str] = Counter()

    def fail_third(body: dict[str, Any]) -> Reply:
        turns[prompt_of(body)] += 1
        return answer_by_rule(body) if turns[prompt_of(body)] <= 2 else error(402, "no credit")

    endpoint.rule = fail_third
    with evaluation.open({REPEATS: 3, "processing.parallel_workers": 1}, run_id="first") as run:
        batch = next(iter(run.batches.list_open()))
        with pytest.raises(Exception, match="no credit"):
            run.score(batch)
        assert len(run.ledger.results) == 0
        assert run.ledger.count_partly_asked() == 1
    endpoint.rule = answer_by_rule
    results = evaluation.run({REPEATS: 3}, run_id="second")
    assert count_asked(endpoint) == (3 * COUNT - 2, 0)
    assert [len(result["repeats"]) for result in results] == [3] * COUNT


def refuse_third(number: int) -> Rule:
    """Return a rule that refuses the third request of this question and of no other."""
    turns = itertools.count(1)

    def rule(body: dict[str, Any]) -> Reply:
        if not re.search(rf"Question {number}:", prompt_of(body)):
            return answer_by_rule(body)
        return answer_by_rule(body) if next(turns) != 3 else error(400, "blocked by a filter")

    return rule


def test_a_refused_repeat_refuses_the_question(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """Nothing more is asked of it, what has been paid for is kept, and `retry_refused` asks for the rest alone."""
    endpoint.rule = refuse_third(2)
    settings = {REPEATS: 5, "processing.parallel_workers": 1}
    refused = evaluation.run(settings)[1]
    assert (refused["skipped"], refused["question_id"]) == (True, 2)
    assert "blocked by a filter" in refused["error"]
    assert [repeat.get("skipped", False) for repeat in refused["repeats"]] == [False, False, True]
    endpoint.rule = answer_by_rule
    evaluation.run(settings, run_id="second")
    assert count_asked(endpoint) == (0, 0)
    results = evaluation.run({**settings, "processing.retry_refused": True}, run_id="third")
    assert count_asked(endpoint) == (3, 0)
    assert [len(result["repeats"]) for result in results] == [5] * COUNT


def test_one_refused_question_does_not_stop_the_run(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """Twelve of its repeats are no ten questions in a row."""
    endpoint.rule = lambda body: error(400, "no") if "Question 3:" in prompt_of(body) else answer_by_rule(body)
    results = evaluation.run({REPEATS: 12, "processing.parallel_workers": 12})
    assert [result["skipped"] for result in results] == [False, False, True, False, False, False]


def test_each_repeat_shows_another_order_and_names_the_choices_as_the_file_does(
    evaluation: Evaluation, endpoint: FakeEndpoint
) -> None:
    """A model that always takes the first choice is right once in four repeats, whatever the right answer is."""
    endpoint.rule = lambda _: completion("ANSWER: A")
    results = evaluation.run(SHUFFLED)
    assert Counter(endpoint.asked().values()) == {1: 4 * COUNT}
    assert [result["score"] for result in results] == [0.25] * COUNT
    first = results[0]
    assert [repeat["order"] for repeat in first["repeats"]] == [list("ABCD"), list("BCDA"), list("CDAB"), list("DABC")]
    assert [repeat["evaluation"]["model_choice"] for repeat in first["repeats"]] == list("ABCD")
    assert {repeat["evaluation"]["reference_choice"] for repeat in first["repeats"]} == {"B"}
    assert (first["question"], first["reference_answer"]) == (make_questions(1)[0]["question"], "B)")


def test_a_judge_sees_what_the_model_has_seen(evaluation: Evaluation, endpoint: FakeEndpoint) -> None:
    """The reference in its words is the label under which the right choice was shown."""

    def judge(body: dict[str, Any]) -> Reply:
        asked = prompt_of(body)
        if "Reference Answer: " not in asked:
            return completion("ANSWER: A")
        right = re.search(r"Reference Answer: (\S)", asked)
        assert right
        verdict = {"reference_choice": right[1], "model_choice": "A", "score": int(right[1] == "A"), "reasoning": ""}
        return completion(json.dumps(verdict))

    endpoint.rule = judge
    results = evaluation.run({**SHUFFLED, GRADER: "judge"})
    assert [result["score"] for result in results] == [0.25] * COUNT
    assert [repeat["evaluation"]["model_choice"] for repeat in results[0]["repeats"]] == list("ABCD")


def test_an_order_for_each_repeat_needs_repeats(evaluation: Evaluation) -> None:
    """With one there is nothing to change."""
    with pytest.raises(ValueError, match=r"each_repeat needs processing\.repeats"):
        evaluation.configure({"fields.shuffle_choices": "each_repeat"})


def read(record: dict[str, Any]) -> Question:
    return make_question(EntryReader(Fields()).read(record, uses_context=False), "auto")


@pytest.mark.parametrize(
    "record",
    [
        {"question": "Which is prime?\n(a) four (b) five (c) six\nReply with a letter.", "answer": "b"},
        {"question": "Two?\n1) 2\n2) 1\n3) 3", "answer": "1"},
        {"question": "Which are even?\nA. two\nB. three\nC. four", "answer": "A, C"},
        {"question": "Yes?", "choices": ["no", "yes"], "answer": "yes"},
        {"question": "Long?", "choices": ["one\ntwo", "three", "four"], "answer": "three"},
    ],
)
def test_a_reordered_question_is_the_same_question(record: dict[str, Any]) -> None:
    """Its text offers the same choices in the order that is named, the right ones are the same, and nothing else is moved."""
    question = read(record)
    shown, order = reorder(question, 1), choose_order(question, 1)
    assert order != tuple(question.choices)
    assert read({"question": shown.text, "answer": shown.reference}).choices == shown.choices
    assert [question.choices[label] for label in order] == list(shown.choices.values())
    assert {shown.choices[label] for label in shown.right[0]} == {question.choices[label] for label in question.right[0]}
    assert sorted(shown.text) == sorted(question.text)


@pytest.mark.parametrize(
    "choices",
    [
        ["red", "green", "all of the above"],
        ["Only I", "A and B", "A or C"],
        ["both", "the first", "the second"],
        ["x", "y", "None of these"],
        ["Neither A nor B", "x", "y"],
        ["x", "y", "以上都对"],
    ],
)
def test_choices_that_speak_of_each_other_keep_their_order(choices: list[str]) -> None:
    """Moved, "all of the above" would be false."""
    question = read({"question": "Which?", "choices": choices, "answer": choices[0]})
    assert reorder(question, 1) == question


def test_a_short_answer_has_no_order() -> None:
    """It is asked again as it stands."""
    question = read({"question": "Capital of France?", "answer": "Paris"})
    assert (choose_order(question, 3), reorder(question, 3)) == ((), question)


def test_the_setting_has_bounds() -> None:
    """None and a million are mistakes."""
    model = {"generator_settings": {"model": "m"}}
    for repeats in (0, 1001):
        with pytest.raises(ValueError, match="repeats"):
            Config.model_validate({"questions_file": "q.json", "model": model, "processing": {"repeats": repeats}})
