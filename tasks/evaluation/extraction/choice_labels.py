"""How a choice is named by its label or its ordinal, in the languages that we read: the patterns that find it.

Each pattern comes with a sign: something that is quickly found, and without which it cannot match. Most answers hold only a few
of these forms.
"""

import re
from functools import lru_cache

from tasks.evaluation.extraction.marks import MARKS

# Chinese, Japanese and Korean write no spaces: their letters may touch a label or a text, others may not.
LETTER = r"[^\W\u3000-\u9fff\uac00-\ud7a3]"
CJK = r"[\u3000-\u9fff\uac00-\ud7a3]"
# Not in the middle of a word. Most places are, and this finds that out quickly.
OUTSIDE = r"(?<![A-Za-z](?=[A-Za-z]))"
OPTIONS = (
    r"option|choice|letter|number|alternative|lettre|proposition|Buchstabe|Möglichkeit|Nummer|opción|letra|alternativa"
    r"|opzione|lettera|opção|número|numero|вариант\w{0,2}|номер|选项|選択肢|선택지|보기"
)
# Ordinals do not count statements: those are often the question's own, apart from its choices.
NOUN = rf"(?:{OPTIONS}|answer|one|réponse|Antwort|respuesta|risposta|resposta|ответ|个?选项|个?答案|の選択肢|の答え)"
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

# Without brackets, a letter is a label only after punctuation or one of these words, and a number after fewer of them:
# "vitamin C", "in 1990" and "2 to the power of 5" choose nothing.
BEFORE_NUMBER = (
    r"is|are|be|answers?|ans|answer's|so|thus|hence|therefore|no|say|choose|pick|select|go with|ist|lautet|Antwort|also|würde"
    r"|somit|daher|wähle|est|réponse|donc|dirais|es|la|respuesta|diría|elijo|è|risposta|quindi|direi|scelgo|é|resposta|logo|diria|escolho"
    r"|это|ответ|выбираю"
)
BEFORE_LETTER = BEFORE_NUMBER + (
    r"|was|it's|chose|with|for|to|not|than|neither|then|but|leaves|leaving|makes|removes?|eliminates?|remains|that|either|both"
    r"|between|only|except|clearly|out|eliminating|actually|probably|likely|definitely|towards?|guess|le|el|il|por|по"
)
# And only if what follows does not make it an article, pronoun, compound or quantity.
STOP = rf"(?:\s*$|[^\w\s'+*/^=°{MARKS}-]|\s(?:[—–-]\s|[(|&]))"
AFTER_A = (
    rf"(?:(?={STOP})|(?=\s?{CJK})"
    r"|(?=\s+(?:is|are|was|would|could|can|and|or|nor|because|since|as|it|seems|has|says|ist|est|then)\b))"
)
AFTER_I = rf"(?:(?={STOP})|(?=\s+(?:is|and|or|nor|because|since|it)\b)|(?={CJK}))"
AFTER_LETTER = rf"(?:(?!['+*/^=°-]|\.\w|\s[=+]|{LETTER}))"
AFTER_NUMBER = (
    rf"(?=\s*(?:$|[.!;:)?](?:\s|$)|,\s|[—–\]\"{MARKS}]|\(\D)|[입이で번番号が]|です"
    r"|\s+(?:because|since|as|and|or|is|it|ist|und|wählen|nehmen|est|et|es|y|è|e|é|и)\b)"
)


