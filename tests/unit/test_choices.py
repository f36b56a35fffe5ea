"""The choice that an answer makes is read, and none where it makes none."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.extraction.choices import read_choice
from tasks.evaluation.questions.choices_in_text import part_question
from tasks.evaluation.questions.references import read_reference


def choose(reply: str, choices: Mapping[str, str], *, several: bool = False) -> str | None:
    """Return the labels of the choices made, with commas between them; None where none is made."""
    return ", ".join(read_choice(reply, choices, several=several).labels) or None


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
    assert "".join(part_question(question).choices) == labels


def test_a_line_break_belongs_to_the_choice_before_it() -> None:
    """Choices may be code."""
    assert part_question("Which?\nA) one\n two\nB) three").choices == {"A": "one\n two", "B": "three"}


def test_a_list_in_the_stem_lends_no_choice() -> None:
    """Though the last list would continue it."""
    assert part_question("Ann:\nA) I go.\nB) I stay.\nWho goes?\nA) Ann\nB) Ben\nC) Eve").choices == {
        "A": "Ann",
        "B": "Ben",
        "C": "Eve",
    }


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
        ("Ans) C", "C"),
        ("Ans C", "C"),
        ("The chloroplast, unlike the ribosome, makes sugar.", "B"),
        ("Chloroplast (not ribosome)", "B"),
        ("Chloroplast rather than the ribosome or nucleus", "B"),
        ("The ribosome makes protein, the chloroplast sugar.", None),
        ("| A | B | C | D |\n|---|---|---|---|", None),
        ("| Answer | B |", "B"),
        ("A/C", None),
        ("I cannot answer this.", None),
        ("", None),
        ("E", None),
        ("A plant cell has many parts", None),
    ],
)
def test_an_answers_letter_is_read(answer: str, choice: str | None) -> None:
    """And words of one letter are no choices."""
    assert choose(answer, LETTERS) == choice


@pytest.mark.parametrize(
    ("answer", "choice"),
    [("2", "2"), ("2) Green", "2"), ("The correct answer is 2) Green.", "2"), ("It was built in 1990", None), ("4", None)],
)
def test_an_answers_number_is_read(answer: str, choice: str | None) -> None:
    """A year is no choice, nor is a number that the question does not offer."""
    assert choose(answer, NUMBERS) == choice


@pytest.mark.parametrize("reference", ["B", "(B)", "B) chloroplast", "The correct answer is B) chloroplast.", "Chloroplast"])
def test_a_reference_names_its_choice(reference: str) -> None:
    """In every form that question files use."""
    assert read_reference(reference, LETTERS) == ("B",)


@pytest.mark.parametrize(
    "reference",
    ["B, D", "B and D", "B & D", "D, B", "B) chloroplast\nD) nucleus", "BD", "B D", "The correct answers are B and D."],
)
def test_a_reference_may_name_several_choices(reference: str) -> None:
    """They are given in the question's order."""
    assert read_reference(reference, LETTERS) == ("B", "D")


@pytest.mark.parametrize(
    ("answer", "choice"), [("D and B", "B, D"), ("Answer: B, D", "B, D"), ("B", "B"), ("B or D", None), ("ANSWER: BD", "B, D")]
)
def test_an_answer_may_make_several_choices_where_several_are_right(answer: str, choice: str | None) -> None:
    """Alternatives are no choice."""
    assert choose(answer, LETTERS, several=True) == choice


@pytest.mark.parametrize(
    ("answer", "choices", "choice"),
    [
        ("The answer to your question is: 4) Chichen Itza", ("Great Wall", "Petra", "Machu Picchu", "Chichen Itza"), "4"),
        ("The filtering unit of the kidney is called a nephron.", ("Neuron", "Nephron", "Villus"), "2"),
        ("1) Aldehyde\n1) Aldehyde\n2) Nitro\n3) Amino", ("Aldehyde", "Nitro", "Amino"), None),
        ("Is it ambiguous?\nIt is ambiguous.\n1) Clear\n2) Ambiguous", ("Clear", "Ambiguous"), None),
        ("The answer is -6.", ("6", "-6"), "2"),
        ("2) Why not?", ("Why?", "Why not?"), "2"),
        ("The last option is correct.", ("Red", "Green", "Blue"), "3"),
        ("1 or 2", ("Red", "Green", "Blue"), None),
        ("1 is wrong, 2 is wrong.", ("Red", "Green", "Blue"), "3"),
    ],
)
def test_a_numbered_choice_is_read(answer: str, choices: tuple[str, ...], choice: str | None) -> None:
    """By number, ordinal, text and elimination; an echo of the question chooses nothing."""
    assert choose(answer, {str(number): text for number, text in enumerate(choices, start=1)}) == choice


def test_a_reference_that_names_no_choice_is_not_guessed() -> None:
    """Such a question is listed as unusable instead of being scored wrong."""
    assert read_reference("mitochondrion", LETTERS) == ()


@pytest.mark.parametrize("reference", [" mitochondrion", "mitochondrion\n", "\u2028mitochondrion\u3000", "none "], ids=ascii)
def test_spaces_around_a_reference_that_names_no_choice_do_not_matter(reference: str) -> None:
    """It is read once."""
    assert read_reference(reference, LETTERS) == ()


FRAGMENTS = [
    "A",
    "b)",
    "so B",
    "the answer is C",
    "wait, no",
    "not D",
    "None of the above",
    "\n",
    ". ",
    "if it would",
    "A) ribosome",
]


@given(
    st.lists(st.sampled_from(FRAGMENTS)).map(" ".join),
    st.sampled_from("ABCD"),
    st.sampled_from(["ANSWER: {}", "**Answer:** ({})."]),
)
def test_nothing_above_the_last_line_counts_where_it_is_the_one_asked_for(before: str, label: str, line: str) -> None:
    """Whatever was considered, chosen and withdrawn before."""
    assert choose(f"{before}\n{line.format(label)}", LETTERS) == label


@pytest.mark.parametrize("answer", ["İ)", "(İ)", "Answer: \u212a"])  # the last is the sign of the kelvin
def test_a_letter_that_only_resembles_a_label_is_none(answer: str) -> None:
    """Where case is ignored they are equal, and the reader must not stumble over it."""
    choices = {label: f"text {label}" for label in "ABCDEFGHIJK"}
    assert choose(answer, choices) is None
