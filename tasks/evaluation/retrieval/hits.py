"""The chunks that were found for a question: as text to put before it, and as results hold them, in the original's form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.retrieval.corpus import Chunk

# Where a question's record says which chunk it was made from; the first that is there counts.
ID_FIELDS = ("source_chunk_id", "chunk_id", "source_id")
PATH_FIELDS = ("source_file", "source_path")
INDEX_FIELDS = ("dataset_index", "source_dataset_index")
QUESTION_HASH = "question_hash"
CHARACTERS_A_TOKEN = 4


@dataclass(frozen=True)
class Hit:
    """A chunk that was found, and how near it is."""

    chunk: Chunk
    """The chunk."""
    score: float
    """The inner product with the question, or what BM25 gives."""

    def to_json(self, *, with_text: bool) -> JsonObject:
        """Return the hit as results hold it."""
        text: JsonObject = {"text": self.chunk.text} if with_text else {}
        return {
            "dataset_index": self.chunk.index,
            **text,
            "score": self.score,
            "path": self.chunk.path,
            "chunk_id": self.chunk.chunk_id,
        }


def join_texts(hits: Sequence[Hit]) -> str:
    """Return the context that the hits make."""
    return "\n\n".join(hit.chunk.text for hit in hits)


def fit_tokens(hits: Sequence[Hit], most_tokens: int | None) -> list[Hit]:
    """Return the first hits, as many as have about this many tokens together."""
    if most_tokens is None:
        return list(hits)
    kept = list(hits)
    while kept and len(join_texts(kept)) > most_tokens * CHARACTERS_A_TOKEN:
        kept.pop()
    return kept


def rank_source(hits: Sequence[Hit], fields: Mapping[str, JsonValue]) -> int | None:
    """Return the place, from 1, of the chunk that the question was made from; 0: not found; None: the record names none."""
    given = {**_nested(fields), **fields}
    for name in (*ID_FIELDS, *PATH_FIELDS, *INDEX_FIELDS, QUESTION_HASH):
        value = given.get(name)
        if value is not None and value != "":
            return next((rank for rank, hit in enumerate(hits, start=1) if _is_source(name, value, hit.chunk)), 0)
    return None


def has_question_hash(hits: Sequence[Hit], fields: Mapping[str, JsonValue]) -> bool | None:
    """Return True if a chunk was made from this very question; None if the record has no hash of it."""
    wanted = {**_nested(fields), **fields}.get(QUESTION_HASH)
    return None if wanted in (None, "") else any(hit.chunk.metadata.get(QUESTION_HASH) == wanted for hit in hits)


def describe_hits(hits: Sequence[Hit], used: Sequence[Hit], fields: Mapping[str, JsonValue], *, with_texts: bool) -> JsonObject:
    """Return what a result says about what was retrieved for its question.

    Args:
        hits: all that were found above the threshold.
        used: those that were put before the question, the first of them.
        fields: the question's further fields.
        with_texts: whether the chunks' texts are kept.
    """
    rank = rank_source(hits, fields)
    return {
        "retrieval_info": {
            "retrieved_chunks": [[hit.to_json(with_text=with_texts) for hit in hits]],
            "retrieval_scores": [[hit.score for hit in hits]],
            "retrieval_indices": [[hit.chunk.index for hit in hits]],
            "context_source": "retrieved" if used else "none",
            "rag_enabled": True,
            "error": None,
            "source_rank": rank,
            "chunks_dropped": len(hits) - len(used),
        },
        "source_chunk_retrieved": None if rank is None else rank > 0,
        "question_hash_retrieved": has_question_hash(hits, fields),
        "context_used": join_texts(used) if with_texts and used else None,
    }


def _nested(fields: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    metadata = fields.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _is_source(name: str, value: JsonValue, chunk: Chunk) -> bool:
    if name in INDEX_FIELDS:
        return str(value) == str(chunk.index)
    if name == QUESTION_HASH:
        return chunk.metadata.get(QUESTION_HASH) == value
    if name in PATH_FIELDS:
        return chunk.path != "" and (str(value) == chunk.path or str(value) == PurePosixPath(chunk.path).name)
    return str(value) in (chunk.chunk_id, str(chunk.metadata.get("chunk_id")), str(chunk.metadata.get("id")))
