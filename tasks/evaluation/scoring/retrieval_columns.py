"""What the statistics need to know of the chunks that were retrieved for each question."""

from collections.abc import Mapping

import numpy as np

from tasks.evaluation.json_lines import JsonValue
from tasks.evaluation.retrieval.retrieved import RETRIEVAL_INFO, read_retrieved
from tasks.evaluation.statistics.arrays import Codes
from tasks.evaluation.statistics.retrieval_summary import NO_SOURCE, NOT_RETRIEVED, RetrievalTable


class RetrievalColumns:
    """A row for each question, which take no memory as long as nothing was retrieved.

    Args:
        count: the number of questions.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._table: RetrievalTable | None = None

    def note(self, position: int, record: Mapping[str, JsonValue]) -> None:
        """Note what the question's record says."""
        retrieved = read_retrieved(record)
        if retrieved is None:
            if self._table:
                self._table.ranks[position] = NOT_RETRIEVED
            return
        table = self._table = self._table or _make_table(self._count)
        scores = retrieved["scores"]
        assert isinstance(scores, list)
        best, used = (scores[0] if scores else None), retrieved["used"]
        table.ranks[position] = _read_rank(record, len(scores))
        table.counts[position] = len(scores)
        table.scores[position] = best if isinstance(best, float) else np.nan
        table.dropped[position] = len(scores) - used if isinstance(used, int) else 0

    def pick(self, positions: Codes) -> RetrievalTable:
        """Return the rows at these positions."""
        return self._table.select(positions) if self._table else _make_table(len(positions))


def _make_table(count: int) -> RetrievalTable:
    """Return a table in which nothing was retrieved."""
    whole = [np.full(count, value, dtype=np.int64) for value in (NOT_RETRIEVED, 0, 0)]
    return RetrievalTable(whole[0], whole[1], np.full(count, np.nan), whole[2])


def _read_rank(record: Mapping[str, JsonValue], count: int) -> int:
    """Return the place of the chunk that the question was made from; results of the original say only whether it was found."""
    info, found = record.get(RETRIEVAL_INFO), record.get("source_chunk_retrieved")
    rank = info.get("source_rank") if isinstance(info, dict) else None
    if isinstance(rank, int) and 0 <= rank <= count:
        return rank
    return NO_SOURCE if not isinstance(found, bool) else count if found else 0
