"""A model whose reply does not settle its choice is asked once which one it meant, and that is kept like an answer."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tasks.evaluation.errors import UnfinishedBatch
from tasks.evaluation.reporting.summary import compute_statistics
from tasks.evaluation.scoring.clarifications import read_clarification
from tests.support.answers import answer_with
from tests.support.evaluation import Evaluation, fix_reference
from tests.support.fake_endpoint import FakeEndpoint, Reply, completion, error, make_questions, write_questions
from tests.support.parsed import parse_question

BIRD = parse_question("Which is a bird?\nA) bat\nB) f(x)\nC) the owl", "C")
FLYING = parse_question("Which fly?\nA) bat\nB) cat\nC) owl\nD) dog", "A, C")
UNSETTLED = "It is either B or C."
OFF = {"processing.clarify_answers": False}


@pytest.mark.parametrize(
    "reply",
    [
        "C",
        "c",
        "**C**",
        "(C).",
        '"C"',
        "\uff23",
        "\\boxed{C}",
        "$\\boxed{\\text{C}}$",
        "ANSWER: C",
        "Option C",
        "C) The owl.",
        "<think>A or B</think>\nC",
        "The answer is C.",
        "My final choice was (C)",
        "The choice that I made is: C",
        "The owl",
        "C\n\nBecause it has feathers, and a bat has none.",
        '{"answer": "C"}',
        "```json\n{'choice': 'the owl'}\n```",
        '{"labels": ["C"]}',
        '<think>json then</think>{"answer": "C) the owl"}',
    ],
)
def test_one_label_is_read_whatever_decorates_it(reply: str) -> None:
    """Formatting, punctuation and thinking aside."""
    assert read_clarification(answer_with(reply), BIRD) == ("C",)


@pytest.mark.parametrize(
    "reply",
    [
        "NONE",
        "none.",
        "",
        "B or C",
        "A, C",
        "I think C",
        "D",
        "owl",
        "C) bat",
        "C, not B",
        "CAB",
        "<think>C",
        '{"answer": "NONE"}',
        '{"answer": "B or C"}',
        '{"A": "B", "B": "C"}',
        "C\n\nNo, wait: B.",
        "C\nB",
        '{"answer": "C"} or B',
        "The answer is not C",
        '{"answer": null}',
        "C\n\nOr B.",
    ],
)
def test_anything_else_names_nothing(reply: str) -> None:
    """Strictly: a reply to so plain a request is not interpreted."""
    assert read_clarification(answer_with(reply), BIRD) == ()


def test_a_reply_that_was_cut_names_nothing() -> None:
    """What follows could take it back."""
    assert read_clarification(answer_with("C", "length"), BIRD) == ()


@pytest.mark.parametrize(
    ("reply", "labels"),
    [
        ("A, C", ("A", "C")),
        ("C and A.", ("A", "C")),
        ("AC", ("A", "C")),
        ("[A; C]", ("A", "C")),
        ("A", ("A",)),
        ('{"answer": ["C", "A"]}', ("A", "C")),
        ('{"answer": "A, C"}', ("A", "C")),
        ("The answers are A and C.", ("A", "C")),
        ("A, C\n\nBoth have wings.", ("A", "C")),
        ("NONE", ()),
        ("A or C", ()),
        ("A and owl", ()),
        ("AE", ()),
        ("cad", ()),
    ],
)
def test_where_several_are_right_several_may_be_named(reply: str, labels: tuple[str, ...]) -> None:
    """In any order, and no words beside them."""
    assert read_clarification(answer_with(reply), FLYING) == labels


def is_follow_up(body: dict[str, Any]) -> bool:
    return any(message["role"] == "assistant" for message in body["messages"])


def count_requests(endpoint: FakeEndpoint) -> tuple[int, int]:
    """Return how many questions and how many follow-ups were asked since the endpoint was told to forget."""
    follow_ups = sum(map(is_follow_up, endpoint.bodies))
    return len(endpoint.bodies) - follow_ups, follow_ups


def clarify_with(endpoint: FakeEndpoint, reply: Reply, *, answer: Reply | None = None) -> None:
    """Let the endpoint answer every question without settling it, and every follow-up with the reply."""
    answer = answer or completion(UNSETTLED)
    endpoint.rule = lambda body: reply if is_follow_up(body) else answer


@pytest.fixture
def pair(evaluation: Evaluation, endpoint: FakeEndpoint, folder: Path) -> Evaluation:
    """Return an evaluation of two questions, of which the first is right with B."""
    write_questions(folder, make_questions(2))
    clarify_with(endpoint, completion("B"))
    return evaluation


def test_the_model_is_asked_in_the_same_conversation(pair: Evaluation, endpoint: FakeEndpoint) -> None:
    """Once a question; the evaluation says so, and the cost stands with the generator's."""
    [first, second] = pair.run()
    assert count_requests(endpoint) == (2, 2)
    follow_up = next(body for body in endpoint.bodies if is_follow_up(body))
    assert [message["role"] for message in follow_up["messages"]] == ["user", "assistant", "user"]
    assert follow_up["messages"][1]["content"] == UNSETTLED
    assert "A, B, C, D" in follow_up["messages"][2]["content"]
    assert (first["score"], first["model_answer"], second["score"]) == (1, UNSETTLED, 0)
    assert (first["evaluation"]["clarified"], first["evaluation"]["clarification"]) == (True, "B")
    assert first["evaluation"]["model_choice"] == "B"
    assert first["usage"] == {"generator": {"prompt_tokens": 20, "completion_tokens": 4, "total_tokens": 24}, "grader": {}}


