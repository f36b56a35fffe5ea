"""BM25 by bm25s (extra `rag`): a search by words, which needs no model and no vectors."""

from collections.abc import Sequence

import numpy as np

from tasks.evaluation.errors import EvaluationError, UserMistake
from tasks.evaluation.retrieval.arrays import Indices, Vectors
from tasks.evaluation.retrieval.corpus import Corpus
from tasks.evaluation.retrieval.extras import import_extra
from tasks.evaluation.retrieval.search import NO_CHUNK


class WordSearcher:
    """Searches by the words that a question shares with chunks; the index is in memory.

    Args:
        corpus: whose texts are searched.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._library = import_extra("bm25s")
        self._index = self._library.BM25()
        words = self._split(list(corpus.texts()))
        if not any(words):
            raise UserMistake(f"the corpus {corpus.name} holds no words to search by: use an encoder in place of bm25")
        self._index.index(words, show_progress=False)

    def prepare(self, texts: Sequence[str]) -> dict[str, str]:  # noqa: ARG002 - as other searchers
        """Do nothing."""
        return {}

    def search(self, texts: Sequence[str], count: int) -> tuple[Vectors, Indices]:
        """Return scores and places of each text's chunks, the best first; no chunk that shares no word."""
        places, scores = self._index.retrieve(self._split(texts), k=count, show_progress=False, sorted=True)
        return np.asarray(scores, np.float32), np.where(scores > 0, places, NO_CHUNK).astype(np.int64)

    def stop(self, cause: EvaluationError) -> None:
        """Do nothing: nothing is prepared."""

    def close(self) -> None:
        """Free nothing: it goes with this object."""

    def _split(self, texts: Sequence[str]) -> list[list[str]]:
        words: list[list[str]] = self._library.tokenize(list(texts), return_ids=False, show_progress=False)
        return words
