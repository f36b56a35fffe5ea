"""The choice that a reply makes without deciding in words of choosing: by what it mentions, calls true, or rejects."""

import re

from tasks.evaluation.extraction.decision_patterns import CHOSEN, EITHER, GAP, WRONG
from tasks.evaluation.extraction.doubts import WITHDRAWN, is_by_others
from tasks.evaluation.extraction.marks import ECHO, END, LISTED, MARKS, read_marks

# "C: True" in a list of verdicts, which counts if it is the only one.
TRUE = re.compile(rf"{CHOSEN}{GAP}\b(?:true|yes|vrai|oui|wahr|ja|verdader[ao]|sí|vero|sì|verdadeir[ao]|sim)\b", re.IGNORECASE)
REJECTED = re.compile(
    rf"\b(?:not|n't be|rul(?:es?|ed|ing) out|eliminat(?:es?|ed|ing)|removes?|neither|nor) {CHOSEN}"
    rf"|{CHOSEN.replace('chosen', 'wrong')}[^\n.;?{MARKS}]{{0,40}}?(?:{WRONG}|(?:\bnot|n't) (?:correct|right)\b)",
    re.IGNORECASE,
)
# "A, not B", "A rather than B": what a choice is set against.
CONTRASTED = re.compile(
    r"[\s,;(–—-]{1,3}(?:(?:and|und|et) )?"
    r"(?:not|rather than|instead of|as opposed to|unlike|nicht|statt|pas|plutôt que|no|non)"
    rf" (?:(?:the|an?|die|der|das|le|la|les|el|il) )?[{MARKS}](?: (?:or|nor|oder|ou|o) [{MARKS}]){{0,25}}",
    re.IGNORECASE,
)
SENTENCE, CLAUSE = re.compile(r"(?<=[.!?…])\s+|\n"), re.compile(r"[,;:—–]\s")
COMPLETE = re.compile(r"[^\w\s,:(–—-]\s*\Z")
DOUBTED = re.compile(
    rf"{EITHER}|\b(?:rul(?:e|ing) out|eliminat|exclud)|\b(?:would|popular|distractors?|trap|mistak\w{{1,3}}|let's)\b"
    r"|\b(?:consider|examin|evaluat|analy[sz]|check)\w{0,3}\b"
    rf"|\?|[{chr(LISTED)}-{chr(END - 1)}]",
    re.IGNORECASE,
)


def read_only_true(marked: str) -> list[int] | None:
    """Return the only choice that is called true; None unless there is exactly one."""
    places = {place for match in TRUE.finditer(marked) for place in read_marks(match["chosen"])}
    return list(places) if len(places) == 1 else None


def read_only_mention(marked: str) -> list[int] | None:
    """Return the one choice that a reply mentions without doubt: in all of it, or in its first sentence if the last adds none.

    A reply that breaks off has not reached its choice.
    """
    # What comes before an echo of the choices echoes the question.
    said = CONTRASTED.sub("", marked.rpartition(ECHO)[2])
    sentences = [sentence for sentence in SENTENCE.split(said) if sentence.strip()]
    if (len(sentences) > 1 and not COMPLETE.search(marked)) or WITHDRAWN.search(marked):
        return None
    named = [_read_undoubted(sentence) for sentence in sentences]
    places = {place for sentence in named for place in sentence}
    if named and len(named[0]) == 1 and named[-1] <= named[0]:
        places = named[0]
    return list(places) if len(places) == 1 else None


def _read_undoubted(sentence: str) -> set[int]:
    if is_by_others(sentence):
        return set()
    return {place for clause in CLAUSE.split(sentence) if not DOUBTED.search(clause) for place in read_marks(clause)}


def read_remaining(marked: str, count: int) -> list[int]:
    """Return the choice that is left if the reply rejects all others."""
    rejected = {place for match in REJECTED.finditer(marked) for place in read_marks(match[0])}
    return sorted(set(range(count)) - rejected) if len(rejected) == count - 1 > 1 else []
