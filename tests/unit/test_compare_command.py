"""`mcqa compare`: what it prints and writes, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from flows.commands.cli import main
from flows.commands.sections import Section, Table, shorten, shorten_name, to_markdown, to_terminal
from tests.support.saved_runs import describe_run, refused, save_original, save_results, score_all, scored

OLD, NEW = "old=old.json", "new=new.json"


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with two runs on 100 questions: the old one has 90 right, the new one 70 and one refused."""
    monkeypatch.chdir(tmp_path)
    save_results(Path("old.json"), score_all([1] * 90 + [0] * 10))
    save_results(Path("new.json"), [*score_all([1] * 70 + [0] * 29), refused(100)])


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command; return its exit code, output and errors."""
    with pytest.raises(SystemExit) as end:
        main(["compare", *arguments])
    printed = capsys.readouterr()
    return int(str(end.value.code)), printed.out, printed.err


def test_the_terminal_shows_runs_verdict_and_flips(capsys: pytest.CaptureFixture[str]) -> None:
    """In aligned columns, no wider than a terminal."""
    code, printed, errors = run(capsys, OLD, NEW)
    assert (code, errors) == (0, "")
    assert printed.splitlines()[:4] == [
        "Questions of exam.json:",
        "run  model           scored  accuracy     95 % interval  chance",
        "old  some-model  100 of 100    0.9000  0.8256 to 0.9448  0.2500",
        "new  some-model   99 of 100    0.7071  0.6110 to 0.7876  0.2500",
    ]
    assert "new: 1 refused; accuracy 0.7000 if all of these were wrong, 0.7100 if right" in printed
    assert "On the 99 questions that both have scored:" in printed
    assert "old is better than new by 20.2 points (11.6 to 28.0), p < 0.001" in printed
    assert "old - new over all questions, with those missing counted as wrong or as right: 19.0 to 20.0 points" in printed
    assert "old is better than new on 20 questions; the first 3:" in printed
    assert "    71  Question 71? A) one B) two C) three D) four  A      A  A" in printed
    assert max(map(len, printed.splitlines())) <= 110


def test_show_says_how_many_flips(capsys: pytest.CaptureFixture[str]) -> None:
    """None at all with 0."""
    assert "on 20 questions; the first:" in run(capsys, OLD, NEW, "--show", "1")[1]
    assert "on 20 questions:" in run(capsys, OLD, NEW, "--show", "50")[1]
    assert "on 20 questions" not in run(capsys, OLD, NEW, "--show", "0")[1]


def test_three_runs_have_a_leaderboard(capsys: pytest.CaptureFixture[str]) -> None:
    """With p adjusted for the pairs, and flips only if asked for."""
    save_results(Path("twin.json"), score_all([1] * 89 + [0] * 11))
    _, printed, _ = run(capsys, NEW, OLD, "twin=twin.json")
    assert printed.splitlines()[-3:] == [
        "group  runs that cannot be told apart, with their accuracy on these questions",
        "    1  old (0.9091), twin (0.8990)",
        "    2  new (0.7071)",
    ]
    assert "old is better than new by 20.2 points (11.6 to 28.0), p < 0.001 adjusted for 3 pairs" in printed
    assert "p, adjusted" in printed


def test_json_is_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """Alone on the output; warnings and gates are errors' neighbours."""
    save_results(Path("new.json"), score_all([1] * 99), describe_run(100))
    code, printed, errors = run(capsys, OLD, NEW, "--format", "json", "--fail-under", "0.5")
    assert (code, json.loads(printed)["common"]) == (0, 99)
    assert errors.splitlines() == [
        "mcqa: warning: unfinished: 1 of the 100 questions of new are not scored yet",
        "mcqa: passed: Accuracy of new 1.00 is not under the 0.50 that --fail-under demands",
    ]


def test_output_goes_to_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """The verdict is still printed."""
    code, printed, _ = run(capsys, OLD, NEW, "--format", "markdown", "-o", "report.md")
    assert (code, printed) == (0, "old is better than new by 20.2 points (11.6 to 28.0), p < 0.001\n")
    assert "| old | some-model | 100 of 100 | 0.9000 |" in Path("report.md").read_text()


