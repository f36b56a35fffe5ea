"""Which field of a record is what: the `fields` block of the settings, and the usual names for what it leaves open."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

from pydantic import JsonValue

from tasks.evaluation.config.fields import Fields
from tasks.evaluation.errors import UserMistake

# Recognised in this order, and regardless of case if no field has exactly this name.
QUESTION_NAMES = ("question", "query", "problem", "prompt", "stem")
CHOICES_NAMES = ("choices", "options", "mc1_targets")
ANSWER_NAMES = ("answer", "answerKey", "answer_key", "correct_answer", "correct_option", "best_answer", "final_decision", "cop")
ALIASES_NAMES = ("answers", "correct_answers")
# Wrong answers beside the right one: one field that holds them all, or one each with a number.
WRONG_NAMES = (
    "distractor",
    "incorrectanswer",
    "wronganswer",
    "falseanswer",
    "incorrectoption",
    "incorrectchoice",
    "wrongoption",
    "wrongchoice",
    "wrong",
)
# Recognised if nothing above is; an answer under these names only beside choices, because elsewhere it may be a category.
RARER_CHOICES_NAMES = ("alternatives", "answer_choices", "answer_options", "endings", "choices_text", "options_text")
RARER_ANSWER_NAMES = ("label", "gold", "target", "correct", "answer_idx", "answer_index", "correct_index", "correct_idx")
CONTEXT_NAMES = ("text", "context", "passage")
# Columns that hold a choice each: their name is one of these, then a, b, c … or 1, 2, 3 …; a bare letter is capital.
CHOICE_COLUMN_NAMES = ("op", "opt", "option", "option_", "option ", "choice", "choice_", "choice ")
# A choice each, with any sign between the name and its letter or number: `(A)`, `A.`, `choices/0`, `a1`, `1`. Names that may
# stand for something else, such as several right answers, count only beside an answer.
SERIES = re.compile(r"(?P<stem>[^\W\d_]*?)[\s_./(\[-]*(?P<mark>[A-Za-z]|\d{1,2})[\s).\]:]*")
SERIES_STEMS = ("", "choices", "options", "选项", "选择")
SERIES_STEMS_BESIDE_ANSWER = ("a", "ans", "answer", "answers", "response")
FEWEST_IN_SERIES = 3
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NUMBERS = tuple(str(number) for number in range(1, len(LETTERS) + 1))


@dataclass(frozen=True)
class Columns:
    """The fields of a record by their roles; None or empty for what it does not have."""

    question: str | None
    choices: tuple[str, ...]
    answer: str | None
    aliases: str | None
    wrong: tuple[str, ...]
    context: str | None
    mark: str | None = None
    """What may say which choice is right, under a name that elsewhere means something else."""

    @cached_property
    def used(self) -> frozenset[str]:
        """Return the record's own fields that are part of the question."""
        names = (self.question, *self.choices, self.answer, self.aliases, *self.wrong, self.context)
        return frozenset(part for name in names if name for part in (name, name.partition(".")[0]))


def find_columns(fields: Fields, keys: Sequence[str]) -> Columns:
    """Return the roles of the fields of a record with these keys: as the settings say, else by their usual names."""
    choices = tuple(fields.choices or ([] if fields.fixed_choices else _recognise_choices(keys)))
    mark = _recognise(RARER_ANSWER_NAMES, keys)
    return Columns(
        question=fields.question or _recognise(QUESTION_NAMES, keys),
        choices=choices,
        answer=fields.answer or _recognise(ANSWER_NAMES, keys) or (mark if choices else None),
        aliases=fields.accepted or _recognise(ALIASES_NAMES, keys),
        wrong=() if choices or fields.fixed_choices else _recognise_wrong(keys),
        context=fields.context or _recognise(CONTEXT_NAMES, keys),
        mark=mark,
    )


def read_field(record: Mapping[str, JsonValue], name: str | None) -> JsonValue:
    """Return the record's field of that name, which may lead into objects; None if it has no such field."""
    if name is None or name in record:
        return record.get(name) if name else None
    value: JsonValue = dict(record)
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def refuse_unknown_fields(path: str, unknown: Sequence[str], keys: Sequence[str]) -> None:
    """Refuse names that no record has.

    Raises:
        UserMistake: there are such names; the message gives the nearest key, or all keys.
    """
    if unknown:
        nearest = difflib.get_close_matches(unknown[0], keys, n=1, cutoff=0.5)
        known = f"did you mean {nearest[0]!r}?" if nearest else f"it has {', '.join(keys)}"
        raise UserMistake(f"{path} has no field {unknown[0]!r}, which the block `fields` names: {known}")


def _recognise(names: Sequence[str], keys: Sequence[str]) -> str | None:
    """Return the first of the names that a key has; regardless of case if no key has any of them."""
    exact = next((name for name in names if name in keys), None)
    lowered = {key.lower(): key for key in reversed(keys)}
    cased = next((lowered[name.lower()] for name in names if name.lower() in lowered), None)
    joined = {_join(key): key for key in reversed(keys)}
    return exact or cased or next((joined[_join(name)] for name in names if _join(name) in joined), None)


def _recognise_wrong(keys: Sequence[str]) -> tuple[str, ...]:
    """Return the field that holds the wrong answers, or those that hold one each."""
    joined = {_join(key): key for key in reversed(keys)}
    for name in WRONG_NAMES:
        if f"{name}s" in joined:
            return (joined[f"{name}s"],)
        numbered = tuple(takewhile(bool, (joined.get(f"{name}{number}", "") for number in NUMBERS)))
        if numbered:
            return numbered
    return ()


def _join(name: str) -> str:
    """Return a field's name as one word in small letters: `Correct Answer` and `correctAnswer` are the same."""
    return "".join(character for character in name.lower() if character.isalnum())


def _recognise_choices(keys: Sequence[str]) -> list[str]:
    """Return the field that holds the choices, or at least two fields that hold one each."""
    single = _recognise(CHOICES_NAMES, keys)
    if single:
        return [single]
    lowered = {key.lower(): key for key in reversed(keys)}
    rows = [[letter if letter in keys else "" for letter in LETTERS]]
    for stem in CHOICE_COLUMN_NAMES:
        rows += [[lowered.get(f"{stem}{mark}", "") for mark in marks] for marks in (LETTERS.lower(), NUMBERS)]
    found = (list(takewhile(bool, row)) for row in rows)
    columns = next((names for names in found if len(names) > 1), [])
    rarer = _recognise(RARER_CHOICES_NAMES, keys)
    small = list(takewhile(keys.__contains__, LETTERS.lower()))
    return columns or ([rarer] if rarer else small if len(small) > 2 else _recognise_series(keys))


def _recognise_series(keys: Sequence[str]) -> list[str]:
    """Return at least three fields whose names differ only by a letter from A on, or by a number from 0 or 1 on."""
    found: dict[str, dict[str, str]] = {}
    for key in keys:
        if (match := SERIES.fullmatch(key.strip())) and key.strip() not in LETTERS.lower():
            found.setdefault(match["stem"].lower(), {})[match["mark"].upper()] = key
    has_answer = _recognise((*ANSWER_NAMES, *RARER_ANSWER_NAMES), keys) is not None
    for stem in (*SERIES_STEMS, *(SERIES_STEMS_BESIDE_ANSWER if has_answer else ())):
        for marks in (LETTERS, NUMBERS, ("0", *NUMBERS)):
            series = list(takewhile(bool, (found.get(stem, {}).get(mark, "") for mark in marks)))
            if len(series) >= FEWEST_IN_SERIES and (has_answer or not series[0].strip().isdecimal()):
                return series
    return []
