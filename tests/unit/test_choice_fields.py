"""Choices in fields of their own are understood in every form of data sets and tables, or the entry is not asked."""

import pytest
from pydantic import JsonValue

from tasks.evaluation.config.fields import Fields
from tasks.evaluation.questions.entries import Entry, EntryReader

TREES = ("oak", "elm", "fir")


def read(record: dict[str, JsonValue], **fields: object) -> Entry:
    return EntryReader(Fields.model_validate(fields)).read({"question": "Evergreen?", **record}, uses_context=False)


@pytest.mark.parametrize(
    "options",
    [
        "a ) oak , b ) elm , c ) fir",
        "A. oak B. elm C. fir",
        "['A) oak', 'B) elm', 'C) fir']",
        "['oak' 'elm' 'fir']",
        "['oak'\n 'elm'\n 'fir']",
        "array(['oak', 'elm', 'fir'], dtype=object)",
        "{'text': array(['oak', 'elm', 'fir'], dtype=object), 'label': array(['A', 'B', 'C'], dtype=object)}",
        '{"option1": "oak", "option2": "elm", "option3": "fir"}',
        {"option1": "oak", "option2": "elm", "option3": "fir"},
        {"opa": "oak", "opb": "elm", "opc": "fir"},
        {"(a)": "oak", "(b)": "elm", "(c)": "fir"},
        [{"A": "oak"}, {"B": "elm"}, {"C": "fir"}],
        [{"id": 0, "text": "oak"}, {"id": 1, "text": "elm"}, {"id": 2, "text": "fir"}],
        ["A．oak", "B．elm", "C．fir"],
        "oak|elm|fir",
        "oak\nelm\nfir",
        "oak, elm, fir",
    ],
)
def test_every_form_of_a_list_of_choices(options: JsonValue) -> None:
    """They stand below the question, lettered, and the right one is found by its text."""
    entry = read({"options": options, "answer": "elm"})
    assert (tuple(entry.choices.values()), entry.reference, entry.fault) == (TREES, "B", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"distractor1": "oak", "distractor2": "elm"},
        {"wrong1": "oak", "wrong2": "elm"},
        {"wrong_options": ["oak", "elm"]},
        {"distractors": ["oak", "elm"]},
        {"incorrect_answers": ["oak", "elm"]},
        {"incorrect_answers": "['oak' 'elm']"},
        {"Incorrect Answers": "oak; elm"},
        {"Incorrect Answer 1": "oak", "Incorrect Answer 2": "elm"},
        {"wrong_answer_1": "oak", "wrong_answer_2": "elm"},
    ],
)
@pytest.mark.parametrize("name", ["correct_answer", "Correct Answer", "answer"])
def test_wrong_answers_beside_the_right_one_are_choices(wrong: dict[str, JsonValue], name: str) -> None:
    """In an order of their own, for the right one would always be the first."""
    entry = read({name: "fir", **wrong})
    assert set(entry.choices.values()) == set(TREES)
    assert entry.choices[entry.reference] == "fir"


def test_wrong_answers_are_put_into_an_order_by_their_content() -> None:
    """The same in every run, and the right one anywhere."""
    records: list[dict[str, JsonValue]] = [
        {"question": f"Evergreen {n}?", "correct_answer": "fir", "distractor1": "oak", "distractor2": "elm"} for n in range(30)
    ]
    entries = [EntryReader(Fields()).read(record, uses_context=False) for record in records]
    assert {entry.reference for entry in entries} == {"A", "B", "C"}
    assert [EntryReader(Fields()).read(record, uses_context=False).text for record in records] == [e.text for e in entries]


@pytest.mark.parametrize(
    ("choices", "answer", "right"),
    [
        ([{"id": 0, "text": "oak"}, {"id": 1, "text": "fir"}], 1, "fir"),
        ([{"id": 0, "text": "fir"}, {"id": 1, "text": "oak"}], "0", "fir"),
        ([{"label": 0, "text": "fir"}, {"label": 1, "text": "oak"}], 0, "fir"),
        ({"text": ["oak", "fir"], "label": [0, 1]}, 1, "fir"),
        ({"A": 0, "B": 1}, "A", "0"),
        ([{"text": "oak", "is_correct": False}, {"text": "fir", "is_correct": True}], None, "fir"),
        ({"choices": ["oak", "fir"], "labels": [0, 1]}, None, "fir"),
    ],
)
def test_numbers_of_choices_are_no_flags(choices: JsonValue, answer: JsonValue, right: str) -> None:
    """0 and 1 count the choices where an answer names one of them; they say which is right where nothing else does."""
    entry = read({"choices": choices, "answer": answer})
    assert entry.choices[entry.reference] == right


@pytest.mark.parametrize("options", ["See the figure", {"temperature": 0.5}, [["oak", "elm", "fir"], ["ash"]], [{"foo": 1}]])
def test_choices_in_no_known_form_are_never_left_out(options: JsonValue) -> None:
    """The question is not asked as a short answer."""
    assert read({"options": options, "answer": "B"}).fault == "unreadable_choices"


@pytest.mark.parametrize("options", [None, "", [], 4])
def test_a_field_without_choices_offers_none(options: JsonValue) -> None:
    """The question is a short answer."""
    entry = read({"options": options, "answer": "fir"})
    assert (entry.fault, dict(entry.choices)) == (None, {})


@pytest.mark.parametrize("name", ["alternatives", "answer_choices", "answerOptions", "endings"])
def test_choices_under_a_rarer_name_are_choices(name: str) -> None:
    """They were left out, and the question asked as a short answer."""
    assert tuple(read({name: ["oak", "elm", "fir"], "answer": "elm"}).choices.values()) == TREES


@pytest.mark.parametrize("name", ["label", "gold", "correct", "target"])
def test_an_answer_under_a_rarer_name_is_one_beside_choices(name: str) -> None:
    """Without choices it may be a category."""
    assert read({"choices": ["oak", "elm", "fir"], name: "elm"}).reference == "B"


def test_small_letters_are_columns_of_choices() -> None:
    """From three on, for `a` alone may be an answer."""
    assert tuple(read({"a": "oak", "b": "elm", "c": "fir", "answer": "b"}).choices.values()) == TREES


@pytest.mark.parametrize("answer", ["option_b", "Option B", "option2", "opb"])
def test_an_answer_may_name_the_field_of_its_choice(answer: str) -> None:
    """By its letter or its number."""
    assert read({"option_a": "oak", "option_b": "elm", "option_c": "fir", "answer": answer}).reference == "B"


def test_an_object_may_label_its_choices_in_any_script() -> None:
    """The answer names the label, and is sent as a letter."""
    assert read({"options": {"А": "oak", "Б": "elm", "В": "fir"}, "answer": "В"}).reference == "C"
