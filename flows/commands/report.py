"""`mcqa report`: runs side by side as one HTML file. Prefect is not imported."""

import argparse
from pathlib import Path

from flows.commands.arguments import read_path
from flows.process.terminal import EXIT_DONE, print_line, printable
from tasks.evaluation.comparing.names import open_named_runs
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.pages.page import check_count, write_runs

DEFAULT_OUTPUT = "report.html"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `report`."""
    add = parser.add_argument
    add("results", nargs="+", metavar="[NAME=]RESULTS", help="results files or checkpoints, also of the original scorer")
    add("-o", "--output", type=read_path, default=DEFAULT_OUTPUT, metavar="FILE", help=f"the page ({DEFAULT_OUTPUT})")
    add("--group-by", metavar="FIELD", help="accuracies for each value of this field (the runs' own fields.group_by)")
    parser.set_defaults(run=write_report)


def write_report(options: argparse.Namespace) -> int:
    """Write the page and say where it is; return 0.

    Raises:
        UserMistake: there are too many runs, they cannot be read or compared, or the output cannot be the page.
        StorageFailure: the page cannot be written.
    """
    check_count(len(options.results))
    try:
        written = write_runs(open_named_runs(options.results), Path(options.output), group_by=options.group_by)
    except UserMistake as error:
        raise UserMistake(printable(str(error))) from None  # it may name what a file from elsewhere holds
    questions = f"{written.question_count:,} question{'' if written.question_count == 1 else 's'}"
    print_line(printable(f"Report on {questions} in {written.path} ({written.size_bytes / 1e6:.1f} MB)"))
    if not written.has_texts:
        print_line("The texts of questions and answers are left out: with them, the file would have more than 200 MB")
    return EXIT_DONE