@pytest.mark.parametrize("words", ["NONE", "Well, hard to say.", "B or C"])
def test_what_names_no_choice_chooses_nothing(pair: Evaluation, endpoint: FakeEndpoint, words: str) -> None:
    """It is scored as such, marked, and not asked a third time."""
    clarify_with(endpoint, completion(words))
    results = pair.run()
    assert count_requests(endpoint) == (2, 2)
    assert [result["evaluation"]["no_choice"] for result in results] == [True, True]
    assert results[0]["evaluation"]["clarification"] == words
    assert pair.run(run_id="second") == results
    assert count_requests(endpoint) == (0, 0)


def test_without_the_setting_an_unsettled_answer_chooses_nothing(pair: Evaluation, endpoint: FakeEndpoint) -> None:
    """Nothing more is asked; with it, the same answers are taken up again and nothing else is paid for."""
    results = pair.run(OFF)
    assert count_requests(endpoint) == (2, 0)
    assert [(result["score"], result["evaluation"]["no_choice"]) for result in results] == [(0, True), (0, True)]
    assert "clarified" not in results[0]["evaluation"]
    assert pair.run(run_id="second")[0]["score"] == 1
    assert count_requests(endpoint) == (0, 2)


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({}, completion("The answer is B.")),
        ({}, completion("I cannot say.")),
        ({}, completion(UNSETTLED, "length")),
        ({}, completion("", "length")),
    ],
)
def test_what_is_settled_or_cut_is_not_asked_about(
    pair: Evaluation, endpoint: FakeEndpoint, changed: dict[str, object], answer: Reply
) -> None:
    """Only doubt about whole words costs a call."""
    clarify_with(endpoint, completion("B"), answer=answer)
    pair.run(changed)
    assert count_requests(endpoint) == (2, 0)


def test_a_judge_needs_no_clarification(pair: Evaluation, endpoint: FakeEndpoint) -> None:
    """It reads the answer itself."""
    endpoint.rule = lambda _: completion('{"score": 1}')
    pair.run({"model.grader_shortname": "judge"})
    assert sum(map(is_follow_up, endpoint.bodies)) == 0


def test_a_failed_follow_up_leaves_the_question_unscored(pair: Evaluation, endpoint: FakeEndpoint) -> None:
    """The next run asks for nothing but the follow-up."""
    clarify_with(endpoint, error(401, "key expired"))
    with pytest.raises(Exception, match="not scored"):
        pair.run({"processing.parallel_workers": 1})
    clarify_with(endpoint, completion("B"))
    results = pair.run({"processing.limit": 1}, run_id="second")
    assert count_requests(endpoint) == (0, 1)
    assert results[0]["score"] == 1


