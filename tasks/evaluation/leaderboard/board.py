"""The board of one questions file: its cells by accuracy, their differences, and what each condition does for each model."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from tasks.evaluation.comparing.comparability import list_doubts
from tasks.evaluation.comparing.comparison import CONFIDENCE, find_field
from tasks.evaluation.comparing.pairs import Pair, adjust_pairs
from tasks.evaluation.comparing.run_figures import ComparedRun
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.leaderboard.cells import CellResult
from tasks.evaluation.leaderboard.effects import Effect, list_effects
from tasks.evaluation.leaderboard.reading import ReadCell, read_cells, read_unfinished
from tasks.evaluation.leaderboard.score_matrix import ScoreMatrix, build_matrix
from tasks.evaluation.reporting.saved_runs import SavedRun
from tasks.evaluation.statistics.accuracy import Accuracy
from tasks.evaluation.statistics.letter_display import assign_letters

Places = tuple[int, int]
# A cell with a smaller share of its questions scored stands below the others: two right answers of two would lead them all.
LEAST_SHARE = 0.9


@dataclass(frozen=True)
class Row:
    """A cell on its board."""

    cell: CellResult
    """The cell."""
    run: SavedRun | None = None
    """Its results file; None if it has no results."""
    figures: ComparedRun | None = None
    """Its accuracy and its counts; None if it has no results."""
    so_far: ComparedRun | None = None
    """The same of a cell that is not finished, which is neither ranked nor compared; None if it is, or has nothing yet."""
    letters: str = ""
    """Cells that share a letter cannot be told apart; empty without a score."""
    is_leader: bool = False
    """True for the best cell, and for those that it does not beat beyond doubt."""
    against_best: Pair | None = None
    """The best cell, as a, and this one, as b; None for the best, and where they share no question."""
    by_group: Mapping[str, Accuracy] = field(default_factory=dict)
    """Its accuracy in each group of questions; empty without groups."""
    tokens: int | None = None
    """The tokens behind its results; None if unknown."""
    cost: float | None = None
    """What they have cost, in US dollars; None if unknown."""
    seconds: float | None = None
    """How long the model took for a question, on average; None if unknown."""
    model_seconds: float | None = None
    """How long it took for all of them; None if unknown."""

    @property
    def accuracy(self) -> float | None:
        """Return the accuracy; None without a score."""
        return self.figures.accuracy if self.figures else None

    def to_json(self) -> JsonObject:
        """Return the row as files hold it; `figures` are those of `mcqa compare`."""
        return {
            "model": self.cell.model,
            "condition": self.cell.condition,
            "figures": self.figures.to_json() if self.figures else None,
            "so_far": self.so_far.to_json() if self.so_far else None,
            "missing": self.cell.missing or None,
            "letters": self.letters,
            "is_leader": self.is_leader,
            "by_group": {name: accuracy.to_json() for name, accuracy in self.by_group.items()},
            "tokens": self.tokens,
            "cost_usd": self.cost,
            "seconds": self.seconds,
            "model_seconds": self.model_seconds,
        }


@dataclass(frozen=True)
class Board:
    """The cells of one questions file."""

    questions: str
    """The questions file, as the suite names it."""
    rows: tuple[Row, ...]
    """The cells by accuracy; then those with too few scores, and without any; then those that are not finished, unranked."""
    pairs: tuple[Pair, ...]
    """Every two cells that share questions, the one that stands higher as a; adjusted for their number."""
    effects: tuple[Effect, ...]
    """Each model's conditions against its first one; adjusted for their number."""
    doubts: tuple[str, ...]
    """Why cells may differ in more than their models and conditions."""
    group_by: str | None
    """The field whose values are groups; None without one."""

    @property
    def leaders(self) -> list[Row]:
        """Return the best cell, and those that it does not beat beyond doubt."""
        return [row for row in self.rows if row.is_leader]

    def to_json(self) -> JsonObject:
        """Return the board as files hold it."""
        return {
            "questions": self.questions,
            "group_by": self.group_by,
            "rows": [row.to_json() for row in self.rows],
            "pairs": [pair.to_json() for pair in self.pairs],
            "effects": [effect.to_json() for effect in self.effects],
            "doubts": list(self.doubts),
        }


