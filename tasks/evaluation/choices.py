"""The choices that a question offers, and the one that an answer finally makes.

`read_choices` reads them from the question's text as it labels them itself; `read_choice` reads the label that an answer
settles on, or nothing: an answer is never given a choice that it did not make. The patterns here are searched in a text of
marks (choice_marks.py), one character for each mention of a choice. Every gap in them is bounded, so that each is linear.
"""

import re
from collections.abc import Mapping

from tasks.evaluation.choice_marks import ECHO, MARKS, NAMED, QUOTED, final_part, fold, mark_choices, read_marks

CHOICE_LINE = re.compile(r"^[ \t]*\(?([A-Za-z]|\d{1,2})[).:][ \t]*(.*)$", re.MULTILINE)

# How nearly all references are written, which is read without all else: "B", "(B)", "B) text", "B. text".
PLAIN_REFERENCE = re.compile(r"\(?(?P<label>[A-Za-z]|\d{1,2})(?:[).:]\s*(?P<text>.*))?", re.DOTALL)
# An answer in a form for programs: a JSON field, a tag, a LaTeX box.
FIELD = r"(?:final_|correct_|selected_)?(?:answer|choice|option|label|letter|response)"
STRUCTURED = re.compile(
    rf"[\"']{FIELD}[\"']\s{{0,9}}:\s{{0,9}}(\"[^\"\n]{{0,300}}\"|'[^'\n]{{0,300}}'|\[[^\[\]{{}}]{{0,300}}\]|\w{{1,9}})"
    rf"|<{FIELD}>([^<>]{{0,300}})</"
    r"|\\boxed\{((?:[^{}]|\{[^{}]{0,80}\}){0,99})\}",
    re.IGNORECASE,
)

# One choice or several: "B", "A and C", "A, B or D".
OR = r"\b(?:or|oder|ou|или)\b|[/或]|또는"
AND = r"[,;&+和と]|\b(?:and|und|et|y|e|и)\b|및"
JOINT = rf"[ \t]{{0,3}}(?:,[ \t]{{0,3}})?(?:{OR}|{AND})[ \t]{{0,3}}"
CHOSEN = rf"(?P<chosen>[{MARKS}](?:{JOINT}[{MARKS}]){{0,25}}+)"
UNLISTED = CHOSEN.replace(f"[{MARKS}]", f"(?:{NAMED}|{QUOTED})")

# Words that keep a choice from being made, before or after it.
DENIAL = (
    r"\b(?:not|never|neither|nor|none|cannot|no|between|whether|if|unless|except|than|might|could|nicht|kein\w{0,2}"
    r"|pas|não|non|ne|не)\b|n't\b|[不非没]|ない|아니|않"
)
WRONG = (
    r"\b(?:wrong|incorrect|false|eliminated|excluded|ruled out|impossible|tempting|falsch|faux|fausse|falsa?|incorrect[ao]"
    r"|incorreta|errad[ao]|sbagliat[ao]|неверн\w{1,3})\b|错|誤|틀|[❌✗✘]"
)
UNSETTLED = (
    rf"(?!\s{{0,3}}\)?\s{{0,3}}(?:[?|]|(?:is|are|was|were|seems?|looks?|ist|est|es|è|é) (?:\w{{1,12}} )?(?:{DENIAL}|{WRONG})"
    rf"|(?:would|could|might|may|can't|cannot|isn't)\b|{WRONG}))"
)
GAP = rf"(?:(?!{DENIAL}|{WRONG})(?:[^\n.!?;{MARKS}]|\.(?=\w))){{0,60}}?"

