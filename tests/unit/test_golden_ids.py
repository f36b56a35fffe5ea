"""Ids are literals in users' files: every one here was computed once, and must come out the same from then on.

A question goes the whole way, from its record in a file through the product's own reading, so that no part of that way can
change an id unnoticed.
"""

from pathlib import Path

import pytest

from tasks.evaluation.config.config import Config
from tasks.evaluation.run.fit import NoKeys
from tasks.evaluation.run.preparation import find_endpoints
from tasks.evaluation.run.start import read_and_prepare
from tasks.evaluation.scoring.roster import Roster
from tests.support.fake_endpoint import write_config, write_questions

CHOICES_IN_TEXT = {"question": "Which gas do plants take up?\nA) oxygen\nB) carbon dioxide\nC) helium", "answer": "B)"}
NUMBERED_CHOICES = {"question": "Which is a prime?\n1. four\n2. six\n3. seven", "answer": "3", "text": "On primes."}
CHOICES_IN_A_FIELD = {"question": "Which planet is nearest to the sun?", "choices": ["Venus", "Mercury", "Mars"], "answer": "B"}
SEVERAL_RIGHT = {"question": "Which are even?", "choices": ["one", "two", "three", "four"], "answer": ["B", "D"]}
SHORT_ANSWER = {"question": "What is the capital of Peru?", "answer": "Lima", "text": "Lima lies on the Pacific."}
FURTHER_ANSWERS = {"question": "Who wrote Ulysses?", "answer": "James Joyce", "answers": ["James Joyce", "Joyce", "J. Joyce"]}
FLAGGED = {
    "question": "Which of these melts ice on a road?",
    "mc1_targets": {"choices": ["salt", "sand", "snow"], "labels": [1, 0, 0]},
}
WITHOUT_ANSWER = {"question": "Where does this lead?"}
TWIN = SHORT_ANSWER
QUESTIONS = [
    CHOICES_IN_TEXT,
    NUMBERED_CHOICES,
    CHOICES_IN_A_FIELD,
    SEVERAL_RIGHT,
    SHORT_ANSWER,
    FURTHER_ANSWERS,
    WITHOUT_ANSWER,
    TWIN,
    FLAGGED,
]

