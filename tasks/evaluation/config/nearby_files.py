"""What stands where a file was looked for and not found: its folder, and the files there that may have been meant."""

import difflib
from collections.abc import Collection
from pathlib import Path

MOST_NAMES = 8


def describe_nearby(path: str, suffixes: Collection[str]) -> str:
    """Return where the missing file was looked for, and which files of its kind are there, the most similar name first.

    Args:
        path: the missing file.
        suffixes: the endings of files of its kind, in lower case.
    """
    folder = Path(path).parent
    try:
        names = [each.name for each in folder.iterdir() if each.suffix.lower() in suffixes and each.is_file()]
    except OSError:
        return f"there is no folder {folder.resolve()}"
    kinds = ", ".join(f"*{suffix}" for suffix in suffixes)
    if not names:
        return f"{folder.resolve()} holds no such file ({kinds})"
    wanted = Path(path).name
    names.sort(key=lambda name: (-difflib.SequenceMatcher(None, name.lower(), wanted.lower()).ratio(), name))
    more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return f"{folder.resolve()} holds {', '.join(names[:MOST_NAMES])}{more}"