REFUSALS = [
    error(400, "Conversation roles must alternate"),
    error(403, "flagged by moderation", "content_policy_violation"),
    completion("", "content_filter"),
    completion(None, refusal="I cannot say"),
    completion(""),
    completion("", reasoning="B or C?"),
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refused_follow_up_leaves_no_score(pair: Evaluation, endpoint: FakeEndpoint, refusal: Reply) -> None:
    """The answer would have made a choice: it is kept, and only the follow-up is asked again."""
    clarify_with(endpoint, refusal)
    [first, second] = pair.run({"processing.parallel_workers": 1})
    assert (first["skipped"], first["model_answer"], first["finish_reason"]) == (True, UNSETTLED, "stop")
    assert first["error"].startswith("asked which choice was meant, and the generator")
    assert [name in first for name in ("score", "evaluation")] == [False, False]
    assert pair.run(run_id="second") == [first, second]
    assert count_requests(endpoint) == (0, 0)
    clarify_with(endpoint, completion("B"))
    again = pair.run({"processing.retry_refused": True}, run_id="third")
    assert count_requests(endpoint) == (0, 2)
    assert [(result["score"], result["evaluation"]["clarification"]) for result in again] == [(1, "B"), (0, "B")]


def test_what_a_refused_follow_up_has_cost_stands_with_its_answer(pair: Evaluation, endpoint: FakeEndpoint) -> None:
    """The generator has got it, and there is no grader."""
    clarify_with(endpoint, completion("", "content_filter"))
    [first, _] = pair.run()
    assert (first["usage"]["generator"]["total_tokens"], first["usage"]["grader"]) == (24, {})


@pytest.mark.parametrize("changed", [{}, {"processing.retry_refused": True}])
def test_a_refused_follow_up_is_found_in_the_log_alone(
    pair: Evaluation, endpoint: FakeEndpoint, changed: dict[str, object]
) -> None:
    """As a killed run leaves it; the answer is not asked for again."""
    clarify_with(endpoint, error(400, "Conversation roles must alternate"))
    refused = pair.run({"processing.batch_size": 1}, batches=2)
    assert pair.run(changed, run_id="second") == refused
    assert count_requests(endpoint) == (0, 2 if changed else 0)


def test_a_refused_follow_up_is_left_out_where_none_is_asked(pair: Evaluation, endpoint: FakeEndpoint) -> None:
    """Without the setting, the same answers choose nothing."""
    clarify_with(endpoint, error(400, "Conversation roles must alternate"))
    pair.run()
    assert [result["score"] for result in pair.run(OFF, run_id="second")] == [0, 0]
    assert count_requests(endpoint) == (0, 0)


def test_the_report_counts_a_refused_follow_up_as_refused(pair: Evaluation, endpoint: FakeEndpoint) -> None:
    """And no accuracy comes of it."""
    clarify_with(endpoint, completion("", "content_filter"))
    pair.run()
    with pair.open({}, run_id="second") as run:
        statistics = compute_statistics(run.ledger)
    assert (statistics.refused, statistics.clarified, statistics.no_choice, statistics.overall) == (2, 0, 0, None)


def test_ten_refused_follow_ups_in_a_row_stop_the_run(pair: Evaluation, endpoint: FakeEndpoint, folder: Path) -> None:
    """A chat template that knows no second turn refuses all of them."""
    write_questions(folder, make_questions(14))
    clarify_with(endpoint, error(400, "Conversation roles must alternate"))
    with pytest.raises(
        UnfinishedBatch, match="10 questions in a row were refused, the last because asked which choice was meant"
    ):
        pair.run({"processing.parallel_workers": 1, "processing.batch_size": 14})
    assert count_requests(endpoint) == (10, 10)


def test_a_killed_run_has_its_clarifications_in_the_log(pair: Evaluation, endpoint: FakeEndpoint, folder: Path) -> None:
    """A fixed reference is then read against them: nothing is asked again."""
    pair.run(batches=1)
    fix_reference(folder, 2)
    [first, second] = pair.run(run_id="second")
    assert count_requests(endpoint) == (0, 0)
    assert (first["score"], second["evaluation"]["clarification"]) == (1, "B")
    assert first["usage"]["generator"]["total_tokens"] == 24


def test_a_clarification_is_found_in_a_checkpoint_alone(pair: Evaluation, endpoint: FakeEndpoint, folder: Path) -> None:
    """Its cost is counted once."""
    pair.run()
    shutil.rmtree("checkpoints/.mcqa")
    fix_reference(folder, 2)
    [_, second] = pair.run(run_id="second")
    assert count_requests(endpoint) == (0, 0)
    assert (second["evaluation"]["model_choice"], second["usage"]["generator"]["total_tokens"]) == ("B", 24)


def test_a_clarification_without_its_grade_is_not_asked_for_again(
    pair: Evaluation, endpoint: FakeEndpoint, folder: Path
) -> None:
    """As a process leaves it that is killed between the two: the log ends behind the clarifications."""
    pair.run({"processing.parallel_workers": 1}, batches=1)
    [segment] = Path("checkpoints/.mcqa/answers").glob("*.jsonl")
    lines = segment.read_text().splitlines(keepends=True)
    segment.write_text("".join(line for line in lines if '"kind":"grade"' not in line))
    results = pair.run(run_id="second")
    assert count_requests(endpoint) == (0, 0)
    assert [result["evaluation"]["clarification"] for result in results] == ["B", "B"]
    assert results[0]["usage"]["generator"]["total_tokens"] == 24


def test_all_right_choices_may_be_named(evaluation: Evaluation, endpoint: FakeEndpoint, folder: Path) -> None:
    """Where a question has several, the follow-up asks for all that were meant."""
    write_questions(folder, [{"question": "Which are even?\nA) one\nB) two\nC) three\nD) four", "answer": "B, D"}])
    clarify_with(endpoint, completion("D and B"), answer=completion("Either B and D, or perhaps only D?"))
    [result] = evaluation.run()
    assert count_requests(endpoint) == (1, 1)
    assert (result["score"], result["evaluation"]["model_choice"]) == (1, "B, D")
