"""`mcqa suite --from-configs`: a suite file made of a folder of configurations."""

import sys
from pathlib import Path

import yaml

from flows.process.terminal import EXIT_DONE, print_line
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.suites.from_configs import MadeSuite, make_suite

LONGEST_LINE = 120


def make_suite_file(folder: str, output: str | None) -> int:
    """Make a suite file of the folder's configurations, and say what could not be merged; return the exit code.

    Args:
        folder: the folder.
        output: where the file goes; None: to standard output.

    Raises:
        UserMistake: the folder holds no configuration, or the file cannot be written.
    """
    made = make_suite(Path(folder))
    text = yaml.safe_dump(made.content, sort_keys=False, allow_unicode=True, width=LONGEST_LINE)
    if output is None:
        print_line(text.rstrip("\n"))
    else:
        _write(Path(output), text)
    for line in (*made.remarks, _describe(made, output)):
        print_line(line, sys.stderr if output is None else None)
    return EXIT_DONE


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UserMistake(f"{path} is there already: name another file with --output") from None
    except OSError as error:
        raise UserMistake(f"cannot write {path}: {error.strerror or error}") from None


def _describe(made: MadeSuite, output: str | None) -> str:
    where = f" in {output}; mcqa suite {output} --dry-run checks them" if output else ""
    return f"A suite of {made.cell_count:,} cells{where}"
