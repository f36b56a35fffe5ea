r"""Where a reply gives its final answer: after "Answer:", in `\boxed{}`, a tag or JSON, after `####`, or in a line of its own.

The last of these places counts, and a later correction ("wait, it is ...") replaces what it takes back.
"""

import json
import re
from collections.abc import Iterator

from tasks.evaluation.extraction.booleans import NO, YES
from tasks.evaluation.extraction.plain_text import final_part

ANSWER = r"(?:answers?|\bans\b\.?|réponse|antwort|respuesta|risposta|resposta|ответ|答案|答え|正解|정답|답)"
IS = r"(?: ?[:=：]|(?<=\W)(?:is|are|was|were|would be|should be|est|ist|lautet|es|è|é)\b:?|是|は|[은는])"
# What announces the answer: "The answer to this is 5", "ANSWER: 5", "A: 5", and a heading with the answer below it. A judgement
# of the answer announces nothing: "the answer is correct".
ANNOUNCED = re.compile(
    rf"{ANSWER}[\"'*_]{{0,3}}\)?(?: (?:to|of|for) [^.:\n]{{0,80}}?)? ?{IS}(?! (?:correct|right|wrong|incorrect)\b[.,]?\s*\Z)"
    r"|^[ \t>#*_]*(?:A|Result|Solution|Conclusion)[*_]{0,2}:(?=[*_\s])|^[ \t>#*_]*(?:the )?(?:final )?answer[ \t*_]*$"
    r"|^[ \t>#*_]*answer [-–—] ",
    re.IGNORECASE | re.MULTILINE,
)
HASHES = re.compile(r"^[ \t]*####(?!#)[ \t]*(?=\S)", re.MULTILINE)
TAG = re.compile(r"[<\[](final_answer|answer|final)[>\]](.{0,600}?)(?:[<\[]/\1[>\]]|\Z)", re.IGNORECASE | re.DOTALL)
BOX_TOKEN = re.compile(r"<\|begin_of_box\|>(.{0,600}?)<\|end_of_box\|>", re.DOTALL)
BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
# If there are more boxes than this, only the last ones are looked at.
LONGEST_BOX, MOST_BOXES = 600, 20
JSON_KEY = re.compile(r"[\"'](?:final[_ ]?)?(?:answer|result)[\"']\s*:\s*(?=\S)", re.IGNORECASE)
JSON_WORD = re.compile(r"'([^'\n]{0,300})'|([^,}\n]{1,300})")
FENCE = re.compile(r"^[ \t]*```\w{0,12}[ \t]*$\n?|^[ \t]*```$", re.MULTILINE)
BOLD = (
    re.compile(r"(?<![\w)*])\*{2,3}(?=[^\s*])([^\n]{1,300}?)(?<=[^\s*])\*{2,3}(?![\w*])"),
    re.compile(r"(?<![\w)*])\*(?=[^\s*])([^*\n]{1,300}?)(?<=\S)\*(?![\w*(])"),
    re.compile(r"(?<![\w}])_{1,2}(?=[^\s_])([^_\n]{1,300}?)(?<=\S)_{1,2}(?!\w)"),
)
LONE_STARS = re.compile(r"^[ \t]*\*\*|\*\*[ \t]*$", re.MULTILINE)
# A period ends a sentence unless it follows an initial or a short title: "St. Louis", "J. K. Rowling". "5!" is a number.
SENTENCE_END = re.compile(
    r"(?:(?<=[^\W\d_]{3})|(?<=\d[^\W\d_]{2}))[.!?](?=\s|$)|(?<=[\d)\]}\"'%°])[.?](?=\s|$)|(?<=[)\]\"'])!(?=\s|$)"
)
REASON = re.compile(r",? (?:because|since)\b|, (?:as|which|where)\b", re.IGNORECASE)
LEAD_IN = re.compile(
    r"(?:(?:so|thus|therefore|hence|and|ok(?:ay)?|well),?\s+)*(?:(?:it|this|that|he|she|they)(?: (?:is|was|are|were)|'s)"
    r"|i think|i believe"
    r"|i'd say|(?:the )?(?:final |correct )?answer(?: is|:))\s+",
    re.IGNORECASE,
)
LIST_ITEM = re.compile(r"^[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t]+(.+)$")
AGAIN = r"(?:wait|actually|correction|scratch that|oops|sorry|no|hmm|i mean|let me correct that)"
# "Wait, actually it is 18": what follows takes the place of what was said.
CORRECTION = re.compile(
    rf"(?:^|[\s.,;:!?(…—–-])(?:{AGAIN}\b[\s,.:;!…—–-]{{1,4}})+"
    r"(?:(?:it|that|this|the (?:correct |final |right )?answer|i)\b[^.\n]{0,30}?\b(?:is|was|be|meant?)\b:?\s*|(?:it"
    r"|that)'s\s+|make (?:it|that)\s+)?"
    r"(?P<answer>[^\n]{1,60}?)(?=[.!]?\s*\Z|[.!](?:\s|\Z)|\n)",
    re.IGNORECASE,
)
REVISED = re.compile(r"\b(?:wait|actually|correction|scratch that|oops|i mean)\b", re.IGNORECASE)
NO_CORRECTION = re.compile(
    r"(?:let|i|we|you|but|what|that|there|the|if|is|are|this|it|they|maybe|because|so|not|one|he|she|in|to|as)\b|.*[:?]"
    r"|.*\b\w+ing\b",
    re.IGNORECASE,
)
POLITE = re.compile(
    r"(?:let me know|i hope|hope (?:this|that)|feel free|please|thank|have a|note|explanation|if you|confidence)\b",
    re.IGNORECASE,
)
INTRODUCTION = re.compile(r"(?:let|we|to|first|i|sure|here|given|since|step|solution)\b", re.IGNORECASE)
SUFFIX = re.compile(r"(?<=\w)(?:です|である|だ|입니다|이다)$")
# How a solution of one paragraph ends.
CONCLUDED = re.compile(r"[.!;,:]\s+(?:\w+,? ){0,3}?(?:the )?(?:final |correct )?answer(?: is|:)\s", re.IGNORECASE)
LONGEST_LINE = 60
# A reply may ask itself this many questions before it answers.
MOST_QUESTIONS = 9
# Each place in a reply is read only this far, so that a model that repeats itself does not hold up the others.
LONGEST_ANSWER = 2000
LINE = re.compile(rf"[\s:]{{0,99}}(?:[*_]{{1,3}}(?:\s{{1,99}}|:))?([^\n]{{0,{LONGEST_ANSWER}}})")


