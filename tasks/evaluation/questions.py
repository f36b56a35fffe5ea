"""The questions of a run: read from the file once, selected, and found by position without being held in memory."""

import random
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from tasks.evaluation.choices import read_choices
from tasks.evaluation.errors import DamagedFile, UserMistake
from tasks.evaluation.json_files import JsonObject, JsonValue, from_line, read_array, to_line
from tasks.evaluation.spool import Spool

Format = Literal["mc", "qa"]
QuestionFormat = Literal["auto", "mc", "qa"]
MISSING = "Missing question or answer"


@dataclass(frozen=True)
class Question:
    """A question as the file gives it.

    `context` is its field `text`, empty unless the run asks with it. `format` is mc (multiple choice) or qa (short answer).
    `accepted` are further answers that are as right as the reference, without it and without repeats.
    """

    text: str
    reference: str
    context: str
    format: Format
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Selection:
    """Which of the file's questions a run takes: a random sample, the first so many, both, or all."""

    random_selection: int | None
    random_seed: int
    limit: int | None

    def choose(self, count: int) -> "array[int]":
        """The 0-based places in the file, in the order in which they are asked.

        The sample is the one that the original draws: `random.seed(seed)`, then `random.sample(questions, n)`. There is no
        sampling when n is not smaller than the file.
        """
        places = range(count)
        if self.random_selection is not None and self.random_selection < count:
            drawn = random.Random(self.random_seed).sample(places, self.random_selection)  # noqa: S311 - no secret
            return array("Q", drawn[: self.limit])
        return array("Q", places[: self.limit])


class Questions:
    """The selected questions of a file, by position (0-based place in the selection).

    Memory: about 20 bytes a question of the file, whatever its length.
    """

    def __init__(self, spool: Spool, places: "array[int]", copies: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> None:
        self._spool = spool
        self._places = places
        self._copies = copies
        self.file_count = len(spool)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, position: int) -> Question | None:
        """The question at the position; None for a record that lacks its question or its answer."""
        fields = from_line(self._spool.read(self._places[position]))
        return Question(**fields | {"accepted": tuple(fields["accepted"])}) if fields else None  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Question | None]:
        return (self[position] for position in range(len(self)))

    def copy_number(self, position: int) -> int:
        """How many identical questions stand before this one in the file."""
        return int(self._copies[self._places[position]])

    def close(self) -> None:
        """Free the disk's space."""
        self._spool.close()


def read_questions(
    path: str, *, selection: Selection, question_format: QuestionFormat, uses_context: bool, folder: Path | None = None
) -> Questions:
    """The selected questions of a file that holds one JSON array of objects with `question` and `answer`.

    Args:
        path: the file, UTF-8.
        selection: which of the file's questions are taken.
        question_format: mc or qa for all; auto decides question by question, by whether it offers choices.
        uses_context: whether the field `text` is part of the question.
        folder: where the temporary copy lies; None: the system's place for such files.

    Raises:
        UserMistake: the file cannot be read, is no list, or holds no question.
    """
    digests = array("Q")
    with ExitStack() as on_failure:
        spool = on_failure.enter_context(closing(Spool(folder)))
        for record in _read_records(path):
            question = _parse(record, question_format, uses_context=uses_context)
            spool.append(to_line(vars(question) if question else {}))
            digests.append(_digest(question))
        if not len(spool):
            raise UserMistake(f"the questions file {path} holds no questions")
        on_failure.pop_all()
    return Questions(spool, selection.choose(len(spool)), _count_copies(digests))


def _read_records(path: str) -> Iterator[JsonValue]:
    try:
        with Path(path).open(encoding="utf-8-sig") as source:
            yield from read_array(source)
    except OSError as error:
        raise UserMistake(f"cannot read the questions file {path}: {error.strerror}") from None
    except DamagedFile as error:
        raise UserMistake(f"cannot use the questions file {path}: {error}") from None


def _parse(record: JsonValue, question_format: QuestionFormat, *, uses_context: bool) -> Question | None:
    if not isinstance(record, dict):
        return None
    text, answers = _as_text(record.get("question")), _read_answers(record)
    if not text.strip() or not answers:
        return None
    chosen: Format = question_format if question_format != "auto" else "mc" if read_choices(text) else "qa"
    return Question(text, answers[0], _as_text(record.get("text")) if uses_context else "", chosen, tuple(answers[1:]))


def _read_answers(record: JsonObject) -> list[str]:
    """The answers that the record accepts, each once: those of `answer`, which may be a list, before those of `answers`."""
    given: list[JsonValue] = []
    for value in (record.get("answer"), record.get("answers")):
        given += value if isinstance(value, list) else [value]
    return list(dict.fromkeys(text for text in map(_as_text, given) if text.strip()))


def _as_text(value: JsonValue) -> str:
    """A field as text; a number is taken as it is written, anything that is no text or number as absent."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _digest(question: Question | None) -> int:
    """A number that two questions share when they are asked in the same words."""
    words = f"{question.text}\0{question.context}" if question else ""
    return int.from_bytes(blake2b(words.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _count_copies(digests: "array[int]") -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """For each question of the file, how many with the same digest stand before it."""
    series = pd.Series(np.frombuffer(digests, dtype=np.uint64))
    return np.asarray(series.groupby(series).cumcount(), dtype=np.int64)
