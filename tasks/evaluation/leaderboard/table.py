"""A board's rows as texts, for Markdown and for the page. What is unknown is called so, and is never a zero."""

from collections.abc import Sequence

from tasks.evaluation.comparing.comparison import CONFIDENCE
from tasks.evaluation.comparing.run_figures import ComparedRun
from tasks.evaluation.comparing.sentences import format_ends, format_p, format_points, reverse
from tasks.evaluation.leaderboard.board import Board, Row
from tasks.evaluation.leaderboard.reasons import group_by_reason
from tasks.evaluation.spending.costs import format_dollars
from tasks.evaluation.statistics.intervals import Interval

MODEL, CONDITION, ACCURACY, INTERVAL, LETTERS = "model", "condition", "accuracy", "95 % interval", "alike"
TO_BEST, SCORED, MISSING, TOKENS, COST, SECONDS = (
    "to the best, points",
    "scored",
    "missing",
    "tokens",
    "cost, USD",
    "seconds each",
)
# What is known of a cell with results.
COLUMNS = (ACCURACY, INTERVAL, LETTERS, TO_BEST, SCORED, MISSING, TOKENS, COST, SECONDS)
# The headings of columns that hold text.
TEXTS = frozenset((MODEL, CONDITION, LETTERS, MISSING))
NOTHING, UNKNOWN, NO_RESULTS, UNFINISHED, SO_FAR = "", "unknown", "no results", "unfinished", "so far"
NO_SAMPLE = "Partial answers are not a random sample of the questions: an unfinished cell is neither ranked nor compared."


def list_rows(board: Board) -> list[dict[str, str]]:
    """Return a row for each cell; the condition is left out if there are none, and what is missing if nothing is."""
    rows = [_show(row) for row in board.rows]
    empty = {name for name in (CONDITION, MISSING) if not any(row[name] for row in rows)}
    return [{name: text for name, text in row.items() if name not in empty} for row in rows]


def describe_leaders(board: Board) -> str:
    """Return the sentence that says which cells are the best."""
    first, *others = [row.cell.name for row in board.leaders] or [""]
    scored = sum(row.accuracy is not None for row in board.rows)
    if scored < 2:
        others_unfinished = any(row.so_far for row in board.rows)
        if scored:
            return f"{first} alone {'of the finished cells ' if others_unfinished else ''}has a score"
        return f"No {'finished ' if others_unfinished else ''}cell has a score"
    if not others:
        return f"{first} is better than each other cell"
    if len(others) == scored - 1:
        return f"{first} scores highest, but is not better than any other beyond doubt"
    return f"{first} scores highest, but is not better than {', '.join(others)} beyond doubt"


def describe_lacking(boards: Sequence[Board]) -> str:
    """Return the sentence that says which cells have no results, and why; empty if all have."""
    rows = [(board.questions, row) for board in boards for row in board.rows]
    lacking = [(_name(row, questions, boards), row.cell.missing) for questions, row in rows if row.figures is None]
    if not lacking:
        return ""
    verb = "lacks" if len(lacking) == 1 else "lack"
    return f"{len(lacking):,} of {len(rows):,} cells {verb} results: {group_by_reason(lacking)}"


def describe_progress(so_far: ComparedRun) -> str:
    """Return how many questions of a cell that is not finished have a score."""
    return f"{so_far.scored:,} of {so_far.selected:,} {SO_FAR}"


def describe_missing(figures: ComparedRun) -> str:
    """Return how many questions have no score, and why; empty if all have one."""
    counts = {"refused": figures.refused, "cannot be asked": figures.unusable, "not scored yet": figures.unscored}
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.items() if count)


def _name(row: Row, questions: str, boards: Sequence[Board]) -> str:
    return f"{row.cell.name} on {questions}" if len(boards) > 1 else row.cell.name


def _show(row: Row) -> dict[str, str]:
    figures = row.figures
    if figures:
        told = _show_figures(row, figures)
    elif row.so_far:
        told = _show_so_far(row, row.so_far)
    else:
        told = {**dict.fromkeys(COLUMNS, NOTHING), MISSING: NO_RESULTS}
    return {MODEL: row.cell.model, CONDITION: row.cell.condition, **told}


def _show_figures(row: Row, figures: ComparedRun) -> dict[str, str]:
    return {
        ACCURACY: UNKNOWN if figures.accuracy is None else f"{figures.accuracy:.4f}",
        INTERVAL: _show_interval(figures.interval),
        LETTERS: row.letters,
        TO_BEST: _show_distance(row),
        SCORED: f"{figures.scored:,}",
        MISSING: describe_missing(figures),
        TOKENS: UNKNOWN if row.tokens is None else f"{row.tokens:,}",
        COST: UNKNOWN if row.cost is None else format_dollars(row.cost).removeprefix("$"),
        SECONDS: UNKNOWN if row.seconds is None else f"{row.seconds:.2f}",
    }


def _show_so_far(row: Row, so_far: ComparedRun) -> dict[str, str]:
    """Return the same of a cell that is not finished, marked as such wherever a finished one has another meaning."""
    return {
        **_show_figures(row, so_far),
        ACCURACY: UNKNOWN if so_far.accuracy is None else f"{so_far.accuracy:.4f} {SO_FAR}",
        SCORED: describe_progress(so_far),
        MISSING: f"{UNFINISHED}: {describe_missing(so_far)}",
    }


def _show_interval(interval: Interval | None) -> str:
    return f"{interval.low:.4f} to {interval.high:.4f}" if interval else NOTHING


def _show_distance(row: Row) -> str:
    """Return how far the cell is from the best one, in points, with the interval and p."""
    if row.against_best is None:
        return NOTHING
    found = reverse(row.against_best.found)
    points = format_points(found.difference)
    return f"{points}{format_ends(found, confidence=CONFIDENCE)}, {format_p(row.against_best.p_adjusted)}"
