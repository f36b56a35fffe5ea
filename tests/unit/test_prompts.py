"""A question is asked in the words of the settings, and a prompt that cannot ask is a mistake."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.prompt_settings import Prompt
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.scoring.prompts import describe_prompt, generator_messages
from tests.support.parsed import parse_question

CHOICE = parse_question("Which?\nA) x\nB) y", "B")
SHORT = parse_question("Capital of France?", "Paris")


def ask(question: Question, prompt: Prompt) -> str:
    """Return the user message."""
    return generator_messages(question, prompt)[-1]["content"]


@pytest.mark.parametrize("question", [CHOICE, SHORT])
def test_the_original_prompt_is_the_bare_question(question: Question) -> None:
    """Answers of the original scorer are reused because it is."""
    assert ask(question, Prompt(mc="original", qa="original")) == question.text


def test_the_default_prompt_says_how_the_reply_ends() -> None:
    """So that the answer can be read; the labels are the question's own."""
    default = Prompt(mc="default", qa="default")
    assert ask(CHOICE, default) == (
        'Answer the multiple-choice question below. End your reply with "ANSWER: " and one of A, B.\n\nWhich?\nA) x\nB) y'
    )
    assert 'with "ANSWER: " and the answer in a few words.\n\nCapital of France?' in ask(SHORT, default)
    assert "all of A, B that are right" in ask(parse_question(CHOICE.text, "A, B"), default)
    assert ask(parse_question("Which?", "B", question_format="mc"), default) == "Which?"


def test_a_context_stands_around_the_question() -> None:
    """In the original's words, and the request before them."""
    asked = ask(replace(CHOICE, context="Given this."), Prompt(mc="default"))
    assert "one of A, B.\n\nContext:\nGiven this.\n\nQuestion:\nWhich?\nA) x" in asked
    assert asked.endswith("by selecting the right option.")


def test_an_own_prompt_is_filled_in() -> None:
    """Each placeholder; not braces in the question."""
    prompt = Prompt(mc="{context}|{stem}|{choices}|{letters}|{question}|{{x}}", system="Be {brief}.")
    question = replace(parse_question("Which {y}?\n1. x\n2. {y}", "2"), context="c")
    assert ask(question, prompt) == "c|Which {y}?|1) x\n2) {y}|1, 2|Which {y}?\n1. x\n2. {y}|{x}"
    assert generator_messages(question, prompt)[0] == {"role": "system", "content": "Be {brief}."}


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("short", "'short' is no prompt: use default or original"),
        ({"mc": "{question} {letter}"}, "there is no placeholder {letter}: known are {question}"),
        ({"qa": "{question} {letters}"}, "there is no placeholder {letters}"),
        ({"mc": "{question!r}"}, "there is no placeholder {question!r}"),
        ({"mc": "{question.__class__}"}, "there is no placeholder {question.__class__}"),
        ({"mc": "{question"}, "its braces do not match"),
        ({"mc": "Answer with {letters}."}, "'Answer with {letters}.' has no {question}"),
        ({"qa": "label"}, "'label' has no {question}, so it asks nothing; built in are default, original"),
        ({"user": "{question}"}, "Extra inputs are not permitted"),
    ],
)
def test_a_prompt_that_cannot_ask_is_refused(prompt: object, message: str) -> None:
    """Before anything is asked, with what is wrong."""
    with pytest.raises(ValidationError) as refused:
        Prompt.model_validate(prompt)
    assert message in str(refused.value)


def make_config(**settings: object) -> Config:
    """Return settings of which only these are given; `grader` is short for the grader's name."""
    grader = settings.pop("grader", None)
    model = {"generator_settings": {"model": "m"}, "grader_shortname": grader}
    return Config.model_validate({"questions_file": "exam.json", "model": model, **settings})


@pytest.mark.parametrize(
    ("settings", "mc", "qa"),
    [
        ({}, "default", "default"),
        ({"grader": "judge"}, "original", "original"),
        ({"grader": "judge", "prompt": "default"}, "default", "default"),
        ({"prompt": "original"}, "original", "original"),
        ({"prompt": {"mc": "{question}!"}}, "{question}!", "default"),
        ({"prompt": {"system": "Be brief."}, "grader": "judge"}, "original", "original"),
        ({"grading": "logprobs"}, "label", "default"),
    ],
)
def test_the_prompt_that_is_not_set_follows_the_grading(settings: dict[str, object], mc: str, qa: str) -> None:
    """A grader reads any reply, and the original's settings all name one; without one, the reply must end readably."""
    prompt = make_config(**settings).complete_prompt()
    assert (prompt.mc, prompt.qa) == (mc, qa)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prompt": {"mc": "{question}"}, "rag": {"use_context_field": True}}, "has no {context}"),
        ({"grading": "logprobs", "grader": "judge"}, "grading: logprobs needs no grader"),
        ({"grading": "choice"}, "Input should be 'auto' or 'logprobs'"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, object], message: str) -> None:
    """A context that no one would see, a grader that no one would ask."""
    with pytest.raises(ValidationError, match=message.replace("{", "\\{")):
        make_config(**settings)


def test_the_description_holds_every_word_that_is_sent() -> None:
    """For the results' metadata."""
    described = describe_prompt(Prompt(mc="default", qa="original", system="Be brief."), has_context=False)
    assert described == {
        "system": "Be brief.",
        "mc": 'Answer the multiple-choice question below. End your reply with "ANSWER: " and one of {letters}.\n\n{question}',
        "qa": "{question}",
    }
