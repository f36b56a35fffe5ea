"""The gates of a run: what its settings demand of the accuracy, and whether it is met."""

from pathlib import Path

from tasks.evaluation.comparing.gate import GateResult, check_accuracy, check_interval
from tasks.evaluation.comparing.junit import write_junit
from tasks.evaluation.errors import MAKE_ROOM, StorageFailure
from tasks.evaluation.reporting.summary import compute_accuracy
from tasks.evaluation.run.run import Run


def check_gates(run: Run) -> list[GateResult]:
    """Return whether each demand of the settings is met; empty if they make none, and for a shard: they are for the whole."""
    if run.config.processing.shard:
        return []
    processing, overall = run.config.processing, compute_accuracy(run.ledger)
    gates = []
    if processing.fail_under is not None:
        gates.append(check_accuracy(overall.accuracy if overall else None, processing.fail_under, setting="fail_under"))
    if processing.fail_under_interval is not None:
        interval = overall.interval if overall else None
        gates.append(check_interval(interval, processing.fail_under_interval, setting="fail_under_interval"))
    return gates


def write_gates(run: Run) -> dict[str, Path]:
    """Write the JUnit file that the settings name, if they do; return its path as `junit`.

    Raises:
        StorageFailure: it cannot be written.
    """
    if run.config.output.junit is None or run.config.processing.shard:
        return {}
    path = Path(run.config.output.junit)
    try:
        path.write_bytes(write_junit("mcqa score", check_gates(run)))
    except OSError as error:
        raise StorageFailure(f"cannot write {path}: {error.strerror}; every score is kept: {MAKE_ROOM}") from error
    return {"junit": path}
