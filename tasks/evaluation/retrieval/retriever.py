"""The retriever: from a question's text to the chunks for it.

Encoding and searching are two steps. What is encoded is kept by content, so that a run that was killed, and every other run,
encodes only the rest; the search is repeated, since it takes hardly any time.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Protocol

import numpy as np

from tasks.evaluation.errors import EvaluationError, UserMistake
from tasks.evaluation.json_lines import JsonObject, to_line
from tasks.evaluation.retrieval.arrays import Indices, Vectors
from tasks.evaluation.retrieval.corpus import Corpus
from tasks.evaluation.retrieval.encoders import LocalEncoder
from tasks.evaluation.retrieval.endpoint_encoder import Keep
from tasks.evaluation.retrieval.hits import Hit
from tasks.evaluation.retrieval.search import NO_CHUNK, Index
from tasks.evaluation.storage.vector_files import KEY_BYTES, VectorFiles

# Any chunk is as near to such a vector as any other.
NO_DIRECTION = "the encoder gave a vector of zeros, or of what is no number"


class BatchEncoder(Protocol):
    """Encodes batches of texts."""

    def encode(self, batches: Sequence[Sequence[str]], keep: Keep) -> dict[str, str]:
        """Hand each batch's vectors over as soon as they are there; return why texts could not be encoded."""

    def stop(self, cause: EvaluationError) -> None:
        """Encode nothing more; what is left fails with this cause. May be called in any thread."""

    def close(self) -> None:
        """Free what it holds."""


class LocalBatches:
    """An encoder on this machine, batch by batch; it is loaded when the first text is to be encoded.

    Args:
        load: loads it.
    """

    def __init__(self, load: Callable[[], LocalEncoder]) -> None:
        self._load = load
        self._encoder: LocalEncoder | None = None
        self._stop_cause: EvaluationError | None = None

    def encode(self, batches: Sequence[Sequence[str]], keep: Keep) -> dict[str, str]:
        """Hand each batch's vectors over as soon as they are there; no text fails alone."""
        failures: dict[str, str] = {}
        for batch in batches:
            if self._stop_cause:
                failures |= dict.fromkeys(batch, str(self._stop_cause))
                continue
            self._encoder = self._encoder or self._load()
            keep(batch, self._encoder.encode(batch))
        return failures

    def stop(self, cause: EvaluationError) -> None:
        """Encode nothing more after the present batch."""
        self._stop_cause = cause

    def close(self) -> None:
        """Free nothing: it goes with this object."""


class Searcher(Protocol):
    """Finds chunks for texts."""

    def prepare(self, texts: Sequence[str]) -> dict[str, str]:
        """Do what takes long; return why texts cannot be searched for."""

    def search(self, texts: Sequence[str], count: int) -> tuple[Vectors, Indices]:
        """Return scores and places of each text's nearest chunks, the best first; all texts were prepared."""

    def stop(self, cause: EvaluationError) -> None:
        """Prepare nothing more; what is left fails with this cause. May be called in any thread."""

    def close(self) -> None:
        """Free what it holds."""


class VectorSearcher:
    """Searches by vectors.

    Args:
        index: finds the nearest.
        encoder: makes texts into vectors.
        files: keep these.
        identity: what the vectors depend on besides the texts.
        shape: gives a question's text the form that is encoded.
        batch_size: how many are encoded at once.
    """

    def __init__(
        self,
        index: Index,
        encoder: BatchEncoder,
        files: VectorFiles,
        *,
        identity: JsonObject,
        shape: Callable[[str], str],
        batch_size: int,
    ) -> None:
        self._index = index
        self._encoder = encoder
        self._files = files
        self._identity = to_line(identity)
        self._shape = shape
        self._batch_size = batch_size
        self._without_direction: dict[str, str] = {}

    def prepare(self, texts: Sequence[str]) -> dict[str, str]:
        """Encode the texts that nobody has encoded before; return why some could not be.

        Raises:
            UserMistake: the vectors do not fit the index.
        """
        wanted = {self._shape(text): None for text in texts}
        missing = [text for text in wanted if self._key(text) not in self._files]
        batches = [missing[start : start + self._batch_size] for start in range(0, len(missing), self._batch_size)]
        failures = self._encoder.encode(batches, self._keep) if batches else {}
        failures |= self._without_direction
        return {text: failures[shaped] for text in texts if (shaped := self._shape(text)) in failures}

    def search(self, texts: Sequence[str], count: int) -> tuple[Vectors, Indices]:
        """Return scores and places of each text's nearest chunks, the best first; all texts were prepared."""
        queries = np.stack([self._files[self._key(self._shape(text))] for text in texts])
        return self._index.search(queries, count)

    def stop(self, cause: EvaluationError) -> None:
        """Encode nothing more."""
        self._encoder.stop(cause)

    def close(self) -> None:
        """Close the encoder and its file."""
        self._encoder.close()
        self._files.close()

    def _keep(self, texts: Sequence[str], vectors: Vectors) -> None:
        if vectors.shape[1] != self._index.dimension:
            raise UserMistake(
                f"the encoder gives vectors of {vectors.shape[1]:,} dimensions and the corpus has {self._index.dimension:,}: "
                "name the encoder that the corpus was embedded with (rag.retriever_config.encoder_config)"
            )
        lengths = np.linalg.norm(vectors, axis=1)
        is_sound = np.isfinite(lengths) & (lengths > 0)
        paired = list(zip(texts, vectors, is_sound.tolist(), strict=True))
        self._without_direction |= {text: NO_DIRECTION for text, _, has_direction in paired if not has_direction}
        self._files.keep({self._key(text): vector for text, vector, has_direction in paired if has_direction})

    def _key(self, text: str) -> bytes:
        return blake2b(self._identity + text.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()


class Retriever:
    """Finds the chunks for questions.

    Args:
        corpus: holds them.
        searcher: finds their places.
        count: how many are wanted.
        threshold: the lowest score that is taken.
    """

    def __init__(self, corpus: Corpus, searcher: Searcher, *, count: int, threshold: float) -> None:
        self.corpus = corpus
        self.count = count
        self._searcher = searcher
        self._threshold = threshold

    def prepare(self, texts: Sequence[str]) -> dict[str, str]:
        """Do what takes long for these texts; return why some cannot be searched for."""
        return self._searcher.prepare(texts)

    def locate(self, texts: Sequence[str]) -> tuple[Indices, Vectors]:
        """Return the places and the scores of each text's chunks, the best first; all texts were prepared without a failure.

        `NO_CHUNK` stands where a chunk does not reach the threshold.
        """
        width = min(self.count, len(self.corpus))
        if not texts:
            return np.empty((0, width), dtype=np.int64), np.empty((0, width), dtype=np.float32)
        scores, places = self._searcher.search(texts, width)
        return np.where(scores >= self._threshold, places, NO_CHUNK), scores

    def find(self, texts: Sequence[str]) -> Iterator[list[Hit]]:
        """Yield the hits for each text, which was prepared without a failure, the best first."""
        places, scores = self.locate(texts)
        for row_places, row_scores in zip(places.tolist(), scores.tolist(), strict=True):
            found = zip(row_places, row_scores, strict=True)
            yield [Hit(self.corpus[place], score) for place, score in found if place != NO_CHUNK]

    def stop(self, cause: EvaluationError) -> None:
        """Encode nothing more. May be called in any thread."""
        self._searcher.stop(cause)

    def close(self) -> None:
        """Free what it holds."""
        self._searcher.close()
