"""The purse of a suite whose cells run on workers: what all of them together spend, in files that every worker sees.

`storage/layout` names their folder, `spending/shared_purse` describes them.
"""

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from tasks.evaluation.config.budget_settings import BudgetSettings
from tasks.evaluation.config.suite_file import Suite
from tasks.evaluation.errors import BudgetReached
from tasks.evaluation.spending.amounts import Caps
from tasks.evaluation.spending.budget import RAISE, REACHED
from tasks.evaluation.spending.shared_purse import fill_purse
from tasks.evaluation.storage.file_names import sanitize_filename
from tasks.evaluation.storage.layout import OWN_FOLDER, SPENDING_FOLDER
from tasks.evaluation.suites.plan import CellPlan


class SuitePurse:
    """What the cells of a suite may spend, whichever worker runs them.

    Args:
        settings: the caps.
        plans: all cells, which have the same checkpoint directory.

    `name` is that of its folder, by which a cell's run finds it.
    """

    def __init__(self, settings: BudgetSettings, plans: Sequence[CellPlan]) -> None:
        self.settings = settings
        self.name = _name_purse(plans[0].cell.suite)
        self._plans = plans
        self._folder = Path(plans[0].config.processing.checkpoint_directory) / OWN_FOLDER / SPENDING_FOLDER / self.name

    def fill(self) -> None:
        """Let what the cells have spent count, before any of them begins.

        Raises:
            StorageFailure: it cannot be written.
        """
        spent = {plan.evaluation_id: plan.spent for plan in self._plans}
        fill_purse(self._folder, spent, ended={plan.evaluation_id for plan in self._plans if plan.results})

    def describe_end(self, said: str) -> BudgetReached:
        """Return the end of the budget.

        Args:
            said: what a cell's run says of it, in the words of Prefect's UI; the suite may have those of the command.
        """
        return BudgetReached(f"{REACHED}{said.partition(RAISE)[0]}{RAISE}{Caps(self.settings).flags}")


def _name_purse(suite: Suite) -> str:
    """Return the folder's name; suites of the same name in other folders may have the same checkpoint directory."""
    path = Path(suite.path).absolute()
    digest = blake2b(str(path).encode(), digest_size=4).hexdigest()
    return f"suite-{sanitize_filename(path.stem)}-{digest}"