ASKED_BY_DEFAULT = [
    "ecb9e61c8416caa87b00fa2895c7a4f0",
    "242b4988547cfbe2fe0813f211f209f3",
    "d049f61debde5a1037b80fdf4f59da3c",
    "d54fd7d466c5d0aa5bbfaa01ce1db30b",
    "514b70d0a2c6fab90677496679988a77",
    "a47071c1a223a9d12004547dde0ffd2c",
    "00000000000000000000000000000000",
    "d9f553df0dffb10ce68704d495dafb92",
    "cac98d8bf603c6b16e72612114e60db5",
]
ASKED_WITH_CONTEXT = [
    "ecb9e61c8416caa87b00fa2895c7a4f0",
    "a6cb29e7f93d4913c5c463e79913134b",
    "d049f61debde5a1037b80fdf4f59da3c",
    "d54fd7d466c5d0aa5bbfaa01ce1db30b",
    "51d8630e7ca040f0db46bbc8eaad2822",
    "a47071c1a223a9d12004547dde0ffd2c",
    "00000000000000000000000000000000",
    "90992d024b60d418f4b3b11115ed812a",
    "cac98d8bf603c6b16e72612114e60db5",
]
ASKED_AS_THE_ORIGINAL = [
    "b48512faa7d2ef615085984cf311ca47",
    "40f178e7ddb2358b8cbdccc4c4972f8d",
    "8d7433ac1aef1a1855eac1c7067e8bf7",
    "f9833f9e80d618082e574c9f5e62f5d6",
    "0aedaf19616482c0676aa27d423747a7",
    "fe2aa475569b482d181afb52d46b559a",
    "00000000000000000000000000000000",
    "043ad80feee4f2a8bb640276e0f81e5b",
    "32681fd419e885a1415163191c85d15a",
]
ASKED_IN_OWN_WORDS = [
    "36066d7de645045fbf2e2641fd5d0112",
    "5db677a62da1e0669eeb2d02829b788e",
    "b5817f74a85627679e0c842c0cd9d0b1",
    "a5af7ab814c3cba8fe66613726fcb56d",
    "436402b75eb68deb3f6a73c25aac99d9",
    "b205bf95f7b4c547407c3b87b3c9e80d",
    "00000000000000000000000000000000",
    "4d04dcbf9c99df64563b234513bb06e9",
    "0c4a8c64255d5017b0d1deb49ca0a21e",
]
ASKED_FOR_A_LABEL = [
    "21d8e5d8109c9fdf444b5dbf8bc787fe",
    "c8403fad5743796381d0aff22217e260",
    "56ed404c7610360b3d326d8df5665951",
    "4f90ea6dcaa49c8bcb832ed7ea37af23",
    "81662126146ab2446e7065b7ff7270a1",
    "61d35bb5e61501202282bb780c0e465c",
    "00000000000000000000000000000000",
    "c59ae5dbea67c3a38e183b8fb1831ad5",
    "7c06cc2c224b82b3245af86734a499c7",
]
GRADED_BY_A_JUDGE = [
    "7b05c8df0c3054b59c6ec827d3033b71",
    "6f3c05d2bf08c1da04e738ec337587d6",
    "249125476ab8a5fcd9f8d6271c4d89fe",
    "0ab554d9f52c162d39b38058b3e40661",
    "cd61fd91163588515c6c1c50ebcdbe45",
    "19fa3da32995b651b89b042b3f5e1944",
    "00000000000000000000000000000000",
    "8d993e7b45ebc8824ed303a63f3fbed0",
    "44b0f0122edd516119c7020211ea5353",
]
# Made with READING_VERSION 5. Where that is raised, what is read from the stored answers is read again: these change then, and
# no others.
READ_FROM_THE_ANSWER = [
    "34a8df1655741dcc0d19a21e59fefe84",
    "0eb8fe830af14f8fdf793530c3bb50c0",
    "ee1ea998ff7f45dd0844d6ca97f14832",
    "3b49718d9fa386e564039aab93a973ff",
    "1deba07fc16e5093f5ee8168c83d396f",
    "418fdbe6e21006b2a068d9ba160d8f4d",
    "00000000000000000000000000000000",
    "73c8b3596e61ff4ed19aef4ea00af438",
    "54dc029cd4d837a5d1892e90f86bc731",
]
READ_EVALUATION, READ_BATCH, READ_SMALL_BATCH = (
    "5987deb0be9ff96418bbaa83abc3d031",
    "batch-d63d33a2cb96ab5de503cc465ee1cfcc",
    "batch-0181f078697bc833e7b77f96931efbe4",
)
READ_FROM_THE_FIRST_TOKEN = [
    "563c9f00429a0889e830c72d2d245bbf",
    "cfc76a42976320b4ef5ebe15835a4116",
    "f3a90016e496da0ae4a36fb936ea99cd",
    "2843ecf3c68bc6c65bdf7dac94d1faf2",
    "a3ad668c58adf89d6666ceaf2a197b6f",
    "25c11dd0c73ad4c43f4b146ddbe6aba7",
    "00000000000000000000000000000000",
    "56fe1cdb05c85c1b4079d79d986c8bff",
    "213445034c2b9ec649586c4abddb6b3c",
]


@pytest.fixture
def settings(folder: Path) -> dict[str, object]:
    """Return the settings of a run that shares with others, beside a file of every kind of question and a list of graders."""
    write_questions(folder, QUESTIONS)
    write_config(folder, "http://127.0.0.1:1/v1")
    generator = {"model": "fake", "base_url": "http://127.0.0.1:1/v1", "temperature": 0.0, "max_tokens": 512}
    return {"questions_file": "exam.json", "model": {"generator_settings": generator}, "prompt": "default"}


