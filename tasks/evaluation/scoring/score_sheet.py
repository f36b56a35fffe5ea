"""The score sheet: what the statistics need to know of each question, by position, without reading its record again."""

import math
from collections.abc import Mapping

import numpy as np

from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.scoring.choice_names import read_label
from tasks.evaluation.scoring.repeats import REPEATS
from tasks.evaluation.scoring.retrieval_columns import RetrievalColumns
from tasks.evaluation.statistics.arrays import Codes, Floats
from tasks.evaluation.statistics.calibration import score_brier
from tasks.evaluation.statistics.repeat_summary import NO_LABEL

MOST_LABELS = 2**15 - 1


class AnswerKey:
    """The right choice of each question that has exactly one, by position.

    `right` is the place of its label in `labels`, -1 for any other question, and `choice_counts` the number of choices, else 0.

    Args:
        count: the number of questions.
    """

    def __init__(self, count: int) -> None:
        self.right = np.full(count, NO_LABEL, dtype=np.int16)
        self.choice_counts = np.zeros(count, dtype=np.uint8)
        self.labels: list[str] = []
        self._codes: dict[str, int] = {}

    def add(self, position: int, question: Question) -> None:
        """Note the question's right choice, if it is the only one."""
        if len(question.right) == 1 and len(question.right[0]) == 1:
            self.right[position] = self.encode(question.right[0][0])
            self.choice_counts[position] = len(question.choices)

    def encode(self, choice: JsonValue) -> int:
        """Return the place in `labels` of the one label that the choice names; -1 if it names none or several."""
        if isinstance(choice, str) and len(choice) == 1 and choice in self._codes:
            return self._codes[choice]
        label = read_label(choice)
        if label is None:
            return NO_LABEL
        if label not in self._codes and len(self.labels) < MOST_LABELS:
            self._codes[label] = len(self.labels)
            self.labels.append(label)
        return self._codes.get(label, NO_LABEL)


class OptionalColumn:
    """A number or NaN for each question, which takes no memory as long as there is no number.

    Args:
        count: the number of questions.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._values: Floats | None = None

    def put(self, position: int, value: float) -> None:
        """Set the question's value."""
        if self._values is None:
            if math.isnan(value):
                return
            self._values = np.full(self._count, np.nan)
        self._values[position] = value

    def pick(self, positions: Codes) -> Floats:
        """Return the values at these positions, read-only as long as no value was set."""
        if self._values is None:
            return np.broadcast_to(np.float64(np.nan), positions.shape)
        return self._values[positions]


class ScoreSheet:
    """What is known of each question's score; a row is valid only where the question has a result.

    `scores` holds a score or NaN, `no_choice`, `truncated` and `clarified` the evaluations' marks, `f1` the token F1 of short
    answers or NaN. `chosen` is the place of the chosen label in the key's `labels`, -1 for none and for several. `brier` and
    `confidences` come from the first token's probabilities, NaN without. `retrieval` holds what was retrieved. Of repeats, a
    column each, there are `repeat_scores`, `repeat_choices`, and `right_places`, the place from 1 at which the right choice was
    shown, 0 if the order never changes.

    Args:
        key: the right choices.
        repeats: the number of times that each question is asked.
    """

    def __init__(self, key: AnswerKey, repeats: int) -> None:
        self.key = key
        count = len(key.right)
        self.scores = np.full(count, np.nan)
        self.f1, self.brier, self.confidences = (OptionalColumn(count) for _ in range(3))
        self.retrieval = RetrievalColumns(count)
        self.no_choice, self.truncated, self.clarified = np.zeros((3, count), dtype=bool)
        self.chosen = np.full(count, NO_LABEL, dtype=np.int16)
        columns = repeats if repeats > 1 else 0
        self.repeat_scores = np.full((count, columns), np.nan, dtype=np.float32)
        self.repeat_choices = np.full((count, columns), NO_LABEL, dtype=np.int16)
        self.right_places = np.zeros((count, columns), dtype=np.uint8)

    def note(self, position: int, record: Mapping[str, JsonValue]) -> None:
        """Note the scored question's record."""
        evaluation = read_evaluation(record)
        self.scores[position] = record["score"]
        self.no_choice[position] = evaluation.get("no_choice") is True
        self.truncated[position] = evaluation.get("truncated") is True
        self.clarified[position] = evaluation.get("clarified") is True
        self.chosen[position] = self.key.encode(evaluation.get("model_choice"))
        f1 = evaluation.get("f1")
        self.f1.put(position, f1 if isinstance(f1, int | float) else np.nan)
        self._note_probabilities(position, evaluation)
        self.retrieval.note(position, record)
        repeats = record.get(REPEATS)
        for number, repeat in enumerate(repeats if isinstance(repeats, list) else []):
            if isinstance(repeat, dict) and number < self.repeat_scores.shape[1]:
                self._note_repeat(position, number, repeat)

    def forget(self, position: int) -> None:
        """Drop the question's score."""
        self.scores[position] = np.nan

    def _note_repeat(self, position: int, number: int, repeat: JsonObject) -> None:
        score, order = repeat.get("score"), repeat.get("order")
        self.repeat_scores[position, number] = score if isinstance(score, int | float) else np.nan
        self.repeat_choices[position, number] = self.key.encode(read_evaluation(repeat).get("model_choice"))
        if isinstance(order, list) and self.key.right[position] != NO_LABEL:
            self.right_places[position, number] = order.index(self.key.labels[self.key.right[position]]) + 1

    def _note_probabilities(self, position: int, evaluation: JsonObject) -> None:
        probabilities, right = evaluation.get("probabilities"), evaluation.get("reference_choice")
        if not isinstance(probabilities, dict) or not probabilities:
            return
        values = {label: float(value) for label, value in probabilities.items() if isinstance(value, int | float)}
        self.brier.put(position, score_brier(values, str(right)))
        self.confidences.put(position, min(max(values.values(), default=0.0), 1.0))


def read_evaluation(record: Mapping[str, JsonValue]) -> JsonObject:
    """Return the record's evaluation; empty if it has none."""
    value = record.get("evaluation")
    return value if isinstance(value, dict) else {}