def make_board(questions: str, cells: Sequence[CellResult], conditions: Sequence[str]) -> Board:
    """Return the board of a questions file.

    Args:
        questions: the questions file, as the suite names it.
        cells: its cells.
        conditions: the suite's conditions; the others are held against the first.

    Raises:
        UserMistake: two cells have the same name.
    """
    _require_names(cells)
    read, missing = read_cells(cells)
    read.sort(key=_rank)  # stable: cells with the same accuracy stay in the suite's order
    matrix = build_matrix([each.cell.name for each in read], [each.columns for each in read])
    pairs = compare_all(matrix)
    places = {each.cell.name: place for place, each in enumerate(read)}
    known = {cell.name: cell for cell in (*(each.cell for each in read), *missing)}
    in_order = [known[cell.name] for cell in cells]
    return Board(
        questions,
        (*_list_rows(read, pairs), *(_describe_unfinished(cell) for cell in in_order if cell.name not in places)),
        tuple(pairs.values()),
        tuple(list_effects(in_order, conditions, lambda a, b: _compare_named(matrix, places, a, b))),
        tuple(_list_doubts(read, matrix)),
        find_field([each.run for each in read], "group_by"),
    )


def compare_all(matrix: ScoreMatrix) -> dict[Places, Pair]:
    """Return every two cells that share questions, by their places, adjusted for their number."""
    found = {places: matrix.compare(*places) for places in combinations(range(len(matrix.names)), 2)}
    known = {places: pair for places, pair in found.items() if pair}
    return dict(zip(known, adjust_pairs(list(known.values()), confidence=CONFIDENCE), strict=True))


def _require_names(cells: Sequence[CellResult]) -> None:
    counts = Counter(cell.name for cell in cells)
    if repeated := [name for name, count in counts.items() if count > 1]:
        raise UserMistake(f"two cells on the same questions are called {repeated[0]!r}: give each a name of its own")


def _rank(each: ReadCell) -> tuple[bool, bool, float]:
    figures = each.figures
    return figures.accuracy is None, figures.scored < LEAST_SHARE * figures.selected, -(figures.accuracy or 0.0)


def _compare_named(matrix: ScoreMatrix, places: dict[str, int], a: CellResult, b: CellResult) -> Pair | None:
    if a.name not in places or b.name not in places:
        return None
    return matrix.compare(places[a.name], places[b.name])


def _list_rows(read: Sequence[ReadCell], pairs: dict[Places, Pair]) -> list[Row]:
    # Those without a score are the last.
    scored = [each for each in read if each.figures.scored]
    apart = {places for places, pair in pairs.items() if pair.verdict != "cannot tell"}
    behind = {place for (best, place), pair in pairs.items() if best == 0 and pair.verdict == "a"}
    letters = assign_letters(len(scored), lambda a, b: (a, b) in apart)
    return [
        Row(
            cell=each.cell,
            run=each.run,
            figures=each.figures,
            letters=letters[place] if each.figures.scored else "",
            is_leader=bool(each.figures.scored) and place not in behind,
            against_best=pairs.get((0, place)),
            by_group=each.by_group,
            tokens=each.tokens,
            cost=each.cost,
            seconds=each.columns.mean_seconds,
            model_seconds=each.model_seconds,
        )
        for place, each in enumerate(read)
    ]


def _describe_unfinished(cell: CellResult) -> Row:
    each = read_unfinished(cell)
    if each is None:
        return Row(cell)
    return Row(
        cell,
        so_far=each.figures,
        tokens=each.tokens,
        cost=each.cost,
        seconds=each.columns.mean_seconds,
        model_seconds=each.model_seconds,
    )


def _list_doubts(read: Sequence[ReadCell], matrix: ScoreMatrix) -> list[str]:
    """Return what keeps the cells of a condition from being comparable; conditions differ on purpose."""
    doubts = []
    for condition in dict.fromkeys(each.cell.condition for each in read):
        places = [place for place, each in enumerate(read) if each.cell.condition == condition]
        own = [read[place] for place in places]
        shared = [[matrix.count_shared(places[0], place) for place in places]]
        doubts += list_doubts([e.run for e in own], [e.columns for e in own], [e.figures for e in own], shared)
    return doubts
