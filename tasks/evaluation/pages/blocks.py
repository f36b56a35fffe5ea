"""The page's blocks: everything that is unpacked in the browser, compressed and in base64.

    block = base64(gzip(content)), in a data element of its own, which the browser neither runs nor shows

One block holds the index. The texts of every `BLOCK_ROWS` rows are 1 + runs blocks: the questions, then each run's answers, as
records with a separator between them (`texts`). So a list of questions unpacks no answers, and no more is unpacked at once than
a few hundred kilobytes. A row that a run does not have is an empty record there.
"""

import base64
import gzip
from collections.abc import Iterator, Sequence

from tasks.evaluation.pages.question_rows import NOWHERE, QuestionRows
from tasks.evaluation.pages.run_sheets import FULL_SCORE, RunSheet
from tasks.evaluation.pages.texts import RECORD_SEPARATOR, write_question
from tasks.evaluation.storage.spool import Spool

BLOCK_ROWS = 500
COMPRESSION = 6  # 9 takes twice the time and saves one per cent


def pack(content: bytes) -> bytes:
    """Return the content as a block; the same content always gives the same block."""
    return base64.b64encode(gzip.compress(content, COMPRESSION, mtime=0))


def pack_texts(sheets: Sequence[RunSheet], rows: QuestionRows, blocks: Spool, most_bytes: int) -> bool:
    """Add the blocks of all texts to the spool; return False, with a part of them added, as soon as they exceed the size.

    Raises:
        StorageFailure: they cannot be kept.
    """
    size = 0
    for start in range(0, len(rows), BLOCK_ROWS):
        for records in _list_records(sheets, rows, range(start, min(start + BLOCK_ROWS, len(rows)))):
            block = pack(RECORD_SEPARATOR.join(records).encode())
            size += len(block)
            if size > most_bytes:
                return False
            blocks.append(block)
    return True


def _list_records(sheets: Sequence[RunSheet], rows: QuestionRows, wanted: range) -> Iterator[list[str]]:
    """Yield the records of some rows: the questions, then each run's answers."""
    yield [_write_question(sheets, rows, row) for row in wanted]
    for run, sheet in enumerate(sheets):
        places = rows.places[wanted.start : wanted.stop, run].tolist()
        yield ["" if place == NOWHERE else sheet.read_answer(place) for place in places]


def _write_question(sheets: Sequence[RunSheet], rows: QuestionRows, row: int) -> str:
    """Return the question's record as the first run has it that scored it, else the first that has it at all."""
    found = [(sheet, int(place)) for sheet, place in zip(sheets, rows.places[row], strict=True) if place != NOWHERE]
    scored = ((sheet, place) for sheet, place in found if sheet.outcomes[place] <= FULL_SCORE)
    sheet, place = next(scored, found[0])
    return write_question(sheet.read_question(place))