# What announces a choice: "the answer is", "I'd go with", "故选".
ANNOUNCED = (
    r"\banswers?\b(?! choices| options)|\bans\b|\b(?:correct|response|solution|conclusion)(?= ?[:=])"
    r"|\b(?:my|the|your|our|final|correct|right|best|only) (?:\w{1,12} )?(?:choice|option|pick|selection|one|letter|response)\b"
    r"|\bréponse|\bbonne proposition|\bantwort|\blösung|\brichtig|\bkorrekt|\brespuesta"
    r"|\bsolución|\bcorrect[ao]\b|\bcorrett[ao]\b|\bcorreta\b|\brisposta|\bsoluzione|\bresposta"
    r"|\bgabarito|\bответ|\bправильн|\bверн|\bверен|答案|答え|正解|解答|정답|답"
)
# Words of choosing: the choice may follow at once.
CHOSEN_BY = (
    r"(?:\b(?:choose|pick|select|go(?:ing)? with|opt for|i(?:'d| would)? say|settle on|stick with"
    r"|lean(?:ing)? towards?|guess|label?led|match(?:es)?|corresponds? to)\b"
    r"|\b(?:choisi|wähle|direi|dirais|diría|diria|elegir|elijo|scelgo|escolh|выбираю)|选(?!项))"
)
# What concludes, where the choice follows at once and ends the clause: "so B.", "that leaves D", "→ C".
CONCLUDED = (
    rf"(?:\b(?:so|no|wait|actually|thus|hence|therefore|probably|definitely|leaves(?: us with| only)?|leaving|left with"
    rf"|(?:remains|left) is|it's|it is|that's|that is|this is|which is(?= {NAMED})|not [{MARKS}],? but|also|donc|quindi|dunque"
    r"|luego|logo|portanto|por (?:lo )?tanto|значит|итак)\b|[→⇒∴✅✓✔]|=>|所以|因此|よって|따라서)"
    r"[\s,:]{0,3}(?:(?:it's|it is|clearly|the|an?) ){0,2}"
)
ENDED = r"(?=[\"')]{0,2}\s{0,3}(?:$|[.!,:;—–(]|because\b|since\b|as\b|it is\b))"
# What confirms the choice before it: "B is correct", "C: right", "D is the answer".
CONFIRMED = (
    r"(?:\b(?:correct|right|(?:the|my) (?:\w{1,9} )?(?:answer|choice|option)|it is(?=\s{0,3}(?:$|[.!,]))|is left|remains"
    r"|richtig|korrekt|wählen|nehmen|correct[ao]|corrett[ao]|correta|exact[ao]?|правильн\w{1,3}|верн\w{1,3}|верен)\b|[✅✓✔]"
    r"|正确|正しい|正解|옳|정답|맞)"
)
# A line or a sentence that is nothing but a choice, or such lines one after the other.
ALONE = rf"(?P<chosen>[{MARKS}](?:(?:{JOINT}|[.!,;]{{0,2}}\n)[{MARKS}]){{0,25}})[^\w\n?:,|✗✘❌{MARKS}—–-]{{0,9}}$"
# The first words, where they are a label that does not begin a list, or a text that does not begin a sentence.
LEADING = (
    rf"\A[^\w{{{MARKS}]{{0,9}}(?P<chosen>{NAMED}(?:{JOINT}{NAMED}){{0,25}}(?![ \t]{{1,3}}[{MARKS}])"
    rf"|{QUOTED}(?=\s{{0,3}}(?:$|[.!;:—–]|,? because\b)))"
)
# Each finds a choice that is made: announced, concluded, confirmed, alone, leading. The last in the answer counts.
DECISIONS = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        rf"(?:(?:{ANNOUNCED})(?! ?[{MARKS}])|{CHOSEN_BY}){GAP}[\s\"'(\[]{{0,9}}{UNLISTED.replace('}+', '}')}{UNSETTLED}",
        rf"(?:{ANNOUNCED}) ?{UNLISTED}{ENDED}",
        rf"{CONCLUDED}{UNLISTED}{ENDED}",
        rf"{CHOSEN}(?!{GAP}\bwould\b){GAP}{CONFIRMED}",
        rf"(?:^|[.!…:] )[^\w\n{MARKS}]{{0,9}}{ALONE}",
        rf"{LEADING}{UNSETTLED}",
    )
)
# A decision before these words is withdrawn, unless another follows.
WITHDRAWN = re.compile(
    r"\bwait\b|\bcorrection:|\b(?:that|this)(?:'s| is| was| can't be) (?:not right|not correct|wrong|incorrect|right\?)"
    r"|\blet me (?:think again|reconsider|re-?check|double-?check)|\bon second thought",
    re.IGNORECASE,
)
# "If it were larger, the answer would be B" chooses nothing; "if I had to choose" does.
SUPPOSED = re.compile(r"\bif\b(?! i\b)[^.!?\n]{0,200}\bwould\b[^.!?\n]{0,30}\Z", re.IGNORECASE)
# "C: True" in a list of verdicts, which counts where it is the only one.
TRUE = re.compile(rf"{CHOSEN}{GAP}\b(?:true|yes|vrai|oui|wahr|ja|verdader[ao]|sí|vero|sì|verdadeir[ao]|sim)\b", re.IGNORECASE)
REJECTED = re.compile(
    rf"\b(?:not|n't be|rul(?:es?|ed|ing) out|eliminat(?:es?|ed|ing)|removes?|neither|nor) {CHOSEN}"
    rf"|{CHOSEN.replace('chosen', 'wrong')}[^\n.;?{MARKS}]{{0,40}}?(?:{WRONG}|(?:\bnot|n't) (?:correct|right)\b)",
    re.IGNORECASE,
)
SENTENCE, CLAUSE = re.compile(r"(?<=[.!?…])\s+|\n"), re.compile(r"[,;:—–]\s")
COMPLETE = re.compile(r"[^\w\s,:(–—-]\s*\Z")
DOUBTED = re.compile(
    rf"{DENIAL}|{WRONG}|\b(?:rul(?:e|ing) out|eliminat|exclud)|\bwould\b|\?|[{chr(0xE200)}-{chr(0xE2FF)}]", re.IGNORECASE
)