def test_an_output_that_cannot_be_written_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """With the path and the reason."""
    code, _, errors = run(capsys, OLD, NEW, "-o", "missing/report.txt")
    assert (code, errors) == (1, "mcqa: cannot write missing/report.txt: No such file or directory\n")


def test_a_gate_that_is_not_passed_ends_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    """One line says why; it is about the last run."""
    code, _, errors = run(capsys, OLD, NEW, "--fail-under", "0.75")
    assert (code, errors) == (3, "mcqa: failed: Accuracy of new 0.71 is under the 0.75 that --fail-under demands\n")
    assert run(capsys, NEW, OLD, "--fail-under", "0.75")[0] == 0
    assert run(capsys, OLD, NEW, "--fail-under-interval", "0.65")[0] == 3


def test_one_run_alone_can_be_held_against_a_gate(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a gate there is nothing to do."""
    code, printed, errors = run(capsys, "new.json", "--fail-under", "0.75")
    assert (code, errors) == (3, "mcqa: failed: Accuracy 0.71 is under the 0.75 that --fail-under demands\n")
    assert printed.splitlines()[2].startswith("some-model  99 of 100    0.7071")
    code, _, errors = run(capsys, "new.json")
    assert code == 2
    assert "one run alone can only be held against --fail-under and --fail-under-interval" in errors


def test_a_worse_run_fails_against_the_first_or_a_named_one(capsys: pytest.CaptureFixture[str]) -> None:
    """With a margin, it must be shown not to be worse by more."""
    failed = "mcqa: failed: new is worse than old: 20.2 points lower (11.6 to 28.0), p < 0.001\n"
    assert run(capsys, OLD, NEW, "--fail-if-worse")[::2] == (3, failed)
    assert run(capsys, "--fail-if-worse=FIRST", OLD, NEW)[::2] == (3, failed)
    assert run(capsys, "same=new.json", OLD, NEW, "--fail-if-worse", "old")[0] == 3
    assert run(capsys, NEW, OLD, "--fail-if-worse")[0] == 0
    assert run(capsys, OLD, NEW, "--fail-if-worse", "--margin", "30")[0] == 0
    assert run(capsys, OLD, NEW, "--fail-if-worse", "--margin", "27")[0] == 3


def test_junit_holds_gates_and_verdicts(capsys: pytest.CaptureFixture[str]) -> None:
    """Also when a gate fails."""
    assert run(capsys, OLD, NEW, "--fail-if-worse", "--junit", "junit.xml")[0] == 3
    [suite] = ET.parse("junit.xml").getroot()
    assert [case.attrib["name"] for case in suite] == ["--fail-if-worse old", "old and new"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((OLD, "new=nothing.json"), "cannot read nothing.json: No such file or directory"),
        ((OLD, NEW, "--margin", "2"), "--margin says how much worse a run may be: it needs --fail-if-worse"),
        ((OLD, NEW, "--fail-if-worse", "other"), "--fail-if-worse other: no run has this name; they are called 'old', 'new'"),
        ((OLD, NEW, "--fail-if-worse", "new"), "--fail-if-worse new: that is the last run itself"),
        (("--fail-if-worse", OLD, NEW), "is taken for the NAME of --fail-if-worse: put that flag last"),
        ((OLD, NEW, "--fail-under", "70"), "70 is not from 0 to 1"),
        ((OLD, NEW, "--confidence", "95"), "95 is not between 0 and 1"),
        ((OLD, NEW, "--margin", "nan"), "nan is not from 0 to 100 percentage points"),
        ((OLD, NEW, "--show", "-1"), "-1 is not 0 or more"),
        ((OLD, NEW, "--group-by", "subject"), "no record has the field 'subject'"),
        ((OLD, "a\0b.json"), "cannot be a path"),
    ],
)
def test_a_mistake_ends_with_2(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str) -> None:
    """One message says which."""
    code, _, errors = run(capsys, *arguments)
    assert code == 2
    assert message in errors


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"a": 1}', '{"results": [1, 2]}', "\x00\xff", '{"results": [{"score": NaN}]}']
)
def test_a_foreign_or_damaged_file_is_a_mistake(capsys: pytest.CaptureFixture[str], content: str) -> None:
    """Never a comparison of less than was meant."""
    Path("foreign.json").write_bytes(content.encode("latin-1"))
    code, printed, errors = run(capsys, OLD, "foreign.json")
    assert (code, printed) == (2, "")
    assert "Traceback" not in errors


def test_foreign_text_is_printed_safely(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a terminal's commands, nor line breaks, nor markup, nor a table's bars do anything."""
    text = "\x1b[2J\u202eevil | <script>alert(1)</script> `x` *y*\n\nline" + "x" * 100_000
    save_results(Path("a.json"), [scored(1, 1, text), scored(2, 0)], describe_run(2, model="m|\x1b]0;x\x07<b>"))
    save_original(Path("b.json"), [scored(1, 0, text), scored(2, 0)], model="other")
    code, printed, _ = run(capsys, "a.json", "b.json")
    assert (code, "\x1b" in printed, "\u202e" in printed) == (0, False, False)
    assert "?[2J?evil | <script>alert(1)</script> `x` *y* l…" in printed
    assert max(map(len, printed.splitlines())) < 160
    _, marked, _ = run(capsys, "a.json", "b.json", "--format", "markdown")
    assert "evil \\| &lt;script&gt;alert(1)&lt;/script&gt; \\`x\\` \\*y\\* l…" in marked
    assert "<" not in marked


def test_a_mistake_prints_foreign_text_safely(capsys: pytest.CaptureFixture[str]) -> None:
    """A model's name is foreign too."""
    save_results(Path("a.json"), [scored(1, 1, "One?")], describe_run(1, model="m\x1b[2J"))
    code, _, errors = run(capsys, "a.json", NEW)
    assert (code, "\x1b" in errors) == (2, False)
    assert "nothing to compare: no question is scored in all of these runs" in errors


def test_the_command_is_quick_to_start() -> None:
    """It imports neither Prefect nor pandas, openai or scipy's distributions."""
    code = (
        "import sys\nfrom flows.commands.cli import main\n"
        "try:\n    main(['compare', 'old.json', 'new.json'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'prefect', 'pandas', 'openai', 'scipy.stats', 'pyarrow'} & set(sys.modules)))"
    )
    root = str(Path(__file__).parents[2])
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=150, check=False, env={"PYTHONPATH": root}
    )
    assert ended.stdout.splitlines()[-1] == "[]"


