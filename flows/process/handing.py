"""Values that are handed down to what is called, past code that does not know them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Value = TypeVar("Value")


@contextmanager
def hand_down(variable: ContextVar[Value], value: Value) -> Iterator[None]:
    """Let the variable have this value until the block is left."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
