"""What Prefect keeps of a finished batch: its questions' records, packed.

    {"digest": "5f…", "lines": "eJx…"}

`lines` holds the line of each question's record, with a line break behind each, compressed with zlib, in base64. A line lacks
the question's text: the questions file has it, and it is the same wherever the id is. `digest` is that of the lines. Earlier
versions kept a list of whole records, under `results`.

A result is packed piece by piece: at no time does it take more memory than some lines, and what it has become.
"""

import base64
import re
import zlib
from collections.abc import Iterable
from hashlib import blake2b

from tasks.evaluation.json_lines import JsonObject, from_line, to_line

LINE_BREAK = b"\n"
# Lines are compressed this many bytes at a time: after each piece, another thread may take over.
PIECE_BYTES = 1 << 18
# Up to the first quotation mark that ends the text: each one within it has a backslash before it.
QUESTION = re.compile(rb'(\{"question_id":\d++,)"question":"[^"\\]*+(?:\\.[^"\\]*+)*+",')


def pack_lines(lines: Iterable[bytes]) -> JsonObject:
    """Return a batch's result, given the lines of its questions' records in their order."""
    digest, packer, packed, piece = blake2b(digest_size=16), zlib.compressobj(), bytearray(), bytearray()
    for line in lines:
        piece += leave_out_question(line) + LINE_BREAK
        if len(piece) >= PIECE_BYTES:
            digest.update(piece)
            packed += packer.compress(piece)
            piece.clear()
    digest.update(piece)
    packed += packer.compress(piece) + packer.flush()
    return {"digest": digest.hexdigest(), "lines": base64.b64encode(packed).decode()}


def unpack_records(outcome: JsonObject) -> list[JsonObject]:
    """Return the records in a batch's result, of this version or an earlier one; empty if it is damaged."""
    lines = _read_lines(outcome)
    return [from_line(line) for line in lines] if outcome.get("digest") == digest_lines(lines) else []


def digest_lines(lines: Iterable[bytes]) -> str:
    """Return a digest of the lines and their order."""
    digest = blake2b(digest_size=16)
    for line in lines:
        digest.update(line + LINE_BREAK)
    return digest.hexdigest()


def leave_out_question(line: bytes) -> bytes:
    """Return the line of a record without the question's text; as it is if it holds none behind its number."""
    found = QUESTION.match(line)
    return found[1] + line[found.end() :] if found else line


def _read_lines(outcome: JsonObject) -> list[bytes]:
    packed, results = outcome.get("lines"), outcome.get("results")
    if isinstance(packed, str):
        try:
            return zlib.decompress(base64.b64decode(packed)).split(LINE_BREAK)[:-1]
        except (ValueError, zlib.error):
            return []
    return [to_line(result) for result in results if isinstance(result, dict)] if isinstance(results, list) else []
