"""The labels of choices: in which series one belongs and where, in whatever script it is written.

A label is brought into the form that the rest of the program uses: a capital letter or a number, whatever its width, its case
and what encloses it. A letter that looks the same in two scripts belongs to a series of each.
"""

import unicodedata

LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# The orders in which exams use these letters, which are not always the alphabets' own.
SERIES = (
    LATIN,
    "АБВГДЕЖЗИКЛМН",
    "ΑΒΓΔΕΖΗΘΙΚΛΜΝ",
    "가나다라마바사아",
    "アイウエオカキク",
    "أبجدهوزح",
    "אבגדהוזח",
    "कखगघङच",
    "กขคงจฉ",
)
LOOK_ALIKES = dict(zip("АВСЕНІКМОРТХΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABCEHIKMOPTXABEZHIKMNOPTYX", strict=True))
MOST_NUMBERS = 99
# Letters and numbers in circles and squares that Unicode does not decompose: first character, last one, label of the first.
ENCLOSED = (
    ("\U0001f150", "\U0001f169", "A"),
    ("\U0001f170", "\U0001f189", "A"),
    ("❶", "❿", "1"),
    ("➀", "➉", "1"),
    ("➊", "➓", "1"),
)
ENCLOSED_CLASS = "①-⑳⑴-⒛⒜-ⓩ❶-❿➀-➉➊-➓\U0001f110-\U0001f129\U0001f150-\U0001f169\U0001f170-\U0001f189"
LETTER_CLASS = "A-Za-zＡ-Ｚａ-ｚ" + "".join(letters + letters.lower() for letters in (*SERIES[1:], *LOOK_ALIKES))
# A regular expression for one label; Arabic and full-width digits are digits too.
LABEL = rf"(?:[{LETTER_CLASS}]|\d{{1,2}})"


def normalize_label(label: str) -> str:
    """Return the label as a capital letter or a number, without brackets, dots and whatever encloses it."""
    for first, last, start in ENCLOSED:
        if first <= label[:1] <= last:
            place = ord(label[0]) - ord(first)
            return LATIN[place] if start == "A" else str(place + 1)
    plain = unicodedata.normalize("NFKC", label).strip("().[]{}\ufe0f\u20e3 \t").upper()
    return str(int(plain)) if plain.isdecimal() else plain


def find_places(label: str) -> list[tuple[str, int]]:
    """Return each series that a normalized label belongs to, with its 0-based place there; numbers are the series "1"."""
    if label.isdecimal():
        return [("1", int(label) - 1)] if 1 <= int(label) <= MOST_NUMBERS else []
    if len(label) != 1:
        return []
    places = [(series, series.index(label)) for series in SERIES if label in series]
    alike = LOOK_ALIKES.get(label)
    return places + ([(LATIN, LATIN.index(alike))] if alike else [])


def name_label(series: str, place: int) -> str:
    """Return the label at a 0-based place of a series."""
    return str(place + 1) if series == "1" else series[place]
