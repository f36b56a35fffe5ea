"""Words compared with words: case, articles, quotes and the punctuation of prose do not count, every other sign does.

"The Beatles!" is "beatles" and "U.S.A." is "USA", but "C++" is not "C", "x-1" is not "x1", and "1:2" is not "12".
"""

import re
import unicodedata
from functools import lru_cache

from tasks.evaluation.extraction.number_words import write_digits, write_ordinals

# "J. K.", "U.S.A.": the periods of initials join them.
INITIALS = re.compile(r"\b([^\W\d_])\. ?(?=[^\W\d_]\b(?:\.|$| [A-Z]))")
PERIOD = re.compile(r"(?<=\w)\.(?=\s|$|[)\]\"',;:])|(?<=\b[^\W\d_])\.(?=[^\W\d_]\b)|(?<!\d)\.{2,}|\.{2,}(?!\d)")
COMMA = re.compile(r",(?!\d)|(?<!\d),|;")
COLON = re.compile(r"(?<=[^\W\d_]):(?=\s|$)")
RATIO = re.compile(r"(?<=\d) ?: ?(?=\d)")
EXCLAMATION = re.compile(r"(?:(?<=[^\W\d_]{2})|(?<=[^\W\d_]{2}[\"')]))[!?]+(?=\s|$|[)\"'])")
# An apostrophe after one letter is a prime: y'.
QUOTES = re.compile(r"[\"`]|(?<!\b[^\W\d_])(?<!\b[^\W\d_]')'|'(?=[^\W\d_])")
# A hyphen joins words, one of which has at least three letters; between shorter ones it is a minus.
HYPHEN = re.compile(r"(?<=[^\W\d_]{3})-(?=\w)|(?<=[^\W\d_])-(?=[^\W\d_]{3})")
DASH = re.compile(r"(?<=[^\W\d_]{2}) - (?=[^\W\d_]{2})")
ARTICLE = re.compile(r"(?:\b(?:a|an|the)|^(?:A|An)|\bThe|^THE) (?=\w\w)")
# Spaces around a sign mean nothing.
AROUND_SIGN = re.compile(r" ?([-+*/^=<>|~≈∪∩∧∨→⇒±∓!]) ?")
AROUND_BRACKET = re.compile(r"(?<=[(\[{]) | (?=[)\]}])")
AND = re.compile(r" ?& ?")
TAGS = re.compile(
    r"</?(?:b|i|u|em|strong|p|br|div|span|sub|sup|code|answer|final_answer|final|li|ul|ol|td|tr|h\d)\b ?/?>", re.IGNORECASE
)
BRACKETED = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|\{([^{}]*)\}|<([^<>]*)>")
# A number with the sign of a unit, and the sign of an element: Mb is not mb, Co is not CO.
CAPITALS_DECIDE = re.compile(r"[-+]?[\d.]+ ?[^\W\d_]{1,3}|[A-Z][A-Za-z]")
WORDS = re.compile(r"[^\W\d_](?:[\w .'-]*[\w.'])?")


@lru_cache(maxsize=256)  # the readings of one answer meet the same reference
def make_key(text: str, *, joint: str = "") -> str:
    """Return a key that two answers in plain notation (notation.py) share if they say the same.

    The `joint` takes the place of a hyphen within a word.
    """
    text = EXCLAMATION.sub("", INITIALS.sub(r"\1", write_digits(write_ordinals(text))))
    text = COLON.sub("", COMMA.sub(" ", PERIOD.sub("", text)))
    text = " ".join(QUOTES.sub("", text).split())
    text = ARTICLE.sub("", HYPHEN.sub(joint, DASH.sub(" ", RATIO.sub(":", AND.sub(" and ", text)))))
    return AROUND_SIGN.sub(r"\1", AROUND_BRACKET.sub("", text)).casefold().strip()


def are_same_words(one: str, other: str) -> bool:
    """Return True if both say the same; a text that says nothing is not the same as any other.

    Accents count unless one of the two is written without any.
    """
    if one.isascii() != other.isascii():
        one, other = _drop_accents(one), _drop_accents(other)
    first, second = make_key(one), make_key(other)
    if not first or not second or (one != other and CAPITALS_DECIDE.fullmatch(one) and CAPITALS_DECIDE.fullmatch(other)):
        return False
    return first == second or _join(one) == _join(other) or make_key(one, joint=" ") == make_key(other, joint=" ")


def _drop_accents(text: str) -> str:
    """Return the text with plain letters; signs such as "≮" stay, whose strokes decide."""
    return "".join(unicodedata.normalize("NFD", sign)[0] if sign.isalpha() else sign for sign in text)


def unwrap(text: str) -> str:
    """Return the text without the brackets and quotes that enclose all of it, if they hold only words or a letter."""
    text = TAGS.sub("", text).strip()
    match = BRACKETED.fullmatch(text)
    inner = next((part for part in match.groups() if part is not None), "") if match else ""
    return inner.strip() if WORDS.fullmatch(inner.strip()) else text


def _join(text: str) -> str:
    """Return the key of words with a hyphen, a space or nothing between them; in other texts, what separates them stays."""
    if not re.fullmatch(r"[^\W\d_]{3,}(?:[ -][^\W\d_]{3,})+|[^\W\d_]{6,}", text.strip(" .,!")):
        return make_key(text)
    return re.sub(r"[ -]", "", make_key(text))
