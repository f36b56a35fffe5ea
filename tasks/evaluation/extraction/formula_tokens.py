"""The words and signs of a formula in plain notation: numbers, letters, functions and operators."""

import re

MOST_TOKENS = 120
TOKEN = re.compile(
    r"\s*(?:(?P<number>\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"|(?P<function>arc(?:sin|cos|tan)|(?:sin|cos|tan)h?|sec|csc|cot|ln|log_\(?\d+\)?|log|lg|exp|sqrt|root|abs|binom)"
    r"|(?P<letters>pi|[^\W\d_]'?\d{0,3}(?![\d.]))|(?P<sign>\*\*|!!|[-+*/^!()|,∞]))"
)
# A run of letters is a product of at most this many, else a word.
LONGEST_PRODUCT = 3
WORD = re.compile(r"[^\W\d_]{2,}")
# fmt: off
NOT_PRODUCTS = frozenset([
    "or", "and", "of", "no", "in", "is", "to", "at", "by", "if", "an", "as", "am", "pm", "on", "cm", "mm",
    "km", "kg", "mg", "ml", "ms", "ft", "mi", "lb", "hr", "kj", "kw", "hz", "st", "nd", "rd", "th",
])
# fmt: on


def tokenize(text: str) -> list[tuple[str, str]] | None:
    """Return the kinds and words of a formula, in order; None if anything in it cannot be part of one."""
    for word in WORD.findall(text):
        bare = re.sub(r"^(?:arc)?(?:sin|cos|tan|sec|csc|cot|ln|log|exp|sqrt|root|abs|binom)h?|^pi", "", word)
        if word.casefold() in NOT_PRODUCTS or (len(bare) > LONGEST_PRODUCT) or (len(bare) > 1 and not bare.islower()):
            return None
    tokens, position = list[tuple[str, str]](), 0
    text = text.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match or len(tokens) >= MOST_TOKENS:
            return None
        tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
        position = match.end()
    return tokens or None
