"""Numbers in English words, as digits: "one hundred and five" is 105, "twenty-first" is 21st, "two thirds" is 2/3."""

import re

# fmt: off
SMALL = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]
# fmt: on
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
VALUES = {word: value for value, word in enumerate(SMALL)} | {word: 20 + 10 * place for place, word in enumerate(TENS)}
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
ORDINALS = {
    **{f"{word}th": VALUES[word] for word in SMALL[6:] if word not in ("eight", "nine", "twelve")},
    **{f"{word[:-1]}ieth": VALUES[word] for word in TENS},
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "eighth": 8,
    "ninth": 9,
    "twelfth": 12,
    "hundredth": 100,
    "thousandth": 1000,
}
PARTS = {"half": 2, "halves": 2, "third": 3, "quarter": 4} | {word: value for word, value in ORDINALS.items() if value > 3}
CARDINAL = re.compile(
    r"(?<!\d )\b(?:{words}|hundred)\b(?:[ -](?:and )?(?:{words}|hundred|{scales})\b)*(?![ -](?:{ordinals})\b)".format(
        words="|".join([*SMALL, *TENS]), scales="|".join(SCALES), ordinals="|".join(ORDINALS)
    ),
    re.IGNORECASE,
)
UNDER_TWENTY = "|".join(sorted(SMALL[1:], key=len, reverse=True))
GROUP = re.compile(
    rf"(?P<hundred>(?:(?P<hundreds>{UNDER_TWENTY}) )?hundred)?"
    rf"(?: ?\b(?:and )?(?:(?P<tens>{'|'.join(TENS)})(?: (?P<unit>{'|'.join(SMALL[1:10])}))?|(?P<small>{UNDER_TWENTY})))?|zero"
)
ORDINAL = re.compile(rf"(?:\b(?P<tens>{'|'.join(TENS)})[ -])?\b(?P<last>{'|'.join(ORDINALS)})\b", re.IGNORECASE)
FRACTION = re.compile(
    rf"\b(?P<above>an?|{'|'.join(SMALL[1:])})[ -](?P<below>{'|'.join(f'{part}s?' for part in PARTS)})\b", re.IGNORECASE
)
AND_A_HALF = re.compile(r"(?<=\d) and (?:a|one)[ -]half\b|(?<=\d) and 1/2", re.IGNORECASE)
HALF = re.compile(r"\A\s*half\s*\Z", re.IGNORECASE)
DOZEN = re.compile(r"\b(?:an? |one )?dozen\b", re.IGNORECASE)
A_SCALE = re.compile(r"\ban? (?=(?:hundred|thousand|million|billion|trillion)\b)", re.IGNORECASE)


def write_digits(text: str) -> str:
    """Return the text with each number in words as digits; words that only might be numbers stay."""
    text = FRACTION.sub(_write_fraction, DOZEN.sub("12", A_SCALE.sub("one ", HALF.sub("1/2", text))))
    return AND_A_HALF.sub(" 1/2", CARDINAL.sub(_write_cardinal, text))


def write_ordinals(text: str) -> str:
    """Return the text with each ordinal in words as digits with "th": "third" is 3th, and so is "3rd"."""
    text = ORDINAL.sub(lambda found: f"{_read_tens(found['tens']) + ORDINALS[found['last'].casefold()]}th", text)
    return re.sub(r"\b(\d+)(?:st|nd|rd|th)\b", r"\1th", text, flags=re.IGNORECASE)


def _read_tens(word: str | None) -> int:
    return VALUES[word.casefold()] if word else 0


def _write_fraction(found: re.Match[str]) -> str:
    above, below = found["above"].casefold(), found["below"].casefold()
    part = PARTS.get(below) or PARTS[below.removesuffix("s")]
    return f"{VALUES.get(above, 1)}/{part}"


def _write_cardinal(found: re.Match[str]) -> str:
    """Write one number: its groups, each with a smaller scale than the one before; "one two three" is not a number."""
    total, group, scale = 0, list[str](), 10**15
    for word in re.split(r"[ -]", found[0].casefold()):
        if word not in SCALES:
            group.append(word)
            continue
        value = _read_group(group or ["one"])
        if value is None or SCALES[word] >= scale:
            return found[0]
        total, group, scale = total + value * SCALES[word], [], SCALES[word]
    value = _read_group(group) if group else 0
    return found[0] if value is None else str(total + value)


def _read_group(words: list[str]) -> int | None:
    """Return the number that words below a thousand make, such as "two hundred and thirty-four"; None if they make none."""
    match = GROUP.fullmatch(" ".join(words))
    if not match:
        return None
    hundreds = 100 * VALUES[match["hundreds"] or "one"] if match["hundred"] else 0
    return hundreds + sum(VALUES[match[name]] for name in ("tens", "unit", "small") if match[name])
