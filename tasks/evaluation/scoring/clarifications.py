"""Asking a model which choice it meant, if its reply does not settle that.

The question is put once, as a follow-up in the same conversation: after the question and the model's reply stands a fixed
request for one label of those offered, or NONE. What comes is read strictly: a label or a choice's own text, alone, in a short
sentence that only names it, in JSON (which a run may demand of every reply), or on a line before what explains it. Whatever is
neither chooses nothing.
"""

import re
import unicodedata
from collections.abc import Mapping

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.extraction.choices import read_choice
from tasks.evaluation.extraction.plain_text import final_part, fold, strip_formatting
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.scoring.loose_json import find_objects

# These words are hashed into ids: if they change, the clarifications of earlier runs are not found.
WHICH_CHOICE = (
    "Which one of {letters} is the choice that you made in your reply? Answer with its label alone, or with NONE if you made "
    "no choice."
)
WHICH_CHOICES = (
    "Which of {letters} are the choices that you made in your reply? Answer with their labels alone and with commas between "
    "them, or with NONE if you made no choice."
)
# What may surround a label: the beginning of the line that our prompt asks for, LaTeX, a word such as "option".
BOX = re.compile(r"\\(?:boxed|fbox)\s*\{([^{}]*)\}")
LEAD = re.compile(
    r"\A(?:(?:(?:the|my) )?(?:(?:final|correct|chosen) )?(?:answer|choice|option)s?(?: (?:that )?I (?:made|chose))?"
    r"(?:\s*:\s*| (?:is|was|are)\b\s*:?\s*))?(?:(?:option|choice)s?\b)?[\s(\[*:]*",
    re.IGNORECASE,
)
LABELLED_TEXT = re.compile(r"([A-Z]|\d{1,2})[).:]+\s+(.+)", re.IGNORECASE | re.DOTALL)
BETWEEN_LABELS = re.compile(r"[\s,;/&()\[\].]+|\band\b", re.IGNORECASE)
WORD = re.compile(r"\w+")
AROUND_LABELS = " \t\r\n.,:;!\"'`*_()[]{}"


def clarification_prompts() -> JsonObject:
    """Return the texts that a model is asked with."""
    return {"one": WHICH_CHOICE, "several": WHICH_CHOICES}


def clarification_messages(question: Question, reply: str) -> list[Message]:
    """Return the messages that follow the question: the model's reply, and the request to name its choice."""
    request = WHICH_CHOICES if question.allows_several else WHICH_CHOICE
    return [
        {"role": "assistant", "content": reply},
        {"role": "user", "content": request.format(letters=", ".join(question.choices))},
    ]


def read_clarification(reply: Answer, question: Question) -> tuple[str, ...]:
    """Return the labels that the reply names, in the question's order; none where it names none or says anything else."""
    text = _read_json(reply.text)
    named = () if reply.is_truncated else _read_names(text, question)
    if named or reply.is_truncated:
        return named
    head, _, explanation = final_part(text).strip().partition("\n")
    named = _read_names(head, question)
    others = question.choices.keys() - set(named)
    if not named or others & set(WORD.findall(explanation)):
        return ()
    reading = read_choice(text, question.choices, several=question.allows_several)
    return named if reading.is_certain and set(reading.labels) == set(named) else ()


def _read_json(text: str) -> str:
    """Return the value of a JSON object with a single one, a list of several with commas; else the text itself."""
    objects = list(find_objects(text))
    values = list((objects[0].fields or {}).values()) if len(objects) == 1 else []
    if len(values) != 1 or final_part(text).replace(objects[0].text, "").strip(AROUND_LABELS).lower() not in ("", "json"):
        return text
    parts = values[0] if isinstance(values[0], list) else values
    return ", ".join(map(str, parts))


def _read_names(reply: str, question: Question) -> tuple[str, ...]:
    """Return the labels, in the question's order, that the words name which are nothing but names."""
    text = _strip_decoration(reply)
    if text.strip(AROUND_LABELS).upper() == "NONE":
        return ()
    label = _read_label(text, question.choices)
    labels = {label} if label else _read_labels(text) if question.allows_several else set()
    return tuple(label for label in question.choices if label in labels) if labels <= question.choices.keys() else ()


def _strip_decoration(text: str) -> str:
    """Return the text without thinking, without formatting, and without a word such as "option" before a label."""
    text = BOX.sub(r"\1", strip_formatting(unicodedata.normalize("NFKC", final_part(text)))).lstrip(AROUND_LABELS)
    return LEAD.sub("", text, count=1)


def _read_label(text: str, choices: Mapping[str, str]) -> str | None:
    """Return the label if the text is just a label, or a label with its choice's own text; else None."""
    label = text.strip(AROUND_LABELS).upper()
    if label in choices:
        return label
    alike = [label for label, own_text in choices.items() if fold(text) and fold(own_text) == fold(text)]
    if len(alike) == 1:
        return alike[0]
    labelled = LABELLED_TEXT.fullmatch(text)
    own_text = choices.get(labelled[1].upper(), "") if labelled else ""
    return labelled[1].upper() if labelled and own_text and fold(labelled[2]) == fold(own_text) else None


def _read_labels(text: str) -> set[str]:
    """Return the words of the text in upper case, as it may list labels; the letters of a single word in capitals."""
    words = [word.upper() for word in BETWEEN_LABELS.split(text) if word]
    return set(words[0]) if len(words) == 1 and text.isupper() else set(words)
