"""Which of the verdicts in a grader's reply counts: the last one that the grader gives as its own.

A grader may revise what it gave, and its last word counts then. It may also repeat the format, say what another answer would
have got, or go on with a question that it invents: such a verdict never replaces one that was given. Where the words do not
tell which of both it is, nothing counts, and the grader is asked again.
"""

import re
from collections.abc import Callable, Sequence

from tasks.evaluation.extraction.plain_text import TURN
from tasks.evaluation.extraction.thinking import CHANNEL, GLUED_FINAL, MARK
from tasks.evaluation.json_lines import JsonValue
from tasks.evaluation.scoring.loose_json import FoundObject

# A verdict on an answer that was not given: "If it had said Paris:", "A right answer would have received".
COUNTERFACTUAL = re.compile(
    r"\bif\b[^.\n]*\b(?:had|were|would)\b|\A\W*had (?:the|it|this|that|he|she)\b"
    r"|\bwould(?:'ve| have) (?:been|got|gotten|received|scored|earned|had|deserved)\b"
    r"|\b(?:correct|right|wrong|perfect|good|bad) (?:answer|reply|response|choice) (?:would|might|could|gets|receives)\b",
    re.IGNORECASE,
)
REVISING = re.compile(
    r"\b(?:correct(?:ion|ed|ing)|second thoughts?|wait|actually|revis\w+|reconsider\w*|re-?(?:check|evaluat|read|assess)\w*"
    r"|oops|sorry|apolog\w+|(?:my|a) mistake|final(?:ly)?|however|upon|looking again|hmm+|updated?)\b",
    re.IGNORECASE,
)
# What makes a revision one that may not be given: conditions, the format, words of a further question.
DOUBTFUL = re.compile(
    r"\b(?:if|unless|would|could|might|had|hypothetical\w*|suppos\w+|assum\w+|otherwise|format\w*|schema|template|example|instance"
    r"|requested|instructions?|(?:next|new|other|another) (?:question|answer|exam))\b",
    re.IGNORECASE,
)
FENCE = re.compile(r"`{3,}(?:json)?\s*")
PARAGRAPH = re.compile(r"\n\s*\n|```")
# A score that is complete, before the rest of the verdict is cut.
SCORE_AND_MORE = re.compile(r"score[\"'”’]?\s*:[^,{}\[]*,", re.IGNORECASE)
LONGEST_INTRODUCTION = 400
SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n\s*\n")


def choose_verdict(
    reply: str, verdicts: Sequence[FoundObject], read_score: Callable[[FoundObject], JsonValue]
) -> FoundObject | None:
    """Return the verdict that counts; None if the reply has none or does not settle which one it is.

    Args:
        reply: the grader's words.
        verdicts: the objects in it that give a score, in their order.
        read_score: returns the score that an object gives; None for one that cannot be read.
    """
    chosen: FoundObject | None = None
    end = 0
    for verdict in verdicts:
        between = reply[end : verdict.start]
        if chosen and TURN.search(between) and not _ends_thinking(between):
            break
        end = verdict.start + len(verdict.text)
        if COUNTERFACTUAL.search(_read_introduction(between)) or (chosen and _is_cut_repetition(verdict, chosen, between)):
            continue
        is_settled = chosen is None or _ends_thinking(between) or read_score(verdict) == read_score(chosen)
        if not is_settled and not _is_revision(between, reply[end:]):
            return None
        chosen = verdict
    return chosen


def _ends_thinking(text: str) -> bool:
    return bool(CHANNEL.search(text)) or GLUED_FINAL in text or any(not mark["opening"] for mark in MARK.finditer(text))


def _is_cut_repetition(verdict: FoundObject, chosen: FoundObject, between: str) -> bool:
    """Return True for the beginning of the same verdict: a reply that repeats itself was cut there."""
    if verdict.fields is not None or REVISING.search(between) or not SCORE_AND_MORE.search(verdict.text):
        return False
    return "".join(chosen.text.split()).startswith("".join(verdict.text.split()))


def _is_revision(between: str, behind: str) -> bool:
    """Return True if a verdict is a paragraph of its own, or ends its line and stands behind words that revise."""
    if behind.partition("\n")[0].strip("`.;,*_)}] \t\r"):
        return False
    lead = FENCE.sub("", between)
    if not lead.strip("}]*_ \t\r\n"):
        return bool(PARAGRAPH.search(between))
    return bool(REVISING.search(lead)) and not DOUBTFUL.search(_read_introduction(between))


def _read_introduction(between: str) -> str:
    """Return the sentence that leads to a verdict, without a fence; empty if the last one before it has ended."""
    lead = FENCE.sub("", between).rstrip()[-LONGEST_INTRODUCTION:]
    return lead[max((match.end() for match in SENTENCE_END.finditer(lead)), default=0) :]
