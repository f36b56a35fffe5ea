"""Paths in settings: text that the system could take for one."""

import os
from typing import Annotated

from pydantic import AfterValidator


def check_path(path: str) -> str:
    """The path, if the system can be asked for it.

    Raises:
        ValueError: it holds a null byte, or half a surrogate pair.
    """
    try:
        is_usable = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        is_usable = False
    if not is_usable:
        raise ValueError(f"{path!r} cannot be a path")
    return path


PathText = Annotated[str, AfterValidator(check_path)]
