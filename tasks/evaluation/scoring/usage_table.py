"""What each result has cost, and which model has answered: numbers kept beside the records, to be added up at any time."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from tasks.evaluation.endpoints.response_models import ModelTable
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.spending.costs import CostSum, CostTable
from tasks.evaluation.spending.pricing import Pricing
from tasks.evaluation.spending.tokens import Role, TokenSum, TokenTable
from tasks.evaluation.storage.placed_spool import PlacedSpool


class UsageTable:
    """Tokens, dollars and models of the finished questions, in whichever run they were paid for.

    Args:
        results: the finished questions' records, by position.
        count: how many questions there are.
        pricing: what the replies of each model cost that is asked.
    """

    def __init__(self, results: PlacedSpool, count: int, pricing: Mapping[Role, Pricing]) -> None:
        self._results = results
        self._tokens = TokenTable(count)
        self._costs = CostTable(count, pricing)
        self._models = ModelTable(count)

    def note(self, position: int, result: JsonObject) -> None:
        """Take what the question's record says, before it is one of the results."""
        self._tokens.note(position, result)
        self._costs.note(position, result)
        self._models.note(position, result.get("response_model"))

    def add_up_tokens(self, first: int | None = None) -> dict[Role, TokenSum]:
        """Return the tokens of the first `first` results (None: all)."""
        return self._tokens.add_up(self._list_finished(first))

    def add_up_costs(self, first: int | None = None) -> dict[Role, CostSum]:
        """Return the costs of the first `first` results (None: all)."""
        return self._costs.add_up(self._list_finished(first))

    def list_costs(self, role: Role) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """Return what one model has cost for each result for which that is known."""
        return self._costs.list_known(role, self._list_finished())

    def find_most_tokens(self, role: Role) -> int:
        """Return the most tokens that one model has taken for a result; 0 if none says."""
        return self._tokens.find_most(role, self._list_finished())

    def count_models(self) -> Counter[str]:
        """Return how many results each model has answered, by the name that the endpoint gave it."""
        return self._models.count(self._list_finished())

    def _list_finished(self, first: int | None = None) -> Sequence[int]:
        return self._results.positions(0, len(self._results) if first is None else first)
