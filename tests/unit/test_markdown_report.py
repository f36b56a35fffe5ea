"""The report of a run in Markdown, as Prefect's UI shows it."""

from datetime import timedelta
from pathlib import Path

import pytest

from tasks.evaluation.reporting.file_list import list_files
from tasks.evaluation.reporting.markdown import escape, write_list, write_literally, write_table
from tasks.evaluation.run.markdown_report import Told, write_markdown
from tasks.evaluation.run.run_facts import describe_time
from tests.support.evaluation import Evaluation
from tests.support.fake_endpoint import completion, make_questions, write_questions


@pytest.fixture
def report(evaluation: Evaluation, folder: Path) -> str:
    """Return the report of six questions, of which two are answered wrong."""
    write_questions(folder, make_questions(6))
    changed = {"prompt.system": "Be brief.\n```", "processing.fail_under": 0.5, "processing.limit": 6}
    with evaluation.open(changed, run_id="first") as run:
        [run.score(batch) for batch in run.batches.list_open()]
        run.progress.notify("⚠️ it was slow: give --parallel 8")
        run.progress.notify("💾 Checkpoint saved: somewhere")
        told = Told(
            remarks=["Nothing was *asked*"],
            changes={"Different from the file": {"limit": 6, "temperature": 0.5}, "Set by the deployment": {}},
            words=lambda line: line.replace("--parallel", "Workers"),
        )
        tables = {"Accuracy": [{"Questions": "All", "Accuracy": "0.6667"}], "Refused": []}
        return write_markdown(run, tables, list_files({"results": Path("/out/a b.json")}, {}), told)


def test_the_report_begins_with_what_decides(report: str) -> None:
    """The accuracy with its interval, then what must be said first, gates, and whether guessing would do as well."""
    assert report.startswith(
        "# exam.json, fake\n\n"
        "**Accuracy 0.6667, 95 % interval 0.3000 to 0.9032 (4 of 6 questions)**\n\n"
        "- Nothing was \\*asked\\*\n"
        "- Accuracy 0.67 is not under the 0.50 that fail\\_under demands\n"
        "- The accuracy is not above chance (0.25)\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        "| Model | fake |",
        "| Temperature | 0.0 |",
        "| Longest answer | 1,024 tokens |",
        "| Questions | exam.json: 6 |",
        "| Prompt | default, after a system message |",
        "| Grader | none: replies are read |",
        "| Settings | from the parameters alone |",
        "| Different from the file | limit: 6, temperature: 0.5 |",
        "| Finished | 6 of 6 questions: 0 before this run, 6 in it |",
        "| Tokens, this run | generator 72 (60 prompt + 12 completion) |",
        "| All | 0.6667 |",
        "- results: `/out/a b.json`",
        "⚠️ it was slow: give Workers 8",
    ],
)
def test_the_report_says_what_was_run(report: str, line: str) -> None:
    """What was asked of which model with which words, what it cost, where the files are, and what the log says."""
    assert line in report.splitlines()


def test_the_report_shows_wrong_answers_whole(report: str) -> None:
    """With the choices, each on its line, what was right, what was chosen and answered, and why it is wrong."""
    assert (
        "## The first wrong answers, of 2\n\n**Question 3**, score 0\n\n```\nQuestion 3: which of these is it?\nA) one 3\n"
        in report
    )
    assert "\n\nRight: A)\n\nChosen: D\n\nAnswer: The answer is D.\n\nGrade: " in report


def test_words_of_ones_own_are_shown_as_they_are(report: str) -> None:
    """Whatever they hold: the fence is longer than any in them."""
    assert "**System message**\n\n````\nBe brief.\n```\n````\n" in report


def test_empty_tables_and_saves_are_left_out(report: str) -> None:
    """The log has each save; a title without a table tells nothing."""
    assert "Refused" not in report
    assert "💾" not in report


def test_a_run_without_a_score_says_so(evaluation: Evaluation) -> None:
    """And how many questions are left."""
    with evaluation.open({}, run_id="first") as run:
        text = write_markdown(run, {}, "", Told())
    assert "**No question was scored**\n\n- Not scored yet: 40\n" in text
    assert "## The first wrong answers" not in text


def test_markup_in_answers_stays_text(evaluation: Evaluation, folder: Path) -> None:
    """A model's answer can neither end its block nor load an image."""
    write_questions(folder, make_questions(1))
    evaluation.endpoint.rule = lambda _: completion("````\n![x](http://evil.example/x)\n# The answer is C.")
    with evaluation.open({}, run_id="first") as run:
        [run.score(batch) for batch in run.batches.list_open()]
        text = write_markdown(run, {}, "", Told())
    assert "`````\nQuestion 1" in text
    assert "\n# The answer is C.\n\nGrade" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b\nc", r"a\|b c"),
        ("<img src=x> & co", "&lt;img src=x> &amp; co"),
        ("![x](y) `c` *b* _i_ ~s~ # h \\", r"!\[x\](y) \`c\` \*b\* \_i\_ \~s\~ \# h \\"),
    ],
)
def test_markup_in_cells_and_lists_is_harmless(text: str, shown: str) -> None:
    """It shows what it holds."""
    assert escape(text) == shown
    assert write_list([text]) == f"- {shown}"
    assert write_table([{"A": text}]) == f"| A |\n| --- |\n| {shown} |"


def test_long_lines_are_broken_and_long_cells_cut() -> None:
    """Viewers break neither."""
    assert write_literally("x" * 150) == f"```\n{'x' * 100}\n{'x' * 50}\n```"
    assert write_table([{"A": "x" * 301}]).endswith(f"| {'x' * 300} … |")


def test_a_name_cannot_turn_the_line_around_it() -> None:
    """Signs for the direction of writing are left out, right-to-left scripts stay."""
    assert escape("m\u202e\u2066 هذا") == "m هذا"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.4, "0 s"), (59.6, "1 min 0 s"), (725, "12 min 5 s"), (11_520, "3 h 12 min"), (360_059, "100 h 0 min")],
)
def test_a_duration_is_told_as_people_tell_it(seconds: float, told: str) -> None:
    """In seconds, in minutes, or in hours with their minutes."""
    assert describe_time(timedelta(seconds=seconds)) == told
