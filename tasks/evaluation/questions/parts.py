"""A question's stem and choices by their places in its text, so that temporary copies hold each word once."""

from collections.abc import Mapping

from tasks.evaluation.json_lines import JsonObject, JsonValue


def place_parts(text: str, stem: str, choices: Mapping[str, str]) -> JsonObject:
    """Return `stem` and `choices` by their places in the text: where the stem ends, and where each choice begins and ends.

    A part that does not stand in the text, in its turn, stays as it is.
    """
    placed: JsonObject = {}
    at = len(stem)
    for label, choice in choices.items():
        start = text.find(choice, at)
        if start < 0:
            placed[label] = choice
        else:
            at = start + len(choice)
            placed[label] = [start, at]
    return {"stem": len(stem) if text.startswith(stem) else stem, "choices": placed}


def cut_parts(stored: JsonObject) -> JsonObject:
    """Return the `stem` and `choices` that `place_parts` was given, from what it returned beside the `text`."""
    text, stem, choices = stored["text"], stored["stem"], stored["choices"]
    assert isinstance(text, str)
    assert isinstance(choices, dict)
    return {
        "stem": text[:stem] if isinstance(stem, int) else stem,
        "choices": {label: _cut(text, part) for label, part in choices.items()},
    }


def _cut(text: str, part: JsonValue) -> JsonValue:
    return text[part[0] : part[1]] if isinstance(part, list) else part  # type: ignore[index]
