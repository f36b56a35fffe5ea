"""An ONNX encoder of a few hundred bytes: each token has a vector in a table. Written byte by byte, as protocol buffers."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tokenizers
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from tasks.evaluation.retrieval.arrays import Vectors

WORDS = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "alpha", "beta", "gamma", "delta")
FLOAT, INT64 = 1, 7


def write_encoder(folder: Path, table: Vectors) -> Path:
    """Write `model.onnx`, which looks each of `WORDS` up in the table, and `tokenizer.json`; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(_model(table))
    tokenizer = tokenizers.Tokenizer(WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    ends = [("[CLS]", 1), ("[SEP]", 2)]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def _model(table: Vectors) -> bytes:
    """Return a graph of one node. Source: onnx.proto3, ModelProto."""
    node = _text(1, "table") + _text(1, "input_ids") + _text(2, "last_hidden_state") + _text(4, "Gather")
    values = struct.pack(f"<{table.size}f", *table.ravel())
    initializer = b"".join(_number(1, size) for size in table.shape) + _number(2, FLOAT) + _text(8, "table") + _bytes(9, values)
    graph = _bytes(1, node) + _text(2, "tiny") + _bytes(5, initializer)
    graph += _bytes(11, _port("input_ids", INT64, ["batch", "tokens"]))
    graph += _bytes(12, _port("last_hidden_state", FLOAT, ["batch", "tokens", table.shape[1]]))
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 13))


def _port(name: str, kind: int, shape: Sequence[str | int]) -> bytes:
    sizes = [_number(1, size) if isinstance(size, int) else _text(2, size) for size in shape]
    tensor = _number(1, kind) + _bytes(2, b"".join(_bytes(1, size) for size in sizes))
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _varint(value: int) -> bytes:
    pieces = []
    while value > 127:
        pieces.append(value & 127 | 128)
        value >>= 7
    return bytes(np.array([*pieces, value], dtype=np.uint8))
