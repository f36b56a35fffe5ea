"""The end of a run that has lost its place among those that its deployment lets run at once.

Prefect's server holds the place while it hears of the run, and gives it away when it takes the run for dead, or was itself gone
for minutes. Prefect then ends the process's flow wherever it is, by an exception in its thread.
"""

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Crashed

from flows.stopping.stop_requests import how_to_continue
from tasks.evaluation.errors import Stopped
from tasks.evaluation.run.report import report_tokens
from tasks.evaluation.run.run import Run
from tasks.flow_runs import RETRY_ASKS

REASON = "Prefect's server has given away the run's place among those that its deployment lets run at once"


def end_displaced(run: Run) -> State[None]:
    """Stop asking; return the state in which the run ends, with how far it is and what continues it."""
    run.stop(Stopped("the run has lost its place"))
    done, total = len(run.ledger.results), len(run.ledger.questions)
    run.progress.notify(f"⚠️ {REASON}: stopped with {done:,} of {total:,} questions scored. {how_to_continue(run)}")
    report_tokens(run)
    return Crashed(message=f"{done:,} of {total:,} scored. {how_to_continue(run)}")


def end_before_opening() -> State[None]:
    """Return the state of a run that has lost its place where it does not know how far it is, as before it is open."""
    get_run_logger().warning("⚠️ %s. %s", REASON, RETRY_ASKS)
    return Crashed(message=f"{REASON}. {RETRY_ASKS}")
