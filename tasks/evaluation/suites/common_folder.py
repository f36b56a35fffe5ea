"""The one checkpoint directory of cells on workers that spend from one budget: each counts there what it spends."""

import os
from collections.abc import Mapping

from tasks.evaluation.config.suite_file import Suite
from tasks.evaluation.errors import UserMistake


def check_common_folder(suite: Suite, directories: Mapping[str, str]) -> None:
    """Check that cells on workers with a budget have the same checkpoint directory.

    Args:
        suite: the suite.
        directories: the checkpoint directories by the cells' names.

    Raises:
        UserMistake: there are several.
    """
    if suite.on == "here" or not suite.budget.limits_spending:
        return
    # The first cell in each.
    cells = {os.path.realpath(directories[cell]): cell for cell in reversed([*directories])}
    if len(cells) > 1:
        *_, other, one = (f"{directories[cell]} ({cell})" for cell in cells.values())
        raise UserMistake(
            f"{suite.path}: cells on workers count what they spend of the suite's budget in their checkpoint directory, and "
            f"there are several: {one} and {other}. Give all cells the same, or leave out the budget"
        )
