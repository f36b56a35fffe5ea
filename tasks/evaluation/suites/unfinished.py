"""What cells have that are not finished: the newest checkpoint of each."""

from collections.abc import Iterable
from pathlib import Path

from tasks.evaluation.storage.checkpoint_folder import survey_checkpoints
from tasks.evaluation.suites.plan import CellPlan


def find_checkpoints_of(plans: Iterable[CellPlan]) -> dict[str, Path]:
    """Return the newest checkpoint of each cell that has one, by the evaluation's id; of a file of ours both ends are read."""
    found: dict[str, Path] = {}
    for folder in {Path(plan.config.processing.checkpoint_directory) for plan in plans}:
        try:
            checkpoints, _ = survey_checkpoints(folder)
        except OSError:  # the cells' own runs complain of it
            continue
        for checkpoint in checkpoints:  # the newest first
            found.setdefault(checkpoint.evaluation_id, checkpoint.path)
    return found
