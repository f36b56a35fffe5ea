"""The settings for a context before each question: from the question's own record, or retrieved from a corpus.

Keys and defaults are those of the original script's files, and a few of our own. A retriever is described under
`retriever_config` or in a file of its own; `rag_file` reads it where it is used.
"""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from tasks.evaluation.config.paths import PathText
from tasks.evaluation.config.prices import Prices
from tasks.evaluation.config.urls import check_extra, check_headers, check_url

NO_QUANTIZATION = "quantization: true cannot be honoured (4-bit weights need CUDA): set it to false, for full precision"


class RagPart(BaseModel):
    """The base of these settings; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)


class FaissSettings(RagPart):
    """The corpus, and how it is searched."""

    name: Literal["faiss_index_v2"] = "faiss_index_v2"
    """Accepted: there is one kind."""
    dataset_dir: PathText | None = None
    """The corpus: a folder that `save_to_disk` wrote, or a JSON Lines or Parquet file."""
    dataset_chunk_paths: list[PathText] | None = None
    """Several of them, as one corpus in this order; in place of `dataset_dir`."""
    faiss_index_path: PathText | None = None
    """A FAISS index file of the corpus. A missing one is not needed for an exact search."""
    precision: Literal["float32", "ubinary"] = "float32"
    """ubinary: search the vectors' signs, then rescore the best with the vectors themselves."""
    search_algorithm: Literal["exact", "hnsw"] = "exact"
    """hnsw: search approximately, in a graph."""
    rescore_multiplier: int = Field(default=2, ge=1)
    """How many times `retrieval_top_k` candidates are rescored after a binary search."""
    num_quantization_workers: int = 1
    """Accepted, without effect."""
    normalize: bool = False
    """Ours: bring the corpus's vectors to unit length before they are searched."""

    @model_validator(mode="after")
    def _require_corpus(self) -> Self:
        if not self.list_paths():
            raise ValueError("names no corpus: set dataset_dir")
        return self

    def list_paths(self) -> list[str]:
        """Return the corpus's paths, in order."""
        return self.dataset_chunk_paths or ([self.dataset_dir] if self.dataset_dir else [])


class EncoderSettings(RagPart):
    """What makes a question's text into a vector."""

    name: Literal["auto", "openai", "onnx", "bm25"] = "auto"
    """auto: a model by sentence-transformers; openai: an endpoint's `/v1/embeddings`; onnx: a file; bm25: words, no vectors."""
    pretrained_model_name_or_path: str | None = None
    """The model: its name, its folder, or the ONNX file."""
    tokenizer_name: str | None = None
    """For auto: another model's tokenizer. For onnx: the path of a tokenizer.json; None: that beside the file."""
    half_precision: bool = False
    """For auto: 16-bit weights."""
    eval_mode: bool = True
    """Accepted: a model is never trained here."""
    compile_model: bool = False
    """Accepted, without effect."""
    quantization: bool | None = None
    """False, or left out: full precision."""
    trust_remote_code: bool = False
    """For auto: run the code that comes with a model."""
    base_url: str | None = None
    """For openai: the endpoint's address, up to `/v1`; None: OpenAI's."""
    model: str | None = None
    """For openai: the model's name there."""
    api_key: str | None = None
    """For openai: as for the generator."""
    headers: dict[str, str] = Field(default_factory=dict)
    """For openai: as for the generator."""
    extra: dict[str, JsonValue] = Field(default_factory=dict)
    """For openai: further members of each request."""
    prices: Prices | None = None
    """For openai: what its tokens cost, as for the generator."""
    revision: str | None = None
    """Free text that tells versions of an encoder apart; part of the identity."""
    query_prefix: str = ""
    """Text before each question, where an encoder wants it, such as `query: `."""
    max_characters: int | None = Field(default=None, ge=1)
    """Cut longer texts, for an endpoint that refuses them."""
    max_tokens: int | None = Field(default=None, ge=4)
    """For auto and onnx: cut longer texts; None: at what the model allows, for onnx 512."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False, protected_namespaces=())

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, base_url: str | None) -> str | None:
        return check_url(base_url) if base_url else base_url

    @field_validator("extra")
    @classmethod
    def _check_extra(cls, extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
        return check_extra(extra)

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        return check_headers(headers)

    @model_validator(mode="after")
    def _check_encoder(self) -> Self:
        if self.quantization:
            raise ValueError(NO_QUANTIZATION)
        if self.name == "openai" and not self.model:
            raise ValueError("names no model: set model, as the endpoint knows it")
        if self.name in ("auto", "onnx") and not self.pretrained_model_name_or_path:
            raise ValueError("names no model: set pretrained_model_name_or_path")
        return self


class PoolerSettings(RagPart):
    """How the vectors of a text's tokens become one."""

    name: Literal["mean", "last_token"] = "mean"
    """mean: that of all tokens but the first and the last; last_token: the last one's."""


class RetrieverSettings(RagPart):
    """A corpus, and how the chunks for a question are found in it."""

    faiss_config: FaissSettings
    """The corpus, and how it is searched."""
    encoder_config: EncoderSettings = Field(default_factory=EncoderSettings)
    """What makes a question's text into a vector."""
    pooler_config: PoolerSettings = Field(default_factory=PoolerSettings)
    """How the vectors of a text's tokens become one."""
    batch_size: int = Field(default=4, ge=1)
    """The number of texts that are encoded at once, or sent in one request."""


class Rag(RagPart):
    """The context for each question."""

    enabled: bool = True
    """Whether questions may be asked with a context."""
    use_context_field: bool = False
    """Ask each question with the context in its own record."""
    rag_config_file: PathText | None = None
    """A YAML file with the retriever's settings, in place of `retriever_config`."""
    retriever_config: dict[str, JsonValue] | None = None
    """The retriever; checked only where it is used."""
    retrieval_top_k: int = Field(default=5, ge=0)
    """The number of chunks to put before a question."""
    retrieval_score_threshold: float = 0.0
    """Leave out chunks whose score is lower."""
    chunk_logging_enabled: bool = True
    """Keep the chunks' texts in each result; false: where they stand in the corpus, and their scores."""
    max_context_tokens: int | None = Field(default=None, ge=1)
    """Leave out the last chunks until the rest has about this many tokens, at four characters each."""

    @property
    def uses_context(self) -> bool:
        """Return True if the context in a question's record goes into the prompt."""
        return self.enabled and self.use_context_field

    @property
    def retrieves(self) -> bool:
        """Return True if chunks of a corpus are put before questions."""
        return retrieves(vars(self))

    @model_validator(mode="after")
    def _require_chunks(self) -> Self:
        if names_retriever(vars(self)) and not self.retrieval_top_k and not self.use_context_field:
            raise ValueError("retrieval_top_k is 0, so nothing is retrieved: set it to 1 or more, or give --no-rag")
        return self


def names_retriever(rag: Mapping[str, object]) -> bool:
    """Return True if these settings, as a file or `Rag` holds them, describe a retriever that may be used."""
    return bool(rag.get("enabled", True)) and bool(rag.get("retriever_config") or rag.get("rag_config_file"))


def retrieves(rag: Mapping[str, object]) -> bool:
    """Return True if these settings, as a file or `Rag` holds them, put chunks of a corpus before questions."""
    return names_retriever(rag) and rag.get("retrieval_top_k") != 0


def complete_retriever(rag: Rag) -> RetrieverSettings:
    """Return the retriever's settings, with all defaults; they were checked when they were read."""
    return RetrieverSettings.model_validate(rag.retriever_config)
