"""Fields of records: choices and answers in the forms that people and data sets give them, as one lettered question."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from pydantic import JsonValue

from tasks.evaluation.config.fields import Fields
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.questions.entries import Entry, EntryReader
from tasks.evaluation.questions.questions import read_questions
from tasks.evaluation.questions.selection import Selection
from tests.support.fake_endpoint import write_questions

ASKED = "Even?\n\nA) two\nB) three\nC) five"
TEXTS: list[JsonValue] = ["two", "three", "five"]


def read(record: JsonValue, **fields: object) -> Entry:
    return EntryReader(Fields.model_validate(fields)).read(record, uses_context=True)


@pytest.mark.parametrize(
    "choices",
    [
        {"choices": TEXTS},
        {"Options": TEXTS},
        {"choices": ["A) two", "B) three", "C) five"]},
        {"choices": ["(1) two", "(2) three", "(3) five"]},
        {"choices": {"A": "two", "B": "three", "C": "five", "D": None}},
        {"choices": {"text": TEXTS, "label": ["A", "B", "C"]}},
        {"choices": {"text": TEXTS, "label": ["1", "2", "3"]}},
        {"choices": [{"label": "A", "text": "two"}, {"label": "B", "text": "three"}, {"label": "C", "text": "five"}]},
        {"choices": [["a", "two"], ["b", "three"], ["c", "five"]]},
        {"choices": '["two", "three", "five"]'},
        {"choices": "A. two\nB. three\nC. five"},
        {"A": "two", "B": "three", "C": "five", "D": ""},
        {"opa": "two", "opb": "three", "opc": "five", "opd": None},
        {"option_a": "two", "option_b": "three", "option_c": "five"},
        {"Option 1": "two", "Option 2": "three", "Option 3": "five"},
        {"(A)": "two", "(B)": "three", "(C)": "five"},
        {"A.": "two", "B.": "three", "C.": "five"},
        {"Answer A": "two", "Answer B": "three", "Answer C": "five"},
        {"a1": "two", "a2": "three", "a3": "five"},
        {"1": "two", "2": "three", "3": "five"},
        {"choices/0": "two", "choices/1": "three", "choices/2": "five"},
        {"选项A": "two", "选项B": "three", "选项C": "five"},
        {"choices_text": TEXTS, "choices_label": ["A", "B", "C"]},
        {"options": {"A": {"text": "two"}, "B": {"text": "three"}, "C": {"text": "five"}}},
        {"answers": {"a": "two", "b": "three", "c": "five"}},
    ],
)
def test_choices_are_lettered_below_the_question(choices: dict[str, JsonValue]) -> None:
    """Whatever the form in which a record has them; the answer is one's text."""
    entry = read({"question": "Even?", **choices, "answer": "two"})
    assert (entry.text, entry.reference, entry.fault) == (ASKED, "A", None)
    assert dict(entry.choices) == {"A": "two", "B": "three", "C": "five"}


@pytest.mark.parametrize(
    ("record", "right"),
    [
        ({"answers": [{"text": "two", "correct": False}, {"text": "three", "correct": True}]}, "three"),
        ({"answers": TEXTS, "correct_index": 0}, "two"),
        ({"options": {"A": {"text": "two", "correct": False}, "B": {"text": "three", "correct": True}}}, "three"),
        ({"choices": ["B) three", "A) two", "C) five"], "answer": "A"}, "two"),
    ],
)
def test_the_right_choice_is_found_where_the_record_marks_it(record: dict[str, JsonValue], right: str) -> None:
    """Under a name that elsewhere holds right answers, within objects, and by labels in any order."""
    entry = read({"question": "Even?", **record}, answer_is=None)
    assert entry.fault is None
    assert [entry.choices[label] for label in entry.right[0]] == [right]


