"""The verdict in a grader's reply: the JSON object in it that gives a score, the last one where the grader revises it.

A reply has no verdict when it does not settle which object that is, or when that object cannot be read, has no score from 0 to
1, or contradicts itself. An echo of the format that was asked for counts for nothing, and neither does a score outside an
object.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.scoring.judged_choices import is_contradictory
from tasks.evaluation.scoring.loose_json import FoundObject, decode_objects, find_objects, name_field
from tasks.evaluation.scoring.revisions import choose_verdict

SCORE, REASONING = "score", "reasoning"
REFERENCE_CHOICE, MODEL_CHOICE = name_field("reference_choice"), name_field("model_choice")
SCORE_KEY = re.compile(r"[{｛,，;；\s\"'“‘„«「＂\u200b\ufeff]score[\"'“”’»」＂]?\s*[:：]", re.IGNORECASE)
# A format's own words in the place of values: "...", "<0 or 1>", those of our own prompt, and what resembles them.
PLACEHOLDER = re.compile(
    r"(?:score|reasoning)[\"'”]?\s*:\s*[\"'“]?(?:\.\.\.|…|<[^<>\n]*>|\[[a-z ]{3,}\]|(?:number|float|integer|int|string|text)"
    r"|(?:(?:one|a|the|your) )?(?:(?:short|brief) )?(?:sentence|reason|reasoning|explanation|score)|[01] ?(?:or|\||/) ?[01])"
    r"[\"'”]?\s*(?:[,}\n]|$)|choice[\"'”]?\s*:\s*[\"'“]letter or number\b",
    re.IGNORECASE,
)
# The words before an example, alone in their sentence ("Format:", "For example,"), or before a verdict that is not the grader's
# ("instead of").
EXAMPLE_AHEAD = re.compile(
    r"(?:(?:^|[\n.;(])[\s>*#`-]*(?:the |an? )?(?:(?:expected|required|requested|desired|output|response|reply|answer|json) )*"
    r"(?:format|example|template|schema|for example|for instance|e\.g\.|such as)(?: (?:output|response|reply|is))*[\s:,*`(]*"
    r"|\b(?:not|instead of|rather than|would be|would have been)[\s:`]*)(?:json\s*)?$",
    re.IGNORECASE,
)
AHEAD_CHARACTERS = 80


@dataclass(frozen=True)
class Verdict:
    """A grader's verdict on an answer.

    Attributes:
        score: from 0 to 1.
        reasoning: why; empty if the grader gives no reason.
        reference_choice: the choice that the reference names, as the grader writes it.
        model_choice: the choice that the answer makes, as the grader writes it.
    """

    score: float
    reasoning: str
    reference_choice: JsonValue = None
    model_choice: JsonValue = None


def read_verdict(reply: str, question: Question) -> Verdict | None:
    """Return the verdict in a grader's reply; None if it gives no verdict."""
    reply = decode_objects(reply)
    given = [found for found in find_objects(reply) if _list_verdicts(found) and not _is_example(found, reply)]
    chosen = choose_verdict(reply, given, lambda found: _read_score(_list_verdicts(found)[-1].get(SCORE)))
    verdict = _list_verdicts(chosen)[-1] if chosen else {}
    score = _read_score(verdict.get(SCORE))
    if score is None or _is_contradictory(verdict, score, question):
        return None
    return Verdict(score, str(verdict.get(REASONING) or ""), verdict.get(REFERENCE_CHOICE), verdict.get(MODEL_CHOICE))


def _is_example(found: FoundObject, reply: str) -> bool:
    """Return True if the object is an example or an echo of the requested format."""
    ahead = reply[max(0, found.start - AHEAD_CHARACTERS) : found.start]
    return bool(PLACEHOLDER.search(found.text) or EXAMPLE_AHEAD.search(ahead))


def _list_verdicts(found: FoundObject) -> list[JsonObject]:
    """Return the verdicts that the object is or holds; an empty verdict if it cannot be read or its scores differ."""
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
    """Return the score as a number, also if it is a text such as "1" or "true"; None if it is not from 0 to 1."""
    if isinstance(score, str):
        score = {"true": 1, "false": 0}.get(score.strip().lower(), score)
    try:
        number = float(score) if isinstance(score, str | int | float) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= 1 else None


def _is_contradictory(verdict: JsonObject, score: float, question: Question) -> bool:
    if question.format != "mc" or REFERENCE_CHOICE not in verdict or MODEL_CHOICE not in verdict:
        return False
    return is_contradictory(verdict[REFERENCE_CHOICE], verdict[MODEL_CHOICE], score, question)
