"""The order in which a question's choices stand in each of its repeats.

In the first repeat they stand as in the file. Each further one moves them on by one place, so that in as many repeats as there
are choices, each choice stands once at each place; the next round begins with an order drawn from the question itself. A
question whose choices speak of each other ("all of the above") keeps its order, and so does one whose choices cannot be told
apart in its text.

Source: cyclic permutation as in Zheng et al. 2024, "Large Language Models Are Not Robust Multiple Choice Selectors".
"""

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from tasks.evaluation.questions.questions import Question

# Choices that name others, by their place or by their label.
NAMES_OTHERS = re.compile(
    r"\b(?:(?:all|none|any|both|neither|either|some|one|two|three|each) of (?:the|these|those|them)\b|(?:the )?(?:above|below|"
    r"preceding|previous|foregoing)\b|both\b|neither\b)|\b(?:[A-K]|[1-9])\s*(?:,|&|/|and|or)\s*(?:[A-K]|[1-9])\b"
    r"|\b(?:[Oo]ptions?|[Cc]hoices?|[Aa]nswers?) \(?(?:[A-K]|[1-9])\b|以上|上述|皆|都(?:是|不是|对|错)",
    re.IGNORECASE,
)
# What stands between a label and its choice: signs and spaces.
BEHIND_LABEL = r"[^\w\n]{1,8}"


def choose_order(question: Question, repeat: int) -> tuple[str, ...]:
    """Return the labels under which the file has the choices, in the order in which this repeat shows them.

    Args:
        question: as the file has it; empty for one without choices.
        repeat: counted from 0.
    """
    labels = tuple(question.choices)
    if not labels or _keeps_order(question):
        return labels
    round_number, shift = divmod(repeat, len(labels))
    base = list(labels)
    if round_number:
        random.Random(f"{question.text}\0{round_number}").shuffle(base)  # noqa: S311 - no secret
    return (*base[shift:], *base[:shift])


def reorder(question: Question, repeat: int) -> Question:
    """Return the question as this repeat shows it: the same labels in the same places, the choices' texts in its order."""
    order, labels = choose_order(question, repeat), tuple(question.choices)
    if order == labels:
        return question
    shown = dict(zip(order, labels, strict=True))
    right = tuple(tuple(label for label in labels if label in {shown[each] for each in named}) for named in question.right)
    reference, *aliases = (", ".join(named) for named in right)
    return replace(
        question,
        text=_replace_texts(question, [question.choices[label] for label in order]),
        reference=reference,
        aliases=tuple(aliases),
        choices={label: question.choices[each] for label, each in zip(labels, order, strict=True)},
        right=right,
    )


def _keeps_order(question: Question) -> bool:
    texts = list(question.choices.values())
    return not question.right or any(NAMES_OTHERS.search(text) for text in texts) or not _find_spans(question)


def _replace_texts(question: Question, texts: Sequence[str]) -> str:
    """Return the question's text with other texts in its choices' places."""
    spans = _find_spans(question)
    ends = [0, *(end for _, end in spans)]
    kept = [question.text[end:start] for end, (start, _) in zip(ends, spans, strict=False)]
    return "".join(part for pair in zip(kept, texts, strict=True) for part in pair) + question.text[ends[-1] :]


def _find_spans(question: Question) -> list[tuple[int, int]]:
    """Return where the choices' texts stand, each behind its label; empty if they do not follow each other in this way."""
    if not question.text.startswith(question.stem):
        return []
    spans: list[tuple[int, int]] = []
    at = len(question.stem)
    for label, choice in question.choices.items():
        labelled = re.compile(rf"{re.escape(label)}{BEHIND_LABEL}{re.escape(choice)}", re.IGNORECASE)
        found = labelled.search(question.text, at) if choice else None
        if not found:
            return []
        at = found.end()
        spans.append((at - len(choice), at))
    return spans
