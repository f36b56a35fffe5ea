"""`mcqa export`: a run's results in the format of another tool. Prefect is not imported."""

import argparse
from pathlib import Path

from flows.commands.arguments import read_path
from flows.process.terminal import EXIT_DONE, print_line, printable
from tasks.evaluation.config.export_formats import EXPORT_FORMATS
from tasks.evaluation.exporting.exports import export_run, name_export
from tasks.evaluation.reporting.saved_runs import open_saved_run


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `export`."""
    add = parser.add_argument
    add("results", type=read_path, metavar="RESULTS", help="a results file or a checkpoint, also of the original scorer")
    add("--to", required=True, choices=EXPORT_FORMATS, metavar="FORMAT", help=", ".join(EXPORT_FORMATS))
    add(
        "-o",
        "--output",
        type=read_path,
        metavar="FILE",
        help="where to; lm-eval: a folder. Left out: the name of the results with the format's ending",
    )
    add("--overwrite", action="store_true", help="replace what is there")
    parser.set_defaults(run=export_results)


def export_results(options: argparse.Namespace) -> int:
    """Write the export and say where it is; return 0.

    Raises:
        UserMistake: the results cannot be read or hold nothing, or the output cannot be that.
        StorageFailure: the output cannot be written.
    """
    run = open_saved_run(Path(options.results))
    path = Path(options.output) if options.output else name_export(run.path, options.to)
    count = export_run(run, options.to, path, overwrite=options.overwrite)
    print_line(printable(f"Exported {count:,} question{'' if count == 1 else 's'} to {path}"))
    return EXIT_DONE
