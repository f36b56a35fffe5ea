"""A CSV file is read as spreadsheets and people write it, and never as something that it is not."""

from contextlib import closing
from pathlib import Path

import pytest

from tasks.evaluation.config.fields import Fields
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.questions.questions import Question, read_questions


def read(folder: Path, content: str, **fields: object) -> list[Question | None]:
    """Return the questions of a CSV file with this content."""
    path = folder / "exam.csv"
    path.write_text(content, encoding="utf-8")
    with closing(
        read_questions(
            str(path),
            question_format="auto",
            uses_context=False,
            fields=Fields.model_validate(fields),
        )
    ) as questions:
        return list(questions)


@pytest.mark.parametrize(
    "content",
    [
        "sep=;\nquestion;A;B;answer\nCapital?;Rome;Paris;B\n",
        '"sep=,"\nquestion,A,B,answer\nCapital?,Rome,Paris,B\n',
        "\ufeffsep=;\r\nquestion;A;B;answer\r\nCapital?;Rome;Paris;B\r\n",
        "# exported on Monday\n\nquestion,A,B,answer\nCapital?,Rome,Paris,B\n",
        "question,A,B,answer\n# a comment\nCapital?,Rome,Paris,B\n,,,\n\n",
        "question,answer,A,B,C,D\nCapital?,B,Rome,Paris\n",
        "question,A,B,answer\nCapital?,Rome,Paris,B,,\n",
    ],
)
def test_what_spreadsheets_add_or_leave_out(tmp_path: Path, content: str) -> None:
    """A line that names the separator, comments, blank rows, and rows without their empty end."""
    [question] = read(tmp_path, content)
    assert question
    assert (question.text, question.right) == ("Capital?\n\nA) Rome\nB) Paris", (("B",),))


@pytest.mark.parametrize(
    "content",
    [
        "Capital of France?,Rome,Paris,Oslo,Bern,B\n",
        "Red and blue,violet,green,violet,A\n",
        "Two and two are,four,five,four,A\n",
        "0,Which is even,2,3,A\n",
    ],
)
def test_a_file_without_a_header_row_is_told_to_name_its_columns(tmp_path: Path, content: str) -> None:
    """It is not guessed what they are."""
    with pytest.raises(UserMistake, match=r"has no header row.*fields: \{columns: "):
        read(tmp_path, content)


def test_the_settings_may_name_the_columns(tmp_path: Path) -> None:
    """Each row is an entry then, unless it repeats the names."""
    columns = ["question", "A", "B", "answer"]
    row = "Capital?,Rome,Paris,B\n"
    texts = [question.text for question in read(tmp_path, row + row, columns=columns) if question]
    assert texts == ["Capital?\n\nA) Rome\nB) Paris"] * 2
    assert len(read(tmp_path, "question,A,B,answer\n" + row, columns=columns)) == 1


def test_a_row_that_was_cut_is_damage(tmp_path: Path) -> None:
    """A line break that no quotes protect would make two entries of one."""
    with pytest.raises(UserMistake, match="line 2: it has 1 cells"):
        read(tmp_path, "question,A,B,answer\nCapital of\nFrance?,Rome,Paris,B\n")