@pytest.mark.parametrize(
    ("record", "aliases"),
    [
        ({"answer": "two", "answers": ["two", "2"]}, ("2",)),
        ({"answers": {"text": ["two", "2"], "answer_start": [0, 0]}}, ("2",)),
        ({"answer": "two", "tag1": "x", "tag2": "y", "tag3": "z"}, ()),
        ({"answer": "two", "score_1": 1, "score_2": 2, "score_3": 3}, ()),
    ],
)
def test_what_is_no_choice_stays_none(record: dict[str, JsonValue], aliases: tuple[str, ...]) -> None:
    """Further right answers, and fields with numbers that hold something else."""
    entry = read({"question": "Even?", **record})
    assert (entry.reference, entry.aliases, dict(entry.choices)) == ("two", aliases, {})


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Even?\nI. two\nII. three\nIII. five", "I"),
        ("Even? (i) two (ii) three (iii) five", "i"),
        ("Even? <ol><li>two</li><li>three</li></ol>", "A"),
        ("Even?\n\\begin{enumerate}\\item two\\item three\\end{enumerate}", "A"),
        ("Even?\n#A two\n#B three", "A"),
        ("Even?\n0) two\n1) three\n2) five", "1"),
    ],
)
def test_choices_in_a_form_that_is_not_read_are_found_out(text: str, answer: str) -> None:
    """They are never left out of a question that is then asked for a short answer."""
    assert read({"question": text, "answer": answer}).fault == "unreadable_choices"


def test_answers_that_are_all_letters_are_choices_that_were_not_found(tmp_path: Path) -> None:
    """Unless the settings say that letters are asked for."""
    path = write_questions(tmp_path, [{"question": f"Which {n}?", "answer": letter} for n, letter in enumerate("ABCA")])
    with closing(read_questions(str(path), question_format="auto", uses_context=False)) as questions:
        assert "all answers are single letters" in questions.refusal
    with closing(read_questions(str(path), question_format="qa", uses_context=False)) as questions:
        assert questions.refusal == ""


@pytest.mark.parametrize(
    ("answer", "kind", "reference"),
    [
        ("B", None, "B"),
        ("b", None, "B"),
        ("(B)", None, "B"),
        ("B) three", None, "B"),
        ("The answer is B.", None, "B"),
        ("three", None, "B"),
        ("Three.", None, "B"),
        ("B", "letter", "B"),
        ("B) three", "letter", "B"),
        (2, "number", "B"),
        ("2", "number", "B"),
        (1, "index", "B"),
        (1.0, "index", "B"),
        ("1.0", "index", "B"),
        ("three", "text", "B"),
        (0, None, "A"),
        (3, None, "C"),
        (["A", "C"], None, "A, C"),
        (["five", "two"], None, "A, C"),
        ([0, 2], "index", "A, C"),
    ],
)
def test_the_answer_becomes_the_letter(answer: JsonValue, kind: str | None, reference: str) -> None:
    """A letter, a number, an index or a text; several where several are right."""
    entry = read({"question": "Even?", "choices": TEXTS, "answer": answer}, answer_is=kind)
    assert (entry.text, entry.reference, entry.fault) == (ASKED, reference, None)


@pytest.mark.parametrize(
    ("choices", "answer"),
    [(TEXTS, 1), (TEXTS, "2"), (["1", "2", "4"], "2"), (["B", "A"], "A"), ([0, 1], 1)],
)
def test_an_answer_that_can_be_read_in_two_ways_is_not_guessed(
    tmp_path: Path, choices: list[JsonValue], answer: JsonValue
) -> None:
    """A wrong guess would score every question wrong: the run stops before it asks, and says what to set."""
    path = write_questions(tmp_path, [{"question": "Even?", "choices": choices, "answer": answer}])
    with pytest.raises(UserMistake, match=r"exam.json, entry 1: the answer .* is the choice .*answer_is"):
        read_questions(str(path), question_format="auto", uses_context=False)


