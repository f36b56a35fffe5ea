"""How each cell of a suite has ended."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from prefect.client.schemas.objects import State

from flows.ending.state_error import find_error
from tasks.evaluation.errors import GateFailed
from tasks.evaluation.suites.finished import find_results
from tasks.evaluation.suites.plan import CellPlan

Kind = Literal["finished", "under the gate", "unfinished"]
EARLIER, NOT_BEGUN = "finished before", "not begun"


@dataclass(frozen=True)
class CellEnd:
    """How a cell has ended."""

    plan: CellPlan
    """The cell."""
    kind: Kind
    """Whether all is scored, and passes the gates that its settings have."""
    message: str
    """How far it is, or why it is no further."""
    results: Path | None
    """Its results; None unless all is scored."""


def describe_end(plan: CellPlan, state: State) -> CellEnd:
    """Return how a cell has ended that was run.

    Args:
        plan: the cell.
        state: the state in which its run has ended.
    """
    message = " ".join((state.message or state.name or "").split())
    if not state.is_completed() and not isinstance(find_error(state), GateFailed):
        return CellEnd(plan, "unfinished", message, None)
    run = find_results(plan.config, plan.evaluation_id)
    return CellEnd(plan, "finished" if state.is_completed() else "under the gate", message, run.saved.path if run else None)


def end_early(plan: CellPlan) -> CellEnd:
    """Return how a cell has ended that was not run: it was finished before, or was not begun."""
    if plan.results:
        return CellEnd(plan, "finished", EARLIER, plan.results)
    return CellEnd(plan, "unfinished", NOT_BEGUN, None)
