"""A verdict is read from a grader's reply as judges write it, or none is: a missing score is never a zero."""

import time

import pytest

from tasks.evaluation.scoring.model_grader import GRADER_SYSTEM, STRICTER
from tasks.evaluation.scoring.verdicts import Verdict, read_verdict
from tests.support.parsed import parse_question

QUESTION = parse_question("Which is a bird?\nA) bat\nB) owl\nC) bee", "B")
SHORT = parse_question("Who wrote Emma?", "Jane Austen")


def read_score(reply: str) -> object:
    """Return the score that the reply gives to the question; None without a verdict."""
    verdict = read_verdict(reply, QUESTION)
    return verdict.score if verdict else None


@pytest.mark.parametrize(
    "reply",
    [
        '{"score": 1}',
        '{"score": "1", "reasoning": "owl"}',
        '{"score": 1.0}',
        '{"score": 1.}',
        '{"score": +1}',
        '{"score": true}',
        '{"score": True, "reasoning": None}',
        '{"score": "true"}',
        '{"SCORE": 1, "Reasoning": "owl"}',
        '{"Score": 1, "Model Choice": "B", "referenceChoice": "B"}',
        "{'score': 1, 'reasoning': 'it's the owl'}",
        "{'reasoning': \"the bird's name\", 'score': 1}",
        "{score: 1, reasoning: 'owl'}",
        "{“score”: 1, “reasoning”: “owl”}",
        '{"score": 1, "reasoning": "owl",}',
        '{"checks": ["one", "two",], "score": 1,\n}',
        '{"reasoning": "owl"\n "score": 1}',
        '{"reasoning": "both are \\(\\sqrt{2}\\) and \\underline{B}", "score": 1}',
        '{"reasoning": "C:\\owls\\new", "score": 1}',
        '{"reasoning": "first\n\nthen\tB", "score": 1}',
        '{"reasoning": "it says "B", which is the owl", "score": 1}',
        '{"score": 1, "reasoning": "it says "B""}',
        '{"reasoning": "I would not give {"score": 0} here", "score": 1}',
        '{"reasoning": "the set {A} or }", "score": 1}',
        '{"score": 1, // both name the owl\n "reasoning": "see http://owl.example // really"}',
        '{"score": 1 /* the same */, "reasoning": "owl"} # done',
        '```json\n{\n  "score": 1\n}\n```',
        '<verdict>{"score": 1}</verdict>',
        '{{"score": 1}}',
        '[{"score": 1}]',
        '{"verdict": {"score": 1, "reasoning": "owl"}}',
        '{"result": {"final": [{"score": 1}]}, "format": "mc"}',
        '{"steps": [{"score": 0}], "score": 1}',
        'With \\frac{1}{2} and the set {1, 2} in mind: {"score": 1}. Have a nice day {smile}!',
        '{"note": "no score yet"} {"score": 1}',
        '{"score": 1, "score": 1}',
        '{"score": 1, "reasoning": "owl"',
        '```json\n{"score": 1, "reasoning": "owl"\n```',
        '{"reasoning": "owl", "score": 1\n```',
        '{"checks": ["owl"], "score": 1, "steps": []',
        '{"score": 1, "reasoning": "owl"]',
        '"{\\"score\\": 1, \\"reasoning\\": \\"the \\\\\\"owl\\\\\\"\\"}"',
        '```json\n"{\\n  \\"score\\": 1\\n}"\n```',
        '{\\"score\\": 1, \\"reasoning\\": \\"owl\\"}',
        '｛"score"：１，"reasoning"："猫头鹰，B"｝',
        '{"score"：1，"reasoning"："owl"}',
        "{＂score＂: 1}",
        "{«score»: 1, «reasoning»: «owl»}",
        "{„score“: 1, „reasoning“: „owl“}",
        '{\u200b"score": 1, \ufeff"reasoning": "owl"}',
        '{"reasoning": "owl"; "score": 1}',
        '{"score": 1, "reasoning": "owl"}\n{"score": 1, "reas',
    ],
)
def test_a_verdict_is_read_as_judges_write_it(reply: str) -> None:
    """Whatever is wrong with the JSON, where that leaves one reading."""
    assert read_score(reply) == 1


