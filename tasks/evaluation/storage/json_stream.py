"""A reader of JSON documents of any size, one array element at a time.

A question file or a checkpoint is one JSON document that may not fit into memory. The reader decodes one value at a time
with the standard library's decoder and keeps only the text around it.
"""

import json
import zlib
from collections.abc import Iterator
from typing import TextIO

from tasks.evaluation.errors import DamagedFile
from tasks.evaluation.json_lines import JsonValue

CHUNK_CHARACTERS = 1 << 18
SPACE = " \t\n\r"
NUMBER_CHARACTERS = "0123456789.eE+-"
# How far the decoder may have looked past the end of a number: at the dot, or at `e` and a sign.
LONGEST_NUMBER_TAIL = 4


def read_array(source: TextIO) -> Iterator[JsonValue]:
    """Yield the elements of a document that is one array.

    Raises:
        DamagedFile: the document is not an array, is not JSON, or ends early; the message gives the line and column.
    """
    reader = _Reader(source)
    if reader.peek() != "[":
        raise DamagedFile(f"{reader.place()}: a list was expected, but this begins with {reader.peek()!r}")
    yield from reader.elements()
    reader.expect_end()


def read_object(source: TextIO, *, streamed: str | None) -> Iterator[tuple[str, JsonValue]]:
    """Yield the members of a document that is one object, in their order.

    The array under the key `streamed` (None: under any key) is yielded as one pair per element. Every other member is one pair
    with its whole value.

    Raises:
        DamagedFile: the document is not an object, is not JSON, or ends early.
    """
    reader = _Reader(source)
    reader.expect("{")
    while reader.peek() != "}":
        key = str(reader.value())
        reader.expect(":")
        if streamed in (key, None) and reader.peek() == "[":
            for element in reader.elements():
                yield key, element
        else:
            yield key, reader.value()
        if reader.peek() != "}":
            reader.expect(",")
    reader.expect("}")
    reader.expect_end()


class _Reader:
    """A window of text from a source, and the position in it that is read next."""

    def __init__(self, source: TextIO) -> None:
        self._source = source
        self._text = ""
        self._at = 0
        self._line, self._column = 1, 1
        self._ended = False
        self._decoder = json.JSONDecoder()

    def place(self) -> str:
        """Return the line and column that is read next, both counted from 1."""
        line, column = self._count_to(self._at)
        return f"line {line}, column {column}"

    def peek(self) -> str:
        """Return the next character that is not white space; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in SPACE:
                self._at += 1
            if self._at < len(self._text) or not self._read_on():
                return self._text[self._at : self._at + 1]

    def expect(self, character: str) -> None:
        """Step over the character, which must come next."""
        if self.peek() != character:
            found = repr(self.peek()) if self.peek() else "the file's end"
            raise DamagedFile(f"{self.place()}: {character!r} was expected, but here is {found}")
        self._at += 1

    def expect_end(self) -> None:
        """Check that nothing but white space follows."""
        if self.peek():
            raise DamagedFile(f"{self.place()}: the document has ended, but here is {self.peek()!r}")

    def elements(self) -> Iterator[JsonValue]:
        """Yield the elements of the array that comes next."""
        self.expect("[")
        while self.peek() != "]":
            yield self.value()
            if self.peek() != "]":
                self.expect(",")
                if self.peek() == "]":
                    raise DamagedFile(f"{self.place()}: a comma stands before the list's end")
        self.expect("]")

    def value(self) -> JsonValue:
        """Return the whole value that comes next."""
        self.peek()
        while True:
            try:
                value: JsonValue
                value, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError:
                raise DamagedFile(f"{self.place()}: lists or objects are nested too deeply") from None
            except json.JSONDecodeError as error:
                read = error.pos - self._at
                if not self._read_on():
                    self._at += read
                    raise DamagedFile(f"{self.place()}: {error.msg}") from None
                continue
            except ValueError as error:  # a number with more digits than Python accepts
                raise DamagedFile(f"{self.place()}: {error}") from None
            if isinstance(value, int | float) and self._may_go_on(end) and self._read_on():
                continue
            self._at = end
            return value

    def _may_go_on(self, end: int) -> bool:
        """Return True if a number that was read up to `end` may be the beginning of one cut off by the end of the text."""
        return end > len(self._text) - LONGEST_NUMBER_TAIL and not self._text[end:].strip(NUMBER_CHARACTERS)

    def _count_to(self, at: int) -> tuple[int, int]:
        """Return the line and column of a position in the current text, which itself begins at `_line` and `_column`."""
        breaks = self._text.count("\n", 0, at)
        return self._line + breaks, at - self._text.rfind("\n", 0, at) if breaks else self._column + at

    def _read_on(self) -> bool:
        """Drop what was read and fetch as much text as is left, at least a chunk; return True if anything came."""
        if self._ended:
            return False
        try:
            more = self._source.read(max(CHUNK_CHARACTERS, len(self._text) - self._at))
        except (UnicodeDecodeError, EOFError, OSError, zlib.error) as error:
            raise DamagedFile(f"after {self.place()}: {error}") from None
        self._line, self._column = self._count_to(self._at)
        self._text, self._at = self._text[self._at :] + more, 0
        self._ended = not more
        return bool(more)
