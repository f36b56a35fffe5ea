"""A model's words as plain text: without formatting, thinking, and turns that a base model invents.

Most texts hold hardly any formatting, and grades are read between requests, so that time counts: what cannot occur is not
searched for.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from tasks.evaluation.extraction.thinking import split_thinking

# A base model goes on after its answer: with a turn of its own, in a template's tokens or in words.
ROLE = r"(?:[ \t]*\n?[ \t]*(?:assistant|user|system|model)\b)?"
TURN = re.compile(
    rf"<[|｜](?:im_start|im_end|start|end|eot_id|eom_id|endoftext|end▁of▁sentence|end_of_text|return|user|assistant"
    rf"|system|eos|EOT)[|｜]>{ROLE}"
    rf"|<(?:start|end)_of_turn>{ROLE}|</?s>|<[be]os>|^[ \t#*]*(?:(?:Next )?(?:Question|Q|Human|User"
    rf"|Instruction)(?: ?\d{{1,4}})?:|Next question\b)",
    re.MULTILINE,
)
# Any other token of a template says nothing. `<|v|>` is physics.
HEADER = re.compile(r"<\|start_header_id\|>\w{0,20}<\|end_header_id\|>")
TOKEN = re.compile(r"<[|｜](?=\w{3})[\w▁]{1,40}[|｜]>|\[/?INST\]|<</?SYS>>")
BOX = re.compile(r"<\|begin_of_box\|>([^<]{0,300})(?:<\|end_of_box\|>|\Z)")

# Letters and digits that only look different: full-width, mathematical, circled, in brackets, squared, as flags. Superscripts
# stay as they are: their place means something.
LETTER_BLOCKS = ((0xFF10, 0xFF5A), (0x1D400, 0x1D7FF), (0x2460, 0x24E9), (0x1F110, 0x1F149), (0x2160, 0x217F))
SQUARED = (0x1F150, 0x1F170, 0x1F1E6)
INVISIBLE = (0x00AD, *range(0x200B, 0x2010), 0x2060, 0xFEFF, 0xFE0F, 0x20E3)
LETTERS = {
    code: folded
    for start, end in LETTER_BLOCKS
    for code in range(start, end + 1)
    if (folded := unicodedata.normalize("NFKC", chr(code))) and folded.isascii() and folded.strip("(). ").isalnum()
}
LETTERS |= {start + offset: chr(ord("A") + offset) for start in SQUARED for offset in range(26)}
LETTERS |= dict.fromkeys(INVISIBLE)
# Full-width and typographic punctuation, with the plain form that later patterns expect.
PUNCTUATION = (
    LETTERS
    | str.maketrans("（）［］【】「」『』“”„：；．＝’", '()[][]""""""":;.=\'')
    | str.maketrans({"。": ". ", "！": "! ", "？": "? ", "，": ", ", "、": ", ", "\u00a0": " "})
)
# Marks are in this area (marks.py): characters that are already there would be taken for marks.
PRIVATE_USE = re.compile("[\ue000-\uf8ff]")
# Lines without any formatting, as most choices are.
PLAIN = re.compile(r"(?:(?![ \t+-])[A-Za-z0-9 .,;:!?()'\"/=%&+-]*(?:\n|\Z))*")
WRAPPED = re.compile(r"\\(?:text|math|bold)\w{0,10}\s?\{([^{}\n]{0,300})\}")
# What only formats, in this order, each with signs of which every occurrence holds one. Every repeat is bounded or cannot
# overlap, so that each pattern is linear.
FORMATTING = (
    ("\\", re.compile(r"\\[dt]?frac\{([^{}\n]{1,40})\}\{([^{}\n]{1,40})\}"), r"\1/\2"),
    ("\\", WRAPPED, r"\1"),
    ("\\", WRAPPED, r"\1"),
    ("<", re.compile(r"<br ?/?>|</(?:p|li|tr|div|h\d)>", re.IGNORECASE), "\n"),
    ("\\", re.compile(r"\\([%&#_])"), r"\1"),
    ("\\", re.compile(r"\\[ ,;:]"), " "),
    ("<\\$`", re.compile(r"</?(?![A-Z]>)[A-Za-z][^<>\n]{0,100}>|\\[()\[\]]|\$|`"), ""),
    ("*_", re.compile(r"(?<![\w)])[*_]{1,3}|[*_]{1,3}(?!\w)"), ""),
    ("\n", re.compile(r"\n(?:[ \t#>|•·]|[+-](?=\s))+"), "\n"),
)


def strip_formatting(text: str) -> str:
    """Return the text without Markdown, HTML and LaTeX, in plain letters and punctuation."""
    if PLAIN.fullmatch(text):
        return text.strip()
    if not text.isascii():
        text = PRIVATE_USE.sub(" ", text.translate(PUNCTUATION))
    text = f"\n{text}"
    for signs, pattern, replacement in FORMATTING:
        if any(sign in text for sign in signs):
            text = pattern.sub(replacement, text)
    return text.strip()


def fold_case(text: str, fold_characters: Callable[[str], str] = str.lower) -> str:
    """Return the text in lower case and as long as it was: a character that would become several stays as it is.

    A pattern that minds case is much faster than one that does not.
    """
    folded = fold_characters(text)
    if len(folded) == len(text):
        return folded
    return "".join(each if len(each) == 1 else char for char in text for each in [fold_characters(char)])


@lru_cache(maxsize=64)  # a choice is compared several times while one reply is read
def fold(text: str) -> str:
    """Return a text in the form in which texts are compared: without formatting, case, line breaks and outer punctuation."""
    return " ".join(strip_formatting(text).casefold().split()).strip(" .,:;!\"'")


def final_part(reply: str) -> str:
    """Return what the reply finally says, without thinking and without turns that a base model invents after it."""
    said, _ = split_thinking(reply)
    final = next((turn for turn in TURN.split(HEADER.sub("<|start|>", said)) if turn.strip()), "")
    return TOKEN.sub(" ", BOX.sub(r"\\boxed{\1}", final)) if "<" in final or "[" in final else final
