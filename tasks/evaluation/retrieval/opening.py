"""Opening a retriever: its corpus, its index and its encoder, as the settings name them."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.rag_settings import EncoderSettings, FaissSettings, RetrieverSettings, complete_retriever
from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.endpoints.described import find_encoder
from tasks.evaluation.endpoints.event_loop import EventLoopThread
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.slots import Slots
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.retrieval.corpus import Corpus
from tasks.evaluation.retrieval.corpus_files import open_corpus
from tasks.evaluation.retrieval.encoders import LocalEncoder, OnnxModel, TransformerModel, find_onnx_files
from tasks.evaluation.retrieval.endpoint_encoder import EndpointEncoder
from tasks.evaluation.retrieval.faiss_index import BinaryIndex, FaissIndex, open_index_file
from tasks.evaluation.retrieval.index_building import Plan, build_index
from tasks.evaluation.retrieval.retriever import BatchEncoder, LocalBatches, Retriever, Searcher, VectorSearcher
from tasks.evaluation.retrieval.search import ExactIndex, Index
from tasks.evaluation.retrieval.word_search import WordSearcher
from tasks.evaluation.storage.layout import VECTORS_FOLDER
from tasks.evaluation.storage.vector_files import VectorFiles

NOT_NORMALIZED = (
    "⚠️ The corpus {name} holds vectors that are not of unit length, so that scores are no cosines: set "
    "rag.retriever_config.faiss_config.normalize: true to bring them to it"
)
FULL_PRECISION = "The encoder runs in full precision: quantization is left out of the settings, and 4-bit weights need CUDA"
# What of an encoder's settings decides about a text's vector, beside the weights.
DECIDING = ("name", "revision", "query_prefix", "max_characters", "max_tokens", "half_precision", "tokenizer_name", "extra")


@dataclass(frozen=True)
class Asking:
    """What it takes to ask an encoder's endpoint."""

    keys: KeyReader
    """Reads its key."""
    loop: EventLoopThread
    """The event loop on which it is asked."""
    make_client: Callable[..., Client] = Client
    """Makes its client."""


@dataclass(frozen=True)
class Source:
    """Where the settings say that chunks come from; nothing is searched yet."""

    config: Config
    """The settings."""
    settings: RetrieverSettings
    """The retriever's."""
    corpus: Corpus
    """Holds the chunks."""
    config_folder: Path
    """Where paths lead from that lead nowhere from the working directory."""
    own_folder: Path | None
    """The folder for our files; None: nothing is kept."""

    @cached_property
    def identity(self) -> JsonObject:
        """Return what decides which chunks are put before a question; the whole corpus is read for it."""
        return _identify(self)

    @cached_property
    def encoder_identity(self) -> JsonObject:
        """Return what a text's vector depends on; the encoder's files are read for it."""
        return identify_encoder(self.settings)


def find_source(config: Config, config_folder: Path, own_folder: Path | None) -> Source | None:
    """Return where chunks come from; None if the settings do not retrieve.

    Args:
        config: the settings.
        config_folder: as in `Source`.
        own_folder: as in `Source`.

    Raises:
        UserMistake: the corpus cannot be used.
    """
    if not config.rag.retrieves:
        return None
    settings = complete_retriever(config.rag)
    corpus = open_corpus(settings.faiss_config.list_paths(), config_folder, own_folder)
    return Source(config, settings, corpus, config_folder, own_folder)


@contextmanager
def open_retriever(source: Source, asking: Asking, notify: Callable[[str], None]) -> Iterator[Retriever]:
    """Open the retriever that the settings describe; at the end it is closed.

    Args:
        source: where the chunks come from.
        asking: what it takes to ask the encoder's endpoint, if it is behind one.
        notify: takes what the user should know.

    Raises:
        UserMistake: the index or the encoder cannot be used.
    """
    config, settings, corpus = source.config, source.settings, source.corpus
    if settings.encoder_config.name == "bm25":
        searcher: Searcher = WordSearcher(corpus)
    else:
        index = _open_index(settings.faiss_config, corpus, source.config_folder, notify)
        encoder = _make_encoder(config, settings, asking, notify)
        folder = source.own_folder / VECTORS_FOLDER if source.own_folder else None
        searcher = VectorSearcher(
            index,
            encoder,
            VectorFiles(folder, f"{time.time_ns()}_{os.getpid()}"),
            identity=source.encoder_identity,
            shape=_make_shape(settings.encoder_config),
            batch_size=settings.batch_size,
        )
    rag = config.rag
    retriever = Retriever(corpus, searcher, count=rag.retrieval_top_k, threshold=rag.retrieval_score_threshold)
    try:
        yield retriever
    finally:
        retriever.close()


