"""The right answers that a record gives, in the forms of the data sets that people score on."""

from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.questions.columns import Columns, read_field
from tasks.evaluation.questions.printed_values import as_text, parse_text


def read_answers(record: JsonObject, columns: Columns) -> list[str]:
    """Return the answers that the record accepts, each once: first the answer's own field, then that of further answers."""
    answer = read_field(record, columns.answer)
    if columns.aliases is None and isinstance(answer, str):
        return [answer] if answer.strip() else []
    given: list[JsonValue] = []
    for value in (answer, parse_text(read_field(record, columns.aliases))):
        for each in value if isinstance(value, list) else [value]:
            given += _spread_answer(each)
    return list(dict.fromkeys(text for text in map(as_text, given) if text.strip()))


def _spread_answer(answer: JsonValue) -> list[JsonValue]:
    """Return the answers in one value: SQuAD keeps them beside their positions, TriviaQA beside their other names."""
    if not isinstance(answer, dict):
        return [answer]
    values = [answer.get(key) for key in ("value", "text", "answer", "aliases")]
    return [each for value in values for each in (value if isinstance(value, list) else [value])]


def read_single_answer(record: JsonObject, columns: Columns) -> JsonValue:
    """Return the answer of a question with choices, perhaps a list of several right ones; None without one."""
    answers = (parse_text(read_field(record, name)) for name in (columns.answer, columns.aliases))
    return next((answer for answer in answers if answer not in (None, "", [])), None)
