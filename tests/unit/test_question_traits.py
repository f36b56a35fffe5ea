"""Real question sets have odd questions. Each kind of oddity, in questions of our own: how it is asked, graded and reported."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks.evaluation.extraction.choices import read_choice
from tasks.evaluation.questions.questions import Question, Questions, read_questions
from tasks.evaluation.scoring.extraction_grader import ExtractionGrader, evaluate_choice
from tests.support.answers import answer_with
from tests.support.fake_endpoint import write_questions

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
HUES = ("red", "green", "blue", "brown", "grey", "pink")
COLOURS = [f"{tint} {hue}" for tint in ("pale", "dark", "dull") for hue in HUES]


@dataclass(frozen=True)
class Trait:
    """A record, the label of its right choice (None: it cannot be graded by choice), how many choices, and what is reported."""

    record: dict[str, object]
    right: str | None
    count: int
    findings: tuple[str, ...] = ()


def mc(stem: str, choices: list[str], answer: str, *, numbers: bool = False, **fields: object) -> dict[str, object]:
    """Return a question with its choices in the text, labelled `A)` or `1)`."""
    labels = [str(n + 1) for n in range(len(choices))] if numbers else LETTERS
    lines = [f"{label}) {text}" for label, text in zip(labels, choices, strict=False)]
    return {"question": "\n".join([stem, "", *lines]), "answer": answer, **fields}


TRAITS = {
    "empty choice": Trait(
        mc(
            "Who may vote here?", ["", "Everyone over 16", "Nobody"], "The correct answer is 2) Everyone over 16.", numbers=True
        ),
        "2",
        3,
        ("empty_choice",),
    ),
    "empty choice in the middle": Trait(mc("Who may?", ["I", "", "You"], "C"), "C", 3, ("empty_choice",)),
    "ten choices with numeric labels": Trait(
        mc(
            "Which is prime?",
            [f"{n} squared, plus {n}" for n in range(9)] + ["two"],
            "The correct answer is 10) two.",
            numbers=True,
        ),
        "10",
        10,
    ),
    "one choice only": Trait(mc("Which one is a joke?", ["The SU"], "A"), None, 0, ("one_choice",)),
    "18 choices": Trait(mc("Which colour is the cup?", COLOURS, "Q"), "Q", 18),
    "18 choices, the right one is I": Trait(mc("And the plate?", COLOURS, "I"), "I", 18),
    "11 choices": Trait(mc("This path draws a", [f"{n}-gon" for n in range(3, 14)], "K"), "K", 11),
    "two choices": Trait(mc("Did the wind close the door?", ["Yes", "No"], "B"), "B", 2),
    "choices are bare numbers": Trait(mc("Tomorrow?", ["12/11/1937", "12/25/1937", "01/04/1938"], "B"), "B", 3),
    "choices are plain numbers": Trait(mc("How many?", ["2", "1", "3"], "C"), "C", 3),
    "choices are single letters": Trait(mc("Which letter is open?", ["A", "C", "B", "D"], "B"), "B", 4),
    "duplicate choices": Trait(mc("Which is meant?", ["It is easy", "It is easy"], "A"), "A", 2, ("duplicate_choices",)),
    "a wrong choice twice": Trait(mc("Energy?", ["1 J", "2 J", "1 J"], "B"), "B", 3, ("duplicate_choices",)),
    "stem holds a numbered list": Trait(
        mc("Are both true?\n1. Water boils.\n2. Ice sinks.", ["True, True", "True, False"], "B"), "B", 2
    ),
    "stem holds a lettered list": Trait(mc("(a) Water boils.\n(b) Ice sinks.", ["Both", "Only a", "Only b"], "B"), "B", 3),
    "line break inside a choice": Trait(mc("Which sorts?", ["x ← sort(x)", "x ← y\n y ← x\n sort(y)", "none"], "A"), "A", 3),
    "LaTeX": Trait(mc(r"What is $\frac{1}{2}+\frac{1}{2}$?", [r"$\mathbf{1}$", r"$\frac{1}{4}$"], "A"), "A", 2),
    "XML in the stem": Trait(mc('What draws <path d="M 1,2 L 3,4"/>?', ["a line", "a circle"], "A"), "A", 2),
    "question over 2000 characters": Trait(mc("It rained. " * 300 + "Did it rain?", ["Yes", "No"], "A"), "A", 2),
    "non-ASCII": Trait(mc("Einheit von k?", ["J·K⁻¹ → ja", "m² · kg", "√2 – nein"], "A"), "A", 3),
    "all of the above": Trait(mc("Rings are", ["of ice", "of rock", "all of the above"], "C"), "C", 3),
    "none of the above": Trait(mc("Pluto is", ["a star", "a comet", "none of the above"], "C"), "C", 3),
    "long context": Trait(
        mc("Does it help?", ["yes", "no", "maybe"], "The correct answer is 1) yes.", numbers=True, text="We asked. " * 200),
        "1",
        3,
    ),
    "many accepted answers": Trait(
        {"question": "A long river?", "answer": "Nile", "answers": ["Nile", "Amazon", "Yangtze"]}, None, 0
    ),
    "a control character": Trait({"question": "\u200bwhich telescope is that\u200b?", "answer": "Webb"}, None, 0),
    "a numeric answer": Trait({"question": "When did it open?", "answer": "1988"}, None, 0),
    "a number as the answer": Trait({"question": "When did it close?", "answer": 1992}, None, 0),
    "choices split at commas": Trait(
        {"question": "A similar film:\n\n(A) Toys\n(B) Inc\n(C) Ants\n(D) Inc", "answer": "Toys, Inc"},
        None,
        4,
        ("unclear_answer", "duplicate_choices"),
    ),
    "no answer": Trait({"question": "who sings it"}, None, 0, ("no_answer",)),
    "letters in brackets": Trait(
        {"question": "What is tomorrow?\nOptions:\n(A) Monday\n(B) Tuesday\n(C) Friday", "answer": "(B)"}, "B", 3
    ),
}
REPEATED = [
    mc("The cat ate the fish. Was it the cat?", ["Yes", "No"], "A"),
    mc("The cat ate the fish. Was it the cat?", ["Yes", "No"], "B"),
    mc("Light meets oil. Which colour?", ["red", "green"], "B"),
    mc("Light meets oil. Which colour?", ["red", "green"], "B"),
]


@pytest.fixture
def open_file(tmp_path: Path) -> Iterator[Questions]:
    """Yield all of them in one file, in the order above."""
    records = [trait.record for trait in TRAITS.values()] + REPEATED
    path = write_questions(tmp_path, records)
    with closing(read_questions(str(path), question_format="auto", uses_context=True)) as questions:
        yield questions


def ask(tmp_path: Path, record: dict[str, object]) -> tuple[Question | None, list[str]]:
    """Return the question as it is asked, and what is reported."""
    path = write_questions(tmp_path, [record])
    with closing(read_questions(str(path), question_format="auto", uses_context=True)) as questions:
        return questions[0], [finding.kind for finding in questions.findings]


@pytest.mark.parametrize("name", TRAITS)
def test_each_trait_is_treated_as_it_demands(tmp_path: Path, name: str) -> None:
    """Its own words are asked, its own labels are read, and what is wrong with it is reported."""
    trait = TRAITS[name]
    question, findings = ask(tmp_path, trait.record)
    assert tuple(findings) == trait.findings
    assert (question is None) == bool({"no_answer", "one_choice"} & set(findings))
    if question:
        assert question.text == trait.record["question"]
        assert question.format == ("mc" if trait.count else "qa")
        assert len(question.choices) == trait.count
        assert (ExtractionGrader().find_obstacle(question) is None) == (trait.right is not None or question.format == "qa")


@pytest.mark.parametrize("name", [name for name, trait in TRAITS.items() if trait.right])
def test_each_trait_is_graded_right(tmp_path: Path, name: str) -> None:
    """The right label scores 1 and any other 0, however odd the choices are."""
    question, _ = ask(tmp_path, TRAITS[name].record)
    assert question
    answers = {label: answer_with(f"The answer is {label})") for label in question.choices}
    readings = {label: read_choice(answer.text, question.choices) for label, answer in answers.items()}
    scores = {label: evaluate_choice(question, answer, readings[label]).score for label, answer in answers.items()}
    assert question.right == ((TRAITS[name].right,),)
    assert scores == {label: int(label == TRAITS[name].right) for label in question.choices}


def test_a_question_that_comes_again_is_asked_and_reported(open_file: Questions) -> None:
    """Each copy is a question of its own; that the answers differ is a finding of its own."""
    counts = {finding.kind: finding.count for finding in open_file.findings}
    assert (counts["duplicate"], counts["contradiction"]) == (1, 1)
    first = len(TRAITS)
    assert [open_file.occurrence(first + place) for place in range(4)] == [0, 1, 0, 1]


def test_every_trait_is_reported_once_in_a_file_of_them_all(open_file: Questions) -> None:
    """With the number of its entry."""
    expected = {kind: [n for n, trait in enumerate(TRAITS.values(), 1) if kind in trait.findings] for kind in KINDS}
    assert {finding.kind: list(finding.places) for finding in open_file.findings if finding.kind in KINDS} == expected
    assert json.dumps([finding.to_json() for finding in open_file.findings])


KINDS = ("no_answer", "one_choice", "unclear_answer", "empty_choice", "duplicate_choices")
