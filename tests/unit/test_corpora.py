"""Corpora as users have them: the same chunks in the same order, from every form."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.retrieval.corpus import Corpus
from tasks.evaluation.retrieval.corpus_files import open_corpus
from tests.support.corpora import make_chunks, make_vectors, save_to_disk, to_table, write_lines, write_parquet

VECTORS = make_vectors(100)
CHUNKS = make_chunks(VECTORS)


def test_every_form_holds_the_same_chunks_in_order(folder: Path) -> None:
    """A folder of `save_to_disk` in its order, also one level deeper; JSON Lines; Parquet; several after another."""
    save_to_disk(folder / "saved", CHUNKS)
    save_to_disk(folder / "merged" / "all_merged", CHUNKS)
    write_lines(folder / "chunks.jsonl", CHUNKS)
    write_parquet(folder / "chunks.parquet", CHUNKS)
    save_to_disk(folder / "first", CHUNKS[:40], shards=1)
    write_lines(folder / "rest.jsonl", CHUNKS[40:])
    for paths in (["saved"], ["merged"], ["chunks.jsonl"], ["chunks.parquet"], ["first", "rest.jsonl"]):
        corpus = open_corpus(paths, Path())
        assert [corpus[n].text for n in range(len(corpus))] == [chunk["text"] for chunk in CHUNKS]
        assert np.array_equal(np.vstack([block for _, block in corpus.blocks()]), VECTORS)
        assert np.array_equal(corpus.vectors([99, 0, 50]), VECTORS[[99, 0, 50]])
        assert (corpus[57].path, corpus[57].metadata) == ("documents/5.txt", {"id": 57})


def test_a_chunk_has_the_id_that_the_original_gives_it(folder: Path) -> None:
    """16 digits of its path's hash, and its place in four digits or more."""
    corpus = open_corpus([str(write_lines(folder / "chunks.jsonl", CHUNKS))], Path())
    assert corpus[12].chunk_id == f"{sha256(b'documents/1.txt').hexdigest()[:16]}_0012"


def test_a_path_leads_from_the_working_directory_or_else_from_the_configuration(folder: Path) -> None:
    """As for question files."""
    (folder / "settings").mkdir()
    write_lines(folder / "settings" / "chunks.jsonl", CHUNKS[:3])
    assert len(open_corpus(["chunks.jsonl"], folder / "settings")) == 3


def test_the_digest_follows_the_content(folder: Path) -> None:
    """Texts, paths, metadata and vectors; not the place of the file."""
    changed = [CHUNKS[0], {**CHUNKS[1], "metadata": {"id": "other"}}, *CHUNKS[2:]]
    corpora: dict[str, list[dict[str, Any]]] = {
        "one": CHUNKS,
        "same": CHUNKS,
        "shorter": CHUNKS[:-1],
        "metadata": changed,
        "vector": [{**CHUNKS[0], "embeddings": CHUNKS[1]["embeddings"]}, *CHUNKS[1:]],
    }
    digests = {n: open_corpus([str(write_lines(folder / f"{n}.jsonl", c))], Path()).digest for n, c in corpora.items()}
    assert digests["one"] == digests["same"]
    assert len(set(digests.values())) == 4


def test_a_corpus_without_vectors_is_a_corpus(folder: Path) -> None:
    """It can be searched by words."""
    texts: list[dict[str, Any]] = [{"text": "Alpha."}, {"text": "Beta.", "path": None}]
    corpus = open_corpus([str(write_lines(folder / "texts.jsonl", texts))], Path())
    assert (corpus.has_vectors, list(corpus.texts()), corpus[1].path) == (False, ["Alpha.", "Beta."], "")


def break_state(folder: Path) -> str:
    (save_to_disk(folder / "saved", CHUNKS) / "state.json").write_text("{}")
    return "saved"


def lose_a_shard(folder: Path) -> str:
    (save_to_disk(folder / "saved", CHUNKS) / "data-00001-of-00003.arrow").unlink()
    return "saved"


def cut_a_shard(folder: Path) -> str:
    shard = save_to_disk(folder / "saved", CHUNKS) / "data-00001-of-00003.arrow"
    shard.write_bytes(shard.read_bytes()[:100])
    return "saved"


def leave_a_vector_out(folder: Path) -> str:
    return str(write_lines(folder / "gap.jsonl", [*CHUNKS[:5], {**CHUNKS[5], "embeddings": None}]))


def write_a_shorter_vector(folder: Path) -> str:
    return str(write_lines(folder / "short.jsonl", [*CHUNKS[:5], {**CHUNKS[5], "embeddings": [1.0]}]))


def write_no_number(folder: Path) -> str:
    return str(write_lines(folder / "nan.jsonl", [{**CHUNKS[0], "embeddings": [float("nan")] * 32}]))


def write_no_texts(folder: Path) -> str:
    return str(write_parquet(folder / "no.parquet", [{"title": "x"}]))


