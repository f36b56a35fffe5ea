"""The nearest chunks: the same, in the same order, as a direct computation finds, by whichever index."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.retrieval import index_building
from tasks.evaluation.retrieval.arrays import Indices, Vectors
from tasks.evaluation.retrieval.corpus import Corpus
from tasks.evaluation.retrieval.faiss_index import BinaryIndex, FaissIndex, open_index_file
from tasks.evaluation.retrieval.index_building import Plan, build_index, pack_signs
from tasks.evaluation.retrieval.search import ExactIndex, take_best
from tests.support.corpora import DIMENSION, make_chunks, make_vectors, to_table

COUNT, TOP = 2_000, 5
VECTORS = make_vectors(COUNT)
QUERIES = make_vectors(50, seed=2)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Return a corpus of 2,000 chunks in several batches."""
    return Corpus([to_table(make_chunks(VECTORS))], "the corpus")


@pytest.fixture
def faiss() -> Any:
    """Return the package, without which these tests are skipped; on one core, since its threads wait busily for one another."""
    package = pytest.importorskip("faiss")
    package.omp_set_num_threads(1)
    return package


GRAPH = Plan(is_binary=False, is_graph=True, normalizes=False)
SIGNS = Plan(is_binary=True, is_graph=False, normalizes=False)


def open_binary(corpus: Corpus, multiplier: int) -> BinaryIndex:
    return BinaryIndex(build_index(SIGNS, corpus, None, print), corpus, multiplier, normalizes=False)


def compute_directly(vectors: Vectors = VECTORS) -> Indices:
    """Return each query's nearest chunks."""
    return np.argsort(-(QUERIES.astype(np.float64) @ vectors.T.astype(np.float64)), axis=1, kind="stable")[:, :TOP]


