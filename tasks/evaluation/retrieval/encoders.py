"""Encoders that run here: an ONNX file, or a model by sentence-transformers. Their tokens' vectors are pooled."""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Protocol

import numpy as np

from tasks.evaluation.config.rag_settings import EncoderSettings
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.retrieval.arrays import Mask, TokenStates, Vectors
from tasks.evaluation.retrieval.extras import import_extra
from tasks.evaluation.retrieval.pooling import pool

TOKENIZER = "tokenizer.json"
# What BERT and most encoders of its kind allow.
MOST_TOKENS = 512
SETTING = "rag.retriever_config.encoder_config"


class TokenModel(Protocol):
    """A model that gives a vector for each token of a text."""

    def read(self, texts: Sequence[str]) -> tuple[TokenStates, Mask]:
        """Return the last hidden states, and which of them are the texts' own tokens."""


class LocalEncoder:
    """Encodes texts on this machine.

    Args:
        model: gives the tokens' vectors.
        pooling: how they become one.
    """

    def __init__(self, model: TokenModel, pooling: str) -> None:
        self._model = model
        self._pooling = pooling

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the texts' vectors, of unit length."""
        states, mask = self._model.read(texts)
        return pool(states, mask, self._pooling)


def find_onnx_files(settings: EncoderSettings) -> tuple[Path, Path]:
    """Return the paths of the model and of its tokenizer, whether they exist or not."""
    given = Path(settings.pretrained_model_name_or_path or "")
    path = next((each for each in (given, given / "model.onnx", given / "onnx" / "model.onnx") if each.is_file()), given)
    named = Path(settings.tokenizer_name) if settings.tokenizer_name else path.parent / TOKENIZER
    return path, named / TOKENIZER if named.is_dir() else named


class OnnxModel:
    """A model in an ONNX file, with its tokenizer.

    Args:
        settings: name both.

    Raises:
        UserMistake: one of them does not exist or cannot be read.
    """

    def __init__(self, settings: EncoderSettings) -> None:
        runtime, tokenizers = import_extra("onnxruntime"), import_extra("tokenizers")
        path, tokenizer = find_onnx_files(settings)
        for file, name in ((path, "pretrained_model_name_or_path"), (tokenizer, "tokenizer_name")):
            if not file.is_file():
                raise UserMistake(f"there is no file {file}: fix {SETTING}.{name}")
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer))
            self._session = runtime.InferenceSession(str(path), _make_options(runtime), providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - their C++ and Rust raise classes of their own
            raise UserMistake(f"cannot read the encoder {path} with {tokenizer}: {str(error)[:200]}") from None
        self._tokenizer.enable_truncation(settings.max_tokens or MOST_TOKENS)
        self._tokenizer.enable_padding()
        self._inputs = {each.name for each in self._session.get_inputs()}

    def read(self, texts: Sequence[str]) -> tuple[TokenStates, Mask]:
        """Return the last hidden states, and which of them are the texts' own tokens."""
        encoded = self._tokenizer.encode_batch([_make_encodable(text) for text in texts])
        mask = np.array([each.attention_mask for each in encoded], dtype=np.int64)
        given = {
            "input_ids": np.array([each.ids for each in encoded], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.array([each.type_ids for each in encoded], dtype=np.int64),
            "position_ids": np.maximum(mask.cumsum(axis=1) - 1, 0),
        }
        states = self._session.run(None, {name: value for name, value in given.items() if name in self._inputs})[0]
        return np.asarray(states, dtype=np.float32), mask.astype(bool)


def _make_encodable(text: str) -> str:
    """Return the text with a question mark for each half of a surrogate pair, which tokenizers refuse."""
    return text.encode("utf-8", "replace").decode()


def _make_options(runtime: ModuleType) -> object:
    """Return options under which its threads sleep between two texts: by default they keep every core busy while they wait."""
    options = runtime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors
    return options


class TransformerModel:
    """A model by sentence-transformers, of which only the transformer and its tokenizer are used.

    Args:
        settings: name it.

    Raises:
        UserMistake: it cannot be loaded.
    """

    def __init__(self, settings: EncoderSettings) -> None:
        library = import_extra("sentence_transformers")
        name = settings.pretrained_model_name_or_path or ""
        try:
            model = library.SentenceTransformer(name, trust_remote_code=settings.trust_remote_code)
            self._tokenizer = (
                library.SentenceTransformer(settings.tokenizer_name).tokenizer if settings.tokenizer_name else model.tokenizer
            )
        except (OSError, ValueError) as error:
            raise UserMistake(f"cannot load the encoder {name!r} ({SETTING}): {str(error).splitlines()[0]}") from None
        self._transformer = model[0].auto_model.eval().requires_grad_(False)
        if settings.half_precision:
            self._transformer = self._transformer.half()
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        positions = getattr(self._transformer.config, "max_position_embeddings", None) or MOST_TOKENS
        self._most_tokens = settings.max_tokens or positions
        self._device = model.device

    def read(self, texts: Sequence[str]) -> tuple[TokenStates, Mask]:
        """Return the last hidden states, and which of them are the texts' own tokens."""
        given = self._tokenizer(
            [_make_encodable(text) for text in texts],
            padding=True,
            truncation=True,
            max_length=self._most_tokens,
            return_tensors="pt",
        ).to(self._device)
        states = self._transformer(**given).last_hidden_state
        mask = given["attention_mask"]
        return states.detach().float().cpu().numpy(), mask.cpu().numpy().astype(bool)