def write_no_record(folder: Path) -> str:
    (folder / "broken.jsonl").write_text(json.dumps(CHUNKS[0]) + "\n{\n")
    return "broken.jsonl"


def write_nothing(folder: Path) -> str:
    (folder / "empty.jsonl").write_text("\n")
    return "empty.jsonl"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: "missing", "there is no corpus at missing .*--no-rag"),
        (break_state, r"cannot read .*state.json, which names the files"),
        (lose_a_shard, "is not complete: data-00001-of-00003.arrow is missing"),
        (cut_a_shard, "cannot read the corpus file .*data-00001"),
        (leave_a_vector_out, "from 0 on have vectors of other lengths than 32, or none"),
        (write_a_shorter_vector, "from 0 on have vectors of other lengths than 32, or none"),
        (write_no_number, "is not finite"),
        (write_no_texts, "no column 'text', but title"),
        (write_no_record, "broken.jsonl: .*line 2"),
        (write_nothing, "holds no chunks"),
        (str, "holds no corpus: neither state.json"),
    ],
)
def test_a_corpus_that_cannot_be_used_is_one_message(folder: Path, make: Callable[[Path], str], message: str) -> None:
    """It names the file, and what is wrong."""
    with pytest.raises(UserMistake, match=message):
        list(open_corpus([make(folder)], Path()).blocks())


def test_files_with_and_without_vectors_are_no_corpus(folder: Path) -> None:
    """Their chunks could not be compared."""
    write_lines(folder / "with.jsonl", CHUNKS[:3])
    write_lines(folder / "without.jsonl", [{"text": "x"}])
    with pytest.raises(UserMistake, match="have the column embeddings and others do not"):
        open_corpus(["with.jsonl", "without.jsonl"], Path())


def test_vectors_of_sixteen_bits_are_read(folder: Path) -> None:
    """And of 64; the search has 32."""
    import pyarrow as pa

    table = to_table(CHUNKS)
    for kind in (pa.float16(), pa.float64()):
        cast = pa.array([[kind_of(kind, value) for value in row["embeddings"]] for row in CHUNKS], pa.list_(kind))
        wide = table.combine_chunks().set_column(table.schema.get_field_index("embeddings"), "embeddings", cast)
        with pa.OSFile(str(folder / "wide.arrow"), "wb") as file, pa.ipc.new_file(file, wide.schema) as writer:
            writer.write_table(wide)
        corpus = open_corpus(["wide.arrow"], Path())
        assert next(corpus.blocks())[1].dtype == np.float32
        assert np.allclose(corpus.vectors([7]), VECTORS[[7]], atol=1e-3)


def kind_of(kind: object, value: float) -> object:
    return np.float16(value) if "half" in str(kind) else value


def test_the_same_chunks_are_the_same_corpus_in_whichever_files_they_lie(tmp_path: Path) -> None:
    """However many shards and batches there are; a chunk more, or in another place, is another corpus."""
    chunks = make_chunks(make_vectors(900))
    paths = [
        save_to_disk(tmp_path / "three", chunks),
        save_to_disk(tmp_path / "two", chunks, shards=2),
        write_lines(tmp_path / "lines.jsonl", chunks),
        write_parquet(tmp_path / "table.parquet", chunks),
    ]
    assert len({open_corpus([str(path)], tmp_path).digest for path in paths}) == 1
    others = [write_lines(tmp_path / "fewer.jsonl", chunks[:-1]), write_lines(tmp_path / "turned.jsonl", chunks[::-1])]
    assert len({open_corpus([str(path)], tmp_path).digest for path in [paths[0], *others]}) == 3


def test_a_chunk_has_an_id_whatever_its_path(tmp_path: Path) -> None:
    """Also one that no file can have."""
    chunk = {"text": "The heron.", "metadata": {"path": "a\ud800.txt"}}
    corpus = open_corpus([str(write_lines(tmp_path / "odd.jsonl", [chunk]))], tmp_path)
    assert corpus[0].chunk_id.endswith("_0000")
    assert len(corpus.digest) == 32


@pytest.mark.parametrize(
    ("vectors", "reason"),
    [
        (pa.array(["[0.5]", "[1.0]"]), "holds no lists of numbers"),
        (pa.array([1, 2]), "holds no lists of numbers"),
        (pa.array([[["a"]], [["b"]]]), "holds no lists of numbers"),
        (pa.array([None, None], pa.list_(pa.float32())), "is empty"),
        (pa.array([[1.0, 0.0, 0.0], [1.0]], pa.list_(pa.float32())), "other lengths than 3"),
        (pa.array([[1.0, 0.0], [1.0], [1.0, 0.0, 1.0]], pa.list_(pa.float32())), "other lengths than 2"),
    ],
)
def test_a_column_that_holds_no_vectors_is_one_message(vectors: pa.Array, reason: str) -> None:
    """Numbers that belong to other chunks are never taken for a chunk's own."""
    with pytest.raises(UserMistake, match=reason):
        list(Corpus([pa.table({"text": ["x"] * len(vectors), "embeddings": vectors})], "odd").blocks())
