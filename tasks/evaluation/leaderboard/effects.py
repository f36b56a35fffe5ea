"""What the conditions of a suite do for each of its models: each condition against the first one, on the same questions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tasks.evaluation.comparing.comparison import CONFIDENCE
from tasks.evaluation.comparing.pairs import Pair, adjust_pairs
from tasks.evaluation.comparing.sentences import decide
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.leaderboard.cells import CellResult

NOTHING_SHARED = "no question is scored in both"


@dataclass(frozen=True)
class Effect:
    """A model under a condition, against the same model under the suite's first condition."""

    model: str
    """The model."""
    condition: str
    """The condition."""
    base: str
    """The first condition."""
    pair: Pair | None
    """The model under the condition, as a, and under the first one, as b; None if they cannot be compared."""
    sentence: str
    """What it shows, or why they cannot be compared."""

    def to_json(self) -> JsonObject:
        """Return the effect as files hold it."""
        return {
            "model": self.model,
            "condition": self.condition,
            "base": self.base,
            "sentence": self.sentence,
            "pair": self.pair.to_json() if self.pair else None,
        }


def list_effects(
    cells: Sequence[CellResult],
    conditions: Sequence[str],
    compare: Callable[[CellResult, CellResult], Pair | None],
) -> list[Effect]:
    """Return each model's conditions against the first one, with p-values adjusted for the number of these pairs.

    Args:
        cells: the cells of one questions file.
        conditions: the suite's conditions.
        compare: returns two cells beside each other, before p is adjusted; None if they cannot be compared.
    """
    known = {(cell.model, cell.condition): cell for cell in cells}
    found = [
        (cell, known[cell.model, conditions[0]], compare(cell, known[cell.model, conditions[0]]))
        for model in dict.fromkeys(cell.model for cell in cells)
        for condition in conditions[1:]
        if (cell := known.get((model, condition))) and (model, conditions[0]) in known
    ]
    adjusted = adjust_pairs([pair for _, _, pair in found if pair], confidence=CONFIDENCE)
    pairs, count = iter(adjusted), len(adjusted)
    return [_describe(cell, base, next(pairs) if pair else None, count) for cell, base, pair in found]


def sum_up(effects: Sequence[Effect]) -> list[str]:
    """Return a sentence for each condition: how many models it helps and harms beyond doubt, and which."""
    conditions = dict.fromkeys(each.condition for each in effects)
    return [_sum_up([each for each in effects if each.condition == condition]) for condition in conditions]


def _describe(cell: CellResult, base: CellResult, pair: Pair | None, count: int) -> Effect:
    if pair:
        sentence = decide(pair, confidence=CONFIDENCE, pair_count=count)
    else:
        sentence = f"{cell.name} and {base.name} cannot be compared: {_explain(cell, base)}"
    return Effect(cell.model, cell.condition, base.condition, pair, sentence)


def _explain(cell: CellResult, base: CellResult) -> str:
    return " and ".join(f"{each.name} {each.lack}" for each in (cell, base) if each.missing) or NOTHING_SHARED


def _sum_up(effects: Sequence[Effect]) -> str:
    helped, harmed = ([each.model for each in effects if each.pair and each.pair.verdict == verdict] for verdict in ("a", "b"))
    first, count = effects[0], len(effects)
    models = "model" if count == 1 else "models"
    rest = count - len(helped) - len(harmed)
    told = f"{first.condition} helps {_count(helped)} of {count} {models}, and harms {_count(harmed)}, against {first.base}"
    return f"{told}; for {rest} it cannot be told" if rest else told


def _count(models: Sequence[str]) -> str:
    return f"{len(models)} ({', '.join(models)})" if models else "none"
