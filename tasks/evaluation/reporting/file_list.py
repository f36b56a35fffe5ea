"""Where a run's files are, as Markdown: paths to copy, and links where somebody serves the files."""

import re
from collections.abc import Mapping
from pathlib import Path


def list_files(files: Mapping[str, Path], links: Mapping[str, str]) -> str:
    """Return a list of the files by kind, each with its full path as code.

    Browsers follow no link to a file from a page of a server, so a path is never a link.

    Args:
        files: the files by kind.
        links: the addresses at which they are served, by kind.
    """
    return "\n".join(
        f"- {f'[{kind}]({links[kind]})' if kind in links else kind}: {_as_code(str(path.resolve()))}"
        for kind, path in files.items()
    )


def _as_code(text: str) -> str:
    """Return the text as code, in more backticks than it holds in a row itself."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"
