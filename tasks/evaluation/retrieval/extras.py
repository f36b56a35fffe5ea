"""Packages that only some settings need: they are installed with an extra, and imported where they are first used."""

from importlib import import_module
from types import ModuleType

from tasks.evaluation.errors import UserMistake

EXTRAS = {"faiss": "rag", "onnxruntime": "rag", "tokenizers": "rag", "bm25s": "rag", "sentence_transformers": "rag-torch"}


def import_extra(package: str) -> ModuleType:
    """Return the package.

    Raises:
        UserMistake: it is not installed.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        extra = EXTRAS[package]
        raise UserMistake(
            f"these settings need the package {error.name}, which is not installed: pip install 'mcqa-flow[{extra}]' "
            f"(in a clone: pip install -c deployments/constraints.txt '.[{extra}]')"
        ) from None
