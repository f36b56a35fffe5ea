"""Clarifications, the replies of models asked which choice they meant: those known from earlier runs, and their log records.

    {"kind":"clarification","answer_id":"5f…","clarification_id":"09…","text":"B",…}

A clarification is found by its id, which is a hash of the request and of all its messages. A checkpoint holds the reply's words
in the evaluation, and what it has cost in the generator's `usage`: taken from there, it costs nothing more. Where the endpoint
refuses to be asked, the question is refused, and there is no clarification.
"""

from collections.abc import Mapping

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.errors import DamagedFile
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.scoring.records import list_kept, parse_answer


class Clarifications:
    """The known clarifications of unfinished questions, by position and id."""

    def __init__(self) -> None:
        self._known: dict[int, dict[str, Answer]] = {}

    def add(self, position: int, clarification_id: str, clarification: Answer) -> None:
        """Add a known clarification; of two with the same id, the first stays."""
        self._known.setdefault(position, {}).setdefault(clarification_id, clarification)

    def find(self, position: int, clarification_id: str) -> Answer | None:
        """Return the clarification; None if it is not known."""
        return self._known.get(position, {}).get(clarification_id)

    def list_all(self) -> list[Answer]:
        """Return all that are known."""
        return [clarification for each in self._known.values() for clarification in each.values()]

    def forget(self, position: int) -> None:
        """Drop the clarifications of a question that is finished."""
        self._known.pop(position, None)


def clarification_record(answer_id: str, clarification_id: str, clarification: Answer) -> JsonObject:
    """Return the clarification as the answer log keeps it."""
    ids = {"answer_id": answer_id, "clarification_id": clarification_id}
    return {"kind": "clarification", **ids, **list_kept(clarification)}


def parse_clarification(record: Mapping[str, JsonValue]) -> tuple[str, Answer]:
    """Return the id and the clarification in a record that `clarification_record` made.

    Raises:
        DamagedFile: a field is missing or has the wrong type.
    """
    clarification_id = record.get("clarification_id")
    if not isinstance(clarification_id, str):
        raise DamagedFile("a record of a clarification lacks its id")
    return clarification_id, parse_answer(record)


def clarification_of_result(result: Mapping[str, JsonValue]) -> Answer | None:
    """Return the clarification that a result holds; None if the model was not asked for one."""
    evaluation, seconds = result.get("evaluation"), result.get("evaluation_time_seconds")
    if not isinstance(evaluation, dict) or evaluation.get("clarified") is not True:
        return None
    words = evaluation.get("clarification")
    if not isinstance(words, str):
        return None
    return Answer(words, None, {}, None, None, seconds if isinstance(seconds, int | float) else 0.0)
