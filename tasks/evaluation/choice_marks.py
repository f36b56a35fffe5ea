"""An answer as plain text in which every mention of a choice is one character, its mark.

`mark_choices` prepares an answer for choices.py, whose patterns speak of marks alone and need not know a question's labels and
texts. A mark lies in Unicode's private use area, as far from its range's start as the choice from the first one: from LABEL on
for a mention by label or ordinal, from TEXT on by text alone, from LISTED on for a choice that leads a line of a list.
Formatting is gone, and so is a mere echo of the choices.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

LABEL, TEXT, LISTED, END = 0xE000, 0xE100, 0xE200, 0xE300
NAMED, QUOTED = f"[{chr(LABEL)}-{chr(TEXT - 1)}]", f"[{chr(TEXT)}-{chr(LISTED - 1)}]"
# What stands in place of a list of choices that only echoes the question.
ECHO = "\f"
MARKS = f"{chr(LABEL)}-{chr(END - 1)}"

# No part of the answer: a thought (one without an end was cut), and the turn that a base model invents after its answer.
THOUGHT = re.compile(r"\A.*</think(?:ing)?>|<think(?:ing)?>.*\Z", re.DOTALL | re.IGNORECASE)
NEXT_TURN = re.compile(r"<\|[^|\n]{1,40}\|>|^[ \t#*]*(?:Question|Q|Human|User|Instruction)(?: ?\d{1,4})?:", re.MULTILINE)

# Full-width and typographic punctuation, as the plain one that later patterns expect.
PUNCTUATION = str.maketrans("（）［］【】「」『』“”„：；．＝’", '()[][]""""""":;.=\'') | str.maketrans(
    {"。": ". ", "！": "! ", "？": "? ", "，": ", ", "、": ", ", "\u00a0": " "}
)
# What formats and says nothing, in this order. Every repeat is bounded or cannot overlap, so that each pattern is linear.
FORMATTING = (
    (re.compile(r"\\[dt]?frac\{([^{}\n]{1,40})\}\{([^{}\n]{1,40})\}"), r"\1/\2"),
    (re.compile(r"\\(?:text|math|bold)\w{0,10}\{([^{}\n]{0,300})\}"), r"\1"),
    (re.compile(r"<br ?/?>|</(?:p|li|tr|div|h\d)>", re.IGNORECASE), "\n"),
    (re.compile(r"\\([%&#_])"), r"\1"),
    (re.compile(r"</?(?![A-Z]>)[A-Za-z][^<>\n]{0,100}>|\\[()\[\]]|\$|`"), ""),
    (re.compile(r"(?<![\w)])[*_]{1,3}|[*_]{1,3}(?!\w)"), ""),
    (re.compile(r"^(?:[ \t#>|•·]|[+-](?=\s))+", re.MULTILINE), ""),
)

# Chinese, Japanese and Korean write no spaces: their letters may touch a label or a text, others may not.
LETTER = r"[^\W\u3000-\u9fff\uac00-\ud7a3]"
CJK = r"[\u3000-\u9fff\uac00-\ud7a3]"
OPTION = (
    r"(?:option|choice|letter|number|alternative|lettre|proposition|Buchstabe|Möglichkeit|Nummer|opción|letra|alternativa"
    r"|opzione|lettera|opção|número|numero|вариант\w{0,2}|номер|选项|選択肢|선택지|보기)"
)
# Ordinals do not count statements: those are often the question's own, apart from its choices.
NOUN = OPTION[:-1] + r"|answer|one|réponse|Antwort|respuesta|risposta|resposta|ответ|个?选项|个?答案|の選択肢|の答え)"
ORDINALS = (
    r"first|1st|première|premier|erste[nrs]?|primer[ao]?|prim[ao]|primeir[ao]|перв\w\w|第一|[1一]番目|첫\s?번째",
    r"second|2nd|deuxième|seconde|zweite[nrs]?|segund[ao]|second[ao]|втор\w\w|第二|[2二]番目|두\s?번째",
    r"third|3rd|troisième|dritte[nrs]?|tercer[ao]?|terz[ao]|terceir[ao]|трет\w\w|第三|[3三]番目|세\s?번째",
    r"fourth|4th|quatrième|vierte[nrs]?|cuart[ao]|quart[ao]|четв[её]рт\w\w|第四|[4四]番目|네\s?번째",
    r"fifth|5th|cinquième|fünfte[nrs]?|quint[ao]|пят\w\w|第五|[5五]番目|다섯\s?번째",
    *("sixth|6th", "seventh|7th", "eighth|8th", "ninth|9th", "tenth|10th"),
)
LAST = r"last|dernière|letzte[nrs]?|última|ultima|последн\w\w|最后一|最後|마지막"
CARDINALS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NONE_OF_THEM = r"none of (?:the above|the options|the choices|these|them)"

# Without brackets, a letter is a label only behind punctuation or one of these words, and a number behind fewer of them:
# "vitamin C", "in 1990" and "2 to the power of 5" choose nothing.
BEFORE_NUMBER = (
    r"is|are|be|answers?|answer's|so|thus|hence|therefore|no|say|choose|pick|select|go with|ist|lautet|Antwort|also|würde|wähle"
    r"|est|réponse|donc|dirais|es|la|respuesta|diría|elijo|è|risposta|quindi|direi|scelgo|é|resposta|logo|diria|escolho|это"
    r"|ответ|выбираю"
)
BEFORE_LETTER = BEFORE_NUMBER + (
    r"|was|it's|chose|with|for|to|not|than|neither|then|but|leaves|leaving|makes|removes?|eliminates?|remains|that|either|both"
    r"|between|only|clearly|out|eliminating|probably|likely|definitely|towards?|guess|le|el|il|por|по"
)
# And only if what follows makes it no article, pronoun, compound or quantity.
STOP = r"(?:\s*$|[^\w\s'+*/^=°\ue000-\ue2ff-]|\s(?:[—–-]\s|[(|&]))"
AFTER_A = rf"(?:(?={STOP})|(?=\s+(?:is|are|was|would|could|can|and|or|nor|because|since|as|it|seems|has|says)\b)|(?={CJK}))"
AFTER_I = rf"(?:(?={STOP})|(?=\s+(?:is|and|or|nor|because|since|it)\b)|(?={CJK}))"
AFTER_LETTER = rf"(?:(?!['+*/^=°-]|\.\w|\s[=+]|{LETTER}))"
AFTER_NUMBER = (
    r"(?=\s*(?:$|[.!;:)?](?:\s|$)|,\s|[—–\]\"\ue000-\ue2ff]|\(\D)|[입이で번番号が]|です"
    r"|\s+(?:because|since|as|and|or|is|it|ist|und|wählen|nehmen|est|et|es|y|è|e|é|и)\b)"
)

# What may stand before and behind a choice's text.
A_LETTER = re.compile(LETTER)
ANYWHERE = re.compile("")
BEFORE_TEXT = re.compile(rf"(?<!{LETTER})(?<![\d.,/^−-])", re.IGNORECASE)
AFTER_SHORT_TEXT = re.compile(rf"{AFTER_NUMBER}(?! that\b)", re.MULTILINE | re.IGNORECASE)
AFTER_TEXT = re.compile(rf"(?!{LETTER})(?! that\b)", re.IGNORECASE)
AFTER_SIGN = re.compile(r"(?! that\b)", re.IGNORECASE)


def mark_choices(answer: str, choices: Mapping[str, str]) -> str:
    """The answer in plain text with a mark in place of each mention of a choice."""
    text = _drop_echoes(strip_formatting(answer), choices)
    text = _mark_ordinals(_mark_texts(text, choices), len(choices))
    for pattern in _label_patterns(tuple(choices)):
        text = pattern.sub(lambda match: match["lead"] + _mark(match["label"], choices), text)
    # A label and its choice's text side by side are one mention; where they disagree, the label counts.
    text = re.sub(rf"({NAMED})[ \t).:,\"'–—(-]{{0,6}}{QUOTED}[\"')]?", r"\1", text)
    text = re.sub(rf"{QUOTED}[\"']?(?:,? \(?|: ?| ?[=–—-] ?)({NAMED})", r"\1", text)
    # Words before an echo of the choices are the question's own, which may hold a choice's text, unless they are nothing else.
    before, echo, after = text.rpartition(ECHO)
    return _mark_lists((before if re.fullmatch(rf"\W*{QUOTED}\W*", before) else re.sub(QUOTED, "", before)) + echo + after)


def read_marks(text: str) -> list[int]:
    """The choices that the marks in a text stand for, as positions in the question, each once and in order."""
    return sorted({(ord(mark) - LABEL) % (TEXT - LABEL) for mark in re.findall(f"[{MARKS}]", text)})


def final_part(answer: str) -> str:
    """What the answer says at last: no thought, and no turn that a base model invents after it."""
    return next((turn for turn in NEXT_TURN.split(THOUGHT.sub("", answer)) if turn.strip()), "")


def strip_formatting(text: str) -> str:
    """The text without Markdown, HTML and LaTeX, in plain punctuation."""
    # What lies where marks lie would be taken for one.
    text = re.sub("[\ue000-\uf8ff]", " ", text.translate(PUNCTUATION))
    for pattern, replacement in FORMATTING:
        text = pattern.sub(replacement, text)
    return text.strip()


def fold(text: str) -> str:
    """A text as it is compared with another: without formatting, case, line breaks and outer punctuation."""
    return " ".join(strip_formatting(text).casefold().split()).strip(" .,:;!\"'")


def _mark(label: str, choices: Mapping[str, str]) -> str:
    return chr(LABEL + list(choices).index(label.upper()))


def _drop_echoes(text: str, choices: Mapping[str, str]) -> str:
    """The text with ECHO for lines that only list the choices from the first on, perhaps cut, perhaps with a line twice."""
    places: dict[str, int] = {}
    for place, (label, choice) in enumerate(choices.items()):
        first_line = choice.split("\n", 1)[0]
        places |= dict.fromkeys((fold(f"{label} {first_line}"), label.casefold()), place)
    lines = [line for line in text.splitlines() if line.strip()]
    found = [places.get(fold(re.sub(r"^\W{0,3}(\w{1,2})[).:\]]+", r"\1 ", line)), -1) for line in lines]
    kept, start = list[str](), 0
    while start < len(lines):
        end = start + 1
        while found[start] == 0 and end < len(lines) and found[end] - found[end - 1] in {0, 1}:
            end += 1
        kept += lines[start:end] if found[end - 1] < 1 or found[start] else [ECHO]
        start = end
    return "\n".join(kept)


def _mark_texts(text: str, choices: Mapping[str, str]) -> str:
    folded = [fold(choice) for choice in choices.values()]
    words = " ".join(text.casefold().split())
    for place, choice in sorted(enumerate(folded), key=lambda numbered: -len(numbered[1])):
        may_occur = choice.removesuffix("?") in words or re.fullmatch(NONE_OF_THEM, choice)
        if choice and may_occur and folded.count(choice) == 1:
            mark = chr(TEXT + place)
            is_label = choice.upper() in choices
            text = _label_text_pattern(choice).sub(mark, text) if is_label else _mark_text(text, choice, mark)
    return text


def _mark_text(text: str, choice: str, mark: str) -> str:
    """The text with the mark where the choice's text occurs; a short one only where a sentence can end.

    What may stand around it is checked apart: compiled into one pattern with each choice, it took longer than all else.
    """
    words = r"\s+".join(re.escape(word) for word in choice.split())
    words = words.removesuffix(r"\?") + r"\??" if choice.endswith("?") else words
    words = NONE_OF_THEM if re.fullmatch(NONE_OF_THEM, choice) else words
    before = BEFORE_TEXT if A_LETTER.match(choice) else ANYWHERE
    after = AFTER_SHORT_TEXT if len(choice) <= 3 else AFTER_TEXT if A_LETTER.match(choice[-1]) else AFTER_SIGN

    def replace(match: re.Match[str]) -> str:
        is_apart = before.match(text, match.start()) and after.match(text, match.end())
        return mark if is_apart else match[0]

    return re.sub(words, replace, text, flags=re.IGNORECASE)


@lru_cache(maxsize=256)
def _label_text_pattern(choice: str) -> re.Pattern[str]:
    """Where a choice's text that is a label too occurs: only behind a noun."""
    return re.compile(rf"\b(?!(?:{BEFORE_LETTER}|{NOUN})\s)[A-Za-z]{{4,}} {re.escape(choice.upper())}{AFTER_NUMBER}")