def _open_index(settings: FaissSettings, corpus: Corpus, config_folder: Path, notify: Callable[[str], None]) -> Index:
    """Return the index that the settings name, or one made from the corpus's vectors."""
    is_binary, is_graph = settings.precision == "ubinary", settings.search_algorithm == "hnsw"
    path = find_index_file(settings, config_folder)
    if not corpus.has_vectors and (path is None or is_binary):
        raise UserMistake(
            f"the corpus {corpus.name} has no column 'embeddings', and there is no index file: embed it first, or search by "
            "words with encoder_config: {name: bm25}"
        )
    if corpus.has_vectors and not settings.normalize and not corpus.is_normalized():
        notify(NOT_NORMALIZED.format(name=corpus.name))
    if path:
        multiplier = settings.rescore_multiplier
        return open_index_file(path, corpus, multiplier, is_binary=is_binary, normalizes=settings.normalize)
    if not is_binary and not is_graph:
        return ExactIndex(corpus, normalizes=settings.normalize)
    plan = Plan(is_binary=is_binary, is_graph=is_graph, normalizes=settings.normalize)
    built = build_index(plan, corpus, Path(settings.faiss_index_path) if settings.faiss_index_path else None, notify)
    if is_binary:
        return BinaryIndex(built, corpus, settings.rescore_multiplier, normalizes=settings.normalize)
    return FaissIndex(built)


def find_index_file(settings: FaissSettings, config_folder: Path) -> Path | None:
    """Return the path of the index file; None if the settings name none, or one that does not exist."""
    given = settings.faiss_index_path
    return next((each for each in (Path(given), config_folder / given) if each.is_file()), None) if given else None


def _make_encoder(config: Config, settings: RetrieverSettings, asking: Asking, notify: Callable[[str], None]) -> BatchEncoder:
    encoder, pooling = settings.encoder_config, settings.pooler_config.name
    if encoder.name == "openai":
        processing = config.processing
        slots = Slots(processing.parallel_workers)
        patience = Patience(processing.request_timeout_seconds, processing.max_outage_seconds)
        endpoint = find_encoder(encoder, asking.keys)
        client = asking.make_client(endpoint, patience, is_proven=False, slots=slots, notify=notify)
        return EndpointEncoder(client, asking.loop, slots, notify)
    if encoder.name == "auto" and encoder.quantization is None:
        notify(FULL_PRECISION)
    model = OnnxModel if encoder.name == "onnx" else TransformerModel
    return LocalBatches(lambda: LocalEncoder(model(encoder), pooling))


def _make_shape(encoder: EncoderSettings) -> Callable[[str], str]:
    """Return what gives a question's text the form that is encoded."""
    return lambda text: (encoder.query_prefix + text)[: encoder.max_characters]


def identify_encoder(settings: RetrieverSettings) -> JsonObject:
    """Return what a text's vector depends on."""
    encoder = settings.encoder_config
    if encoder.name == "bm25":
        return {"name": "bm25"}
    described = encoder.model_dump(mode="json", include=set(DECIDING), exclude_defaults=True)
    name = encoder.model if encoder.name == "openai" else encoder.pretrained_model_name_or_path
    files = _list_weights(encoder)
    weights: JsonObject = {"weights": [_digest_file(file) for file in files]} if files else {}
    pooling: JsonObject = {} if encoder.name == "openai" else {"pooling": settings.pooler_config.name}
    return {"name": encoder.name, **described, "model": name, **weights, **pooling}


def _list_weights(encoder: EncoderSettings) -> list[Path]:
    """Return the files that an encoder on this machine is made of, as far as they exist; none of one that lies on a hub."""
    if encoder.name == "onnx":
        return [file for file in find_onnx_files(encoder) if file.is_file()]
    folder = Path(encoder.pretrained_model_name_or_path or "")
    is_folder = encoder.name == "auto" and encoder.pretrained_model_name_or_path is not None and folder.is_dir()
    return sorted(file for file in folder.rglob("*") if file.is_file()) if is_folder else []


def _identify(source: Source) -> JsonObject:
    faiss, corpus, rag = source.settings.faiss_config, source.corpus, source.config.rag
    found: JsonObject = {
        "corpus": corpus.digest,
        "encoder": source.encoder_identity,
        "top_k": rag.retrieval_top_k,
        "score_threshold": rag.retrieval_score_threshold,
        "max_context_tokens": rag.max_context_tokens,
    }
    if source.settings.encoder_config.name == "bm25":
        return found
    # An index is made of the corpus's vectors, and may be built again; without them, it is the only place where any are.
    index = None if corpus.has_vectors else find_index_file(faiss, source.config_folder)
    rescoring: JsonObject = {"rescore_multiplier": faiss.rescore_multiplier} if faiss.precision == "ubinary" else {}
    return found | {
        "precision": faiss.precision,
        "search_algorithm": faiss.search_algorithm,
        "normalize": faiss.normalize,
        **({"index": _digest_file(index)} if index else {}),
        **rescoring,
    }


def _digest_file(path: Path) -> str:
    with path.open("rb") as file:
        digest = blake2b(digest_size=16)
        while piece := file.read(1 << 22):
            digest.update(piece)
    return digest.hexdigest()
