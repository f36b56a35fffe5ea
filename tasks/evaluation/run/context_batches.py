"""Batches of questions for which chunks are retrieved as one task, before any of them is asked.

    {"digest": "5f…", "places": "…", "scores": "…"}

is what Prefect keeps of one: the places of the chunks in the corpus as 64-bit integers, -1 where there are fewer than wanted,
and their scores as 32-bit floats, little-endian, in base64, a row for each question that has no context of its own. `digest` is
that of both.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from tasks.evaluation.errors import UnfinishedBatch
from tasks.evaluation.json_lines import JsonObject, to_line
from tasks.evaluation.retrieval.arrays import AnyArray, Indices, Vectors
from tasks.evaluation.retrieval.contexts import Contexts
from tasks.evaluation.retrieval.retriever import Retriever
from tasks.evaluation.run.batches import Batch
from tasks.evaluation.scoring.ledger import Ledger

# An exact search reads the whole corpus for each batch; what is shown of the progress is a batch.
SIZE = 256


@dataclass(frozen=True)
class ContextBatch(Batch):
    """Questions for which chunks are retrieved as one task."""

    texts: Mapping[int, str]
    """The texts of those that have no context of their own, by position."""


class ContextBatches:
    """The batches of one run.

    Args:
        ledger: knows which questions are to be asked.
        contexts: take what is found.
        retriever: finds it.
        identity: what decides which chunks are found.
    """

    def __init__(self, ledger: Ledger, contexts: Contexts, retriever: Retriever, identity: JsonObject) -> None:
        self._ledger = ledger
        self._contexts = contexts
        self._retriever = retriever
        self._identity = to_line(identity)

    def list_open(self) -> Iterator[ContextBatch]:
        """Yield the batches with a question to be asked; they are cut from all questions, so that those of two runs agree."""
        count = len(self._ledger.questions)
        for start in range(0, count, SIZE):
            positions = range(start, min(start + SIZE, count))
            texts = dict(self._list_texts(positions)) if any(map(self._is_open, positions)) else {}
            if any(map(self._is_open, texts)):
                yield ContextBatch(positions, self._name(texts), texts)

    def retrieve(self, batch: ContextBatch) -> JsonObject:
        """Retrieve for the questions of the batch; return what was found.

        Raises:
            UnfinishedBatch: some could not be searched for; what was found for the others is kept.
        """
        texts = batch.texts
        failures = self._retriever.prepare(list(texts.values()))
        found = [position for position, text in texts.items() if text not in failures]
        places, scores = self._retriever.locate([texts[position] for position in found])
        self._contexts.keep(found, places, scores)
        if failures:
            raise UnfinishedBatch({position: failures[text] for position, text in texts.items() if text in failures})
        return {"digest": _digest(places, scores), "places": _pack(places, "<i8"), "scores": _pack(scores, "<f4")}

    def accept(self, batch: ContextBatch, outcome: object) -> bool:
        """Take what the batch's task has returned; return True if it is then known for all of its questions."""
        positions = list(batch.texts)
        if isinstance(outcome, dict) and not all(map(self._contexts.is_known, positions)):
            try:
                places = _unpack(outcome["places"], "<i8").reshape(len(positions), self._contexts.width)
                scores = _unpack(outcome["scores"], "<f4").reshape(len(positions), self._contexts.width)
            except (LookupError, TypeError, ValueError, binascii.Error):
                return False
            if outcome.get("digest") == _digest(places, scores):
                self._contexts.keep(positions, places, scores)
        return all(map(self._contexts.is_known, positions))

    def note_failure(self, batch: ContextBatch, failure: object) -> None:
        """Remember why nothing could be retrieved for questions of the batch."""
        if isinstance(failure, UnfinishedBatch):
            self._contexts.failures.update(failure.failures)
        else:
            self._contexts.failures.update(dict.fromkeys(batch.texts, str(failure)))

    def _is_open(self, position: int) -> bool:
        """Return True if the question is to be asked, and it is not known what is put before it."""
        if position in self._ledger.results or self._contexts.is_known(position):
            return False
        return any(asking not in self._ledger.answers for asking in self._ledger.open_askings([position]))

    def _list_texts(self, positions: range) -> Iterator[tuple[int, str]]:
        for position in positions:
            question = self._ledger.questions[position]
            if question is not None and not question.context:
                yield position, question.text

    def _name(self, texts: Mapping[int, str]) -> str:
        digest = blake2b(self._identity, digest_size=16)
        for text in texts.values():
            digest.update(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest())
        return f"contexts-{digest.hexdigest()}"


def _digest(places: Indices, scores: Vectors) -> str:
    return blake2b(places.astype("<i8").tobytes() + scores.astype("<f4").tobytes(), digest_size=16).hexdigest()


def _pack(values: AnyArray, kind: str) -> str:
    return base64.b64encode(values.astype(kind).tobytes()).decode()


def _unpack(packed: str, kind: str) -> AnyArray:
    return np.frombuffer(base64.b64decode(packed), dtype=kind)
