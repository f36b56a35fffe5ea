"""The choices that a question offers, and the one that an answer chooses.

`read_choices` reads them from the question's text as it labels them itself; `read_choice` reads the label that an answer
settles on, or nothing: an answer is never given a choice that it did not make.
"""

import re
from collections.abc import Iterable, Mapping

CHOICE_LINE = re.compile(r"^[ \t]*\(?([A-Za-z]|\d{1,2})[).:][ \t]*(.*)$", re.MULTILINE)
BOXED = re.compile(r"\\boxed\{\s*(?:\\text\w*\{)?\s*\(?(\w{1,2})\)?\s*\}?\s*\}")
# "The answer is B", "Answer: (C)", "**Answer:** D", "correct choice is 2)": the words that precede a stated choice.
STATEMENT = re.compile(
    r"(?:\b(?:answer|choice|option|choose|select|pick|réponse|respuesta|antwort|risposta|resposta)\b|答案|选择|选项)"
    r"(?P<gap>[\s*_:#=\"'(\[{]*(?:(?:is|are|be|est|es|ist|è|é|为|是|should be|would be|option|choice|letter|number)\b"
    r"[\s*_:\"'(\[{]*|[为是][\s*_:\"'(\[{]*)*)"
    r"(?P<label>[A-Za-z]|\d{1,2})(?P<after>[\s*_)\]}.,:;!\"'。，、—–-]|$)",
    re.IGNORECASE,
)
# A label that stands alone or leads its line: "B", "(B)", "**B**", "B) chloroplast", "B. chloroplast".
LEADING = re.compile(r"^[\s*_#>\"'`-]*\(?(?P<label>[A-Za-z]|\d{1,2})(?:(?P<mark>[).:\]][*_]*)(?:\s|$)|[*_\s]*$)")
# One-letter words of prose, which are no choices unless punctuation says so.
PROSE_WORDS = frozenset("aAI")


def read_choices(question: str) -> dict[str, str]:
    """The labels and texts of a question's choices, in their order; empty when it offers fewer than two.

    A choice begins a line with a letter or a number and `)`, `.` or `:`, perhaps in brackets. Labels follow each other from A
    or 1; of several such lists the last one counts, since a stem may hold a list of its own. A line without the next label
    belongs to the choice before it.
    """
    runs: list[list[re.Match[str]]] = []
    for match in CHOICE_LINE.finditer(question):
        label = match[1].upper()
        if label in ("A", "1"):
            runs.append([match])
        for run in runs:
            if _follows(label, run[-1][1].upper()):
                run.append(match)
    run = max((run for run in runs if len(run) > 1), key=lambda run: run[-1].start(), default=[])
    ends = [choice.start() for choice in run[1:]] + [len(question)] * bool(run)
    return {match[1].upper(): question[match.start(2) : end].strip() for match, end in zip(run, ends, strict=True)}


def read_choice(answer: str, choices: Mapping[str, str]) -> str | None:
    """The label that the answer settles on, of those in `choices`; None when it chooses none of them.

    Looked for in this order: a LaTeX box, a sentence that states the answer, a line that begins with a label (the last of each
    counts, since reasoning names others first), and a choice's text without its label.
    """
    readers = (_read_boxed, _read_statement, _read_leading, _read_text)
    return next((label for reader in readers if (label := reader(answer.strip(), choices))), None)


def read_reference(reference: str, choices: Mapping[str, str]) -> str | None:
    """The label that a reference answer gives: as a label, a label with its text, a sentence, or the choice's text alone."""
    by_text = _read_text(reference.strip(), choices)
    leading = _read_leading(reference.strip(), choices)
    return leading or by_text or _read_statement(reference, choices)


def _follows(label: str, previous: str) -> bool:
    if label.isdigit() != previous.isdigit():
        return False
    return int(label) == int(previous) + 1 if label.isdigit() else ord(label) == ord(previous) + 1


def _last_known(labels: Iterable[str], choices: Mapping[str, str]) -> str | None:
    known = [label.upper() for label in labels if label.upper() in choices]
    return known[-1] if known else None


def _read_boxed(answer: str, choices: Mapping[str, str]) -> str | None:
    return _last_known((match[1] for match in BOXED.finditer(answer)), choices)


def _read_statement(answer: str, choices: Mapping[str, str]) -> str | None:
    return _last_known((match["label"] for match in STATEMENT.finditer(answer) if _is_label(match, answer)), choices)


def _is_label(match: re.Match[str], answer: str) -> bool:
    """Whether the letter stated is a label and not a word: "the answer is a cell" and "the answer: I think" choose nothing."""
    label, after = match["label"], match["after"]
    if label.isdigit() or after in ")]}":
        return True
    if label.islower() and not re.search(r"[*_:(\[{\"']\s*$", match["gap"]):
        return after != " " and bool(re.match(r"[\s.*_]*$", answer[match.end("label") :]))
    follows_word = bool(re.match(r"\s+\w", answer[match.end("label") :]))
    return not (label in PROSE_WORDS and follows_word)


def _read_leading(answer: str, choices: Mapping[str, str]) -> str | None:
    """The label that leads a line: one line alone, or the last line, since lines between may weigh every choice in turn."""
    lines = [line for line in answer.splitlines() if line.strip()]
    if not lines:
        return None
    candidates = lines[:1] if len(lines) == 1 else [lines[-1], lines[0]]
    for line in candidates:
        match = LEADING.match(line)
        if match and (label := _last_known([match["label"]], choices)):
            return label
    return None


def _read_text(answer: str, choices: Mapping[str, str]) -> str | None:
    wanted = _plain(answer)
    labels = [label for label, text in choices.items() if text and _plain(text) == wanted]
    return labels[0] if len(labels) == 1 else None


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .*_\"'`")
