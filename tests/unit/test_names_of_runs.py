"""What runs are called where several stand side by side: by themselves, or as the user says."""

from pathlib import Path

import pytest

from tasks.evaluation.comparing.names import open_named_runs
from tasks.evaluation.errors import UserMistake
from tests.support.saved_runs import (
    describe_run,
    save_results,
    score_all,
)


def test_runs_get_names_of_their_own(tmp_path: Path) -> None:
    """The model's; where two share it, with the questions file, the time or a number; a path may hold `=`."""
    exam, other = describe_run(1, model="m"), describe_run(1, model="m", questions_file="data/other.json")
    early, late = ({**exam, "evaluation_metadata": {**exam["evaluation_metadata"], "timestamp": time}} for time in (  # type: ignore[dict-item]
        "2026-11-25T09:30:00.5", "2026-11-26T09:30:00.5",
    ))  # fmt: skip
    paths = {
        name: str(save_results(tmp_path / f"{name}.json", score_all([1]), metadata))
        for name, metadata in {"exam": exam, "other": other, "early": early, "late": late, "a=b": exam}.items()
    }
    assert name_runs(paths["exam"], paths["other"]) == ["m (exam)", "m (other)"]
    assert name_runs(paths["early"], paths["late"]) == ["m (2026-11-25 09:30)", "m (2026-11-26 09:30)"]
    assert name_runs(paths["exam"], paths["exam"]) == ["m (1)", "m (2)"]
    assert name_runs(f"x={paths['exam']}", paths["a=b"]) == ["x", "m"]


def name_runs(*arguments: str) -> list[str]:
    return [run.name for run in open_named_runs(arguments)]


def test_a_name_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    """Nothing could be said about either."""
    path = save_results(tmp_path / "a.json", score_all([1]))
    with pytest.raises(UserMistake, match="two runs are called 'a'"):
        open_named_runs([f"a={path}", f"a={path}"])