@pytest.mark.parametrize(
    ("choices", "answer", "reference"),
    [(["10", "20"], "20", "B"), ([13, 7], 7, "B"), (["A", "E", "I", "O"], "I", "C"), (["A", "E", "I", "O"], "A", "A")],
)
def test_an_answer_that_can_be_read_in_one_way_is_taken(choices: list[JsonValue], answer: JsonValue, reference: str) -> None:
    """Though its choices are numbers or letters themselves."""
    assert read({"question": "Which?", "choices": choices, "answer": answer}).reference == reference


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ({"question": "Even?", "choices": TEXTS, "answer": "seven"}, "answer_outside"),
        ({"question": "Even?", "choices": TEXTS, "answer": "D"}, "answer_outside"),
        ({"question": "Even?", "choices": TEXTS, "answer": 7}, "answer_outside"),
        ({"question": "Even?", "choices": TEXTS}, "no_answer"),
        ({"question": "Even?", "choices": ["two"], "answer": "A"}, "one_choice"),
        ({"question": "Even?\n\nA) two", "answer": "A"}, "one_choice"),
        ({"question": "Even?", "choices": [str(n) for n in range(27)], "answer": "A"}, "too_many_choices"),
        ({"question": "", "choices": TEXTS, "answer": "A"}, "no_question"),
    ],
)
def test_what_cannot_be_asked_says_why(record: JsonValue, fault: str) -> None:
    """It keeps its place, and is never a wrong answer."""
    entry = read(record)
    assert entry.fault == fault
    assert entry.reason


def test_a_question_that_holds_its_choices_already_stands_as_it_is() -> None:
    """Many files have them twice; the labels are the text's own."""
    entry = read({"question": "Even?\n1. two\n2. three", "choices": ["two", "three"], "answer": "three"})
    assert (entry.text, entry.reference) == ("Even?\n1. two\n2. three", "2")


def test_a_list_in_the_question_is_not_taken_for_its_choices() -> None:
    """Statements that the choices speak of stay a part of the question."""
    entry = read(
        {"question": "Both true?\n1. 2 is even.\n2. 3 is odd.", "choices": ["True, True", "True, False"], "answer": "A"}
    )
    assert dict(entry.choices) == {"A": "True, True", "B": "True, False"}


def test_choices_with_line_breaks_are_told_apart() -> None:
    """Kept where that is clear, else on one line."""
    plain = read({"question": "Which?", "choices": ["x ← 1\ny ← 2", "y ← 1"], "answer": "A"})
    listed = read({"question": "Which?", "choices": ["x", "first\nA) then\nB) last"], "answer": "A"})
    assert plain.text == "Which?\n\nA) x ← 1\ny ← 2\nB) y ← 1"
    assert listed.text == "Which?\n\nA) x\nB) first A) then B) last"


def test_flags_are_shuffled_the_same_way_in_every_run() -> None:
    """Files with flags put the right choice first, which a model's liking for A would answer."""
    targets: JsonValue = {"choices": ["right", "wrong 1", "wrong 2", "wrong 3"], "labels": [1, 0, 0, 0]}
    records: list[JsonValue] = [{"question": f"Which? {n}", "mc1_targets": targets} for n in range(40)]
    entries = [read(record) for record in records]
    assert all(entry.choices[entry.reference] == "right" for entry in entries)
    assert {entry.reference for entry in entries} == {"A", "B", "C", "D"}
    assert [read(record).text for record in records] == [entry.text for entry in entries]
    assert {read(record, shuffle_choices=False).reference for record in records} == {"A"}


def test_flags_may_stand_in_a_field_of_their_own() -> None:
    """A 1 for each right choice."""
    record: JsonValue = {"question": "Even?", "choices": TEXTS, "labels": [0, 1, 0]}
    entry = read(record, answer="labels", answer_is="flags")
    assert entry.choices[entry.reference] == "three"


def test_an_answers_place_is_that_before_the_shuffle() -> None:
    """An index counts the record's own order."""
    record: JsonValue = {"question": "Even?", "choices": TEXTS, "answer": 2}
    entries = [read({**record, "question": f"{n}?"}, answer_is="index", shuffle_choices=True) for n in range(9)]  # type: ignore[dict-item]
    assert {entry.choices[entry.reference] for entry in entries} == {"five"}
    assert len({entry.reference for entry in entries}) > 1


