"""What a user should know about a file of questions before a run: what is not asked, and what looks like a mistake."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.evaluation.json_lines import JsonObject, JsonValue

PICTURE_NAMES = frozenset({
    "image", "images", "picture", "pictures", "img", "image_path", "image_url", "figure", "photo", "decoded_image",
})  # fmt: skip
PASSAGE_NAMES = frozenset({"text", "context", "passage", "article", "story", "paragraph", "document", "background", "support"})
# A picture's bytes in base64, with and without the scheme before them: PNG, JPEG, GIF, WebP.
PICTURE_STARTS = ("data:image", "iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR")
# A result is a line that people open, and a value larger than this hardly describes a question.
LARGEST_CARRIED = 10_000
# Of this many questions, not all have their right choice at the same place by chance.
FEWEST_FOR_A_HABIT = 20
# Of this many short answers, not all are letters unless these name choices.
FEWEST_LETTERS = 4


@dataclass
class FileNotes:
    """Gathers, record by record, what is worth knowing about the file.

    Attributes:
        of_format: how the file was read, if not in the usual way.
        pictures: how many records have a picture in a field, by field.
        passages: how many records have a passage that is not asked, by field.
        large: how many values were too large to be carried, by field.
        labels: how many questions have their right choice at a label, by label.
        letters: how many short answers are a single letter from A to J, by letter.
        short_answers: how many short answers there are.
    """

    of_format: list[str] = field(default_factory=list)
    pictures: Counter[str] = field(default_factory=Counter)
    passages: Counter[str] = field(default_factory=Counter)
    large: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    letters: Counter[str] = field(default_factory=Counter)
    short_answers: int = 0

    def keep_metadata(self, values: Mapping[str, JsonValue], *, is_wanted: bool) -> JsonObject:
        """Return the values that results carry: neither pictures nor, unless they are wanted by name, anything large."""
        kept: JsonObject = {}
        for name, value in values.items():
            if _is_picture(value):
                self.pictures[name] += name.lower() not in PICTURE_NAMES
            elif not is_wanted and _is_large(value):
                self.large[name] += 1
            else:
                kept[name] = value
        return kept

    def add_record(self, record: JsonObject, context_field: str | None, *, uses_context: bool, known: frozenset[str]) -> None:
        """Look for pictures and passages that are neither asked nor used.

        Args:
            record: a record.
            context_field: the field that holds its context, by the settings or by its name; None if it has none.
            uses_context: whether that is asked.
            known: the other fields that are asked, and those that the settings name for another use.
        """
        for name, value in record.items():
            lowered = name.lower()
            if lowered in PICTURE_NAMES and value not in (None, "", []):
                self.pictures[name] += 1
            is_passage = (name == context_field or lowered in PASSAGE_NAMES) and name not in known
            if is_passage and value not in (None, "", [], {}) and not (uses_context and name == context_field):
                self.passages[name] += 1

    def add_labels(self, labels: tuple[str, ...], reference: str) -> None:
        """Count where the right choice of a question stands; no labels: it is a short answer."""
        if labels:
            self.labels[", ".join(labels)] += 1
        else:
            self.short_answers += 1
            letter = reference.strip(" ().")
            if len(letter) == 1 and "A" <= letter <= "J":
                self.letters[letter] += 1

    @property
    def are_all_letters(self) -> bool:
        """Return True if no question has choices, and all answers are letters, several of them."""
        is_complete = self.letters.total() == self.short_answers >= FEWEST_LETTERS
        return is_complete and not self.labels and len(self.letters) > 1

    def describe(self) -> list[str]:
        """Return a sentence for each thing that is worth knowing."""
        lines = list(self.of_format)
        for name, count in self.pictures.items():
            if count:
                lines.append(f"pictures are not sent: {name!r} ({_count(count)})")
        lines += [
            f"the passage in {name!r} ({_count(count)}) is not asked; "
            f"`fields: {{context: {name}}}` and `rag: {{use_context_field: true}}` add it to the question"
            for name, count in self.passages.items()
        ]
        for name, count in self.large.items():
            lines.append(f"{name!r} is too large to be carried into results ({_count(count)})")
        if len(self.labels) == 1 and self.labels.total() >= FEWEST_FOR_A_HABIT:
            lines.append(
                f"every right choice is {next(iter(self.labels))} ({self.labels.total():,} questions); "
                "`fields: {shuffle_choices: true}` puts choices from fields of their own into another order"
            )
        return lines


def _count(entries: int) -> str:
    return f"{entries:,} {'entry' if entries == 1 else 'entries'}"


def _is_picture(value: JsonValue) -> bool:
    """Return True for a picture's bytes as text or as the object that data sets hold it in, and for a list of such."""
    if isinstance(value, list):
        return bool(value) and all(map(_is_picture, value))
    if isinstance(value, dict):
        return isinstance(value.get("bytes"), str | bytes) or any(map(_is_picture, value.values()))
    return isinstance(value, bytes) or (isinstance(value, str) and value.startswith(PICTURE_STARTS) and len(value) > 100)


def _is_large(value: JsonValue) -> bool:
    if isinstance(value, str):
        return len(value) > LARGEST_CARRIED
    return isinstance(value, list | dict) and len(json.dumps(value, default=str)) > LARGEST_CARRIED
