"""The state in which Prefect shows a run that has asked everything it could."""

from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.ending.failing import fail, log_unscored
from flows.stopping.stop_requests import how_to_continue
from tasks.evaluation.errors import GateFailed
from tasks.evaluation.reporting.summary import compute_accuracy
from tasks.evaluation.run.gates import check_gates
from tasks.evaluation.run.outcome import explain_no_score, explain_unscored
from tasks.evaluation.run.run import Run


def final_state(run: Run) -> State[None]:
    """Return the state that the run ends in: Failed if anything can still be scored, if nothing was, or if a gate says no."""
    total = len(run.ledger.questions)
    if run.ledger.open_count:
        run.progress.notify(how_to_continue(run))
        log_unscored(run)
        message = f"{run.ledger.open_count:,} of {total:,} questions not scored: {explain_unscored(run)}"
        return fail(message, advice=how_to_continue(run))
    accuracy = compute_accuracy(run.ledger)
    if accuracy is None:
        return fail(f"0 of {total:,} questions scored: {explain_no_score(run)}")
    failed = [gate.message for gate in check_gates(run) if not gate.is_passed]
    if failed:
        message = "; ".join(failed)
        return fail(message, error=GateFailed(message))
    shard = run.config.processing.shard
    return Completed(message=f"Shard {shard}: accuracy {accuracy}" if shard else f"Accuracy {accuracy}")
