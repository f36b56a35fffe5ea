"""Choices in a question's text are read in whatever way it labels them."""

import pytest

from tasks.evaluation.config.fields import Fields
from tasks.evaluation.extraction.choices import read_choice
from tasks.evaluation.questions.entries import EntryReader
from tests.support.parsed import parse_question


@pytest.mark.parametrize(
    ("text", "answer", "choices", "right"),
    [
        ("Which barks?\nA．cat\nB．dog", "B", {"A": "cat", "B": "dog"}, "B"),
        ("Which barks?\nA、cat\u3000B、dog\u3000C、cow", "B", {"A": "cat", "B": "dog", "C": "cow"}, "B"),
        ("Which barks?\nA：cat\nB：dog", "B", {"A": "cat", "B": "dog"}, "B"),
        ("Which barks?\n（A）cat\n（B）dog", "B", {"A": "cat", "B": "dog"}, "B"),
        ("Which barks?\nＡ．cat\nＢ．dog", "Ｂ", {"A": "cat", "B": "dog"}, "B"),
        ("Which barks?\n[A] cat\n[B] dog", "B", {"A": "cat", "B": "dog"}, "B"),
        ("Which barks?\nA] cat\nB] dog", "B", {"A": "cat", "B": "dog"}, "B"),
        ("Which barks?\n- A) cat\n- B) dog", "B", {"A": "cat", "B": "dog"}, "B"),
        ("Which barks?\nOption A: cat\nOption B: dog", "B", {"A": "cat", "B": "dog"}, "B"),
        ("Which barks?\n**A.** cat\n**B.** dog", "B", {"A": "cat", "B": "dog"}, "B"),
        ("Which barks?\n**A) cat**\n**B) dog**", "B", {"A": "cat", "B": "dog"}, "B"),
        ("Which barks?\nA.) cat\nB.) dog", "B", {"A": "cat", "B": "dog"}, "B"),
        ("Which barks?\n(a). cat\n(b). dog", "b", {"A": "cat", "B": "dog"}, "B"),
        ("Which barks?\n① cat\n② dog", "②", {"1": "cat", "2": "dog"}, "2"),
        ("Which barks?\nⒶ cat\nⒷ dog", "B", {"A": "cat", "B": "dog"}, "B"),
        ("Which barks?<br>A. cat<br>B. dog<br>C. cow", "B", {"A": "cat", "B": "dog", "C": "cow"}, "B"),
        ("Кто лает?\nА) кот\nБ) пёс\nВ) вол", "Б", {"А": "кот", "Б": "пёс", "В": "вол"}, "Б"),
        ("Which barks?\nα) cat\nβ) dog\nγ) cow", "β", {"Α": "cat", "Β": "dog", "Γ": "cow"}, "Β"),
        ("Which barks?\nА) cat\nВ) dog\nС) cow\nD) owl", "C", {"A": "cat", "B": "dog", "C": "cow", "D": "owl"}, "C"),
        ("What does it cost?\n[A] $3\n[B] $4", "B", {"A": "$3", "B": "$4"}, "B"),
        ("Which barks?\n가. cat\n나. dog", "나", {"가": "cat", "나": "dog"}, "나"),
    ],
)
def test_a_choice_is_recognised_by_its_label(text: str, answer: str, choices: dict[str, str], right: str) -> None:
    """Full-width, bracketed, bold, circled, Cyrillic, Greek and Korean labels keep the place that the question gives them."""
    question = parse_question(text, answer)
    assert (question.format, dict(question.choices), question.right) == ("mc", choices, ((right,),))


@pytest.mark.parametrize(
    "text",
    [
        "Which barks? A. cat B. dog C. cow",
        "Which barks? (A) cat (B) dog (C) cow",
        "Which barks? A) cat, B) dog, C) cow",
        "Which barks?\nA. cat\tB. dog\tC. cow",
        "Which barks? a ) cat , b ) dog , c ) cow",
        "Which barks?\nA. cat  B. dog\nC. cow",
        "Which barks? A) cat; B) dog; C) cow\nAnswer:",
        "Which barks?\nA - cat\nB - dog\nC - cow",
        "Which barks?\nA cat\nB dog\nC cow",
        "Which barks?\nA/ cat\nB/ dog\nC/ cow",
        "Which barks?\n| A | cat |\n| B | dog |\n| C | cow |",
        r"Which barks? $\textbf{(A)}\ cat \qquad \textbf{(B)}\ dog \qquad \textbf{(C)}\ cow$",
    ],
)
def test_choices_may_share_a_line(text: str) -> None:
    """What separates them is part of none."""
    assert dict(parse_question(text, "B").choices) == {"A": "cat", "B": "dog", "C": "cow"}


@pytest.mark.parametrize(
    "instruction",
    [
        "Answer:",
        "Your answer: ____",
        "**Answer:**",
        "The correct answer is:",
        "Answer with the letter only.",
        "Reply with A or B only.",
        "Please select one option.\n\nAnswer: ",
        "Let's think step by step.",
        "Answer: Let's think step by step.",
        "Do not explain your answer.",
        "Put your final answer in \\boxed{}.",
        "答案：",
        "请直接回答选项字母。",
        "Ответ:",
    ],
)
def test_an_instruction_behind_the_choices_is_no_part_of_the_last(instruction: str) -> None:
    """The text as it is sent keeps it."""
    question = parse_question(f"Which barks?\nA) cat\nB) dog\n\n{instruction}", "dog")
    assert (dict(question.choices), question.right) == ({"A": "cat", "B": "dog"}, (("B",),))
    assert question.text.endswith(instruction)


