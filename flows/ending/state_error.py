"""The error of ours that a flow run's state holds."""

from prefect.client.schemas.objects import State

from tasks.evaluation.errors import EvaluationError


def find_error(state: State) -> EvaluationError | None:
    """Return the error for which a run has failed; None if it has not, or for another reason.

    A state that was read back from Prefect's server may hold nothing. If the run has ended well, it must not be asked for a
    result: Prefect would raise `MissingResult`.
    """
    error = None if state.is_completed() else state.result(raise_on_failure=False)
    return error if isinstance(error, EvaluationError) else None
