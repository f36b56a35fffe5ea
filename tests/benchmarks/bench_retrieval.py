"""Time and memory of a search: `python -m tests.benchmarks.bench_retrieval [CHUNKS] [QUERIES]`.

Without arguments, 10,000 questions are searched for in 1,000,000 chunks of 384 dimensions. Each way searches in a process of
its own, 256 questions at a time as runs do, in a corpus on disk whose vectors are random directions; the memory is the most
that the process held, without the corpus's pages in the file cache. Also what a question's context costs beside its request. It
takes some twenty minutes.
"""

import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa

from tasks.evaluation.config.rag_settings import Rag
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.retrieval.arrays import Vectors
from tasks.evaluation.retrieval.contexts import Contexts
from tasks.evaluation.retrieval.corpus import Corpus
from tasks.evaluation.retrieval.corpus_files import open_corpus
from tasks.evaluation.retrieval.faiss_index import BinaryIndex, open_index_file
from tasks.evaluation.retrieval.index_building import Plan, build_index
from tasks.evaluation.retrieval.search import ExactIndex, Index
from tasks.evaluation.run.context_batches import SIZE

CHUNKS, QUERIES, DIMENSION, TOP_K = 1_000_000, 10_000, 384, 5
BLOCK = 50_000
TEXT_CHARACTERS = 1_000


def write_corpus(path: Path, count: int) -> None:
    """Write a corpus of this many chunks, block by block."""
    schema = pa.schema([("text", pa.string()), ("embeddings", pa.list_(pa.float32()))])
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema) as writer:
        for first in range(0, count, BLOCK):
            vectors = draw(min(BLOCK, count - first), seed=first)
            offsets = pa.array(np.arange(0, vectors.size + 1, DIMENSION, dtype=np.int32))
            embeddings = pa.ListArray.from_arrays(offsets, pa.array(vectors.ravel()))
            texts = pa.array([f"{first + n:07} ".ljust(TEXT_CHARACTERS, "x") for n in range(len(vectors))])
            writer.write_batch(pa.record_batch([texts, embeddings], schema=schema))


def draw(count: int, *, seed: int) -> Vectors:
    """Return vectors of unit length in random directions."""
    numbers = np.random.default_rng(seed).standard_normal((count, DIMENSION), dtype=np.float32)
    return np.asarray(numbers / np.linalg.norm(numbers, axis=1, keepdims=True), dtype=np.float32)


def open_flat(corpus: Corpus) -> Index:
    """Return a FAISS index of the vectors, from a file as users have one."""
    index = faiss.IndexFlatIP(DIMENSION)
    for _, block in corpus.blocks():
        index.add(block)
    with tempfile.TemporaryDirectory(dir=".") as folder:
        path = Path(folder, "flat.index")
        faiss.write_index(index, str(path))
        del index
        return open_index_file(path, corpus, 2, is_binary=False, normalizes=False)


SIGNS = Plan(is_binary=True, is_graph=False, normalizes=False)
WAYS: dict[str, Callable[[Corpus], Index]] = {
    "exact, numpy": ExactIndex,
    "exact, FAISS index file": open_flat,
    "ubinary, rescored": lambda corpus: BinaryIndex(build_index(SIGNS, corpus, None, print), corpus, 2, normalizes=False),
}


def measure(way: str, path: str, queries: int) -> None:
    """Search, and print a row."""
    peak = Peak()
    peak.start()
    corpus = open_corpus([path], Path())
    begin = time.perf_counter()
    index = WAYS[way](corpus)
    opened = time.perf_counter()
    for first in range(0, queries, SIZE):
        index.search(draw(min(SIZE, queries - first), seed=10**9 + first), TOP_K)
    seconds = time.perf_counter() - opened
    print(f"| {way} | {opened - begin:.1f} | {seconds:.1f} | {seconds / queries * 1e3:.2f} | {peak.mebibytes:,} |", flush=True)


class Peak(threading.Thread):
    """Looks at the process's memory on Linux; `mebibytes` is the most of it that no file holds."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.mebibytes = 0

    def run(self) -> None:
        """Look twenty times a second."""
        while True:
            status = Path("/proc/self/status").read_text()
            self.mebibytes = max(self.mebibytes, int(status.split("RssAnon:")[1].split()[0]) // 1024)
            time.sleep(0.05)


class Numbered:
    """Questions without fields of their own, as far as contexts ask for them."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def metadata(self, _: int) -> dict[str, object]:
        return {}


def measure_context(path: str, queries: int) -> None:
    """Print what it costs to put the chunks before a question and to describe them in its result."""
    corpus = open_corpus([path], Path())
    contexts = Contexts(corpus, Numbered(queries), Rag(retrieval_top_k=TOP_K))  # type: ignore[arg-type]
    places = np.random.default_rng(1).integers(len(corpus), size=(queries, TOP_K))
    contexts.keep(range(queries), places, np.ones((queries, TOP_K), dtype=np.float32))
    question = Question("Question?", "A", "", "mc")
    begin = time.perf_counter()
    for position in range(queries):
        retrieved = contexts.get(position)
        contexts.put_before(question, retrieved)
        contexts.describe(position, retrieved.to_json())
    print(f"\nA question's context: {(time.perf_counter() - begin) / queries * 1e6:.0f} µs", flush=True)


def main(chunks: int = CHUNKS, queries: int = QUERIES) -> None:
    """Write a corpus and search it in each way."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        path = str(Path(folder, "corpus.arrow"))
        write_corpus(Path(path), chunks)
        print(f"{chunks:,} chunks of {DIMENSION} dimensions, {queries:,} queries, {TOP_K} chunks each\n")
        print("| search | opened, s | searched, s | a query, ms | memory, MiB |\n|---|---|---|---|---|", flush=True)
        processes = multiprocessing.get_context("spawn")
        searches = [processes.Process(target=measure, args=(way, path, queries)) for way in WAYS]
        for process in [*searches, processes.Process(target=measure_context, args=(path, queries))]:
            process.start()
            process.join()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
