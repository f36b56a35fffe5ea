"""Paths in settings and flags: `~` and `${NAME}` are expanded, and what cannot be a path on this system is refused.

No folder named `~` or `${SCRATCH}` is ever created: a name that cannot be expanded is an error.
"""

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# The folder in the installation that holds the quickstart, and the installation's own folder.
PACKAGED_FOLDER, INSTALLATION = "deployments/", Path(__file__).parents[3]


def expand_variables(text: str) -> str:
    """Return the text with the environment's values for `${NAME}`.

    Raises:
        ValueError: a variable is not set or is empty, or a `${` is not followed by a name and a brace.
    """
    if "${" in VARIABLE.sub("", text):
        raise ValueError(f"{text!r} cannot be expanded: write ${{NAME}}, with the name of a variable of the environment")
    missing = [name for name in VARIABLE.findall(text) if not os.environ.get(name)]
    if missing:
        state = "is empty" if missing[0] in os.environ else "the environment does not set"
        raise ValueError(f"{text!r} names the variable {missing[0]}, which {state}: export it first")
    return VARIABLE.sub(lambda found: os.environ[found[1]], text)


def expand_path(path: str) -> str:
    """Return the path with the home folder for a leading `~`, and the environment's values for `${NAME}`.

    Raises:
        ValueError: a variable or a user is not known, or the result cannot be a path.
    """
    if re.match(r"\$[A-Za-z_]", path):
        raise ValueError(f"{path!r} begins with a variable without braces: write ${{NAME}}")
    expanded = os.path.expanduser(expand_variables(path))  # noqa: PTH111 - Path would change what the user wrote
    if expanded.startswith("~"):
        raise ValueError(f"{path!r} begins with ~ and the name of a user that is not known; write ./{path} for that very name")
    return check_path(expanded)


def expand_input(path: str) -> str:
    """Return the path of a file to read, expanded; a file in `deployments/` that is not here is taken from the installation.

    Raises:
        ValueError: as for `expand_path`.
    """
    expanded = expand_path(path)
    packaged = INSTALLATION / expanded
    is_packaged = expanded.startswith(PACKAGED_FOLDER) and not Path(expanded).exists() and packaged.is_file()
    return str(packaged) if is_packaged else expanded


def check_path(path: str) -> str:
    """Return the path, if it can be a path on this system.

    Raises:
        ValueError: it holds a null byte or half a surrogate pair.
    """
    try:
        is_usable = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        is_usable = False
    if not is_usable:
        raise ValueError(f"{path!r} cannot be a path")
    return path


PathText = Annotated[str, AfterValidator(expand_path)]
InputPathText = Annotated[str, AfterValidator(expand_input)]
# Part of a file's name.
FileNameText = Annotated[str, AfterValidator(expand_variables), AfterValidator(check_path)]
