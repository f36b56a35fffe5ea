"""`mcqa history`: how accuracies developed from run to run, from the results in a folder. Prefect is not imported."""

import argparse
import json
import sys
from pathlib import Path

from flows.commands.arguments import read_path
from flows.commands.sections import Section, Table, to_markdown, to_terminal
from flows.process.terminal import EXIT_DONE, print_line, printable
from tasks.evaluation.errors import StorageFailure, UserMistake
from tasks.evaluation.history.evaluations import History, read_history, select
from tasks.evaluation.history.table import TEXTS, describe_left_out, list_rows, to_json
from tasks.evaluation.storage.durable_files import replace_file, write_durably, write_pieces
from tasks.evaluation.storage.temporary_files import name_temporary_file

DESCRIPTION = """\
Show the runs whose results lie in DIR, the newest first, each with its difference from the run before it that measured the
same: the same questions, model, prompt, grader and settings.
"""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `history`."""
    parser.description = DESCRIPTION
    add = parser.add_argument
    add("folder", nargs="?", type=read_path, default=".", metavar="DIR", help="the folder of the results (.)")
    add("--questions", metavar="FILE", help="runs of this questions file alone: its path as in the settings, or its name")
    add("--model", metavar="M", help="runs of this model alone")
    add("--format", choices=("text", "markdown", "json", "html"), default="text", help="of the output (text)")
    add("-o", "--output", type=read_path, metavar="FILE", help="write it to this file")
    add("--overwrite", action="store_true", help="replace what is there")
    parser.set_defaults(run=show_history)


def show_history(options: argparse.Namespace) -> int:
    """Print the history, or write it and say where it is; return 0.

    Raises:
        UserMistake: the folder cannot be read, or holds no such run.
        StorageFailure: the file cannot be written.
    """
    everything = read_history(Path(options.folder))
    try:
        history = select(everything, questions=options.questions, model=options.model)
    except UserMistake as error:
        raise UserMistake(printable(str(error))) from None  # it names what files from elsewhere hold
    left_out = [printable(line) for line in describe_left_out(history)]
    if not history.entries:
        raise UserMistake(
            "; ".join([f"{options.folder} holds no results of a run: name the output_directory of your runs", *left_out])
        )
    text = _describe(history, options.format)
    if options.output is None:
        print_line(text)
    else:
        _write(Path(options.output), text, overwrite=options.overwrite)
        count = len(history.entries)
        print_line(printable(f"History of {count:,} run{'' if count == 1 else 's'} in {options.output}"))
    if options.format != "json":  # which holds them itself
        for line in left_out:
            print_line(f"mcqa: {line}", sys.stderr)
    return EXIT_DONE


def _describe(history: History, format_name: str) -> str:
    """Return the history in the format."""
    if format_name == "json":
        return json.dumps(to_json(history), indent=2)
    if format_name == "html":
        from tasks.evaluation.pages.history_page import write_history_page  # noqa: PLC0415 - imports Jinja2

        return write_history_page(history)
    sections = []
    for questions, entries in history.by_questions().items():
        rows = list_rows(entries)
        sections.append(Section(questions, Table(list(rows[0]), [list(row.values()) for row in rows], TEXTS)))
    return (to_markdown if format_name == "markdown" else to_terminal)(sections)


def _write(path: Path, text: str, *, overwrite: bool) -> None:
    """Write the text, whole or not at all."""
    if path.exists() and not overwrite:
        raise UserMistake(f"{path} exists already: replace it with --overwrite, or give another name with -o")
    temporary, content = path.with_name(name_temporary_file("mcqa_history")), f"{text}\n".encode(errors="replace")
    try:
        write_durably(temporary, lambda descriptor: write_pieces(descriptor, [content]), replace_file(path))
    except OSError as error:
        raise StorageFailure(f"cannot write {path}: {error.strerror or error}") from error
