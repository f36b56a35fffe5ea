"""A run's place in its history: what other runs have left in the folder never fails it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.evaluation.run.report import report
from tasks.evaluation.run.run import Run
from tests.support.evaluation import Evaluation

AGAIN = {"processing.auto_resume": False, "output.output_directory": "out", "output.output_prefix": "exam"}


@pytest.fixture
def earlier(evaluation: Evaluation) -> Path:
    """Run the evaluation once; return the results file."""
    written: dict[str, Path] = {}
    with evaluation.open(AGAIN, run_id="first") as run:
        score(run, written)
    return written["results"]


@pytest.fixture
def run(evaluation: Evaluation, earlier: Path) -> Iterator[Run]:
    """Yield the next run of the same evaluation, which has scored everything."""
    with evaluation.open(AGAIN, run_id="second") as run:
        [run.score(batch) for batch in run.batches.list_open()]
        yield run


def score(run: Run, written: dict[str, Path]) -> None:
    [run.score(batch) for batch in run.batches.list_open()]
    report(run, written)


def test_a_run_is_held_against_the_one_before(run: Run, earlier: Path) -> None:
    """The way it goes if all files are sound: both have the same scores."""
    report(run, {})
    assert run.standing
    assert run.standing.previous
    assert run.standing.previous.runs[0].saved.path.name == earlier.name


def test_records_of_another_run_that_cannot_be_read_fail_no_run(run: Run, earlier: Path) -> None:
    """Its head and its end are whole, so it is found out only when the two are compared; the run says so."""
    damaged, written = earlier.read_bytes(), dict[str, Path]()
    middle = damaged.index(b'"question_id"')
    earlier.write_bytes(damaged[:middle] + b"\xff{]" + damaged[middle + 3 :])
    report(run, written)
    assert set(written) == {"results", "config"}
    assert run.standing is None
    [line] = [line for line in run.progress.lines if "Not compared with earlier runs" in line]
    assert line.startswith(f"⚠️ Not compared with earlier runs: cannot read {earlier}: ")


@pytest.mark.parametrize(
    "content", [b"", b'{"metadata": ', b"\xff\xfe", b'{"metadata": {"mcqa_flow": 7}, "results": [\n\n]}\n']
)
def test_files_of_others_that_are_no_runs_fail_no_run(run: Run, earlier: Path, content: bytes) -> None:
    """They are passed over, and the run is held against those that are."""
    (earlier.parent / "other.json").write_bytes(content)
    (earlier.parent / "folder.json").mkdir()
    (earlier.parent / "nowhere.json").symlink_to("missing")
    report(run, {})
    assert run.standing
    assert run.standing.previous