def test_a_report_is_aligned_or_marked_up() -> None:
    """Text begins at the left, numbers end at the right; an empty section leaves no trace."""
    table = Table(["name", "count"], [["a", "1,000"], ["long|name", "2"]], frozenset({"name"}))
    sections = [Section(), Section("Title:", table, ["", "a line"])]
    assert to_terminal(sections) == "Title:\nname       count\na          1,000\nlong|name      2\n\na line"
    assert to_markdown(sections) == (
        "## Title\n\n| name | count |\n| :--- | ---: |\n| a | 1,000 |\n| long\\|name | 2 |\n\n- a line"
    )
    assert shorten("one  two\nthree", 9) == "one two…"
    assert shorten_name("mistralai/Mistral-7B-v0.3", 14) == "mistral…B-v0.3"


def test_long_names_keep_the_tables_narrow(capsys: pytest.CaptureFixture[str]) -> None:
    """As long as a line of a terminal; other questions files have a column."""
    name, metadata = "organisation/Some-Long-Model-70B-Instruct-", describe_run(100, questions_file="a" * 90 + ".json")
    save_results(Path("old.json"), [scored(number, 1, f"{'word ' * 30}{number}") for number in range(100)], metadata)
    save_results(Path("new.json"), [scored(number, 0, f"{'word ' * 30}{number}") for number in range(100)])
    _, printed, _ = run(capsys, f"{name}v1={OLD[4:]}", f"{name}v2={NEW[4:]}")
    tables = [line for line in printed.splitlines() if name not in line]
    assert "questions" in tables[0]
    assert max(map(len, tables)) <= 120
