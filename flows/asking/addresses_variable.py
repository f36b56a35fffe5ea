"""The Prefect variable that holds the addresses of a model, in place of those of the settings, in every run that asks it."""

import re
from contextlib import suppress

from tasks.evaluation.config.addresses import WeightedUrl, name_place
from tasks.evaluation.endpoints.address_file import read_foreign_line
from tasks.evaluation.endpoints.following import Following
from tasks.evaluation.errors import Stopped
from tasks.evaluation.run.run import Run

# Prefect allows small letters, digits, dashes and underscores in a variable's name.
UNFIT = re.compile(r"[^a-z0-9]+")


class AddressesVariable:
    """Has a model asked at the addresses that its variable holds.

    Args:
        run: asks the model.
        following: keeps its addresses.
    """

    def __init__(self, run: Run, following: Following) -> None:
        self.name = name_variable(following.model)
        self._run = run
        self._following = following
        self._taken: object = None

    def take(self, value: object) -> None:
        """Take what the variable holds, None without a variable; what cannot be used changes nothing."""
        if value == self._taken:
            return
        self._taken = value
        try:
            others = None if value is None else read_addresses(value)
        except ValueError as error:
            self._run.progress.notify(f"⚠️ The variable {self.name} is ignored: {error}")
            return
        source = "As configured" if others is None else f"The variable {self.name}"
        with suppress(Stopped):
            self._run.replace_addresses(self._following, others, source)


def name_variable(model: str) -> str:
    """Return the name of the variable for the model: its own in small letters, with `_` for all else but digits."""
    return f"mcqa_addresses_{UNFIT.sub('_', model.lower()).strip('_')}"


def read_addresses(value: object) -> list[WeightedUrl]:
    """Return the addresses that a variable holds, as a list or one a line.

    Raises:
        ValueError: it holds something else, or none.
    """
    lines = value.splitlines() if isinstance(value, str) else value
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise ValueError("a list of addresses was expected")
    found = [read_foreign_line(line) for line in lines if line.strip()]
    if not found:
        raise ValueError("it holds no address")
    return list({name_place(each.url): each for each in found}.values())
