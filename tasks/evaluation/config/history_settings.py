"""The `history` block of the settings: how a run is held against the earlier runs of its evaluation."""

from pydantic import BaseModel, ConfigDict

from tasks.evaluation.config.settings import Count


class History(BaseModel):
    """How a run is held against earlier ones, whose results lie in the same folder."""

    model_config = ConfigDict(extra="forbid")

    baseline_runs: Count = 5
    """The number of first runs whose mean is the baseline."""
    alarm_runs: Count = 30
    """The number of runs in which chance may raise an alarm once in twenty times."""
