"""The budget of a deployment's run: when it is reached, the run is suspended, and Resume asks in a form how it goes on.

Prefect keeps the answers with the run, by a key for each time that it was suspended. The run begins again after each: it
applies all answers to its settings, the later ones over the earlier.
"""

import json
from collections.abc import Callable
from typing import Any

from prefect import suspend_flow_run
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.input import RunInput
from prefect.input.run_input import keyset_from_base_key
from prefect.runtime import flow_run
from prefect.states import Completed
from pydantic import Field, create_model

from tasks.evaluation.config.budget_settings import CAPS, BudgetSettings
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.errors import BudgetReached
from tasks.evaluation.reporting.summary import compute_accuracy
from tasks.evaluation.run.report import report_tokens
from tasks.evaluation.run.run import Run
from tasks.flow_runs import is_of_deployment
from tasks.ui_words import in_ui_words

KEY = "budget-{number}"
# As Prefect names the answer to a run that it has suspended with the key.
ANSWER_KEY = keyset_from_base_key(f"suspended-{KEY}")["response"]
FINISH = "finish"
# What the form calls the caps: as the run form does.
TITLES = {name: Overrides.model_fields[name].title for name in CAPS}


class BudgetForm:
    """What people have answered each time that the run's budget was reached.

    Args:
        answers: their answers, the oldest first.
    """

    def __init__(self, answers: list[dict[str, Any]]) -> None:
        self._answers = answers

    @property
    def times_answered(self) -> int:
        """Return how often the form was answered."""
        return len(self._answers)

    @property
    def finishes(self) -> bool:
        """Return True if the run is to finish with what there is."""
        return bool(self._answers) and self._answers[-1].get(FINISH) is True

    def raise_caps(self, settings: BudgetSettings) -> BudgetSettings:
        """Return the budget with the caps that were raised."""
        return settings.replace(self._raised)

    def apply(self, overrides: Overrides) -> Overrides:
        """Return the settings of the run with the caps that were raised."""
        return overrides.model_copy(update=self._raised)

    @property
    def _raised(self) -> dict[str, Any]:
        return {name: answer[name] for answer in self._answers for name in CAPS if answer.get(name) is not None}

    def begin(self, run: Run) -> None:
        """Check that the endpoints can be asked; if the run is to finish with what there is, see to it that nothing is.

        Raises:
            UserMistake: one of them cannot be asked.
        """
        if self.finishes:
            run.stop(BudgetReached("the budget was reached, and the run is to finish with what there is"))
        else:
            run.check_endpoints()

    def conclude(self, run: Run) -> State[None] | None:
        """Suspend a run of a deployment that has reached its budget; return the end of one that is to finish.

        Raises:
            Pause: the run is suspended.
        """
        open_count, total = run.ledger.open_count, len(run.ledger.questions)
        if not isinstance(run.stop_cause, BudgetReached) or not open_count:
            return None
        if self.finishes:
            accuracy = compute_accuracy(run.ledger) or "none, no question was scored"
            return Completed(message=f"Accuracy {accuracy}; {open_count:,} of {total:,} not asked, as the budget was reached")
        # A shard's parent watches it, and raises no cap.
        if is_of_deployment() and not flow_run.parent_flow_run_id:
            report_tokens(run)
            said = f"{total - open_count:,} of {total:,} questions are finished: {run.stop_cause}"
            self.suspend(run.config.budget, said, run.progress.notify)
        return None

    def suspend(self, settings: BudgetSettings, said: str, notify: Callable[[str], None]) -> None:
        """Suspend the present run until its form is answered.

        Args:
            settings: the budget.
            said: why, in the form.
            notify: takes what the user should know.

        Raises:
            Pause: the run is suspended.
        """
        notify(f"⚠️ Suspended. {said}; Resume asks how to go on")
        key = KEY.format(number=len(self._answers) + 1)
        suspend_flow_run(wait_for_input=_make_form(settings, in_ui_words(said)), timeout=None, key=key)


def read_budget_form() -> BudgetForm:
    """Return what has been answered to the present run's form; nothing to a run that has no deployment."""
    answers: list[dict[str, Any]] = []
    while is_of_deployment() and (answer := _read_answer(len(answers) + 1)) is not None:
        answers.append(answer)
    return BudgetForm(answers)


def _read_answer(number: int) -> dict[str, Any] | None:
    key = ANSWER_KEY.format(number=number)
    with get_client(sync_client=True) as client:
        found = client.filter_flow_run_input(flow_run.id, key_prefix=key, limit=1, exclude_keys=set())
    return json.loads(found[0].value) if found else None


def _make_form(budget: BudgetSettings, description: str) -> type[RunInput]:
    """Return the form: a field for each cap that is set, and one to finish."""
    caps = {name: getattr(budget, cap) for name, cap in CAPS.items()}
    fields: dict[str, Any] = {
        name: (type(cap), Field(default=cap, title=TITLES[name], gt=0, description="Raise it to ask more."))
        for name, cap in caps.items()
        if cap is not None
    }
    words = "Ask nothing more, and write the results of what there is."
    fields[FINISH] = (bool, Field(default=False, title="Finish", description=words))
    form: type[RunInput] = create_model("Budget", __base__=RunInput, **fields)
    return form.with_initial_data(description=description)