@pytest.mark.parametrize(
    "reply",
    [
        "It is right. Score: 1",
        "**Score:** 1\nReasoning: owl",
        '"score": 1, "reasoning": "owl"',
        "1",
        "{",
        "{1}",
        '{"reasoning": "the score is 1"}',
        '{"final_score": 1}',
        '{"score": 2}',
        '{"score": -1}',
        '{"score": 100}',
        '{"score": null}',
        '{"score": NaN}',
        '{"score": "right"}',
        '{"score": "1_0"}',
        '{"score": [1]}',
        '{"score": {"value": 1}}',
        '{"score": }',
        '{"score" 1}',
        '{"score": 0 or 1}',
        '{"score": 0/1}',
        '{"score": 0 | 1, "reasoning": "owl"}',
        '{"score": <1>}',
        '{"score": 1',
        '{"score": 0.',
        '{"score": 0\n.5',
        '{"reasoning": "owl", "score": 1',
        '{"score": 1,',
        '{"score": 1, "steps": [{"a": "b"',
        '{"score": 1, "reasoning": "owl", "model_choice":',
        '{"score": １ or ０}',
        '{"score": 1, "reasoning": "it na',
        '{"reasoning": "it would be {"score": 1} if',
        '{"score": 1, "score": 0}',
        '{"score": 1, "Score": 0}',
        '{"judges": [{"score": 1}, {"score": 0}]}',
        f'{{"score": {"1" * 400}}}',
        f'{{"score": {"1" * 5000}}}',
        '{"a": ' * 5000 + '{"score": 1}' + "}" * 5000,
    ],
)
def test_what_leaves_a_doubt_is_no_verdict(reply: str) -> None:
    """It is asked for again, and never made a zero."""
    assert read_score(reply) is None


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ('{"score": 1}\nOn second thoughts it says C.\n{"score": 0}', 0),
        ('{"score": 0, "reasoning": "bat"}\n\nCorrection:\n```json\n{"score": 1, "reasoning": "owl"}\n```', 1),
        ('{"score": 0}\n\n{"score": 1}', 1),
        ('{"score": 0}\nFinal verdict: {"score": 1}', 1),
        ('<think>{"score": 0} or so</think>{"score": 1}', 1),
        ('{"score": 0}<|end|><|start|>assistant<|channel|>final<|message|>{"score": 1}', 1),
        ('{"score": 1} Wait: {"score": 7}', None),
        ('{"score": 1} Wait: {"score": null}', None),
        ('{"score": 1} Wait: {"score": 0, "reas', None),
    ],
)
def test_the_last_verdict_counts(reply: str, score: int | None) -> None:
    """Even when it is one that cannot be used."""
    assert read_score(reply) == score


@pytest.mark.parametrize(
    "behind",
    [
        '\n\nNote: I kept to the shape {"score": 1, "reasoning": "brief explanation"} that you wanted.',
        '\n\nIf it had said owl: {"score": 1, "reasoning": "it fits"}',
        "\n\nHad it chosen B:\n```json\n{'score': 1}\n```",
        '\nA correct answer would have received {"score": 1}.',
        '\n\nWait, if the reference were C, then: {"score": 1}',
        '\n<|eot_id|>{"score": 1}',
        '</s>\n\n{"score": 1}',
        '<|im_end|>\n<|im_start|>user\nAnd B?<|im_end|>\n{"score": 1}',
        '\n\nQuestion: Which one swims?\nModel Answer: cod\n\n{"score": 1}',
    ],
)
def test_a_verdict_on_another_answer_counts_for_nothing(behind: str) -> None:
    """It stands behind the verdict as a hypothesis, or in a turn that the grader invents."""
    assert read_score('{"score": 0, "reasoning": "it chooses the bat"}' + behind) == 0


@pytest.mark.parametrize(
    "behind",
    [
        '\n\nI followed the schema {"score": 1, "reasoning": "they agree"} as asked.',
        '\nThe reply {"score": 1} is for owls.',
        '\n\nOtherwise:\n\n{"score": 1}',
        '\n\nWith B:\n{"score": 1}',
        '\n{"score": 1}',
        ' {"score": 1}',
        '\n\nFinally, in the requested format: {"score": 1}',
    ],
)
def test_two_verdicts_without_a_plain_revision_are_none(behind: str) -> None:
    """It is not certain which is meant."""
    assert read_score('{"score": 0, "reasoning": "it chooses the bat"}' + behind) is None


@pytest.mark.parametrize(
    "reply",
    ['A correct answer would have got {"score": 1}.', 'If it were B: {\\"score\\": 1}', 'If it were the owl: {"score": 1}'],
)
def test_a_hypothesis_alone_is_no_verdict(reply: str) -> None:
    """The answer was another."""
    assert read_score(reply) is None


@pytest.mark.parametrize(
    "echo",
    [
        '{"score": 1, "reasoning": "..."}',
        '{"score": 1, "reasoning": "…"}',
        '{"score": 1, "reasoning": "one sentence"}',
        '{"score": 1, "reasoning": "<your reasoning>"}',
        '{"score": <0 or 1>, "reasoning": "x"}',
        '{"score": 0 or 1, "reasoning": "text"}',
        '{"score": "number", "reasoning": "string"}',
        'Format: {"score": 1, "reasoning": "they agree"}',
        'Required output format:\n```json\n{"score": 1, "reasoning": "they agree"}\n```',
        'For example, {"score": 1, "reasoning": "they agree"}',
        'The reply is not {"score": 1}',
        GRADER_SYSTEM["mc"],
        GRADER_SYSTEM["qa"],
    ],
)
def test_an_echo_of_the_format_is_no_verdict(echo: str) -> None:
    """Alone, before the verdict or behind it."""
    verdict = '{"score": 0, "reasoning": "it chooses the bat"}'
    assert [read_score(echo), read_score(f"{echo}\n\n{verdict}"), read_score(f"{verdict}\n\n{echo}")] == [None, 0, 0]


