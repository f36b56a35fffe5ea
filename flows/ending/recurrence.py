"""Evaluations that recur on a schedule must ask everything again: one that reuses all its answers measures nothing."""

from typing import Annotated

from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from pydantic import BeforeValidator, Field, WithJsonSchema

from tasks.evaluation.reporting.summary import compute_statistics
from tasks.evaluation.run.run import Run

AS_CONFIGURED = "as configured"
# A menu in the form. With null among its choices, the dialog of a schedule would send null whenever it is saved, and so erase
# what the deployment says.
Recurrence = Annotated[
    bool | None,
    BeforeValidator(lambda given: None if given == AS_CONFIGURED else given),
    WithJsonSchema({"enum": [AS_CONFIGURED, True, False]}),
    Field(json_schema_extra={"title": "Auto-resume", "default": AS_CONFIGURED}),
]


def is_scheduled() -> bool:
    """Return True if a schedule has started this run."""
    context = FlowRunContext.get()
    return context is not None and context.flow_run is not None and bool(context.flow_run.auto_scheduled)


def warn_if_idle(run: Run) -> str:
    """Say so if a schedule has started the run and nothing is left to be asked; return the warning, or an empty text.

    Args:
        run: the run, before it has scored anything.
    """
    warning = explain_idle_run(run) if is_scheduled() else ""
    if warning:
        run.progress.notify(f"⚠️ {warning}")
    return warning


def explain_idle_run(run: Run) -> str:
    """Return a warning if nothing is left to be asked; empty if something is, or if the run shares nothing with others."""
    # A retry of a run that shares nothing reuses its own answers only.
    if run.ledger.open_count or not run.config.processing.auto_resume:
        return ""
    answers = len(run.ledger.questions) - compute_statistics(run.ledger).unusable
    return f"All {answers:,} answers were reused: nothing was asked. A recurring evaluation needs auto_resume false"


def add_warning(state: State[None], warning: str) -> State[None]:
    """Return the state with the warning in its message: at the beginning of a good end's, which nobody reads to its end."""
    if warning:
        parts = [warning, state.message] if state.is_completed() else [state.message, warning]
        state.message = ". ".join(part for part in parts if part)
    return state
