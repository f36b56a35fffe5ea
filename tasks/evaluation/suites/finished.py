"""The results that a finished cell has left, which are not written a second time."""

import glob
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.history.past_runs import PastRun, read_past_run
from tasks.evaluation.reporting.saved_runs import read_setting
from tasks.evaluation.storage.file_names import sanitize_filename


def find_results(config: Config, evaluation_id: str) -> PastRun | None:
    """Return the evaluation's newest finished run whose results lie in its output folder; None without one.

    Args:
        config: the evaluation's settings.
        evaluation_id: its id.
    """
    prefix, model = sanitize_filename(config.output.output_prefix), sanitize_filename(config.model.generator_settings.model)
    # Files that were written in the same way; the time in their names gives their order.
    pattern = f"{glob.escape(f'{prefix}_{model}_')}*.json"
    for path in sorted(Path(config.output.output_directory).glob(pattern), reverse=True):
        run = read_past_run(path)
        if isinstance(run, PastRun) and run.saved.provenance.evaluation_id == evaluation_id and not run.unscored:
            return run
    return None


def is_as_wanted(run: PastRun, config: Config) -> bool:
    """Return True if another run would write nothing else: something was scored, all files were, and no gate is to decide."""
    written = read_setting(run.saved.config, "output")
    return run.accuracy is not None and not is_gated(config) and written == config.for_files()["output"]


def is_gated(config: Config) -> bool:
    """Return True if the settings demand something of the accuracy."""
    return config.processing.fail_under is not None or config.processing.fail_under_interval is not None