@pytest.mark.parametrize(
    ("block", "name"),
    [
        ({"answer": "frage"}, "frage"),
        ({"question": "questoin"}, "questoin"),
        ({"group_by": "subject"}, "subject"),
        ({"cluster_by": "passage"}, "passage"),
        ({"choices": ["answer", "option_b"]}, "option_b"),
        ({"context": "question.text"}, "question.text"),
    ],
)
def test_a_field_that_no_record_has_is_a_mistake(tmp_path: Path, block: dict[str, object], name: str) -> None:
    """It is named, with the nearest that there is."""
    path = write_questions(tmp_path, [{"question": "Even?", "answer": "two"}])
    fields = Fields.model_validate(block)
    with pytest.raises(UserMistake, match=f"no field '{name}'.*question"):
        read_questions(str(path), question_format="auto", uses_context=False, fields=fields)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("{questoin: q}", "unknown key 'questoin' in fields: did you mean 'question'"),
        ("{answer_is: word}", "fields.answer_is: 'word' cannot be used"),
        ("{fixed_choices: [yes, no, maybe]}", "fields.fixed_choices: .*write them in quotes"),
        ("{fixed_choices: [only]}", "fields.fixed_choices"),
    ],
)
def test_a_mistake_in_the_block_is_named(tmp_path: Path, block: str, message: str) -> None:
    """With the key, and the nearest known one."""
    path = tmp_path / "config.yaml"
    path.write_text(f"questions_file: exam.json\nmodel: {{generator_settings: {{model: m}}}}\nfields: {block}\n")
    with pytest.raises(UserMistake, match=message):
        load_config(str(path), Overrides())


def test_a_field_with_too_many_values_is_no_subject(tmp_path: Path) -> None:
    """An id would make a group of each question."""
    path = write_questions(tmp_path, [{"question": "q", "answer": "a", "id": number} for number in range(1001)])
    fields = Fields(group_by="id")
    with pytest.raises(UserMistake, match=r"fields\.group_by: 'id' has more than 1,000 values"):
        read_questions(str(path), question_format="auto", uses_context=False, fields=fields)


def test_clusters_are_as_many_as_there_are_passages(tmp_path: Path) -> None:
    """Also thousands; a question without a passage stands for itself, and a sample keeps its questions' clusters."""
    passages = ["p1", "p2", "p1", None, "", "p2"] * 400
    path = write_questions(tmp_path, [{"question": "q", "answer": "a", "passage": passage} for passage in passages])
    fields = Fields(cluster_by="passage")
    with closing(read_questions(str(path), question_format="auto", uses_context=False, fields=fields)) as questions:
        clusters = questions.clusters_of(np.arange(len(passages)))
        sample = questions.select(Selection(random_selection=None, random_seed=0, limit=3)).clusters_of(np.arange(3))
    assert clusters is not None
    assert sample is not None
    assert len(set(clusters.tolist())) == 2 + 800
    assert clusters[0] == clusters[2] == clusters[6] != clusters[1] == clusters[5]
    assert sample.tolist() == clusters[:3].tolist()


def test_without_the_setting_there_are_no_clusters(tmp_path: Path) -> None:
    """Each question stands for itself."""
    path = write_questions(tmp_path, [{"question": "q", "answer": "a"}])
    with closing(read_questions(str(path), question_format="auto", uses_context=False)) as questions:
        assert questions.clusters_of(np.arange(1)) is None


def test_all_other_fields_are_carried_along() -> None:
    """But for those that are the question, and what no JSON can hold."""
    record: JsonValue = {
        "question": "q",
        "answer": "a",
        "text": "t",
        "id": 7,
        "tags": ["x"],
        "empty": None,
        "nan": float("nan"),
    }
    assert read(record).metadata == {"id": 7, "tags": ["x"]}
    assert read(record, carried=["id", "answer"]).metadata == {"id": 7, "answer": "a"}
    assert read(record, carried=[]).metadata == {}