@lru_cache(maxsize=64)
def label_patterns(labels: tuple[str, ...]) -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    """Return the patterns of the ways in which a label is written, each with its sign.

    In brackets or quotes, with its noun, in a table's cell, before a bracket, before a dot that leads a line, or bare.
    """
    is_number = labels[0].isdigit()
    spelled = sorted(labels, key=len, reverse=True)
    label = f"(?P<label>{'|'.join(spelled)})"
    # Spelled out: if case were ignored, İ would be an I, and the kelvin sign a K.
    either = f"(?P<label>{'|'.join(dict.fromkeys(case for each in spelled for case in (each, each.lower())))})"
    span = r"\d" if is_number else f"[{labels[0]}-{labels[-1]}]"
    after_letter = rf"(?:(?=/{span}(?!{LETTER}))|(?<=A){AFTER_A}|(?<=I){AFTER_I}|(?<![AI]){AFTER_LETTER})"
    after = AFTER_NUMBER if is_number else after_letter
    words = _any_case(BEFORE_NUMBER if is_number else BEFORE_LETTER)
    joint = r"(?i:and|or|nor|y|et|und|oder|ou|и|или)"
    lead = (
        rf"^[^\w\n{MARKS}]{{0,3}}|\b(?i:ans|answer)\) ?|[.!?] [\"']?|[;,&] [\"']?|(?:[:=→\]]| [–—-]) ?[\"']?"
        rf"|\b(?:{words}) |{CJK} ?|(?<={span} ){joint} |(?<={span}, ){joint} |[{MARKS}](?:, ?|,? {joint} )"
        + ("" if is_number else f"|(?<={span})[;,&/]")
    )
    # No label follows an ASCII letter or digit. The engine finds a class at the beginning of a pattern fast.
    first = "".join(sorted({label[0] for label in labels}))
    bare = rf"[{first}](?<![A-Za-z0-9_].)"
    folded = rf"[{first}{first.lower()}](?<![A-Za-z0-9_].)"
    rest = r"\d?" if is_number else ""
    nouns = _any_case(f"{OPTIONS}|statement|Aussage")
    forms = (
        (r"[(\[\"'<{]", rf"(?P<lead>(?<!{LETTER})(?<!\)))[(\[\"'<{{] ?{either} ?[)\]\"'>}}]"),
        (
            rf"{folded}{rest}(?![\w/^'-])",
            rf"{OUTSIDE}(?P<lead>)\b(?:{nouns})(?i:s?) ?[#:]? ?{either}(?![\w/^'-]|[.,]\d)\)?",
        ),
        ("[选项番번]", rf"(?P<lead>(?<![\w.,])){label} ?(?:个?选项|项|番|번)"),
        (r"\|", rf"(?P<lead>^|\| ?){label}(?= ?\||$)"),
        (rf"{folded}{rest}\)", rf"{OUTSIDE}(?P<lead>{lead}|[{MARKS}] ){either}\)"),
        (rf"{folded}{rest}[.:]", rf"(?P<lead>^[^\w\n{MARKS}]{{0,3}}){either}[.:](?=\s|$|[{MARKS}])"),
        (rf"{bare}{rest}(?![A-Za-z0-9_])", rf"{OUTSIDE}(?P<lead>{lead}){label}{after}"),
        (rf"{folded}{rest}[.!]?\s*$", rf"(?P<lead>^|: ?|\b(?:is|answer) (?![ai]\b)){either}(?=[.!]?\s*$)"),
    )
    return tuple((re.compile(sign, re.MULTILINE), re.compile(form, re.MULTILINE)) for sign, form in forms)


def _any_case(words: str) -> str:
    """Return the alternatives in any case, grouped by first letter: the engine skips a group of another letter at once."""
    groups: dict[str, list[str]] = {}
    for word in words.split("|"):
        groups.setdefault(word[0], []).append(word[1:])
    return "|".join(f"[{first}{first.upper()}](?i:{'|'.join(rests)})" for first, rests in groups.items())


@lru_cache(maxsize=32)
def ordinal_patterns(count: int) -> tuple[tuple[frozenset[str], re.Pattern[str]], ...]:
    """Return for each choice the pattern of its ordinal, and the signs of which each occurrence holds one."""
    patterns = []
    for place, named in enumerate(ORDINALS[:count]):
        words = f"{named}|{LAST}" if place == count - 1 else named
        ordinal, cardinal = f"(?:{words})", f"option {CARDINALS[place]}"
        pattern = rf"(?<!{LETTER}){ordinal}\s?{NOUN}(?!{LETTER})|\b{cardinal}\b|(?<=the four, the ){ordinal}\b"
        signs = frozenset([cardinal, *(_longest_literal(word) for word in words.split("|"))])
        patterns.append((signs, re.compile(pattern, re.IGNORECASE)))
    return tuple(patterns)


def _longest_literal(pattern: str) -> str:
    """Return the longest literal in a pattern without alternatives: every text that it matches holds it."""
    return max(re.split(r"\[[^\]]*\]\??|\\\w\??|.\?", pattern), key=len)


@lru_cache(maxsize=256)
def label_text_pattern(choice: str) -> re.Pattern[str]:
    """Return the pattern of a choice's text that is also a label: it counts only after a noun."""
    return re.compile(rf"\b(?!(?:{BEFORE_LETTER}|{NOUN})\s)[A-Za-z]{{4,}} {re.escape(choice.upper())}{AFTER_NUMBER}")
