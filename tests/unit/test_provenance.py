"""What a checkpoint says of the run that it comes from: written and read by the same definitions."""

import pytest

from tasks.evaluation.json_lines import JsonValue
from tasks.evaluation.storage.provenance import Provenance, SavedSelection

SELECTION = SavedSelection("exam.json", 20, 5, 5, 42, None, "d1", {"no_answer": 2}, "1/3", 15, 5)
PROVENANCE = Provenance(
    "e1", "r1", "r1", "checkpoint_a.json", SELECTION, {"model": "m"}, "exam m", "h1", 3, "2026-11-27T02:00:00+01:00"
)


def test_what_is_written_is_read_again() -> None:
    """Nothing is lost on the way through a file."""
    assert Provenance.read(PROVENANCE.to_metadata()) == PROVENANCE


def test_the_keys_of_the_file_stay() -> None:
    """Files of every version are read by every other."""
    assert PROVENANCE.to_metadata() == {
        "mcqa_flow": {
            "evaluation_id": "e1",
            "salt": "r1",
            "run_id": "r1",
            "resumed_from": "checkpoint_a.json",
            "selection": {
                "questions_file": "exam.json",
                "file_count": 20,
                "selected_count": 5,
                "random_selection": 5,
                "random_seed": 42,
                "limit": None,
                "digest": "d1",
                "findings": {"no_answer": 2},
                "shard": "1/3",
                "whole_count": 15,
                "batch_size": 5,
            },
            "settings": {"model": "m"},
            "run_name": "exam m",
            "history_id": "h1",
            "reused_count": 3,
            "started_at": "2026-11-27T02:00:00+01:00",
        }
    }


def test_a_run_that_was_told_to_continue_nothing_names_no_file() -> None:
    """In the file that is null, as it always was."""
    assert Provenance().to_metadata()["mcqa_flow"]["resumed_from"] is None  # type: ignore[index, call-overload]


@pytest.mark.parametrize(
    "ours",
    [
        None,
        "text",
        [],
        {"selection": "all"},
        {"evaluation_id": 7, "selection": {"random_seed": True, "limit": "5", "shard": "3/3"}},
    ],
)
def test_what_others_have_put_there_counts_as_nothing(ours: JsonValue) -> None:
    """The original's files, and damaged ones, have no provenance."""
    assert Provenance.read({"mcqa_flow": ours}) == Provenance()
