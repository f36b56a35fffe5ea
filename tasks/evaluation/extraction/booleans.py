"""Yes or no: a reply must say one and not the other, and must not say that it cannot tell."""

import re

YES, NO = (
    ("yes", "true", "correct", "yeah", "yep", "right", "absolutely", "certainly"),
    ("no", "false", "incorrect", "nope", "wrong", "untrue"),
)
WORD = rf"(?P<word>{'|'.join(YES + NO)})"
REFERENCES = {"yes": True, "true": True, "correct": True, "no": False, "false": False, "incorrect": False}
UNDECIDED = re.compile(
    r"\?|\A\W*if\b|\b(?:can ?not|can't|could not|couldn't|impossible to|unable to|hard to|difficult to)"
    r" (?:\w+ ){0,3}?(?:be |say|tell|know|determin|decid|answer)"
    r"|\b(?:unknown|undetermined|uncertain|unclear|unsure|undecided|depends?|perhaps|maybe|possibly|either"
    r"|neither|ambiguous|opposite|contrary|converse"
    r"|not (?:sure|certain|clear|known|enough|necessarily|always)|don't know|do not know|not know|no idea|nobody knows"
    r"|no one knows"
    r"|yes (?:and|or|/) no|true (?:and|or) false|whether)\b|\byes ?/ ?no\b",
    re.IGNORECASE,
)
# "Yes", "Yes, it does", "No it isn't", "True because ...": the word stands alone, or begins what explains it.
LEADING = re.compile(
    rf"(?:\A|[.!;:,—–-]\s*|\b(?:wait|actually|so|but|therefore|thus|hence|is|say|answer)\s+)[\"'(\[]*(?P<not>not\s+)?{WORD}\b"
    # "No. 5" is a number.
    r"(?!(?<=no)\. ?\d)"
    r"(?=[\"')\]]*\s*(?:\Z|[.,!;:(—–-]|(?:it|they|he|she|we|you|i|this|that|there|because|since|as|indeed|of course)\b))",
    re.IGNORECASE,
)
STATED = re.compile(
    rf"(?:\b(?:is|are|was|were)|'s)\s+(?P<not>not\s+)?(?:(?!not\b)\w+ly\s+)?(?P<also_not>not\s+)?{WORD}\b"
    rf"(?=[\"')\]]*\s*(?:\Z|[.,!;:—–-]|because\b|since\b|as\b))|\b(?:isn't|aren't"
    rf"|wasn't)(?P<never>\s+){WORD.replace('word', 'other')}\b",
    re.IGNORECASE,
)
# "Of course not", "I don't think so": no, without the word.
DENIED = re.compile(
    r"\A\W*(?:(?:of course|definitely|certainly|absolutely|surely|i think|i believe|i'm afraid) not\b(?! (?:sure|certain))"
    r"|not (?:really|at all)\b|by no means\b|i (?:do not|don't) (?:think|believe) so\b)",
    re.IGNORECASE,
)
# A reference that begins with its yes or no, and explains it.
EXPLAINED = re.compile(r"(yes|no)[,;:.–—](?=\s)(?!\s*\d)", re.IGNORECASE)
TAKEN_BACK = re.compile(r"\b(?:wait|actually|correction|sorry|scratch that|oops|rather|i mean)\b", re.IGNORECASE)


def read_reference(text: str) -> bool | None:
    """Return what a reference says if it is only a yes or no; None for any other."""
    explained = EXPLAINED.match(text)
    return REFERENCES.get((explained[1] if explained else text.strip(" .!\"'`*")).casefold())


def read_boolean(text: str) -> bool | None:
    """Return what an answer says: True for yes, False for no; None if it says neither, or both."""
    if UNDECIDED.search(text):
        return None
    if DENIED.match(text):
        return False
    said = sorted((found.start(), _read(found)) for pattern in (LEADING, STATED) for found in pattern.finditer(text))
    meanings = {meaning for _, meaning in said}
    if len(meanings) > 1 and not TAKEN_BACK.search(text, said[0][0], said[-1][0] + 1):
        return None
    return said[-1][1] if said else None


def _read(found: re.Match[str]) -> bool:
    groups = found.groupdict()
    word = (groups.get("word") or groups.get("other") or "").casefold()
    is_denied = sum(1 for name in ("not", "also_not", "never") if groups.get(name)) % 2 == 1
    return (word in YES) != is_denied
