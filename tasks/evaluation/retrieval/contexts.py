"""The contexts of a run's questions: which chunks were found for each, the text that they make, and what its result says."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tasks.evaluation.config.rag_settings import Rag
from tasks.evaluation.errors import DamagedFile, Unscored
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.questions import Question, Questions
from tasks.evaluation.retrieval.arrays import Indices, Vectors
from tasks.evaluation.retrieval.corpus import Corpus
from tasks.evaluation.retrieval.hits import Hit, describe_hits, fit_tokens, join_texts
from tasks.evaluation.retrieval.retrieved import Retrieved
from tasks.evaluation.retrieval.search import NO_CHUNK


class Contexts:
    """What is put before the questions of a run.

    `failures` says by position why nothing could be retrieved. Memory: 12 bytes for each question and chunk, once the first
    is found.

    Args:
        corpus: holds the chunks.
        questions: the run's.
        rag: the settings.
    """

    def __init__(self, corpus: Corpus, questions: Questions, rag: Rag) -> None:
        self.width = min(rag.retrieval_top_k, len(corpus))
        self.failures: dict[int, str] = {}
        self._corpus = corpus
        self._questions = questions
        self._rag = rag
        self._is_known = np.zeros(len(questions), dtype=bool)
        self._places: Indices = np.empty((0, self.width), dtype=np.int64)
        self._scores: Vectors = np.empty((0, self.width), dtype=np.float32)

    def is_known(self, position: int) -> bool:
        """Return True if it is known what was found for the question."""
        return bool(self._is_known[position])

    def keep(self, positions: Sequence[int], places: Indices, scores: Vectors) -> None:
        """Keep what was found for these questions, a row each; `NO_CHUNK` fills a row in which fewer were found."""
        if not len(self._places):
            shape = (len(self._questions), self.width)
            self._places, self._scores = np.full(shape, NO_CHUNK, dtype=np.int64), np.zeros(shape, dtype=np.float32)
        chosen = np.fromiter(positions, dtype=np.int64)
        self._places[chosen], self._scores[chosen], self._is_known[chosen] = places, scores, True
        for position in positions:
            self.failures.pop(position, None)

    def read(self, positions: Sequence[int]) -> tuple[Indices, Vectors]:
        """Return what `keep` took for these questions."""
        chosen = np.fromiter(positions, dtype=np.int64)
        return self._places[chosen], self._scores[chosen]

    def get(self, position: int) -> Retrieved:
        """Return what was found for the question.

        Raises:
            Unscored: it could not be searched for.
        """
        if not self._is_known[position]:
            raise Unscored(f"nothing could be retrieved: {self.failures.get(position, 'it was not searched for')}")
        row = self._places[position] != NO_CHUNK
        indices, scores = self._places[position][row].tolist(), self._scores[position][row].tolist()
        found = Retrieved(tuple(indices), tuple(scores), len(indices))
        if self._rag.max_context_tokens is None:
            return found
        return replace(found, used=len(fit_tokens(self._list_hits(found), self._rag.max_context_tokens)))

    def put_before(self, question: Question, retrieved: Retrieved) -> Question:
        """Return the question with the chunks that are used as its context.

        Raises:
            DamagedFile: a chunk that the corpus has not.
        """
        return replace(question, context=join_texts(self._list_hits(retrieved)[: retrieved.used]))

    def describe(self, position: int, retrieved: JsonObject) -> JsonObject:
        """Return what the question's result says about what was retrieved for it.

        Args:
            position: the question's.
            retrieved: in the form in which an answer keeps it.

        Raises:
            DamagedFile: it is not sound, or the corpus has no such chunk.
        """
        found = Retrieved.from_json(retrieved)
        hits, fields = self._list_hits(found), self._questions.metadata(position)
        return describe_hits(hits, hits[: found.used], fields, with_texts=self._rag.chunk_logging_enabled)

    def _list_hits(self, found: Retrieved) -> list[Hit]:
        if any(index >= len(self._corpus) for index in found.indices):
            raise DamagedFile("a record names a chunk that the corpus has not")
        return [Hit(self._corpus[index], score) for index, score in zip(found.indices, found.scores, strict=True)]
