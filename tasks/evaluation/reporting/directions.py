"""Signs that change the direction of writing, in names from outside that stand within our own sentences.

A model called `x` and U+202E would have the rest of each sentence about it read backwards: "thgir snoitseuq 3 fo % 7.66".
"""

import re

# Embeddings, overrides and isolates, with their ends. Names in right-to-left scripts need none of them.
DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def drop_directions(text: str) -> str:
    """Return the text without the signs by which it could turn the words around it."""
    return DIRECTIONS.sub("", text)