def test_the_exact_search_finds_what_a_matrix_product_finds(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, and in blocks that are smaller than a batch; with the scores."""
    scores, places = ExactIndex(corpus).search(QUERIES, TOP)
    assert places.tolist() == compute_directly().tolist()
    assert scores[0, 0] == pytest.approx(float(QUERIES[0] @ VECTORS[places[0, 0]]), abs=1e-6)
    monkeypatch.setattr("tasks.evaluation.retrieval.arrays.BLOCK_BYTES", 4 * DIMENSION * 33)
    assert ExactIndex(corpus).search(QUERIES, TOP)[1].tolist() == places.tolist()


def test_of_equal_chunks_the_first_is_the_nearest() -> None:
    """In whichever block they are, and however many are equal; fewer chunks than wanted are all of them."""
    equal = Corpus([to_table(make_chunks(np.repeat(VECTORS[:2], 6, axis=0)), rows=5)], "equal")
    assert ExactIndex(equal).search(VECTORS[1:2], 4)[1].tolist() == [[6, 7, 8, 9]]
    assert len(ExactIndex(equal).search(VECTORS[1:2], 40)[1][0]) == 12


def test_the_best_are_taken_in_falling_order_with_the_lower_place_first() -> None:
    """Also where the lowest that is taken is shared by others."""
    scores, places = take_best(np.array([[1.0, 3.0, 1.0, 2.0, 1.0]]), np.array([[9, 8, 7, 6, 5]]), 4)
    assert (scores.tolist(), places.tolist()) == ([[3.0, 2.0, 1.0, 1.0]], [[8, 6, 5, 7]])


def test_vectors_of_any_length_are_brought_to_unit_length_if_the_settings_say_so() -> None:
    """Then the order is that of the cosines; else long vectors win."""
    lengths = np.linspace(0.1, 9, COUNT, dtype=np.float32)[:, np.newaxis]
    corpus = Corpus([to_table(make_chunks(VECTORS * lengths))], "long")
    assert not corpus.is_normalized()
    assert ExactIndex(corpus, normalizes=True).search(QUERIES, TOP)[1].tolist() == compute_directly().tolist()
    assert ExactIndex(corpus).search(QUERIES, TOP)[1].tolist() == compute_directly(VECTORS * lengths).tolist()


def test_an_index_file_finds_the_same(corpus: Corpus, tmp_path: Path, faiss: Any) -> None:
    """A flat one that another program has written."""
    index = faiss.IndexFlatIP(DIMENSION)
    index.add(VECTORS)
    faiss.write_index(index, str(tmp_path / "flat"))
    opened = open_index_file(tmp_path / "flat", corpus, 2, is_binary=False, normalizes=False)
    assert opened.search(QUERIES, TOP)[1].tolist() == compute_directly().tolist()


@pytest.mark.usefixtures("faiss")
def test_a_binary_search_with_rescoring_finds_the_same_as_its_definition(corpus: Corpus) -> None:
    """The candidates are the nearest by their signs, the order is that of the vectors; with many candidates it is exact."""
    multiplier = 4
    differing = (pack_signs(QUERIES)[:, np.newaxis, :] ^ pack_signs(VECTORS)[np.newaxis]).astype(np.uint8)
    distances = np.unpackbits(differing, axis=2).sum(axis=2)
    bounds = np.sort(distances, axis=1)[:, TOP * multiplier - 1]
    scores, places = open_binary(corpus, multiplier).search(QUERIES, TOP)
    assert (np.take_along_axis(distances, places, axis=1) <= bounds[:, np.newaxis]).all()
    assert (np.diff(scores, axis=1) <= 0).all()
    whole = open_binary(corpus, COUNT // TOP)
    assert whole.search(QUERIES, TOP)[1].tolist() == compute_directly().tolist()


@pytest.mark.usefixtures("faiss")
def test_a_graph_finds_nearly_all(corpus: Corpus) -> None:
    """At least 95 of 100 of the nearest five."""
    found, right = FaissIndex(build_index(GRAPH, corpus, None, print)).search(QUERIES, TOP)[1], compute_directly()
    assert sum(len({*row} & {*wanted}) for row, wanted in zip(found, right, strict=True)) >= 0.95 * right.size


@pytest.mark.usefixtures("faiss")
@pytest.mark.parametrize("plan", [GRAPH, SIGNS])
def test_a_build_that_was_killed_goes_on_where_it_stopped(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan: Plan
) -> None:
    """No vector is added twice, and nothing but the index is left."""
    for name, value in {"ROWS_AT_ONCE": 100, "KEEP_SECONDS": 0.0, "KEEP_RATIO": 0}.items():
        monkeypatch.setattr(index_building, name, value)
    added: list[int] = []

    def convert(self: Plan, vectors: Vectors) -> object:
        if sum(added) == COUNT // 2:
            raise KeyboardInterrupt
        added.append(len(vectors))
        return pack_signs(vectors) if self.is_binary else vectors

    monkeypatch.setattr(Plan, "convert", convert)
    with pytest.raises(KeyboardInterrupt):
        build_index(plan, corpus, tmp_path / "index", print)
    assert sum(added) == COUNT // 2
    added.append(1)  # it is not stopped a second time
    said: list[str] = []
    assert build_index(plan, corpus, tmp_path / "index", said.append).ntotal == COUNT
    assert sum(added) == COUNT + 1
    assert [path.name for path in tmp_path.iterdir()] == ["index"]
    assert said == [f"The index was built and written to {tmp_path / 'index'}"]
    opened = open_index_file(tmp_path / "index", corpus, COUNT // TOP, is_binary=plan.is_binary, normalizes=False)
    found, right = opened.search(QUERIES, TOP)[1], compute_directly()
    assert sum(len({*row} & {*wanted}) for row, wanted in zip(found, right, strict=True)) >= 0.95 * right.size


@pytest.mark.usefixtures("faiss")
def test_what_another_build_has_left_is_not_used(corpus: Corpus, tmp_path: Path) -> None:
    """Of another corpus or another kind, or half a file: the build starts over."""
    part = index_building.name_part(GRAPH, corpus, tmp_path / "index")
    part.write_bytes(b"half a file")
    assert build_index(GRAPH, corpus, tmp_path / "index", print).ntotal == COUNT
    other = Corpus([to_table(make_chunks(make_vectors(300, seed=3)))], "another")
    assert (
        len(
            {index_building.name_part(*each, tmp_path / "index") for each in ((GRAPH, corpus), (SIGNS, corpus), (GRAPH, other))}
        )
        == 3
    )


def test_an_index_that_does_not_belong_to_the_corpus_is_one_message(corpus: Corpus, tmp_path: Path, faiss: Any) -> None:
    """Another number of vectors, another dimension, another measure, no index at all."""
    for name, index, count in (
        ("fewer", faiss.IndexFlatIP(DIMENSION), 7),
        ("shorter", faiss.IndexFlatIP(16), COUNT),
        ("distance", faiss.IndexFlatL2(DIMENSION), COUNT),
    ):
        index.add(np.ascontiguousarray(VECTORS[:count, : index.d]))
        faiss.write_index(index, str(tmp_path / name))
    (tmp_path / "none").write_bytes(b"no index")

    def complain(name: str) -> str:
        with pytest.raises(UserMistake) as mistake:
            open_index_file(tmp_path / name, corpus, 2, is_binary=False, normalizes=False)
        return str(mistake.value)

    assert "holds 7 vectors and the corpus the corpus 2,000 chunks" in complain("fewer")
    assert "16 dimensions and the corpus the corpus of 32" in complain("shorter")
    assert "does not compare by inner product" in complain("distance")
    assert "cannot be read as a FAISS index" in complain("none")
