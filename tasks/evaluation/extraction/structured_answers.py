"""Answers in a form for programs, rewritten as the line that our prompts ask for: "ANSWER: B".

A field of JSON, a tag, a LaTeX box and a group of labels in brackets become such lines, so that one reader reads them all. A
letter of another alphabet that stands alone and looks like a label becomes that label.
"""

import re
from collections.abc import Container

from tasks.evaluation.extraction.plain_text import WRAPPED

NOUN = r"(?:answer|choice|option|label|letter|response)"
FIELD = (
    rf"(?:(?:final|correct|selected|chosen|right|best|model|my)[_ -]?)?{NOUN}(?:[_ -]?(?:choice|letter|label|option|key|text))?"
    rf"|(?:(?:final|correct|selected|chosen|right)[_ -]?)?answers|(?:correct|selected|chosen|right)[_ -]?{NOUN}s"
    r"|final|ans|prediction|output|conclusion|solution"
)
# The class at the beginning is found fast.
STRUCTURED = re.compile(
    rf"[\"'<](?:(?<=[\"'])(?:{FIELD})[\"']\s{{0,9}}:\s{{0,9}}"
    r"(?P<field>\"[^\"\n]{0,300}\"|'[^'\n]{0,300}'|\[[^\[\]{}]{0,300}\]|\w{1,9})"
    rf"|(?<=<)(?:{FIELD})>(?P<tag>[^<>]{{0,300}})(?:</\w{{0,20}}>|\Z))",
    re.IGNORECASE,
)
# A field that a list of verdicts repeats for each choice.
ITEM = re.compile(r"[\"'<]?(?:option|choice|label|letter)\b", re.IGNORECASE)
BOXED = re.compile(r"\\?\bf?boxe?d?\{((?:[^{}]|\{[^{}]{0,80}\}){0,99})(?:\}|\Z)")
# "(A, C)", "{A, C}": a label in brackets is read as it is, several are not.
GROUP = re.compile(r"[(\[{]\s{0,3}([A-Z](?:\s{0,3}(?:[,;/&]|\band\b|\bor\b)\s{0,3}[A-Z]){1,25})\s{0,3}[)\]}]")
PAIR = re.compile(r"\\\{([^{}]*)\\\}|\{([^{}]*)\}|\[([^\[\]]*)\]|\(([^()]*)\)|\"([^\"]*)\"|'([^']*)'")
# "Rätt svar är B.": a short sentence with the word for an answer and a label at its end, in languages not read otherwise.
FOREIGN = re.compile(
    r"\A[^\n]{0,40}?(?:\b(?:jawaban|svar(?:et)?|cevap|câu trả lời|đáp án|antwoord|odpowied[źz]|odpověď|vastaus|răspunsul?"
    r"|válasz|απάντηση|відповідь)\b|উত্তর|उत्तर|คำตอบ|الإجابة|תשובה)[^\n]{0,30}?(?<!\w)([A-Z])(?:\s?(?:है|।))*[^\w\n]{0,4}\Z",
    re.IGNORECASE,
)
LONGEST_FOREIGN = 80
# A list whose lines begin with a box: a ticked one is chosen.
BOX = re.compile(
    r"^[ \t]*(?:[-*+•][ \t]+)?(?:\[(?P<tick>[ xX✓✔]?)\]|(?P<sign>[☐☑☒✅⬜◯○●◉]))[ \t]*(?P<item>\S[^\n]*)$", re.MULTILINE
)
TICKS = frozenset("xX✓✔☑☒✅●◉")
LOOKALIKES = str.maketrans(
    "АВСЕНІЈКМОРЅТХавсеіјкорѕхΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "ABCEHIJKMOPSTXabceijkopsxABEZHIKMNOPTYX",
)
ALONE = re.compile(r"(?<![^\W_])[\u0391-\u03a7\u0405-\u0458](?=[\s]{0,3}(?:$|[^\w\s]))", re.MULTILINE)


def write_out(text: str, labels: Container[str] = ()) -> str:
    """Return the text with each answer in a form for programs as a line of its own: "ANSWER: B".

    A Cyrillic or Greek letter alone is the Latin one that looks like it, unless it is one of the question's own labels.
    """
    if not text.isascii():
        text = ALONE.sub(lambda match: match[0] if match[0].upper() in labels else match[0].translate(LOOKALIKES), text)
    if "[" in text or not text.isascii():
        text = _write_ticked(text)
    if len(text) <= LONGEST_FOREIGN:
        text = FOREIGN.sub(_write_line, text)
    if "box{" in text or "boxed{" in text:
        text = BOXED.sub(_write_line, WRAPPED.sub(r"\1", WRAPPED.sub(r"\1", text)))
    if '"' in text or "'" in text or "<" in text:
        written = STRUCTURED.sub(_write_line, text)
        items = {match[0].casefold() for match in STRUCTURED.finditer(text) if ITEM.match(match[0])} if written != text else ()
        text = written if len(items) < 2 else text
    return GROUP.sub(r"\1", text) if "(" in text or "[" in text or "{" in text else text


def _write_ticked(text: str) -> str:
    """Return the text with the ticked lines of a list of boxes as one answer, and without the others."""
    boxes = list(BOX.finditer(text))
    ticked = [box["item"] for box in boxes if (box["tick"] or box["sign"]) in TICKS]
    if not 0 < len(ticked) < len(boxes):
        return text
    return f"{BOX.sub('', text).rstrip()}\nANSWER: {', '.join(ticked)}\n"


def _write_line(match: re.Match[str]) -> str:
    content = next((group for group in match.groups() if group is not None), "").strip(" \n\t$.,")
    while (pair := PAIR.fullmatch(content)) is not None:
        content = next(group for group in pair.groups() if group is not None).strip()
    items = (item.strip(" \"'\n") for item in content.split(","))
    return f"\nANSWER: {', '.join(items)}\n"
