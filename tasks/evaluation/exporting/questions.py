"""A record's question in its parts: tools want the choices in a field of their own, records have them in the text."""

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.choices_in_text import LabelledText, part_question


def part_record(record: JsonObject) -> LabelledText:
    """Return the stem and the choices of the record's question; no choices if it asks for a short answer.

    A record without a question, such as that of an entry that cannot be asked, has an empty stem.
    """
    question, reference = record.get("question"), record.get("reference_answer")
    if not isinstance(question, str):
        return LabelledText("")
    if record.get("format") == "qa":
        return LabelledText(question)
    return part_question(question, [reference] if isinstance(reference, str) else [])
