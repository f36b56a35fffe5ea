"""The verdict in a grader's reply: the last JSON object in it that gives a score.

A reply has no verdict when that object cannot be read, has no score from 0 to 1, or contradicts itself. An echo of the format
that was asked for counts for nothing, and neither does a score outside an object.
"""

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.scoring.loose_json import FoundObject, find_objects, name_field

SCORE, REASONING = "score", "reasoning"
REFERENCE_CHOICE, MODEL_CHOICE = name_field("reference_choice"), name_field("model_choice")
SCORE_KEY = re.compile(r"[{,\s\"'“‘]score[\"'”’]?\s*:", re.IGNORECASE)
# A format's own words in the place of values: "...", "<0 or 1>", those of our own prompt, and what resembles them.
PLACEHOLDER = re.compile(
    r"(?:score|reasoning)[\"'”]?\s*:\s*[\"'“]?(?:\.\.\.|…|<[^<>\n]*>|\[[a-z ]{3,}\]|(?:number|float|integer|int|string|text)"
    r"|(?:one|a|the|your) (?:short |brief )?(?:sentence|reason|reasoning|explanation|score)|[01] ?(?:or|\||/) ?[01])"
    r"[\"'”]?\s*(?:[,}\n]|$)|choice[\"'”]?\s*:\s*[\"'“]letter or number\b",
    re.IGNORECASE,
)
# What stands before an example, alone in its sentence ("Format:", "For example,"), and before a verdict that is not given.
EXAMPLE_AHEAD = re.compile(
    r"(?:(?:^|[\n.;(])[\s>*#`-]*(?:the |an? )?(?:(?:expected|required|requested|desired|output|response|reply|answer|json) )*"
    r"(?:format|example|template|schema|for example|for instance|e\.g\.|such as)(?: (?:output|response|reply|is))*[\s:,*`(]*"
    r"|\b(?:not|instead of|rather than|would be|would have been)[\s:`]*)(?:json\s*)?$",
    re.IGNORECASE,
)
AHEAD_CHARACTERS = 80
LABEL = re.compile(r"(?:option|choice|answer)?[\W_]*([A-Z]|\d{1,2})(?:[\W_]*|[).:] .*)", re.IGNORECASE | re.DOTALL)
BETWEEN_LABELS = re.compile(r"\s*(?:[,;/&+]|\band\b)\s*", re.IGNORECASE)
NO_CHOICE = ("", "null", "none", "n/a")


@dataclass(frozen=True)
class Verdict:
    """What a grader says of an answer.

    Attributes:
        score: from 0 to 1.
        reasoning: why; empty where the grader says nothing.
        reference_choice: the choice that the reference names, as the grader writes it.
        model_choice: the choice that the answer makes, as the grader writes it.
    """

    score: float
    reasoning: str
    reference_choice: JsonValue = None
    model_choice: JsonValue = None


def read_verdict(reply: str, question: Question) -> Verdict | None:
    """Return the verdict that a grader's reply gives; None when it gives none."""
    given = [found for found in find_objects(reply) if _list_verdicts(found) and not _is_example(found, reply)]
    verdict = _list_verdicts(given[-1])[-1] if given else {}
    score = _read_score(verdict.get(SCORE))
    if score is None or (question.format == "mc" and _is_contradictory(verdict, score, question)):
        return None
    return Verdict(score, str(verdict.get(REASONING) or ""), verdict.get(REFERENCE_CHOICE), verdict.get(MODEL_CHOICE))


def _is_example(found: FoundObject, reply: str) -> bool:
    """Return True for an echo of the format that was asked for."""
    ahead = reply[max(0, found.start - AHEAD_CHARACTERS) : found.start]
    return bool(PLACEHOLDER.search(found.text) or EXAMPLE_AHEAD.search(ahead))


def _list_verdicts(found: FoundObject) -> list[JsonObject]:
    """Return the verdict that the object is or holds, one without a score where it cannot be read; else nothing."""
    if found.fields is None:
        return [{}] if SCORE_KEY.search(found.text) else []
    verdicts = list(_find_scores(found.fields))
    return verdicts if all(verdict.get(SCORE) == verdicts[0].get(SCORE) for verdict in verdicts) else [{}]


def _find_scores(value: JsonValue) -> Iterator[JsonObject]:
    """Yield the outermost objects in the value that have a score."""
    if isinstance(value, dict) and SCORE in value:
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _find_scores(part)


def _read_score(score: JsonValue) -> float | None:
    """Return the score as a number; the texts "1" and "true" count as such. None when it is none from 0 to 1."""
    if isinstance(score, str):
        score = {"true": 1, "false": 0}.get(score.strip().lower(), score)
    try:
        number = float(score) if isinstance(score, str | int | float) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= 1 else None


def _is_contradictory(verdict: JsonObject, score: float, question: Question) -> bool:
    """Return True when the choices are the same and the score is 0, or when they differ and the score is 1.

    Where several answers are accepted, the model's choice may differ from the one that the grader names as the reference.
    """
    reference, chosen = verdict.get(REFERENCE_CHOICE), verdict.get(MODEL_CHOICE)
    if REFERENCE_CHOICE not in verdict or MODEL_CHOICE not in verdict or _is_no_choice(reference):
        return False
    theirs, ours = _read_labels(reference), _read_labels(chosen)
    if score == 0:
        return theirs == ours if theirs and ours else _fold(reference) == _fold(chosen)
    if score != 1 or not theirs or question.aliases:
        return False
    return _is_no_choice(chosen) or (bool(ours) and theirs != ours and _is_numbered(theirs) == _is_numbered(ours))


def _read_labels(choice: JsonValue) -> frozenset[str]:
    """Return the labels that a choice names: "b", "B)", "B) text", ["B"] or "A and C"; empty where it names none."""
    if isinstance(choice, list):
        return frozenset().union(*map(_read_labels, choice))
    text = _fold(choice)
    whole = LABEL.fullmatch(text)
    labels = [whole] if whole else [LABEL.fullmatch(part) for part in BETWEEN_LABELS.split(text)]
    return frozenset(label[1] for label in labels if label) if all(labels) else frozenset()


def _fold(choice: JsonValue) -> str:
    return unicodedata.normalize("NFKC", str(choice)).strip(" \t\r\n.\"'`*").casefold()


def _is_no_choice(choice: JsonValue) -> bool:
    return choice is None or choice == [] or _fold(choice) in NO_CHOICE


def _is_numbered(labels: frozenset[str]) -> bool:
    return all(label.isdigit() for label in labels)
