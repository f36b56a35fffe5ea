"""Identity: what changes an answer's or a score's id, and what does not."""

from dataclasses import replace
from typing import Any

import pytest

from tasks.evaluation.config.prompt_settings import Prompt
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.scoring.extraction_grader import ExtractionGrader
from tasks.evaluation.scoring.identity import Identity, IdentitySettings
from tasks.evaluation.scoring.model_grader import ModelGrader
from tasks.evaluation.scoring.records import Ids
from tests.support.parsed import parse_question

QUESTION = parse_question("Which?\nA) x\nB) y", "B")
SETTINGS = IdentitySettings({"model": "m", "temperature": 0.0}, None, None, ModelGrader({"model": "judge"}).identity, "")
READ = replace(SETTINGS, grader=ExtractionGrader().identity)


def identify(settings: IdentitySettings, question: Question, occurrence: int, repeat: int = 0) -> Ids:
    """Return the question's ids as records hold them."""
    answer, score = Identity(settings).digest(question, occurrence, repeat)
    return Ids(answer.hex(), score.hex())


BASE = identify(SETTINGS, QUESTION, 0)


@pytest.mark.parametrize(
    "settings",
    [
        replace(SETTINGS, request={"model": "n", "temperature": 0.0}),
        replace(SETTINGS, request={"model": "m", "temperature": 0.1}),
        replace(SETTINGS, request={"model": "m", "temperature": 0.0, "top_p": 0.9}),
        replace(SETTINGS, revision="2026-11"),
        replace(SETTINGS, weights={"file": "m.gguf"}),
        replace(SETTINGS, private_run_id="a run of its own"),
    ],
)
def test_another_request_is_another_answer(settings: IdentitySettings) -> None:
    """Model, sampling settings, extra, revision."""
    ids = identify(settings, QUESTION, 0)
    assert ids.answer != BASE.answer
    assert ids.score != BASE.score


@pytest.mark.parametrize("question", [replace(QUESTION, text="Which one?"), replace(QUESTION, context="Given this")])
def test_another_prompt_is_another_answer(question: Question) -> None:
    """The question's text and its context are sent."""
    assert identify(SETTINGS, question, 0).answer != BASE.answer


def test_an_identical_question_is_another_answer() -> None:
    """Each copy in a file is asked and counted."""
    assert identify(SETTINGS, QUESTION, 1).answer != BASE.answer


@pytest.mark.parametrize(
    "settings",
    [replace(SETTINGS, grader=ModelGrader({"model": "other"}).identity), READ],
)
def test_another_grader_is_another_score_of_the_same_answer(settings: IdentitySettings) -> None:
    """The answer is paid for once."""
    ids = identify(settings, QUESTION, 0)
    assert ids.answer == BASE.answer
    assert ids.score != BASE.score


@pytest.mark.parametrize(
    "question",
    [replace(QUESTION, reference="A"), replace(QUESTION, format="qa"), replace(QUESTION, aliases=("C",))],
)
def test_a_fixed_reference_is_another_score_of_the_same_answer(question: Question) -> None:
    """So is another format, or a further answer that is accepted."""
    ids = identify(SETTINGS, question, 0)
    assert ids.answer == BASE.answer
    assert ids.score != BASE.score


def test_ids_are_the_same_on_every_machine_and_for_ever() -> None:
    """Files hold them: a change here makes every earlier answer unknown."""
    assert BASE.answer == "452c408236f33184af5f5d67a32f5e7d"
    assert BASE.score == "0305f4ee13590a3d6054d6657a6d907b"
    assert identify(READ, QUESTION, 0).score == "f3cad39beeb7ca2627467ae4316b5d33"


def test_ids_of_quotes_and_broken_letters_are_the_same_too() -> None:
    """In the question and its answer, with a further answer and without, and of a repeat."""
    question = Question('Who? "\ud83d"', 'Ä "x"\n', context="", format="qa", aliases=("y", "ü"))
    assert identify(SETTINGS, question, 0, repeat=2).score == "92d1a07fad9b4114068310b11f3081d9"
    assert identify(SETTINGS, replace(question, aliases=()), 3).score == "90d47d353d71259f6218736cba8bcd9e"


def test_a_history_is_of_one_model_prompt_and_grader() -> None:
    """Each of them makes another history."""
    changes: list[dict[str, Any]] = [
        {},
        {"request": {"model": "n", "temperature": 0.0}},
        {"revision": "2026-11"},
        {"weights": {"file": "m.gguf"}},
        {"prompt": Prompt(mc="default", qa="original")},
        {"prompt": Prompt(mc="original", qa="original", system="Sit an exam.")},
        {"grader": READ.grader},
    ]
    names = {Identity(replace(SETTINGS, **change)).name_history("questions") for change in changes}
    assert len(names) == len(changes)
    assert Identity(SETTINGS).name_history("other questions") not in names


def test_runs_that_share_no_answers_share_a_history() -> None:
    """A nightly run asks everything again, and is compared with the night before."""
    private = replace(SETTINGS, private_run_id="a run of its own")
    assert Identity(private).name_history("questions") == Identity(SETTINGS).name_history("questions")
