"""The names of choices in evaluations: labels as the file gives them, and labels in a grader's words."""

import re
from collections.abc import Sequence

from tasks.evaluation.json_lines import JsonObject, JsonValue

LABEL = re.compile(r"\W*(\w|\d\d)(?:\W*|\).*)", re.DOTALL)


def name_by_order(evaluation: JsonObject, shown: Sequence[str], order: Sequence[str]) -> JsonObject:
    """Return the evaluation with the choices' own labels, in `order`, in place of those under which they were `shown`."""
    own = dict(zip(shown, order, strict=True))
    named = dict(evaluation)
    for name in ("reference_choice", "model_choice"):
        value = evaluation.get(name)
        labels = [read_label(part) or "" for part in value.split(", ")] if isinstance(value, str) else []
        if labels and all(label in own for label in labels):
            named[name] = ", ".join(sorted((own[label] for label in labels), key=shown.index))
    probabilities = evaluation.get("probabilities")
    if isinstance(probabilities, dict):
        named["probabilities"] = {own.get(label, label): value for label, value in probabilities.items()}
    return named


def read_label(choice: JsonValue) -> str | None:
    """Return the one label that a grader's words for a choice name, as "B", "b)", "(B)" or "B) text"; None for any other."""
    found = LABEL.fullmatch(choice) if isinstance(choice, str) else None
    return found[1].upper() if found else None