def read_final_answer(reply: str, *, has_emphasis: bool = True) -> str:
    """Return what a reply finally answers: what it announces last, else its line that can be an answer.

    Without `has_emphasis`, stars and underscores stay: they belong to code such as `__init__`.
    """
    text = final_part(BOX_TOKEN.sub(r"\\boxed{\1}", reply))
    text = strip_emphasis(text) if has_emphasis else text
    places = [place for place in _find_places(text) if place[2].strip(" \t\n:*_.\"'`")]
    if not places:
        return trim(_correct(LEAD_IN.sub("", _choose_line(text), count=1), ""))
    _, end, answer = max(places)
    return trim(_correct(answer, text[end : end + 300]))


def read_reference_answer(reference: str) -> str:
    """Return the final answer of a reference that is a whole solution; any other reference as it is."""
    text = strip_emphasis(reference)
    has_place = HASHES.search(text) or BOX.search(text) or TAG.search(text) or CONCLUDED.search(text)
    is_solution = has_place or ("\n" in text.strip() and ANNOUNCED.search(text))
    return read_final_answer(reference) if is_solution else reference.strip()


def strip_emphasis(text: str) -> str:
    """Return the text without Markdown's fences and emphasis; a star that multiplies stays."""
    text = FENCE.sub("", text) if "```" in text else text
    for sign, pattern in zip("**_", BOLD, strict=True):
        text = pattern.sub(r"\1", text) if sign in text else text
    return LONE_STARS.sub("", text) if text.count("**") == 1 else text


def trim(text: str) -> str:
    """Return the first sentence that asks nothing, without its reason and the signs around it."""
    match = SENTENCE_END.search(text, 1)
    for _ in range(MOST_QUESTIONS):
        if not match or match[0] != "?" or not text[match.end() :].strip(" \t\n\"'`*_."):
            break
        text = text[match.end() :].lstrip()
        match = SENTENCE_END.search(text, 1)
    # A question mark stays: "Yes?" says neither yes nor no.
    text = text[: match.start() + (match[0] == "?")] if match else text
    reason = REASON.search(text, 1)
    text = (text[: reason.start()] if reason else text).strip()
    # An apostrophe only at the end is a prime: y'.
    text = text.strip(' \t\n"`“”' + ("'" if text.startswith("'") else "")).strip()
    return SUFFIX.sub("", text.rstrip("。.;,") if not text.endswith("..") else text).strip()