def _mark_ordinals(text: str, count: int) -> str:
    """The text with marks for "the second option", "option two" and "of the four, the second"."""
    for place in range(min(count, len(ORDINALS))):
        ordinal = f"(?:{ORDINALS[place]}|{LAST})" if place == count - 1 else f"(?:{ORDINALS[place]})"
        named = rf"(?<!{LETTER}){ordinal}\s?{NOUN}(?!{LETTER})|\boption {CARDINALS[place]}\b|(?<=the four, the ){ordinal}\b"
        text = re.sub(named, chr(LABEL + place), text, flags=re.IGNORECASE)
    return text


@lru_cache(maxsize=64)
def _label_patterns(labels: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """How a label is written: in brackets or quotes, with its noun, before a bracket or a dot that leads a line, or bare."""
    is_number = labels[0].isdigit()
    label = f"(?P<label>{'|'.join(sorted(labels, key=len, reverse=True))})"
    span = r"\d" if is_number else f"[{labels[0]}-{labels[-1]}]"
    after = AFTER_NUMBER if is_number else rf"(?:(?<=A){AFTER_A}|(?<=I){AFTER_I}|(?<![AI]){AFTER_LETTER})"
    words = BEFORE_NUMBER if is_number else BEFORE_LETTER
    joint = r"(?i:and|or|nor|y|et|und|oder|ou|и|или)"
    lead = (
        rf"^[^\w\n{MARKS}]{{0,3}}|[.!?] [\"']?|[;,&] [\"']?|(?:[:=→\]]| [–—-]) ?[\"']?|\b(?i:{words}) |{CJK} ?"
        rf"|(?<={span} ){joint} |[{MARKS}](?:, ?| {joint} )" + ("" if is_number else f"|(?<={span})[;,&/]")
    )
    return (
        re.compile(rf"(?P<lead>(?<![\w)]))[(\[\"'] ?(?i:{label}) ?[)\]\"']"),
        re.compile(rf"(?P<lead>)\b(?:{OPTION}|statement|Aussage)s? ?[#:]? ?(?i:{label})(?![\w/^'-]|[.,]\d)\)?", re.IGNORECASE),
        re.compile(rf"(?P<lead>(?<![\w.,])){label} ?(?:个?选项|项|番|번)"),
        re.compile(rf"(?P<lead>{lead}|[{MARKS}] )(?i:{label})\)", re.MULTILINE),
        re.compile(rf"(?P<lead>^[^\w\n{MARKS}]{{0,3}})(?i:{label})[.:](?=\s|$|[{MARKS}])", re.MULTILINE),
        re.compile(rf"(?P<lead>{lead}){label}{after}", re.MULTILINE),
        re.compile(rf"(?P<lead>^|: ?|\b(?:is|answer) (?![ai]\b))(?i:{label})(?=[.!]?\s*$)", re.MULTILINE),
    )


def _mark_lists(text: str) -> str:
    """The text with LISTED marks where two or more lines weigh choices in their order, each beginning with its own."""
    lines = text.split("\n")
    leads = [index for index, line in enumerate(lines) if re.match(rf"[^\w\n{MARKS}]{{0,5}}[{MARKS}](?=.*\w)", line)]
    listed = {index for pair in pairwise(leads) if _place(lines[pair[0]]) < _place(lines[pair[1]]) for index in pair}
    for index in listed:
        lead = chr(LISTED + _place(lines[index]))
        lines[index] = re.sub(f"[{MARKS}]", lead, lines[index], count=1)
    return "\n".join(lines)


def _place(line: str) -> int:
    mark = re.search(f"[{MARKS}]", line)
    return (ord(mark[0]) - LABEL) % (TEXT - LABEL) if mark else -1
