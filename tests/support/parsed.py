"""Questions as a run parses them from a file's entries."""

from tasks.evaluation.config.fields import Fields
from tasks.evaluation.json_lines import JsonValue
from tasks.evaluation.questions.entries import EntryReader
from tasks.evaluation.questions.questions import Question, QuestionFormat, make_question


def parse_question(text: str, reference: str, *aliases: str, question_format: QuestionFormat = "auto") -> Question:
    """Return the question of an entry with this text and these right answers."""
    record: JsonValue = {"question": text, "answer": reference, "answers": list(aliases)}
    return make_question(EntryReader(Fields()).read(record, uses_context=False), question_format)
