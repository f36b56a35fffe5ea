"""Texts as formats in UTF-8 can hold them."""

import re

# Half of a surrogate pair: JSON can escape one, UTF-8 has no form for it.
SURROGATE = re.compile("[\ud800-\udfff]")
REPLACEMENT = "\ufffd"


def replace_surrogates(text: str) -> str:
    """Return the text with each lone surrogate as U+FFFD, the replacement character."""
    return text if text.isascii() else SURROGATE.sub(REPLACEMENT, text)
