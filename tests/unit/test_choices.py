"""The choice that an answer makes is read, and none where it makes none."""

import pytest

from tasks.evaluation.choices import read_choice, read_choices, read_reference

LETTERS = {"A": "ribosome", "B": "chloroplast", "C": "a cell", "D": "nucleus"}
NUMBERS = {"1": "Red", "2": "Green", "3": "Blue"}


@pytest.mark.parametrize(
    ("question", "labels"),
    [
        ("Which?\nA) x\nB) y", "AB"),
        ("Which?\n(A) x\n(B) y\n(C) z", "ABC"),
        ("Which?\n1. x\n2. y", "12"),
        ("Options:\n" + "\n".join(f"{label}) x{label}" for label in "ABCDEFGHIJKLMNOPQR"), "ABCDEFGHIJKLMNOPQR"),
        ("Given:\n1. first\n2. second\n\nA) True, True\nB) False, False", "AB"),
        ("Which code?\nA) one\n more of one\nB) two", "AB"),
        ("What is the capital of France?", ""),
        ("In 1990:\nA) only one choice", ""),
    ],
)
def test_a_questions_choices_are_read_as_it_labels_them(question: str, labels: str) -> None:
    """The last list counts: a stem may hold one of its own."""
    assert "".join(read_choices(question)) == labels


def test_a_line_break_belongs_to_the_choice_before_it() -> None:
    """Choices may be code."""
    assert read_choices("Which?\nA) one\n two\nB) three") == {"A": "one\n two", "B": "three"}


@pytest.mark.parametrize(
    ("answer", "choice"),
    [
        ("B", "B"),
        ("B)", "B"),
        ("(B)", "B"),
        ("**B**", "B"),
        ("B) chloroplast", "B"),
        ("b) chloroplast", "B"),
        ("Answer: C", "C"),
        ("ANSWER: D", "D"),
        ("**Answer:** D", "D"),
        ("The correct answer is B.", "B"),
        ("The answer is (B) because of light.", "B"),
        (r"So we get $\boxed{B}$", "B"),
        (r"\boxed{\text{B}}", "B"),
        ("A is wrong, C is too.\nThe answer is B", "B"),
        ("I first thought the answer is A. No: the answer is D.", "D"),
        ("chloroplast", "B"),
        ("La réponse est B.", "B"),
        ("答案是 B。", "B"),
        ("The answer is a cell that divides", None),
        ("I think a plant needs light", None),
        ("I cannot answer this.", None),
        ("", None),
        ("E", None),
        ("A plant cell has many parts", None),
    ],
)
def test_an_answers_letter_is_read(answer: str, choice: str | None) -> None:
    """And words of one letter are no choices."""
    assert read_choice(answer, LETTERS) == choice


@pytest.mark.parametrize(
    ("answer", "choice"),
    [("2", "2"), ("2) Green", "2"), ("The correct answer is 2) Green.", "2"), ("It was built in 1990", None), ("4", None)],
)
def test_an_answers_number_is_read(answer: str, choice: str | None) -> None:
    """A year is no choice, nor is a number that the question does not offer."""
    assert read_choice(answer, NUMBERS) == choice


@pytest.mark.parametrize("reference", ["B", "(B)", "B) chloroplast", "The correct answer is B) chloroplast.", "Chloroplast"])
def test_a_reference_names_its_choice(reference: str) -> None:
    """In every form that question files use."""
    assert read_reference(reference, LETTERS) == "B"


def test_a_reference_that_names_no_choice_is_not_guessed() -> None:
    """Such a question is listed as unusable instead of being scored wrong."""
    assert read_reference("mitochondrion", LETTERS) is None
