"""`mcqa checkpoints validate`: whether a checkpoint is sound, and whether it fits."""

import json
from pathlib import Path

import pytest

from tests.support.fake_endpoint import make_questions, write_config, write_questions
from tests.support.saved_checkpoints import ORIGINAL, URL, edit, run, run_json, save

pytestmark = pytest.mark.usefixtures("checkpoint_folder")


def test_a_sound_checkpoint_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    """Ours and the original's, compressed or not."""
    path = save(5, hour=8, refused=1)
    assert run(capsys, "validate", str(path)) == (0, f"{path}: sound, 6 results\n")
    assert run(capsys, "validate", str(ORIGINAL))[0] == 0


def with_results(path: Path, change: str) -> None:
    """Give the checkpoint's second result a fault."""
    results = json.loads(path.read_text())["results"]
    first, second = results[:2]
    changed = {
        "the question of the first": second | {"score_id": first["score_id"]},
        "the number of the first": second | {"question_id": 1},
        "another number": second | {"question_id": 9},
        "no number": second | {"question_id": None},
        "no id": {key: value for key, value in second.items() if key != "answer_id"},
        "no score": {key: value for key, value in second.items() if key != "score"},
    }
    edit(path, results=[first, changed[change], *results[2:]])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("the question of the first", "a question that an earlier result holds too: result 2"),
        ("the number of the first", "a question_id that an earlier result has too: result 2"),
        ("another number", "completed_indices names other questions than the results do"),
        ("no number", "no question_id: result 2"),
        ("no id", "no answer_id or score_id: result 2"),
        ("no score", "neither score nor skipped: result 2"),
    ],
)
def test_each_fault_is_named(capsys: pytest.CaptureFixture[str], change: str, fault: str) -> None:
    """With the place of the result, and exit code 1."""
    path = save(5, hour=8)
    with_results(path, change)
    code, printed = run(capsys, "validate", str(path))
    assert code == 1
    assert f"{path}: not sound\n  {fault}" in printed


def test_counts_that_disagree_are_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that lists more questions than it holds."""
    path = save(5, hour=8)
    edit(path, completed_count=6)
    code, printed = run(capsys, "validate", str(path))
    assert (code, printed) == (
        1,
        f"{path}: not sound\n  it is damaged: completed_count is 6, but it has 5 completed_indices and 5 results\n",
    )


def test_damage_in_the_middle_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    """Where `list`, which reads the ends of a file, does not look."""
    path = save(5, hour=8)
    path.write_text(path.read_text().replace('"question_id":3,', '"question_id":3', 1))
    assert [each["state"] for each in run_json(capsys, "list")] == ["unfinished"]
    code, printed = run(capsys, "validate", str(path))
    assert code == 1
    assert "it is damaged: line 4, column" in printed


def test_a_fit_is_told_in_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """How many questions are finished, and what would be asked; no key is needed for that, and nothing is written."""
    path = save(5, hour=8)
    before = sorted(Path().rglob("*"))
    code, printed = run(capsys, "validate", str(path), "--config", "config.yaml")
    assert code == 0
    assert printed.splitlines()[1:] == [
        "It fits config.yaml. Of the 12 questions that a run selects:",
        "  finished by it: 5",
        "  its answer reused, to be graded again: 0",
        "  to be asked: 7",
    ]
    assert sorted(Path().rglob("*")) == before


def test_answers_that_are_graded_anew_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Another grader reuses them."""
    path = save(5, hour=8)
    write_config(Path(), URL, name="graded.yaml", grader=True)
    verdict = run_json(capsys, "validate", str(path), "--config", "graded.yaml")
    assert verdict["is_sound"]
    assert {name: verdict["fit"][name] for name in ("selected", "finished", "graded_anew", "to_ask")} == {
        "selected": 12,
        "finished": 0,
        "graded_anew": 5,
        "to_ask": 7,
    }


def test_a_misfit_names_each_setting_with_both_values(capsys: pytest.CaptureFixture[str]) -> None:
    """And the exit code is 1."""
    path = save(5, hour=8)
    settings = Path("config.yaml").read_text().replace("model: fake,", "model: llama-8b, temperature: 0.5,")
    Path("other.yaml").write_text(settings)
    code, printed = run(capsys, "validate", str(path), "--config", "other.yaml")
    assert code == 1
    assert printed.splitlines()[1:] == [
        "It does not fit other.yaml:",
        "  model is 'fake' there and 'llama-8b' here",
        "  temperature is 0.0 there and 0.5 here",
    ]


@pytest.mark.parametrize(("other", "named"), [(bytes(20), "size_bytes is 10 there and 20 here"), (b"0" * 10, "digest is ")])
def test_a_misfit_names_other_weights_under_the_same_name(capsys: pytest.CaptureFixture[str], other: bytes, named: str) -> None:
    """Those of a server that the run starts itself: no other setting tells them apart, and perhaps not even their size."""
    settings = Path("config.yaml").read_text()
    Path("config.yaml").write_text(settings.replace("openai", "llamacpp").replace("model: fake,", "model: tiny.gguf,"))
    Path("tiny.gguf").write_bytes(bytes(10))
    path = save(5, hour=8)
    Path("tiny.gguf").write_bytes(other)
    code, printed = run(capsys, "validate", str(path), "--config", "config.yaml")
    assert code == 1
    assert f"  weights.{named}" in printed


def test_an_empty_checkpoint_is_sound_and_of_no_use(capsys: pytest.CaptureFixture[str]) -> None:
    """It is the one that a run writes before its first question."""
    path = save(0, hour=8)
    code, printed = run(capsys, "validate", str(path), "--config", "config.yaml")
    assert code == 1
    assert printed == f"{path}: sound, 0 results\nIt does not fit config.yaml:\n  it holds no results yet\n"


def test_the_checkpoint_of_a_run_that_shares_nothing_fits_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """As it does with --resume-from."""
    path = save(5, hour=8, run_id="a run", auto_resume=False)
    assert run_json(capsys, "validate", str(path), "--config", "config.yaml")["fit"]["finished"] == 5


def test_the_originals_checkpoint_fits_what_it_was_made_with(capsys: pytest.CaptureFixture[str]) -> None:
    """What it had skipped, or stored as an error, would be asked again."""
    write_questions(Path(), [*make_questions(4), {"question": "Question 5?"}])
    verdict = run_json(capsys, "validate", str(ORIGINAL), "--config", "config.yaml")
    assert (verdict["fit"]["finished"], verdict["fit"]["asked_again"], verdict["fit"]["unusable"]) == (3, 1, 1)
