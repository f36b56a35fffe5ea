"""The choices that a reference answer names."""

import re
from collections.abc import Mapping

from tasks.evaluation.extraction.choice_marks import mark_choices
from tasks.evaluation.extraction.choices import part_labels, read_decision
from tasks.evaluation.extraction.marks import NAMED
from tasks.evaluation.extraction.plain_text import fold
from tasks.evaluation.questions.choice_lines import PLAIN_REFERENCE


def read_reference(reference: str, choices: Mapping[str, str]) -> tuple[str, ...]:
    """Return the labels that a reference answer names, in order; empty when it names no choice.

    It may give a label, a label with its text, a sentence, or one choice's whole text.
    """
    plain = PLAIN_REFERENCE.fullmatch(reference.strip())
    if plain and plain["label"].upper() in choices and (plain["text"] or "") in {"", choices[plain["label"].upper()]}:
        return (plain["label"].upper(),)
    labels = [label for label, text in choices.items() if text and fold(text) == fold(reference)]
    if len(labels) == 1 and reference.strip().upper() not in choices:
        return (labels[0],)
    marked = mark_choices(part_labels(reference, choices), choices) if choices else ""
    places = (read_decision(marked) if re.search(NAMED, marked) else None) or []
    return tuple(list(choices)[place] for place in places)
