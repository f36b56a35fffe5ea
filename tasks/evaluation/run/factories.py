"""What makes the parts of a run that reach outside it; tests of the whole run put others in their place."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.reporting.progress import Progress
from tasks.evaluation.run.budgets import open_budget
from tasks.evaluation.run.preparation import Preparation
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.spending.budget import Budget
from tasks.evaluation.storage.answer_log import AnswerLog


@dataclass(frozen=True)
class Factories:
    """Makes a run's network, log and times."""

    make_client: Callable[..., Client] = Client
    """Makes the clients of the endpoints; takes what `Client` takes."""
    make_log: Callable[..., AnswerLog] = AnswerLog
    """Opens the answer log; takes what `AnswerLog` takes."""
    make_progress: Callable[..., Progress] = Progress
    """Makes what the user sees; takes what `Progress` takes."""
    open_budget: Callable[[Preparation, Ledger], Budget | None] = open_budget
    """Opens the budget; returns None if nothing is limited."""
    now: Callable[[], datetime] = datetime.now
    """Returns the local time, which names the files of a run."""