def _find_places(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the places that hold a final answer, each as its start, its end and the words in it."""
    for match in TAG.finditer(text):
        yield match.start(), match.end(), _first_line(match[2])
    boxes = list(_find_boxes(text))
    yield from _join_boxes(text, boxes)
    for match in HASHES.finditer(text):
        yield match.start(), *_read_line(text, match.end())
    for match in JSON_KEY.finditer(text) if "{" in text else ():
        yield match.end(), match.end(), _read_json(text, match.end())
    for match in ANNOUNCED.finditer(text):
        if not any(start < match.start() < end for start, end, _ in boxes):
            yield match.start(), *_read_line(text, match.end())


def _find_boxes(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield each box, whatever braces it holds; one that was cut ends with the text."""
    for match in list(BOX.finditer(text))[-MOST_BOXES:]:
        depth, end = 1, match.end()
        limit = min(len(text), end + LONGEST_BOX)
        while end < limit and depth:
            depth += (text[end] == "{") - (text[end] == "}")
            depth += text[end - 1 : end + 1] == "\\}"
            depth -= text[end - 1 : end + 1] == "\\{"
            end += 1
        yield match.start(), end, text[match.end() : end - 1 if not depth else end]


def _join_boxes(text: str, boxes: list[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """Yield the boxes; two on one line are the parts of one answer, unless the later takes the earlier back."""
    joined = ""
    for place, (start, end, content) in enumerate(boxes):
        between = text[boxes[place - 1][1] : start] if place else "\n"
        is_part = (
            re.fullmatch(r"[\s$]*(?:,|and|or|or \$?x ?=|, ?(?:and|or))?[\s$]*(?:\$?\w ?= ?)?", between) and "\n" not in between
        )
        joined = f"{joined}, {content}" if is_part else content
        yield start, end, re.sub(rf"\A\s*{ANSWER}:\s*", "", joined, flags=re.IGNORECASE)


def _read_line(text: str, start: int) -> tuple[int, str]:
    """Return the end and the words of the first line with words from `start` on."""
    match = LINE.match(text, start)
    line = match[1] if match else ""
    tag = TAG.match(line.strip())
    return (match.end() if match else start), tag[2] if tag else line


def _read_json(text: str, start: int) -> str:
    """Return a JSON value as words: a list is joined by commas."""
    try:
        value, _ = json.JSONDecoder().raw_decode(text[start : start + LONGEST_ANSWER])
    except (ValueError, RecursionError):
        match = JSON_WORD.match(text, start)
        return (match[1] or match[2] or "").strip().strip('"') if match else ""
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")


def _correct(answer: str, behind: str) -> str:
    """Return what takes the answer's place in the words after it, else the answer."""
    for match in reversed(list(CORRECTION.finditer(f"{answer}\n{behind}" if behind else answer))):
        correction = match["answer"].strip()
        is_later = match.start() > 0 or REVISED.search(match[0][: match.start("answer")])
        if is_later and correction and not NO_CORRECTION.match(correction):
            return correction
    return answer


def _choose_line(text: str) -> str:
    """Choose from a reply that announces nothing: its list in one line, its first line, or its last if it calculates."""
    lines = [line.lstrip(" \t>#*").rstrip(" \t*") for line in text.splitlines() if line.strip(" \t>#*-=")]
    items = [match[1] for line in text.splitlines() if (match := LIST_ITEM.match(line))]
    if len(items) == len(lines) > 1:
        return ", ".join(items)
    if not lines:
        return text.strip()
    spoken = [line for line in lines if not POLITE.match(line)] or lines
    first, last = spoken[0], spoken[-1]
    is_boolean = re.split(r"\W", first.casefold(), maxsplit=1)[0] in YES + NO
    if is_boolean or len(spoken) == 1:
        return first
    is_introduction = len(first) > LONGEST_LINE or first.endswith(":") or INTRODUCTION.match(first)
    is_calculation = len(last) <= LONGEST_LINE and any("=" in line for line in spoken)
    return last if is_introduction or is_calculation else first
