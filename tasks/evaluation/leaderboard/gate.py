"""`--fail-if-worse` for a suite: whether any cell is worse than a baseline beyond doubt."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.evaluation.comparing.gate import GateResult, check_not_worse
from tasks.evaluation.comparing.sentences import reverse
from tasks.evaluation.config.paths import expand_path
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.leaderboard.board import Board
from tasks.evaluation.leaderboard.cells import CellResult
from tasks.evaluation.leaderboard.effects import NOTHING_SHARED
from tasks.evaluation.leaderboard.leaderboard import Leaderboard
from tasks.evaluation.leaderboard.reading import read_cells
from tasks.evaluation.leaderboard.score_matrix import build_matrix
from tasks.evaluation.statistics.families import adjust_holm
from tasks.evaluation.statistics.paired import Difference


@dataclass(frozen=True)
class _Contest:
    """A cell against the baseline."""

    candidate: str
    """The cell."""
    reference: str
    """The baseline."""
    found: Difference | None
    """The cell's accuracy less the baseline's; None if they cannot be compared."""
    reason: str = ""
    """Why they cannot be compared."""


def check_cells(leaderboard: Leaderboard, baseline: str) -> list[GateResult]:
    """Return for each cell whether it is not worse than the baseline, on the questions that both have scored.

    It fails if its accuracy is lower and p, adjusted for the number of these comparisons, is below 0.05; and if it cannot be
    compared, as a cell without results.

    Args:
        leaderboard: the suite's.
        baseline: a model, which each other model's cells are held against, condition by condition; one `model/condition`, which
            all other cells are held against; or a results file, which all cells are held against that share questions with it.

    Raises:
        UserMistake: nothing has this name, the file cannot be read, or no cell can be held against it, since none shares a
            question.
    """
    contests = _list_contests(leaderboard, baseline)
    if not contests:
        raise UserMistake(f"--fail-if-worse {baseline}: there is no cell to compare with it")
    return _judge(contests)


def _list_contests(leaderboard: Leaderboard, baseline: str) -> list[_Contest]:
    boards = leaderboard.boards
    cells = [row.cell for board in boards for row in board.rows]
    if any(cell.model == baseline for cell in cells):
        return _hold_against(boards, lambda cell, base: base.model == baseline and base.condition == cell.condition)
    if any(cell.name == baseline for cell in cells):
        return _hold_against(boards, lambda _, base: base.name == baseline)
    path = _find_file(baseline)
    if path is None:
        names = ", ".join(map(repr, dict.fromkeys([*(cell.model for cell in cells), *(cell.name for cell in cells)])))
        raise UserMistake(f"--fail-if-worse {baseline}: neither a results file nor one of {names}")
    return _hold_against_file(boards, path)


def _find_file(baseline: str) -> Path | None:
    try:
        path = Path(expand_path(baseline))
        return path if path.is_file() else None
    except (OSError, ValueError):  # too long, or with a null character
        return None


def _hold_against(boards: Sequence[Board], is_base: Callable[[CellResult, CellResult], bool]) -> list[_Contest]:
    contests = []
    for board in boards:
        found = {(pair.a, pair.b): pair.found for pair in board.pairs}
        cells = [row.cell for row in board.rows]
        for cell in cells:
            base = next((each for each in cells if is_base(cell, each)), cell)
            if base != cell:
                names = cell.name, base.name
                difference = found.get(names) or (reverse(found[names[::-1]]) if names[::-1] in found else None)
                reason = cell.missing or (f"{base.name} {base.lack}" if base.missing else NOTHING_SHARED)
                contests.append(_Contest(_name(cell, boards), base.name, difference, reason))
    return contests


def _hold_against_file(boards: Sequence[Board], path: Path) -> list[_Contest]:
    return [contest for board in boards for contest in _hold_board_against_file(board, path, boards)]


def _hold_board_against_file(board: Board, path: Path, boards: Sequence[Board]) -> Iterator[_Contest]:
    """Yield the board's cells against the file; none if no cell shares a question with it, as those of another exam."""
    base = CellResult(str(path), board.questions, "", path, "")
    read, missing = read_cells([base, *(row.cell for row in board.rows)])
    if unread := [cell.missing for cell in missing if (cell.model, cell.results_file) == (base.model, path)]:
        raise UserMistake(unread[0])
    matrix = build_matrix([each.run.name for each in read], [each.columns for each in read])
    pairs = [matrix.compare(place, 0) for place in range(1, len(read))]
    if not any(pairs):
        return
    for each, pair in zip(read[1:], pairs, strict=True):
        yield _Contest(_name(each.cell, boards), str(path), pair.found if pair else None, NOTHING_SHARED)
    for cell in missing:
        yield _Contest(_name(cell, boards), str(path), None, cell.missing)


def _name(cell: CellResult, boards: Sequence[Board]) -> str:
    return f"{cell.name} on {cell.questions}" if len(boards) > 1 else cell.name


def _judge(contests: Sequence[_Contest]) -> list[GateResult]:
    known = [each.found.p for each in contests if each.found and each.found.p is not None]
    adjusted = iter(adjust_holm(known))
    family = f" adjusted for {len(known)} cells" if len(known) > 1 else ""
    return [_judge_one(each, adjusted, family) for each in contests]


def _judge_one(contest: _Contest, adjusted: Iterator[float], family: str) -> GateResult:
    """Return whether the cell passes; takes the next of the adjusted p-values if it has one."""
    names = contest.candidate, contest.reference
    name = f"--fail-if-worse {names[1]}: {names[0]}"
    if contest.found is None:
        told = f"{names[0]} cannot be compared with {names[1]}: {contest.reason}"
        return GateResult(name, is_passed=False, message=told)
    p = None if contest.found.p is None else next(adjusted)
    result = check_not_worse(replace(contest.found, p=p), names, margin_points=None)
    return replace(result, name=name, message=f"{result.message}{family}")