def read_choices(question: str) -> dict[str, str]:
    """The labels and texts of a question's choices, in their order; empty when it offers fewer than two.

    A choice begins a line with a letter or a number and `)`, `.` or `:`, perhaps in brackets. Labels follow each other from A
    or 1; of several such lists the last one counts, since a stem may hold a list of its own. A line without the next label
    belongs to the choice before it.
    """
    runs: list[list[re.Match[str]]] = []
    for match in CHOICE_LINE.finditer(question):
        label = match[1].upper()
        if label in ("A", "1"):
            runs.append([match])
        for run in runs:
            if _follows(label, run[-1][1].upper()):
                run.append(match)
    run = max((run for run in runs if len(run) > 1), key=lambda run: (run[-1].start(), run[0].start()), default=[])
    ends = [choice.start() for choice in run[1:]] + [len(question)] * bool(run)
    return {match[1].upper(): question[match.start(2) : end].strip() for match, end in zip(run, ends, strict=True)}


def read_choice(answer: str, choices: Mapping[str, str], *, several: bool = False) -> str | None:
    """The label that the answer settles on, of those in `choices`; None when it settles on none of them.

    What it says last counts. With `several`, an answer may choose more than one, given in order: "A, C"; without, an answer
    that chooses more than one chooses nothing.
    """
    places = _read_places(final_part(answer), choices) if choices else []
    is_settled = len(places) == 1 or (several and places)
    return ", ".join(list(choices)[place] for place in places) if is_settled else None


def read_reference(reference: str, choices: Mapping[str, str]) -> str | None:
    """The labels that a reference answer gives, in order: "B" or "A, C"; None when it names no choice.

    It may give a label, a label with its text, a sentence, or one choice's whole text.
    """
    plain = PLAIN_REFERENCE.fullmatch(reference.strip())
    if plain and plain["label"].upper() in choices and (plain["text"] or "") in {"", choices[plain["label"].upper()]}:
        return plain["label"].upper()
    labels = [label for label, text in choices.items() if text and fold(text) == fold(reference)]
    if len(labels) == 1 and reference.strip().upper() not in choices:
        return labels[0]
    marked = mark_choices(reference, choices) if choices else ""
    places = (_read_decision(marked) if re.search(NAMED, marked) else None) or []
    return ", ".join(list(choices)[place] for place in places) or None


def _read_places(answer: str, choices: Mapping[str, str]) -> list[int]:
    """The positions of the choices that an answer makes, by the first of these ways in which it settles."""
    structured = [next((group for group in match.groups() if group), "") for match in STRUCTURED.finditer(answer)]
    if structured and fold(structured[-1]) in {"", "null", "none"}:
        return []
    if structured and (places := _read_decision(mark_choices(structured[-1].strip("\"'[] \n"), choices))):
        return places
    marked = mark_choices(answer, choices)
    for read in (_read_decision, _read_only_true, _read_only_mention):
        if (places := read(marked)) is not None:
            return places
    return _read_remaining(marked, len(choices))


def _read_decision(marked: str) -> list[int] | None:
    """The choices of the last decision; none when it is withdrawn or an alternative, None when there is no decision."""
    found = [match for pattern in DECISIONS for match in pattern.finditer(marked) if not _is_supposed(match)]
    last = max(found, key=lambda match: match.start("chosen"), default=None)
    if last is None:
        return None
    places = [] if re.search(OR, last["chosen"]) else read_marks(last["chosen"])
    withdrawals = list(WITHDRAWN.finditer(marked, last.end("chosen")))
    if not withdrawals:
        return places
    instead = _read_only_mention(marked[withdrawals[-1].end() :]) or []
    return [] if instead == places else instead


def _is_supposed(match: re.Match[str]) -> bool:
    return bool(SUPPOSED.search(match.string, max(0, match.start("chosen") - 250), match.start("chosen")))


def _read_only_true(marked: str) -> list[int] | None:
    """The choice that alone is called true."""
    places = {place for match in TRUE.finditer(marked) for place in read_marks(match["chosen"])}
    return list(places) if len(places) == 1 else None


def _read_only_mention(marked: str) -> list[int] | None:
    """The one choice that an answer mentions without a doubt, at all or in its first sentence, without one in its last.

    An answer that breaks off has not come to its choice.
    """
    # Before an echo of the choices stands one of the question.
    sentences = [sentence for sentence in SENTENCE.split(marked.rpartition(ECHO)[2]) if sentence.strip()]
    if (len(sentences) > 1 and not COMPLETE.search(marked)) or WITHDRAWN.search(marked):
        return None
    named = [_read_undoubted(sentence) for sentence in sentences]
    places = {place for sentence in named for place in sentence}
    if named and len(named[0]) == 1 and named[-1] <= named[0]:
        places = named[0]
    return list(places) if len(places) == 1 else None


def _read_undoubted(sentence: str) -> set[int]:
    return {place for clause in CLAUSE.split(sentence) if not DOUBTED.search(clause) for place in read_marks(clause)}


def _read_remaining(marked: str, count: int) -> list[int]:
    """The choice that is left when the answer rejects all others."""
    rejected = {place for match in REJECTED.finditer(marked) for place in read_marks(match[0])}
    return sorted(set(range(count)) - rejected) if len(rejected) == count - 1 > 1 else []


def _follows(label: str, previous: str) -> bool:
    if label.isdigit() != previous.isdigit():
        return False
    return int(label) == int(previous) + 1 if label.isdigit() else ord(label) == ord(previous) + 1
