"""A model's words as plain text: without formatting, thoughts, and turns that a base model invents.

Most texts hold hardly any formatting, and a grade is read between two requests: what cannot occur is not searched for.
"""

import re

from tasks.evaluation.extraction.thinking import split_thinking

# The turn that a base model invents after its answer.
NEXT_TURN = re.compile(r"<\|[^|\n]{1,40}\|>|^[ \t#*]*(?:Question|Q|Human|User|Instruction)(?: ?\d{1,4})?:", re.MULTILINE)

# Full-width and typographic punctuation, as the plain one that later patterns expect.
PUNCTUATION = str.maketrans("（）［］【】「」『』“”„：；．＝’", '()[][]""""""":;.=\'') | str.maketrans(
    {"。": ". ", "！": "! ", "？": "? ", "，": ", ", "、": ", ", "\u00a0": " "}
)
# Marks lie here (choice_marks.py): what lies there already would be taken for one.
PRIVATE_USE = re.compile("[\ue000-\uf8ff]")
# Lines without any formatting, as most choices are.
PLAIN = re.compile(r"(?:(?![ \t+-])[A-Za-z0-9 .,;:!?()'\"/=%&+-]*(?:\n|\Z))*")
# What formats and says nothing, in this order, with signs of which each occurrence holds one. Every repeat is bounded or
# cannot overlap, so that each pattern is linear.
FORMATTING = (
    ("\\", re.compile(r"\\[dt]?frac\{([^{}\n]{1,40})\}\{([^{}\n]{1,40})\}"), r"\1/\2"),
    ("\\", re.compile(r"\\(?:text|math|bold)\w{0,10}\{([^{}\n]{0,300})\}"), r"\1"),
    ("<", re.compile(r"<br ?/?>|</(?:p|li|tr|div|h\d)>", re.IGNORECASE), "\n"),
    ("\\", re.compile(r"\\([%&#_])"), r"\1"),
    ("<\\$`", re.compile(r"</?(?![A-Z]>)[A-Za-z][^<>\n]{0,100}>|\\[()\[\]]|\$|`"), ""),
    ("*_", re.compile(r"(?<![\w)])[*_]{1,3}|[*_]{1,3}(?!\w)"), ""),
    ("\n", re.compile(r"\n(?:[ \t#>|•·]|[+-](?=\s))+"), "\n"),
)


def strip_formatting(text: str) -> str:
    """The text without Markdown, HTML and LaTeX, in plain punctuation."""
    if PLAIN.fullmatch(text):
        return text.strip()
    if not text.isascii():
        text = PRIVATE_USE.sub(" ", text.translate(PUNCTUATION))
    text = f"\n{text}"
    for signs, pattern, replacement in FORMATTING:
        if any(sign in text for sign in signs):
            text = pattern.sub(replacement, text)
    return text.strip()


def fold(text: str) -> str:
    """A text as it is compared with another: without formatting, case, line breaks and outer punctuation."""
    return " ".join(strip_formatting(text).casefold().split()).strip(" .,:;!\"'")


def final_part(answer: str) -> str:
    """What the answer says at last: no thought, and no turn that a base model invents after it."""
    spoken, _ = split_thinking(answer)
    return next((turn for turn in NEXT_TURN.split(spoken) if turn.strip()), "")
