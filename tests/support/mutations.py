"""Damage for readers: files spoiled as storage and people spoil them, and documents with wrong parts."""

import copy
import gzip
import io
import json
import re
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from hypothesis import strategies as st

# What readers stumble over, wherever it is: bytes that are not text, other syntax, endless numbers, bottomless nesting.
TOKENS = [
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\n", b"\r\n", b"\t", b"\\", b'"\\ud800"', b'"', b"'",
    b"{", b"}", b"[", b"]", b",", b":", b": ", b"- ", b"&a ", b"*a", b"!!python/object:x", b"!!int ", b"? ", b"#", b"<<: ",
    b"null", b"true", b"NaN", b"Infinity", b"-", b"-0", b"1e999", b"0x1F", b"1:30", b"2026-11-23", b"2026-13-45", b"llamacpp",
    b"9" * 5_000, b"[" * 3_000, b'{"a":' * 3_000, b'"results": [\n', b"\n], ", b'"completed_indices"', b"}\n{", b"|", b"%",
]  # fmt: skip
WORD = re.compile(rb'"(?:[^"\\]|\\.)*"|[\w.+-]+|\S')
# Values that no field expects: numbers that other programs cannot hold, half surrogate pairs, anything nested.
TEXTS = [
    "", " ", "\x00", "\ud800", "${X}", "secret:x", "http://[", "http://u:p@h", "/", "A, C", "llamacpp", "x" * 300,
    "2026-11-23T00:00:00+23:59", "9" * 5_000,
]  # fmt: skip
NUMBERS = [0, -1, 2**63, 10**400, float("nan"), float("inf"), -0.0, 1e308]
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([*NUMBERS, *TEXTS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@st.composite
def spoiled(draw: st.DrawFn, content: bytes) -> bytes:
    """Draw the content with a few of its words or pieces overwritten, cut out, or doubled."""
    for _ in range(draw(st.integers(1, 4))):
        words = [match.span() for match in WORD.finditer(content)] or [(0, 0)]
        piece = st.tuples(st.integers(0, len(content)), st.integers(0, len(content))).map(sorted)
        start, stop = draw(st.sampled_from(words) | piece)
        put = draw(st.sampled_from(TOKENS) | st.binary(max_size=6) | st.just(content[start:stop] * 2) | st.just(b""))
        content = content[:start] + put + content[stop:]
    return content


@st.composite
def altered(draw: st.DrawFn, document: Any) -> Any:
    """Draw the document with another value, or none, at a few of its places, perhaps with a key that it did not have."""
    document = {"": copy.deepcopy(document)}
    for _ in range(draw(st.integers(1, 3))):
        parent, key = draw(st.sampled_from(_list_places(document)))
        change = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if change == "remove" and parent is not document:
            del parent[key]
        elif change == "add" and isinstance(parent[key], dict):
            parent[key][draw(st.text(max_size=4))] = draw(VALUES)
        else:
            parent[key] = draw(VALUES)
    return document[""]


def to_json(document: Any) -> bytes:
    """Return the document as JSON, on one line."""
    return json.dumps(document).encode()


def pack(content: bytes) -> bytes:
    """Return the content compressed with gzip, without a time stamp."""
    return gzip.compress(content, mtime=0)


def to_parquet(records: list[dict[str, Any]]) -> bytes:
    """Return the records as a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records), buffer)
    return buffer.getvalue()


def to_yaml(document: Any) -> bytes:
    """Return the document as YAML."""
    return yaml.safe_dump(document).encode("utf-8", "surrogatepass")


def _list_places(node: Any) -> list[tuple[Any, Any]]:
    """Return each place in the document, as its container and its key."""
    keys: list[Any] = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
    return [(node, key) for key in keys] + [place for key in keys for place in _list_places(node[key])]
