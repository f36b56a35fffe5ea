"""The leaderboard of a suite that is running: written after cells have ended, and shown in Prefect's UI at the end."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from prefect import get_run_logger

from flows.suites.cell_ends import CellEnd
from tasks.audience import has_audience
from tasks.evaluation.errors import EvaluationError
from tasks.evaluation.leaderboard.cells import CellResult
from tasks.evaluation.leaderboard.leaderboard import Leaderboard, make_leaderboard, write_leaderboard
from tasks.evaluation.suites.plan import CellPlan
from tasks.evaluation.suites.unfinished import find_checkpoints_of
from tasks.leaderboard_artifact import show_leaderboard
from tasks.server_failures import SERVER_FAILURES

# Between two cells, writing takes no more than about a twentieth of the time: all results are read for it.
REST_RATIO = 20


class Standings:
    """Writes the leaderboard beside the results of the first cell. That it cannot be written ends no suite.

    Args:
        plans: the suite's cells.
        name: what the suite is called.
        notify: takes what the user should know.
    """

    def __init__(self, plans: Sequence[CellPlan], name: str, notify: Callable[[str], None]) -> None:
        self._plans = plans
        self._name = name
        self._notify = notify
        self._rests_until = 0.0

    def write_when_due(self, ends: Iterable[CellEnd]) -> None:
        """Write the leaderboard of the cells that have ended, unless the last time is too near."""
        if time.monotonic() >= self._rests_until:
            self._write(ends)

    def conclude(self, ends: Iterable[CellEnd]) -> Leaderboard | None:
        """Write it, say where it is, and show it in the UI; return it, None if it cannot be written."""
        written = self._write(ends)
        if written is None:
            return None
        leaderboard, files = written
        self._notify(f"🏁 Leaderboard: {files['.md']} (.csv, .json, .html)")
        if has_audience():
            try:
                show_leaderboard(leaderboard, files, self._name)
            except (*SERVER_FAILURES, OSError) as failure:
                get_run_logger().warning("The leaderboard is not shown in Prefect's UI: %s", failure)
        return leaderboard

    def _write(self, ends: Iterable[CellEnd]) -> tuple[Leaderboard, dict[str, Path]] | None:
        """Write the leaderboard; return it with its files by their endings, None if that fails."""
        begun, ended = time.monotonic(), {end.plan.cell.name: end for end in ends}
        folder = Path(self._plans[0].config.output.output_directory)
        try:
            leaderboard = make_leaderboard(self._list_cells(ended))
            paths = write_leaderboard(leaderboard, folder, f"{self._name}_leaderboard")
        except EvaluationError as error:
            self._notify(f"⚠️ No leaderboard: {error}")
            return None
        finally:
            self._rests_until = time.monotonic() + REST_RATIO * (time.monotonic() - begun)
        return leaderboard, {path.suffix: path for path in paths}

    def _list_cells(self, ended: Mapping[str, CellEnd]) -> list[CellResult]:
        """Return the results of the cells that are finished, and the checkpoints of the others."""
        ends = [ended.get(plan.cell.name) for plan in self._plans]
        unfinished = [plan for plan, end in zip(self._plans, ends, strict=True) if not end or not end.results]
        checkpoints = find_checkpoints_of(unfinished)
        return [_describe(plan, end, checkpoints) for plan, end in zip(self._plans, ends, strict=True)]


def _describe(plan: CellPlan, end: CellEnd | None, checkpoints: Mapping[str, Path]) -> CellResult:
    cell = plan.cell
    names = cell.model.name, cell.questions.name, cell.condition.name
    if end and end.results:
        return CellResult(*names, end.results, "")
    return CellResult(*names, None, end.message if end else "not finished yet", checkpoints.get(plan.evaluation_id))