@pytest.mark.parametrize("last", ["Think of the dog", "Give up", "Answer the phone\nand run", "dog\nPut on a leash"])
def test_a_choice_that_is_a_request_stays_whole(last: str) -> None:
    """Only words about the answer itself are an instruction."""
    assert parse_question(f"What next?\nA) cat\nB) {last}", "B").choices["B"] == last


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Given (1) two cats and (2) three dogs, how many animals?", "5"),
        ("Consider:\n① Cats bark.\n② Dogs bark.\nHow many are true?", "1"),
        ("The points A. and B. are 3 apart. How far is it there and back?", "6"),
        ("Which blood type is rarest?", "AB"),
    ],
)
def test_marks_in_prose_make_no_choices(text: str, answer: str) -> None:
    """A short answer stays one."""
    assert parse_question(text, answer).format == "qa"


@pytest.mark.parametrize(
    ("text", "answer", "right"),
    [
        ("Which are pets?\nA. cat\nB. cow\nC. dog", "AC", ("A", "C")),
        ("Which are pets?\nA．cat\nB．cow\nC．dog", "A, C", ("A", "C")),
        ("Которые?\nА) кот\nБ) вол\nВ) пёс", "АВ", ("А", "В")),
        ("Which are pets?\n① cat\n② cow\n③ dog", "①③", ("1", "3")),
    ],
)
def test_a_reference_may_name_several_choices_as_one_word(text: str, answer: str, right: tuple[str, ...]) -> None:
    """In the order of the choices."""
    assert parse_question(text, answer).right == (right,)


def test_the_choices_behind_a_list_in_the_stem_are_the_ones_that_the_answer_names() -> None:
    """Even where the list has a line for each of its parts, and the choices share one."""
    question = parse_question("1. Cats bark.\n2. Dogs bark.\nWhich is true? (A) only 1 (B) only 2 (C) both", "B")
    assert dict(question.choices) == {"A": "only 1", "B": "only 2", "C": "both"}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Which barks?\nA) cat\nC) dog\nD) cow", "C"),
        ("Which barks? F) cat G) dog H) cow", "G"),
        ("Which barks?\n- cat\n- dog\n- cow", "B"),
    ],
)
def test_labels_in_no_known_order_are_never_asked_as_a_short_answer(text: str, answer: str) -> None:
    """What looks like choices and cannot be read has a fault that says so."""
    entry = EntryReader(Fields()).read({"question": text, "answer": answer}, uses_context=False)
    assert entry.fault == "unreadable_choices"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Which vitamin do oranges hold?", "C"),
        ("If A and B are points, which one is nearer?", "B"),
        ("Given (a) a mass, (b) a speed and (c) a time, what follows?", "Its momentum"),
        ("Name the blood group of most people:\n- in Europe\n- in Peru", "0"),
    ],
)
def test_a_short_answer_that_is_a_letter_stays_one(text: str, answer: str) -> None:
    """Letters in its words are no choices."""
    assert parse_question(text, answer).format == "qa"


@pytest.mark.parametrize(
    ("text", "reply", "label"),
    [
        ("Кто лает?\nА) кот\nБ) вол\nВ) пёс", "ANSWER: В", "В"),
        ("Кто лает?\nА) пёс\nБ) вол\nВ) кот", "Правильный ответ: А", "А"),
        ("Кто лает?\nА) кот\nБ) вол\nВ) пёс", "В", "В"),
        ("Which barks?\nα) cat\nβ) dog\nγ) cow", "β", "Β"),
        ("Which barks?\nΑ) cat\nΒ) dog\nΓ) cow", "ANSWER: Β", "Β"),
        ("Which barks?\n가. cat\n나. dog", "ANSWER: 나", "나"),
        ("Which barks?\n① cat\n② dog", "②", "2"),
        ("Which barks?\nA) cat\nB) dog", "ANSWER: В", "B"),
    ],
)
def test_a_reply_names_a_choice_by_the_questions_own_label(text: str, reply: str, label: str) -> None:
    """A letter that looks Latin is Latin only where the question's labels are."""
    assert read_choice(reply, parse_question(text, label).choices).labels == (label,)


@pytest.mark.parametrize(
    ("reference", "right"),
    [
        ("（D）", [["D"]]),
        ("D．fir", [["D"]]),
        ("A、C", [["A", "C"]]),
        ("Oak sheds its leaves, which rules out A.\n#### D", [["D"]]),
        ("Neither A nor B keeps its leaves, hence \\boxed{D}", [["D"]]),
        ("A or D", [["A"], ["D"]]),
    ],
)
def test_a_reference_names_choices_in_any_writing(reference: str, right: list[list[str]]) -> None:
    """One label, several that are right together, or several of which each is right."""
    question = parse_question("Which is evergreen?\nA) oak\nB) elm\nC) ash\nD) fir", reference)
    assert [list(labels) for labels in question.right] == right
