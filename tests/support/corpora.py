"""Corpora for tests: chunks with vectors, in every form that users have them, and an encoder that knows a question's vector."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from tasks.evaluation.retrieval.arrays import Vectors
from tests.support.fake_endpoint import Reply

DIMENSION = 32


def make_vectors(count: int, *, seed: int = 1, dimension: int = DIMENSION) -> Vectors:
    """Return vectors of unit length in random directions."""
    numbers = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    return np.asarray(numbers / np.linalg.norm(numbers, axis=1, keepdims=True), dtype=np.float32)


def make_chunks(vectors: Vectors) -> list[dict[str, Any]]:
    """Return a record for each vector: ten chunks make a document."""
    return [
        {"text": f"Chunk {n} says.", "embeddings": vector.tolist(), "path": f"documents/{n // 10}.txt", "metadata": {"id": n}}
        for n, vector in enumerate(vectors)
    ]


def to_table(chunks: Sequence[dict[str, Any]], *, rows: int = 700) -> pa.Table:
    """Return the chunks as Arrow has them, in several batches, with vectors of 32 bits."""
    table = pa.Table.from_pylist(list(chunks))
    place = table.schema.get_field_index("embeddings")
    if place >= 0:
        table = table.set_column(place, "embeddings", table.column("embeddings").cast(pa.list_(pa.float32())))
    return pa.Table.from_batches(table.combine_chunks().to_batches(max_chunksize=rows))


def save_to_disk(folder: Path, chunks: Sequence[dict[str, Any]], *, shards: int = 3) -> Path:
    """Write a folder as the `datasets` library does, with shards whose names are in another order than `state.json` has."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"data-{shards - n:05}-of-{shards:05}.arrow" for n in range(shards)]
    size = -(-len(chunks) // shards)
    for number, name in enumerate(names):
        table = to_table(chunks[number * size : (number + 1) * size])
        with pa.OSFile(str(folder / name), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    (folder / "dataset_info.json").write_text("{}")
    return folder


def write_lines(path: Path, chunks: Sequence[dict[str, Any]]) -> Path:
    """Write the chunks as JSON Lines."""
    path.write_text("".join(json.dumps(chunk) + "\n" for chunk in chunks))
    return path


def write_parquet(path: Path, chunks: Sequence[dict[str, Any]]) -> Path:
    """Write the chunks as Parquet."""
    parquet.write_table(to_table(chunks), path)
    return path


def embed(text: str, vectors: Vectors) -> list[float]:
    """Return the vector of the text, which speaks of question n: that of chunk 10 n, with some noise."""
    number = re.search(r"Question (\d+)", text)
    near = vectors[int(number[1]) * 10 % len(vectors)] if number else vectors[0]
    return [float(value) for value in near + np.float32(0.3) * make_vectors(1, seed=len(text))[0]]


def embeddings(vectors: Sequence[Sequence[float]]) -> Reply:
    """Return the reply with these vectors, the last one first: their numbers decide."""
    entries = [{"index": place, "embedding": list(vector)} for place, vector in enumerate(vectors)]
    return Reply({"model": "encoder", "data": entries[::-1], "usage": {"prompt_tokens": 3, "total_tokens": 3}})


def search_directly(vectors: Vectors, query: Sequence[float], count: int) -> list[int]:
    """Return the places of the nearest vectors, by a whole matrix product and a stable sort."""
    scores = vectors.astype(np.float64) @ (np.array(query) / np.linalg.norm(query))
    return [int(place) for place in np.argsort(-scores, kind="stable")[:count]]