@pytest.mark.parametrize(
    "reply",
    [
        'Here is the verdict in the requested format:\n{"score": 1, "reasoning": "owl"}',
        'Format: mc\n{"score": 1, "reasoning": "owl"}',
        '{"score": 1, "reasoning": "... and so both choose the owl"}',
        '{"score": 1, "reasoning": "number 2 is the owl"}',
        '{"score": 1, "reasoning": "<b>B</b> is the owl"}',
        '{"reference_choice": "string", "model_choice": "string", "score": 1}',
        STRICTER[1].partition(": ")[2].replace("0", "1"),
    ],
)
def test_a_verdict_that_resembles_the_format_is_one(reply: str) -> None:
    """A grader that is asked for a score and an empty reason gives both."""
    assert read_score(reply) == 1


@pytest.mark.parametrize(
    ("reference", "choice", "score"),
    [
        ('"B"', '"C"', 1),
        ('"B"', '"C) bee"', 1),
        ('"B"', "null", 1),
        ('"B"', '"none"', 1),
        ('"A, B"', '"A"', 1),
        ("1", '"2"', 1),
        ('"B"', '"B"', 0),
        ('"B"', '"B)"', 0),
        ('"B"', '"b"', 0),
        ('"(B)"', '"**B**"', 0),
        ('"B) owl"', '"Option B"', 0),
        ('"A, B"', '["B", "A"]', 0),
        ('"A and B"', '"b; a"', 0),
        ("2", '"2."', 0),
        ('"owl"', '"Owl."', 0),
        ('"B (owl)"', '"B"', 0),
        ('"B: owl"', '"B - owl"', 0),
        ('"B - owl"', '"C - bee"', 1),
        ('"the answer B"', '"C"', 1),
        ('"The correct answer is B."', '"option (b)"', 0),
        ('"AB"', '"AC"', 1),
        ('"\u0412"', '"B"', 0),
        ('"B"', '"Bee"', 1),
    ],
)
def test_a_verdict_that_contradicts_itself_is_none(reference: str, choice: str, score: int) -> None:
    """Equal choices are worth 1 and others are not."""
    assert read_score(f'{{"reference_choice": {reference}, "model_choice": {choice}, "score": {score}}}') is None
    assert read_score(f'{{"reference_choice": {reference}, "model_choice": {choice}, "score": {1 - score}}}') == 1 - score


@pytest.mark.parametrize(
    ("reference", "choice", "score", "read"),
    [("C", "C", 1, None), ("C) bee", "B", 0, None), ("C", "A", 0, 0), ("C", "C", 0.5, 0.5)],
)
def test_the_reference_is_the_questions_own(reference: str, choice: str, score: float, read: float | None) -> None:
    """A grader that takes another for it and scores by that is asked again."""
    assert read_score(f'{{"reference_choice": "{reference}", "model_choice": "{choice}", "score": {score}}}') == read


@pytest.mark.parametrize(
    ("reference", "choice", "score"),
    [
        ('"B"', '"B-cell"', 0),
        ("null", "null", 0),
        ("null", "null", 1),
        ('"B"', "null", 0),
        ('"B"', '"B"', 0.5),
        ('"B"', '"owl"', 1),
        ('"B"', '"2"', 1),
    ],
)
def test_choices_that_cannot_be_compared_contradict_nothing(reference: str, choice: str, score: float) -> None:
    """The score counts as it is."""
    assert read_score(f'{{"reference_choice": {reference}, "model_choice": {choice}, "score": {score}}}') == score


def test_where_several_answers_are_right_the_choice_may_be_another_than_the_reference() -> None:
    """The grader is given all of them, and names one."""
    question = parse_question("Which flies?\nA) bat\nB) owl\nC) cat", "B", "A")
    assert read_verdict('{"reference_choice": "B", "model_choice": "A", "score": 1}', question)
    assert not read_verdict('{"reference_choice": "B", "model_choice": "B", "score": 0}', question)


def test_a_verdict_holds_the_documented_fields_alone() -> None:
    """Those that the grader leaves out are empty, those that it adds are dropped; LaTeX stays as it is."""
    assert read_verdict('{"Score": "0.5", "reasoning": "\\(x\\) is "near"", "sure": true}', SHORT) == Verdict(
        0.5, '\\(x\\) is "near"'
    )


@pytest.mark.parametrize(
    "part", ['{"a":"', '{"a":"x}', '{"a":{', "{'a':['", '{\\"a\\":"', '{"a":"b",', '{"a":/*', '"score":', '{"a":1}\n\n\n\n']
)
def test_an_endless_reply_is_read_at_once(part: str) -> None:
    """A grader that repeats itself up to its limit holds up no other question."""
    started = time.process_time()
    assert read_score(part * 5000) is None
    assert time.process_time() - started < 2