def identify(settings: dict[str, object], run_id: str = "") -> Roster:
    """Return the roster of a run with these settings."""
    config = Config.model_validate(settings | {"processing": {"enable_checkpointing": False}})
    endpoints = find_endpoints(config, Path(), NoKeys())
    with read_and_prepare(config, endpoints, run_id=run_id, notify=lambda _: None) as preparation:
        return preparation.roster


def with_grader(settings: dict[str, object]) -> dict[str, object]:
    model = settings["model"]
    assert isinstance(model, dict)
    return settings | {"model": model | {"grader_shortname": "judge"}}


def list_answer_ids(roster: Roster) -> list[str]:
    return [roster.ids(position).answer for position in range(len(QUESTIONS))]


def list_score_ids(roster: Roster) -> list[str]:
    return [roster.ids(position).score for position in range(len(QUESTIONS))]


@pytest.mark.parametrize(
    ("changed", "ids"),
    [
        ({}, ASKED_BY_DEFAULT),
        ({"rag": {"enabled": True, "use_context_field": True}}, ASKED_WITH_CONTEXT),
        ({"prompt": "original"}, ASKED_AS_THE_ORIGINAL),
        (
            {"prompt": {"mc": "{stem}\n{choices}\nOne of {letters}!", "qa": "{question}", "system": "Be brief."}},
            ASKED_IN_OWN_WORDS,
        ),
        ({"grading": "logprobs"}, ASKED_FOR_A_LABEL),
    ],
)
def test_answer_ids(settings: dict[str, object], changed: dict[str, object], ids: list[str]) -> None:
    """An answer is found again by these: under every prompt, with and without contexts, for every kind of question."""
    assert list_answer_ids(identify(settings | changed)) == ids


def test_ids_of_a_judged_run(settings: dict[str, object]) -> None:
    """A grade that was paid for is found again by these; a run is named by them, and so are its batches."""
    roster = identify(with_grader(settings))
    assert list_answer_ids(roster) == ASKED_BY_DEFAULT
    assert list_score_ids(roster) == GRADED_BY_A_JUDGE
    assert roster.evaluation_id == "7cd0a71dff17ea882167fed08d820f35"
    assert roster.cache_key(range(len(QUESTIONS))) == "batch-e930ba505d5279c19ac9b1917f1f8efd"
    assert roster.cache_key(range(2, 5)) == "batch-b0699e15fd3c7e6ec17145780e4a9e51"


def test_ids_of_a_run_without_a_grader(settings: dict[str, object]) -> None:
    """What is read from the answers is found again by these, until it could be read differently."""
    roster = identify(settings)
    assert list_score_ids(roster) == READ_FROM_THE_ANSWER
    assert roster.evaluation_id == READ_EVALUATION
    assert roster.cache_key(range(len(QUESTIONS))) == READ_BATCH
    assert roster.cache_key(range(2, 5)) == READ_SMALL_BATCH
    assert list_score_ids(identify(settings | {"grading": "logprobs"})) == READ_FROM_THE_FIRST_TOKEN


def test_the_digest_of_the_questions(settings: dict[str, object]) -> None:
    """It tells a user that the questions were changed; a context that is asked is one of them."""
    assert identify(settings).questions_digest == "6486a58c82a191d91347ddfae616b8d8"
    with_context = settings | {"rag": {"enabled": True, "use_context_field": True}}
    assert identify(with_context).questions_digest == "68d39dbe22516d91782d5d90d10465c9"


def test_ids_of_a_run_of_its_own(settings: dict[str, object]) -> None:
    """A run that shares nothing has ids that only its retries have."""
    assert list_answer_ids(identify(settings, run_id="a run of its own"))[0] == "520e73b98faf49f7da594a3024ea3846"
